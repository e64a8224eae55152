"""Handwritten digits: train a small classifier and look at what it says about digits it has never seen.

The data are the 1,797 scans of 8x8 pixels that come with scikit-learn. Run it with either:

    python -m rushlight examples/digits.py
    python examples/digits.py                 # the same script, under PyTorch
"""

import argparse
import sys
import time

import torch
from sklearn.datasets import load_digits
from torch import nn

SHADES = " .:-=+*#%@"


def progress(epoch, epochs, loss, started):
    """One line in the terminal, redrawn in place; in a log file only the last one."""
    done = (epoch + 1) * 30 // epochs
    line = f"epoch {epoch + 1:3d}/{epochs} [{'=' * done}{' ' * (30 - done)}] loss {loss:.4f}  {time.time() - started:.1f} s"
    if sys.stdout.isatty():
        print("\r" + line, end="\n" if epoch + 1 == epochs else "", flush=True)
    elif epoch + 1 == epochs:
        print(line)


def show(images, predicted, truth, columns=8):
    """Draws digits side by side in the terminal; two characters a pixel, since characters are tall."""
    color = sys.stdout.isatty()
    for start in range(0, len(images), columns):
        group = range(start, min(start + columns, len(images)))
        for row in range(8):
            line = ""
            for i in group:
                for value in images[i][row]:
                    if color:
                        gray = 232 + int(value / 16 * 23)
                        line += f"\033[48;5;{gray}m  \033[0m"
                    else:
                        line += SHADES[int(value / 16 * 9)] * 2
                line += "  "
            print(line.rstrip())
        for i in group:
            note = f"{predicted[i]}" if predicted[i] == truth[i] else f"{predicted[i]}, not {truth[i]}"
            print(f"{note:^16}", end="  ")
        print("\n")


def save_picture(path, images, predicted, truth, columns=8, scale=10):
    """The same as a PNG: green where the prediction is right, red where it is wrong."""
    from PIL import Image, ImageDraw

    cell, caption = 8 * scale, 18
    rows = (len(images) + columns - 1) // columns
    gap = 8
    sheet = Image.new("RGB", (columns * (cell + gap) + gap, rows * (cell + caption + gap) + gap), "white")
    draw = ImageDraw.Draw(sheet)
    for i, image in enumerate(images):
        left, top = gap + i % columns * (cell + gap), gap + i // columns * (cell + caption + gap)
        digit = Image.new("L", (8, 8))
        digit.putdata([255 - int(value / 16 * 255) for row in image for value in row])
        sheet.paste(digit.resize((cell, cell), Image.Resampling.NEAREST), (left, top))
        right = predicted[i] == truth[i]
        text = f"{predicted[i]}" if right else f"{predicted[i]}, not {truth[i]}"
        draw.rectangle((left - 1, top - 1, left + cell, top + cell), outline="#2a8a3c" if right else "#c62828", width=2)
        draw.text((left + cell / 2, top + cell + 3), text, fill="#2a8a3c" if right else "#c62828", anchor="ma")
    sheet.save(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--picture", default="digits.png", help="where the picture of the predictions goes")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    digits = load_digits()
    images = torch.tensor(digits.data, dtype=torch.float32)
    labels = torch.tensor(digits.target)
    order = torch.randperm(len(images))
    held_out, training = order[:360], order[360:]
    x, y = images[training] / 16, labels[training]
    test_x, test_y = images[held_out] / 16, labels[held_out]

    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)
    print(model)
    print(f"{len(x)} digits to learn from, {len(test_x)} held out\n")

    started = time.time()
    for epoch in range(args.epochs):
        total = 0.0
        shuffled = torch.randperm(len(x))
        for start in range(0, len(x), args.batch):
            batch = shuffled[start : start + args.batch]
            loss = loss_function(model(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        progress(epoch, args.epochs, total / len(x), started)

    with torch.no_grad():
        predicted = model(test_x).argmax(dim=1)
    accuracy = (predicted == test_y).float().mean().item()
    print(f"\nheld-out accuracy: {accuracy:.2%}\n")

    # The mistakes are the interesting ones: show them first.
    predicted, truth, which = predicted.tolist(), test_y.tolist(), held_out.tolist()
    chosen = sorted(range(len(truth)), key=lambda i: predicted[i] == truth[i])[:16]
    pictures = [digits.images[which[i]] for i in chosen]
    guesses, truth = [predicted[i] for i in chosen], [truth[i] for i in chosen]
    show(pictures[:8], guesses, truth)
    save_picture(args.picture, pictures, guesses, truth)
    print(f"More of them in {args.picture}")


if __name__ == "__main__":
    main()
