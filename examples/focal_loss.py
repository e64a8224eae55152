"""Focal loss for classes of very different size: FL(p) = -alpha (1 - p)^gamma log(p).

The task: find the few digits 8 among all others. Most of the 8s are taken out of the training set, so that only about one
image in fifty is one. The same network learns with cross entropy and with focal loss.

    python -m rushlight examples/focal_loss.py
    python examples/focal_loss.py             # the same script, under PyTorch
"""

import argparse
import time

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class FocalLoss(nn.Module):
    """Cross entropy in which what is recognized already counts little.

    alpha: a weight for each class; gamma: how much the recognized loses (0 is cross entropy).
    """

    def __init__(self, alpha, gamma=2.0):
        super().__init__()
        self.register_buffer("alpha", torch.as_tensor(alpha, dtype=torch.float32))
        self.gamma = gamma

    def forward(self, logits, targets):
        log_p = F.log_softmax(logits, dim=1).gather(1, targets[:, None]).squeeze(1)  # of the right class
        return (-self.alpha[targets] * (1 - log_p.exp()) ** self.gamma * log_p).mean()


def load(rare=8, keep=25):
    """Images and whether they are the rare digit; of it, only a few are left to learn from."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    x = torch.tensor(digits.data, dtype=torch.float32) / 8 - 1
    y = (torch.tensor(digits.target) == rare).long()
    order = torch.randperm(len(x))
    test, training = order[:600], order[600:]
    positive = training[y[training] == 1][:keep]
    training = torch.cat((training[y[training] == 0], positive))
    return x[training], y[training], x[test], y[test]


def train(loss_function, data, epochs, seed):
    """The probability of the rare class for each test image, and the losses."""
    x, y, x_test, _ = data
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(epochs):
        total = 0.0
        for batch, target in DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True):
            optimizer.zero_grad()
            loss = loss_function(model(batch), target)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(target)
        losses.append(total / len(x))
    with torch.no_grad():
        return model(x_test).softmax(dim=1)[:, 1], losses


def precision_and_recall(scores, truth):
    """Both, for every threshold from high to low."""
    found = truth[scores.argsort(descending=True)].cumsum(0).float()
    return found / torch.arange(1, len(truth) + 1), found / truth.sum()


def average_precision(precision, recall):
    steps = recall - torch.cat((torch.zeros(1), recall[:-1]))
    return (precision * steps).sum().item()


def save_picture(path, curves):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), constrained_layout=True)
    p = torch.linspace(0.01, 1, 100)
    for gamma, shade in ((0, "#c0562f"), (0.5, "#9ab4cf"), (2, "#2f6fab"), (5, "#12304d")):
        label = f"gamma = {gamma}" + (" (cross entropy)" if gamma == 0 else "")
        left.plot(p.tolist(), (-((1 - p) ** gamma) * p.log()).tolist(), color=shade, label=label)
    left.set(xlabel="probability of the right class", ylabel="loss", ylim=(0, 4))
    left.legend(frameon=False)
    for (name, (precision, recall)), color in zip(curves.items(), ("#c0562f", "#2f6fab")):
        label = f"{name}: {average_precision(precision, recall):.3f}"
        right.step(recall.tolist(), precision.tolist(), where="post", color=color, label=label)
    right.set(xlabel="recall", ylabel="precision", ylim=(0, 1.03))
    right.legend(frameon=False, loc="lower left", title="average precision")
    figure.savefig(path, dpi=80)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--picture", default="focal_loss.png", help="where the picture goes")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    data = load()
    truth = data[3]
    print(
        f"{len(data[1])} images to learn from, {int(data[1].sum())} of them 8s; {len(truth)} to test, {int(truth.sum())} of them 8s"
    )
    started = time.time()
    curves = {}
    for name, loss_function in {"cross entropy": nn.CrossEntropyLoss(), "focal loss": FocalLoss([0.25, 0.75])}.items():
        scores, losses = train(loss_function, data, args.epochs, args.seed)
        curves[name] = precision_and_recall(scores, truth)
        guess = scores > 0.5
        hit = (guess & (truth == 1)).sum().item()
        print(
            f"{name:13s} loss {losses[0]:.4f} -> {losses[-1]:.4f}; above one half: {hit} of {int(truth.sum())} found, "
            f"{int(guess.sum()) - hit} false; average precision {average_precision(*curves[name]):.3f}"
        )
    print(f"trained in {time.time() - started:.1f} s")
    save_picture(args.picture, curves)
    print(f"The losses, and precision against recall, in {args.picture}")


if __name__ == "__main__":
    main()
