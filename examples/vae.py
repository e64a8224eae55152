"""A variational autoencoder: it learns to write each digit as two numbers, and to draw digits from two numbers.

The digits are the 1,797 of scikit-learn (8x8 pixels); `--data FOLDER` takes MNIST (28x28) and loads it if it is not there.

    python -m rushlight examples/vae.py
    python examples/vae.py                    # the same script, under PyTorch

Source: Kingma, Welling, Auto-encoding variational Bayes, https://arxiv.org/abs/1312.6114
"""

import argparse
import time

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class VAE(nn.Module):
    def __init__(self, pixels, hidden=128, latent=2):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
        self.mean = nn.Linear(hidden, latent)
        self.log_variance = nn.Linear(hidden, latent)
        self.decoder = nn.Sequential(
            nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, pixels)
        )

    def forward(self, x):
        h = self.encoder(x)
        mean, log_variance = self.mean(h), self.log_variance(h)
        z = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()  # random, and yet it has a gradient
        return self.decoder(z), mean, log_variance


def loss_function(logits, x, mean, log_variance):
    """How badly the image is drawn, and how far the codes are from a standard normal distribution; per image."""
    drawing = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    codes = -0.5 * torch.sum(1 + log_variance - mean**2 - log_variance.exp())
    return drawing / len(x), codes / len(x)


def load(folder):
    """Images as rows of numbers from 0 to 1, and their labels."""
    if folder:
        from torchvision import datasets

        mnist = datasets.MNIST(folder, download=True)
        return mnist.data.flatten(1).float() / 255, mnist.targets
    from sklearn.datasets import load_digits

    digits = load_digits()
    return torch.tensor(digits.data, dtype=torch.float32) / 16, torch.tensor(digits.target)


def save_picture(path, model, losses, x, labels):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    def sheet(images, columns):
        """Images side by side, with a white pixel around each."""
        side = int(images.shape[1] ** 0.5)
        images = F.pad(images.reshape(-1, columns, side, side), (1, 1, 1, 1))
        return images.permute(0, 2, 1, 3).reshape(-1, columns * (side + 2)).tolist()

    model.eval()
    with torch.no_grad():
        codes = model.mean(model.encoder(x))
        drawn = model.decoder(codes[:18]).sigmoid()
        pairs = torch.stack((x[:18], drawn), dim=1).flatten(0, 1)
        steps = (
            torch.linspace(0.06, 0.94, 9).mul(2).sub(1).erfinv().mul(2**0.5)
        )  # equal parts of the normal distribution
        new = model.decoder(torch.stack([torch.stack((a, -b)) for b in steps for a in steps])).sigmoid()

    figure, axes = plt.subplots(1, 4, figsize=(13, 3.4), width_ratios=[1, 1, 1.25, 1], constrained_layout=True)
    axes[0].plot(range(1, len(losses) + 1), losses, color="#2f6fab")
    axes[0].set(xlabel="epoch", ylabel="loss per image")
    axes[1].imshow(sheet(pairs, 6), cmap="gray_r")
    axes[1].set_title("given and drawn again, three times a row", fontsize=9)
    shown = codes[:1800]
    points = axes[2].scatter(shown[:, 0].tolist(), shown[:, 1].tolist(), c=labels[:1800].tolist(), cmap="tab10", s=5)
    axes[2].set_title("the two numbers of each digit", fontsize=9)
    figure.colorbar(points, ax=axes[2], ticks=range(10))
    axes[3].imshow(sheet(new, 9), cmap="gray_r")
    axes[3].set_title("new ones, drawn from two numbers", fontsize=9)
    for axis in (axes[1], axes[3]):
        axis.axis("off")
    figure.savefig(path, dpi=72)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="a folder for MNIST, instead of scikit-learn's digits")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--picture", default="vae.png", help="where the picture goes")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    x, labels = load(args.data)
    loader = DataLoader(TensorDataset(x), batch_size=64, shuffle=True)
    model = VAE(x.shape[1])
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

    started = time.time()
    losses = []
    for epoch in range(args.epochs):
        total = torch.zeros(2)
        for (batch,) in loader:
            optimizer.zero_grad()
            logits, mean, log_variance = model(batch)
            drawing, codes = loss_function(logits, batch, mean, log_variance)
            (drawing + codes).backward()
            optimizer.step()
            total += torch.stack((drawing, codes)).detach() * len(batch)
        drawing, codes = (total / len(x)).tolist()
        losses.append(drawing + codes)
        if epoch == 0 or epoch % 20 == 19:
            print(f"epoch {epoch + 1:3d}  loss {losses[-1]:.3f}  (drawing {drawing:.3f}, codes {codes:.3f})")
    print(f"trained in {time.time() - started:.1f} s")
    save_picture(args.picture, model, losses, x, labels)
    print(f"Loss, digits drawn again, their codes and new digits in {args.picture}")


if __name__ == "__main__":
    main()
