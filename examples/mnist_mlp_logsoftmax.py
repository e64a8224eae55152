"""A multilayer perceptron for handwritten digits: two hidden layers of 128, ReLU, and LogSoftmax with NLLLoss.

The digits are the 1,797 of scikit-learn (8x8 pixels), which need no download; `--data FOLDER` takes MNIST (28x28), and
loads it into the folder if it is not there.

    python -m rushlight examples/mnist_mlp_logsoftmax.py
    python examples/mnist_mlp_logsoftmax.py   # the same script, under PyTorch
"""

import argparse
import time

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


class MLP(nn.Module):
    def __init__(self, pixels, classes=10):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(pixels, 128),
            nn.ReLU(),
            nn.Linear(128, 128),
            nn.ReLU(),
            nn.Linear(128, classes),
            nn.LogSoftmax(dim=1),  # logarithms of probabilities: what NLLLoss wants
        )

    def forward(self, x):
        return self.layers(x)


def load(folder):
    """Training and test set, and the number of pixels."""
    if folder:
        from torchvision import datasets, transforms

        pipeline = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
        training = datasets.MNIST(folder, train=True, download=True, transform=pipeline)
        return training, datasets.MNIST(folder, train=False, download=True, transform=pipeline), 28 * 28
    from sklearn.datasets import load_digits

    digits = load_digits()
    data = TensorDataset(torch.tensor(digits.images, dtype=torch.float32) / 8 - 1, torch.tensor(digits.target))
    training, test = random_split(data, [1437, 360])
    return training, test, 8 * 8


def evaluate(model, loader):
    """The share that is right, and how often digit i was taken for digit j."""
    confusion = torch.zeros(10, 10, dtype=torch.int64)
    model.eval()
    with torch.no_grad():
        for x, y in loader:
            for truth, guess in zip(y.tolist(), model(x).argmax(1).tolist()):
                confusion[truth, guess] += 1
    model.train()
    return confusion.diagonal().sum().item() / confusion.sum().item(), confusion


def save_picture(path, losses, accuracies, confusion):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), constrained_layout=True)
    epochs = range(1, len(losses) + 1)
    left.plot(epochs, losses, color="#c0562f", label="training loss")
    left.set(xlabel="epoch", ylabel="negative log likelihood", yscale="log")
    other = left.twinx()
    other.plot(epochs, [100 * a for a in accuracies], color="#2f6fab", label="test accuracy")
    other.set_ylabel("test accuracy, %")
    figure.legend(loc="upper left", bbox_to_anchor=(0.22, 0.65), frameon=False)
    right.imshow([[value**0.5 for value in row] for row in confusion.tolist()], cmap="Blues")
    for i, row in enumerate(confusion.tolist()):
        for j, count in enumerate(row):
            if count:
                right.text(j, i, count, ha="center", va="center", fontsize=8, color="white" if i == j else "#c0562f")
    right.set(xlabel="taken for", ylabel="is", xticks=range(10), yticks=range(10))
    figure.savefig(path, dpi=80)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="a folder for MNIST, instead of scikit-learn's digits")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--picture", default="mnist_mlp_logsoftmax.png", help="where the picture goes")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    training, test, pixels = load(args.data)
    loader = DataLoader(training, batch_size=64, shuffle=True)
    test_loader = DataLoader(test, batch_size=256)
    model = MLP(pixels)
    loss_function = nn.NLLLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    print(model)

    started = time.time()
    losses, accuracies = [], []
    for epoch in range(args.epochs):
        total = 0.0
        for x, y in loader:
            optimizer.zero_grad()
            loss = loss_function(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
        accuracy, confusion = evaluate(model, test_loader)
        losses.append(total / len(training))
        accuracies.append(accuracy)
        if epoch % 5 == 4 or epoch == args.epochs - 1:
            print(f"epoch {epoch + 1:3d}  loss {losses[-1]:.4f}  test accuracy {accuracy:.2%}")
    print(f"trained in {time.time() - started:.1f} s")
    save_picture(args.picture, losses, accuracies, confusion)
    print(f"Loss, accuracy and mistakes in {args.picture}")


if __name__ == "__main__":
    main()
