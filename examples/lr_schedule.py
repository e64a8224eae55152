"""A learning rate that follows the epochs: 0.01 for five epochs, then half of it each time.

Written twice: by hand, so that one sees what a scheduler is, and with LambdaLR. A third run keeps the rate as it is.

    python -m rushlight examples/lr_schedule.py
    python examples/lr_schedule.py            # the same script, under PyTorch
"""

import argparse
import time

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, TensorDataset, random_split

FIXED_EPOCHS = 5


class HalvingSchedule:
    """What a scheduler does, in ten lines: it writes a number into the optimizer's groups."""

    def __init__(self, optimizer, fixed_epochs=FIXED_EPOCHS):
        self.optimizer, self.fixed_epochs, self.epoch = optimizer, fixed_epochs, 0
        self.initial = [group["lr"] for group in optimizer.param_groups]

    def step(self):
        self.epoch += 1
        factor = 0.5 ** max(0, self.epoch - self.fixed_epochs + 1)
        for group, lr in zip(self.optimizer.param_groups, self.initial):
            group["lr"] = lr * factor


def schedule(kind, optimizer):
    if kind == "by hand":
        return HalvingSchedule(optimizer)
    if kind == "LambdaLR":
        return LambdaLR(optimizer, lambda epoch: 0.5 ** max(0, epoch - FIXED_EPOCHS + 1))
    return LambdaLR(optimizer, lambda epoch: 1.0)


def train(kind, training, test, epochs, seed):
    """Rates, training losses and test losses, epoch by epoch."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    scheduler = schedule(kind, optimizer)
    loss_function = nn.CrossEntropyLoss()
    x_test, y_test = test[:]
    rates, losses, test_losses = [], [], []
    for _ in range(epochs):
        total = 0.0
        for x, y in DataLoader(training, batch_size=8, shuffle=True):
            optimizer.zero_grad()
            loss = loss_function(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
        rates.append(optimizer.param_groups[0]["lr"])
        scheduler.step()  # once an epoch, after the optimizer
        losses.append(total / len(training))
        with torch.no_grad():
            test_losses.append(loss_function(model(x_test), y_test).item())
    return rates, losses, test_losses


def save_picture(path, runs):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), constrained_layout=True)
    for (kind, (rates, losses, _)), color in zip(runs.items(), ("#2f6fab", "#2f6fab", "#c0562f")):
        if kind == "by hand":
            continue  # the same numbers as LambdaLR's
        epochs = range(1, len(rates) + 1)
        left.step(epochs, rates, where="mid", color=color, label=kind)
        right.plot(epochs, losses, color=color, label=kind, marker="o", markersize=3)
    left.set(xlabel="epoch", ylabel="learning rate", yscale="log")
    left.legend(frameon=False, loc="lower left")
    right.set(xlabel="epoch", ylabel="training loss", yscale="log")
    right.legend(frameon=False)
    figure.savefig(path, dpi=80)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--picture", default="lr_schedule.png", help="where the picture goes")
    args = parser.parse_args()

    from sklearn.datasets import load_digits

    torch.manual_seed(args.seed)
    digits = load_digits()
    pixels = torch.tensor(digits.data, dtype=torch.float32) / 8 - 1
    training, test = random_split(TensorDataset(pixels, torch.tensor(digits.target)), [1437, 360])

    started = time.time()
    runs = {k: train(k, training, test, args.epochs, args.seed) for k in ("by hand", "LambdaLR", "constant 0.01")}
    print("epoch  rate        loss: scheduled  constant")
    for i in range(args.epochs):
        rate, loss = runs["LambdaLR"][0][i], runs["LambdaLR"][1][i]
        print(f"{i + 1:5d}  {rate:.8f}        {loss:.6f}  {runs['constant 0.01'][1][i]:.6f}")
    print("by hand and LambdaLR give the same numbers:", runs["by hand"] == runs["LambdaLR"])
    for kind in ("LambdaLR", "constant 0.01"):
        print(f"test loss at the end, {kind}: {runs[kind][2][-1]:.4f}")
    print(f"trained in {time.time() - started:.1f} s")
    save_picture(args.picture, runs)
    print(f"Rates and losses in {args.picture}")


if __name__ == "__main__":
    main()
