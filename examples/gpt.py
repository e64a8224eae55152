"""A small GPT that learns to write this project's documentation, letter by letter.

Two blocks of causal self-attention and a perceptron. The text is that of the repository; `--data FILE` takes another one.

    python -m rushlight examples/gpt.py
    python examples/gpt.py                    # the same script, under PyTorch

Source: Vaswani et al., Attention is all you need, https://arxiv.org/abs/1706.03762
"""

import argparse
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

TEXTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/compatibility.md")
CONTEXT, WIDTH, HEADS, BLOCKS = 64, 64, 4, 2


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.out = nn.Linear(WIDTH, WIDTH, bias=False)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def heads(self, x):
        """Queries, keys and values, each (batch, heads, time, width of a head)."""
        batch, time, _ = x.shape
        return self.qkv(self.norm1(x)).reshape(batch, time, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)

    def forward(self, x):
        q, k, v = self.heads(x)
        looked_up = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(looked_up.transpose(1, 2).reshape(x.shape))
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    def __init__(self, letters):
        super().__init__()
        self.letter, self.place = nn.Embedding(letters, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(BLOCKS)))
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, letters, bias=False)
        self.apply(self.start)

    @staticmethod
    def start(module):
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
            if getattr(module, "bias", None) is not None:
                nn.init.zeros_(module.bias)

    def embed(self, x):
        return self.letter(x) + self.place(torch.arange(x.shape[1]))

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.embed(x))))

    def loss(self, x, y):
        return F.cross_entropy(self(x).flatten(0, 1), y.flatten())

    def attention(self, x):
        """Where each letter looks, in the first block: (heads, time, time)."""
        q, k, _ = self.blocks[0].heads(self.embed(x))
        scores = (q @ k.transpose(-2, -1) / (WIDTH // HEADS) ** 0.5)[0]
        future = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        return scores.masked_fill(future, float("-inf")).softmax(-1)


def load(path):
    root = Path(__file__).parent.parent
    text = "\n".join(p.read_text(encoding="utf-8") for p in ([path] if path else [root / name for name in TEXTS]))
    text = "".join(c for c in text if c.isascii())
    return text, sorted(set(text))


def pieces_of(codes, starts):
    """Pieces of the text, and the same moved by one letter."""
    pieces = codes[starts[:, None] + torch.arange(CONTEXT + 1)]
    return pieces[:, :-1], pieces[:, 1:]


def write(model, codes, count, temperature=0.7):
    with torch.no_grad():
        for _ in range(count):
            logits = model(codes[None, -CONTEXT:])[0, -1]
            codes = torch.cat((codes, torch.multinomial((logits / temperature).softmax(0), 1)))
    return codes


def save_picture(path, losses, validation, written, piece, maps):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(13, 3.8), width_ratios=[1, 1.3, 1], constrained_layout=True)
    axes[0].plot(range(1, len(losses) + 1), losses, color="#9ab4cf", linewidth=0.8, label="training")
    axes[0].plot(*zip(*validation), color="#c0562f", marker="o", markersize=3, label="held-out text")
    axes[0].set(xlabel="step", ylabel="cross entropy per letter", ylim=(0, None))
    axes[0].legend(frameon=False)
    lines = [line[i : i + 56] for line in written.split("\n") for i in range(0, max(len(line), 1), 56)]
    axes[1].text(0, 1, "\n".join(lines[:17]).replace("$", r"\$"), family="monospace", fontsize=8, va="top")
    axes[1].set_title("what it writes", fontsize=10)
    axes[1].axis("off")
    axes[2].imshow(maps.amax(0).sqrt().tolist(), cmap="Blues")
    axes[2].set_xticks(range(len(piece)), piece, fontsize=7, family="monospace")
    axes[2].set_yticks(range(len(piece)), piece, fontsize=7, family="monospace")
    axes[2].set_title("where each letter (row) looks, first block", fontsize=10)
    figure.savefig(path, dpi=72)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a text file, instead of the documentation")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--picture", default="gpt.png", help="where the picture goes")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    text, letters = load(args.data)
    numbers = {c: i for i, c in enumerate(letters)}
    codes = torch.tensor([numbers[c] for c in text])
    held_out, codes = codes[: len(codes) // 20], codes[len(codes) // 20 :]
    model = GPT(len(letters))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=args.steps)
    print(
        f"{len(text)} letters, {len(letters)} different ones; {sum(p.numel() for p in model.parameters())} parameters"
    )

    started = time.time()
    losses, validation = [], []
    for step in range(args.steps):
        loss = model.loss(*pieces_of(codes, torch.randint(len(codes) - CONTEXT, (16,))))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if step % 200 == 199:
            with torch.no_grad():
                everything = pieces_of(held_out, torch.arange(0, len(held_out) - CONTEXT, CONTEXT))
                validation.append((step + 1, model.loss(*everything).item()))
            print(f"step {step + 1}  loss {sum(losses[-200:]) / 200:.4f}  held-out {validation[-1][1]:.4f}")
    print(f"trained in {time.time() - started:.1f} s\n")
    written = "".join(letters[c] for c in write(model, torch.tensor([numbers[c] for c in "The "]), 500).tolist())
    print(written)
    piece = "a tensor of floats"
    with torch.no_grad():
        maps = model.attention(torch.tensor([[numbers[c] for c in piece]]))
    save_picture(args.picture, losses, validation, written, piece, maps)
    print(f"\nLosses, text and attention in {args.picture}")


if __name__ == "__main__":
    main()
