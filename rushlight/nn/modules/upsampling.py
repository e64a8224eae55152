"""Layers that resize."""

from __future__ import annotations

from typing import Any

from rushlight.nn import functional as F
from rushlight.nn.modules.module import Module

__all__ = ["Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d"]


class Upsample(Module):
    """Resizes (N, C, L), (N, C, H, W) or (N, C, D, H, W).

    >>> torch.nn.Upsample(scale_factor=2, mode="bilinear")(torch.zeros(1, 3, 8, 8)).shape
    torch.Size([1, 3, 16, 16])

    Args:
        size: of the output, for all spatial dimensions or each of them,
        scale_factor: or how much larger than the input it is.
        mode: nearest, linear (3-D input), bilinear, bicubic (4-D) or trilinear (5-D).
        align_corners: whether the middles of the corner elements, rather than their outer edges, lie at the corners.
        recompute_scale_factor: whether interpolation uses the quotient of the sizes instead of scale_factor.

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Upsample.html
    """

    __constants__ = ["size", "scale_factor", "mode", "align_corners", "name", "recompute_scale_factor"]

    def __init__(
        self, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.name = type(self).__name__
        self.size = size
        self.scale_factor: Any
        if isinstance(scale_factor, tuple):
            self.scale_factor = tuple(float(s) for s in scale_factor)
        else:
            self.scale_factor = float(scale_factor) if scale_factor else None
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Any) -> Any:
        """The input with its spatial dimensions resized."""
        return F.interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners,
            recompute_scale_factor=self.recompute_scale_factor,
        )  # fmt: skip

    def __setstate__(self, state: Any) -> None:
        state.setdefault("recompute_scale_factor", True)
        super().__setstate__(state)

    def extra_repr(self) -> str:
        by = f"scale_factor={self.scale_factor!r}" if self.scale_factor is not None else f"size={self.size!r}"
        return f"{by}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Upsample(mode="nearest") of (N, C, H, W).

    >>> torch.nn.UpsamplingNearest2d(scale_factor=2)(torch.tensor([[[[0., 1.]]]]))
    tensor([[[[0., 0., 1., 1.],
              [0., 0., 1., 1.]]]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.UpsamplingNearest2d.html
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Upsample(mode="bilinear", align_corners=True) of (N, C, H, W).

    >>> torch.nn.UpsamplingBilinear2d(scale_factor=2)(torch.tensor([[[[0., 1.]]]]))
    tensor([[[[0.0000, 0.3333, 0.6667, 1.0000],
              [0.0000, 0.3333, 0.6667, 1.0000]]]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.UpsamplingBilinear2d.html
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
