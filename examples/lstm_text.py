"""An LSTM that learns to write this project's documentation, letter by letter.

The text is that of the repository; `--data FILE` takes another one.

    python -m rushlight examples/lstm_text.py
    python examples/lstm_text.py              # the same script, under PyTorch
"""

import argparse
import math
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

TEXTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/compatibility.md")


class Writer(nn.Module):
    def __init__(self, letters, embedding=32, hidden=128):
        super().__init__()
        self.embedding = nn.Embedding(letters, embedding)
        self.lstm = nn.LSTM(embedding, hidden, batch_first=True)
        self.head = nn.Linear(hidden, letters)

    def forward(self, x, state=None):
        out, state = self.lstm(self.embedding(x), state)
        return self.head(out), state


def load(path):
    """The text without rare letters, and the list of its letters."""
    root = Path(__file__).parent.parent
    text = "\n".join(p.read_text(encoding="utf-8") for p in ([path] if path else [root / name for name in TEXTS]))
    text = "".join(c for c in text if c.isascii())
    return text, sorted(set(text))


def batches(codes, batch, length):
    """The text in `batch` parallel columns, `length` letters at a time; what follows is the target."""
    columns = len(codes) // batch
    sheet = codes[: batch * columns].reshape(batch, columns)
    for start in range(0, columns - 1, length):
        end = min(start + length, columns - 1)
        yield sheet[:, start:end], sheet[:, start + 1 : end + 1]


def write(model, letters, start, count, temperature=0.5):
    """Letters drawn one after the other, and how sure the model was of each."""
    codes, state, sure = [letters.index(c) for c in start], None, []
    x = torch.tensor([codes])
    with torch.no_grad():
        for _ in range(count):
            logits, state = model(x, state)
            p = (logits[0, -1] / temperature).softmax(0)
            x = torch.multinomial(p, 1)[None]
            codes.append(x.item())
            sure.append(p[codes[-1]].item())
    return "".join(letters[c] for c in codes), sure


def save_picture(path, losses, letters, text, sure, start):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.8), width_ratios=[1, 1.5], constrained_layout=True)
    left.plot(range(1, len(losses) + 1), losses, color="#2f6fab")
    left.axhline(math.log(letters), color="gray", linestyle=":")
    left.text(len(losses), math.log(letters) - 0.12, "guessing", ha="right", va="top", color="gray")
    left.set(xlabel="epoch", ylabel="cross entropy per letter", ylim=(0, None))
    right.axis("off")
    right.set_title("what it writes; blue: it was sure of the letter", fontsize=10)
    row = column = 0
    for i, letter in enumerate(text):
        if letter == "\n" or column == 64:
            row, column = row + 1, 0
        if letter != "\n":
            p = sure[i - len(start)] if i >= len(start) else 1.0
            color = (0.75 - 0.62 * p, 0.45 - 0.05 * p, 0.25 + 0.45 * p)
            right.text(column / 64, 1 - row / 13, letter, family="monospace", fontsize=8.5, color=color, va="top")
            column += 1
        if row > 12:
            break
    figure.savefig(path, dpi=80)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a text file, instead of the documentation")
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--picture", default="lstm_text.png", help="where the picture goes")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    text, letters = load(args.data)
    numbers = {c: i for i, c in enumerate(letters)}
    codes = torch.tensor([numbers[c] for c in text])
    model = Writer(len(letters))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    print(f"{len(text)} letters, {len(letters)} different ones")

    started = time.time()
    losses = []
    for epoch in range(args.epochs):
        total, count, state = 0.0, 0, None
        for x, y in batches(codes, batch=16, length=64):
            if state is not None:  # go on where the last part of the text ended, but learn nothing from before
                state = tuple(s.detach() for s in state)
            optimizer.zero_grad()
            logits, state = model(x, state)
            loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total, count = total + loss.item() * y.numel(), count + y.numel()
        losses.append(total / count)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1:2d}  loss {losses[-1]:.4f}")
    print(f"trained in {time.time() - started:.1f} s\n")
    start = "The "
    written, sure = write(model, letters, start, 600)
    print(written)
    save_picture(args.picture, losses, len(letters), written, sure, start)
    print(f"\nThe loss and the text in {args.picture}")


if __name__ == "__main__":
    main()
