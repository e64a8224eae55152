"""A convolutional network for handwritten digits, with batch normalization and dropout.

The digits are the 1,797 of scikit-learn (8x8 pixels); `--data FOLDER` takes MNIST (28x28) and loads it if it is not there.

    python -m rushlight examples/cnn.py
    python examples/cnn.py                    # the same script, under PyTorch
"""

import argparse
import time

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


class CNN(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(32)
        self.conv3 = nn.Conv2d(32, 64, 3, padding=1)
        self.norm3 = nn.BatchNorm2d(64)
        self.dropout = nn.Dropout(0.25)
        self.head = nn.Linear(64, classes)

    def forward(self, x):
        x = F.relu(self.norm1(self.conv1(x)))
        x = F.max_pool2d(F.relu(self.norm2(self.conv2(x))), 2)
        x = F.max_pool2d(F.relu(self.norm3(self.conv3(x))), 2)
        x = F.adaptive_avg_pool2d(x, 1).flatten(1)  # so images of any size will do
        return self.head(self.dropout(x))


def load(folder):
    if folder:
        from torchvision import datasets, transforms

        pipeline = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
        return [datasets.MNIST(folder, train=part, download=True, transform=pipeline) for part in (True, False)]
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 8 - 1  # (n, 1, 8, 8), from -1 to 1
    return random_split(TensorDataset(images, torch.tensor(digits.target)), [1437, 360])


def evaluate(model, loader):
    """Mean loss, images, guesses and truth."""
    model.eval()
    with torch.no_grad():
        parts = [(x, model(x), y) for x, y in loader]
    model.train()
    images, logits, truth = (torch.cat(part) for part in zip(*parts))
    return F.cross_entropy(logits, truth).item(), images, logits.argmax(1), truth


def save_picture(path, losses, test_losses, model, images, guesses, truth):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(10, 3.6), constrained_layout=True)
    left, middle, right = figure.subfigures(1, 3, width_ratios=[1.3, 1, 1])
    axis = left.subplots()
    axis.plot(range(1, len(losses) + 1), losses, color="#c0562f", label="training")
    axis.plot(range(1, len(losses) + 1), test_losses, color="#2f6fab", label="test")
    axis.set(xlabel="epoch", ylabel="cross entropy", yscale="log")
    axis.legend(frameon=False)
    middle.suptitle("the first layer's filters", fontsize=10)
    for axis, kernel in zip(middle.subplots(4, 4).flat, model.conv1.weight.detach()):
        axis.imshow(kernel[0].tolist(), cmap="RdBu", vmin=-0.6, vmax=0.6)
        axis.axis("off")
    right.suptitle("test images, the mistakes first", fontsize=10)
    chosen = sorted(range(len(truth)), key=lambda i: int(guesses[i] == truth[i]))[:16]
    for axis, i in zip(right.subplots(4, 4).flat, chosen):
        axis.imshow(images[i, 0].tolist(), cmap="gray_r")
        wrong = guesses[i] != truth[i]
        axis.set_title(
            f"{guesses[i]}, not {truth[i]}" if wrong else f"{guesses[i]}",
            fontsize=8,
            color="#c0562f" if wrong else "black",
        )
        axis.axis("off")
    figure.savefig(path, dpi=80)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="a folder for MNIST, instead of scikit-learn's digits")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--picture", default="cnn.png", help="where the picture goes")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    training, test = load(args.data)
    loader = DataLoader(training, batch_size=64, shuffle=True)
    test_loader = DataLoader(test, batch_size=256)
    model = CNN()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    print(model)
    print(f"{sum(p.numel() for p in model.parameters())} parameters")

    started = time.time()
    losses, test_losses = [], []
    for epoch in range(args.epochs):
        total = 0.0
        for x, y in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
        test_loss, images, guesses, truth = evaluate(model, test_loader)
        losses.append(total / len(training))
        test_losses.append(test_loss)
        accuracy = (guesses == truth).float().mean().item()
        print(f"epoch {epoch + 1:3d}  loss {losses[-1]:.4f}  test loss {test_loss:.4f}  test accuracy {accuracy:.2%}")
    print(f"trained in {time.time() - started:.1f} s")
    save_picture(args.picture, losses, test_losses, model, images, guesses, truth)
    print(f"Losses, filters and mistakes in {args.picture}")


if __name__ == "__main__":
    main()
