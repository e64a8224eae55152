"""Drills with tensors: matrix products, broadcasting, norms, and what their gradients are.

python -m rushlight examples/tensor_drills.py
python examples/tensor_drills.py          # the same script, under PyTorch
"""

import argparse

import torch


def drills(a, b):
    """The exercise: two random tensors of shape (3, 4)."""
    product = a @ b.T  # (3, 4) by (4, 3): every row of a with every row of b
    print("1. A @ B.T\n", product, "\n   the same, one entry by hand:", (a[1] * b[2]).sum().item(), "\n", sep="")

    # Along dimension 0, element by element: the first row of b is used for each row of a.
    by_row = a * b[0]  # (3, 4) * (4,): the missing dimension is added in front
    by_hand = torch.stack([a[i] * b[0] for i in range(len(a))])
    print(
        "2. A * B[0], broadcast along dimension 0\n",
        by_row,
        "\n   as by hand:",
        torch.equal(by_row, by_hand),
        "\n",
        sep="",
    )

    # The products of all pairs of rows at once: (3, 1, 4) * (1, 3, 4) is (3, 3, 4). Summed, that is A @ B.T again.
    pairs = a[:, None, :] * b[None, :, :]
    print(
        "   all pairs of rows:",
        tuple(pairs.shape),
        "summed equal A @ B.T:",
        torch.allclose(pairs.sum(-1), product),
        "\n",
    )

    norms = a.norm(dim=1)
    print(
        "3. the length of each row of A\n",
        norms,
        "\n   as by hand:",
        torch.allclose(norms, (a**2).sum(1).sqrt()),
        "\n",
        sep="",
    )
    return product, by_row, norms


def gradients(a, b):
    """What autograd says about them, and what the formulas say."""
    a, b = a.clone().requires_grad_(), b.clone().requires_grad_()
    (a @ b.T).sum().backward()
    print(
        "4. the gradient of (A @ B.T).sum() for A is the sum of B's rows:",
        torch.allclose(a.grad, b.sum(0).expand(3, 4)),
    )
    a.grad = None
    a.norm(dim=1).sum().backward()
    unit = a.detach() / a.detach().norm(dim=1, keepdim=True)
    print("   the gradient of a row's length is the row, made length 1:", torch.allclose(a.grad, unit))


def save_picture(path, a, b, product, by_row, norms):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    sheets = [("A", a), ("B", b), ("A @ B.T", product), ("A * B[0]", by_row), ("row lengths", norms[:, None])]
    figure, axes = plt.subplots(1, 5, figsize=(11, 2.6), width_ratios=[4, 4, 3, 4, 1.6], constrained_layout=True)
    for axis, (title, values) in zip(axes, sheets):
        axis.imshow(values.tolist(), cmap="RdBu", vmin=-3, vmax=3)
        for i, row in enumerate(values.tolist()):
            for j, value in enumerate(row):
                axis.text(
                    j,
                    i,
                    f"{value:.2f}",
                    ha="center",
                    va="center",
                    fontsize=8,
                    color="white" if abs(value) > 1.8 else "black",
                )
        axis.set_title(title, fontsize=10)
        axis.set_xticks([])
        axis.set_yticks([])
    figure.savefig(path, dpi=80)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--picture", default="tensor_drills.png", help="where the picture goes")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    a, b = torch.randn(3, 4), torch.randn(3, 4)
    print("A\n", a, "\nB\n", b, "\n", sep="")
    product, by_row, norms = drills(a, b)
    gradients(a, b)
    save_picture(args.picture, a, b, product, by_row, norms)
    print(f"\nA picture of them in {args.picture}")


if __name__ == "__main__":
    main()
