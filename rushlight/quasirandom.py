"""Sobol sequences: points that fill a cube more evenly than random ones.

Reference: https://pytorch.org/docs/stable/generated/torch.quasirandom.SobolEngine.html
"""

from __future__ import annotations

from typing import Any

from rushlight import _C

__all__ = ["SobolEngine"]


class SobolEngine:
    """Draws the points of a Sobol sequence, from the open unit cube when scrambled, else from [0, 1).

    Args:
        dimension: of the points, up to 1111.
        scramble: shift and turn the bits at random, which keeps the points even and makes them independent of other draws.
        seed: for the scrambling; without one the default generator draws it.

    Example:
        >>> torch.quasirandom.SobolEngine(2).draw(4)
        tensor([[0.0000, 0.0000],
                [0.5000, 0.5000],
                [0.7500, 0.2500],
                [0.2500, 0.7500]])

    Raises:
        ValueError: there are no numbers for so many dimensions.

    Reference: https://pytorch.org/docs/stable/generated/torch.quasirandom.SobolEngine.html
    """

    MAXBIT = 30
    MAXDIM = 1111

    def __init__(self, dimension: int, scramble: bool = False, seed: int | None = None) -> None:
        if not 1 <= dimension <= self.MAXDIM:
            raise ValueError(
                f"Supported range of dimensionality for SobolEngine is [1, {self.MAXDIM}]; PyTorch has tables for 21201"
            )
        from rushlight._sobol_numbers import directions

        self.dimension = dimension
        self.scramble = scramble
        self.seed = seed
        self.sobolstate = _C.tensor(directions(dimension), device="cpu")
        self.shift = _C.zeros(dimension, dtype=_C.int64, device="cpu")
        if scramble:
            self._scramble()
        self.quasi = self.shift.clone()
        self._first_point = (self.quasi / 2**self.MAXBIT).reshape(1, -1)
        self.num_generated = 0

    def _scramble(self) -> None:
        g = None if self.seed is None else _C.Generator().manual_seed(self.seed)
        bits = self.MAXBIT
        powers = 2 ** _C.arange(bits, device="cpu")
        self.shift = (_C.randint(2, (self.dimension, bits), generator=g, device="cpu") * powers).sum(1)
        lower = _C.randint(2, (self.dimension, bits, bits), generator=g, device="cpu").tril()
        lower.diagonal(dim1=-2, dim2=-1).fill_(1)
        # The matrix turns the bits of every direction number, the highest first.
        high_first = powers.flip(0)
        digits = (self.sobolstate.unsqueeze(-1) // high_first) % 2
        turned = (lower.unsqueeze(1) * digits.unsqueeze(2)).sum(-1) % 2
        self.sobolstate = (turned * high_first).sum(-1)

    def _points(self, first: int, n: int) -> Any:
        """Points number `first` to `first + n - 1`, as integers: each is the sum of the directions at the ones of its Gray code."""
        index = _C.arange(first, first + n, device="cpu")
        gray = index ^ (index >> 1)
        points = self.shift.expand(n, -1).clone()
        for j in range(self.MAXBIT):
            points ^= ((gray >> j) & 1).unsqueeze(1) * self.sobolstate[:, j]
        return points

    def draw(self, n: int = 1, out: Any = None, dtype: Any = None) -> Any:
        """The next n points, one in each row."""
        dtype = _C.get_default_dtype() if dtype is None else dtype
        points = self._points(self.num_generated, n)
        result = points.to(dtype) * 2.0**-self.MAXBIT
        if n:
            if self.num_generated == 0:
                result[0] = self._first_point  # which PyTorch keeps in the default dtype
            self.num_generated += n
            self.quasi = points[-1].clone()
        return result if out is None else out.resize_(result.shape).copy_(result)

    def draw_base2(self, m: int, out: Any = None, dtype: Any = None) -> Any:
        """The next 2**m points, of a sequence that is a power of two long afterwards.

        Raises:
            ValueError: it would not be.
        """
        n = 2**m
        total = self.num_generated + n
        if total & (total - 1):
            raise ValueError(
                "The balance properties of Sobol' points require n to be a power of 2. "
                f"{self.num_generated} points have been previously generated, then: n={self.num_generated}+2**{m}={total}. "
                "If you still want to do this, please use 'SobolEngine.draw()' instead."
            )
        return self.draw(n, out=out, dtype=dtype)

    def reset(self) -> SobolEngine:
        """Start again from the first point."""
        self.quasi = self.shift.clone()
        self.num_generated = 0
        return self

    def fast_forward(self, n: int) -> SobolEngine:
        """Leave n points out."""
        self.num_generated += n
        if self.num_generated:
            self.quasi = self._points(self.num_generated - 1, 1)[0]
        return self

    def __repr__(self) -> str:
        parts = [f"dimension={self.dimension}"]
        if self.scramble:
            parts.append("scramble=True")
        if self.seed is not None:
            parts.append(f"seed={self.seed}")
        return f"{type(self).__name__}({', '.join(parts)})"
