"""Interpolation to another size, and sampling at the places of a grid: functions of torch.nn.functional."""

from __future__ import annotations

import math
from typing import Any

from rushlight import _C
from rushlight.nn._functional import pooling

__all__ = ["affine_grid", "grid_sample", "interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

_SMOOTH = ("linear", "bilinear", "bicubic", "trilinear", "lanczos")
_FILTERED = ("bilinear", "bicubic", "lanczos")
_NEAREST = {"nearest": "upsample_nearest{}d", "nearest-exact": "_upsample_nearest_exact{}d"}
_DIMS = {"linear": 1, "bilinear": 2, "bicubic": 2, "lanczos": 2, "trilinear": 3}
_MODES = "nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact"


def _per_axis(value: Any, what: str, spatial: list[int], letter: str) -> list[Any]:
    if not isinstance(value, (tuple, list)):
        return [value] * len(spatial)
    if len(value) != len(spatial):
        name = "output size" if letter == "o" else what
        shown = f"output size of {value}" if letter == "o" else f"{what} of shape {value}"
        raise ValueError(
            f"Input and {name.split()[0]} must have the same number of spatial dimensions, but got input with spatial "
            f"dimensions of {spatial} and {shown}. Please provide input tensor in (N, C, d1, d2, ...,dK) format and "
            f"{name} in ({letter}1, {letter}2, ...,{letter}K) format."
        )
    return list(value)


def interpolate(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None, antialias: bool = False,
) -> Any:  # fmt: skip
    """Resize (N, C, L), (N, C, H, W) or (N, C, D, H, W) to size, or by scale_factor.

    Args:
        input: the tensor.
        size: of the output, for all spatial dimensions or each of them,
        scale_factor: or how much larger than the input it is.
        mode: nearest, nearest-exact, linear (3-D input), bilinear, bicubic, lanczos (4-D), trilinear (5-D), or area
            (means).
        align_corners: whether the middles of the corner elements, rather than their outer edges, lie at the corners.
        recompute_scale_factor: whether interpolation uses the quotient of the sizes instead of scale_factor.
        antialias: whether the filter grows with what a result covers (bilinear, bicubic, lanczos).

    >>> torch.nn.functional.interpolate(torch.tensor([[[1.0, 3.0]]]), size=4, mode="linear")
    tensor([[[1.0000, 1.5000, 2.5000, 3.0000]]])
    """
    smooth = mode in _SMOOTH
    if not smooth and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    align = bool(align_corners)
    if mode == "lanczos":
        if not antialias:
            raise ValueError("Lanczos mode requires antialias=True")
        if align:
            raise ValueError("Lanczos mode does not support align_corners=True")
    dims = input.dim() - 2
    spatial = list(input.shape[2:])
    scales: list[Any] = [None] * max(dims, 0)
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is not None:
        output = _per_axis(size, "size", spatial, "o")
        if not all(isinstance(n, int) or (hasattr(n, "__index__") and not isinstance(n, bool)) for n in output):
            raise TypeError(
                "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, int, int], "
                f"but got size with types {[type(n) for n in output]}"
            )
        output = [int(n) for n in output]
        if recompute_scale_factor:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    elif scale_factor is not None:
        scales = [float(s) for s in _per_axis(scale_factor, "scale_factor", spatial, "s")]
        output = [math.floor(float(n) * s) for n, s in zip(spatial, scales)]
        if recompute_scale_factor or mode == "area":
            scales = [None] * dims
    else:
        raise ValueError("either size or scale_factor should be defined")
    if antialias and not (mode in _FILTERED and dims == 2):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input"
        )
    if dims in (1, 2, 3):
        if mode in _NEAREST:
            return getattr(_C, _NEAREST[mode].format(dims))(input, output, *scales)
        if mode == "area":
            area = (pooling.adaptive_avg_pool1d, pooling.adaptive_avg_pool2d, pooling.adaptive_avg_pool3d)[dims - 1]
            return area(input, output)
        if mode in _DIMS:
            if _DIMS[mode] == dims:
                name = f"_upsample_{mode}2d_aa" if antialias else f"upsample_{mode}{dims}d"
                return getattr(_C, name)(input, output, align, *scales)
            if mode in ("linear", "bilinear", "trilinear"):
                raise NotImplementedError(f"Got {dims + 2}D input, but {mode} mode needs {_DIMS[mode] + 2}D input")
    raise NotImplementedError(
        f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {dims + 2}D) for the modes: {_MODES} (got {mode})"
    )


def _deprecated(name: str) -> None:
    import warnings

    warnings.warn(
        f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=3
    )  # fmt: skip


def upsample(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Any:
    """interpolate, by its old name."""
    _deprecated("upsample")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """interpolate(mode="nearest"), by its old name."""
    _deprecated("upsample_nearest")
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """interpolate(mode="bilinear", align_corners=True), by its old name."""
    _deprecated("upsample_bilinear")
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


def _warn_of_corners() -> None:
    import warnings

    warnings.warn(
        "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
        "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details.",
        stacklevel=3,
    )


def grid_sample(
    input: Any, grid: Any, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Any:
    """Sample input (N, C, H, W) where grid (N, H_out, W_out, 2) says; the same with one dimension more.

    Args:
        input: the tensor.
        grid: for each result its place (x, y) in input, whose corners are (-1, -1) and (1, 1).
        mode: bilinear (trilinear for 5-D), nearest or bicubic (4-D).
        padding_mode: what is outside of input: zeros, border (its outermost elements) or reflection.
        align_corners: whether -1 and 1 are the middles of the corner elements rather than their outer edges.

    Reference: Jaderberg et al. 2015, Spatial Transformer Networks
    """
    modes, paddings = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")
    if mode not in modes:
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in paddings:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"'{padding_mode}'"
        )
    if align_corners is None:
        _warn_of_corners()
        align_corners = False
    return _C.grid_sampler(input, grid, modes.index(mode), paddings.index(padding_mode), align_corners)


def affine_grid(theta: Any, size: Any, align_corners: bool | None = None) -> Any:
    """The grid that makes grid_sample apply the affine map theta, (N, 2, 3) for size (N, C, H, W).

    For three dimensions theta is (N, 3, 4) and size (N, C, D, H, W).

    >>> torch.nn.functional.affine_grid(torch.eye(2, 3).unsqueeze(0), (1, 1, 1, 2), align_corners=True)
    tensor([[[[-1.,  0.],
              [ 1.,  0.]]]])
    """
    size = _C.Size(size) if not isinstance(size, _C.Size) else size
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    dims = len(size) - 2
    if dims not in (2, 3):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. "
            f"Got size {size}."
        )
    if theta.dim() != 3 or theta.shape[-2] != dims or theta.shape[-1] != dims + 1:
        raise ValueError(
            f"Expected a batch of {dims}D affine matrices of shape Nx{dims}x{dims + 1} for size {size}. "
            f"Got {theta.shape}."
        )
    if align_corners is None:
        _warn_of_corners()
        align_corners = False
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    if theta.shape[0] != size[0]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{size[0]}, {dims + 1}] but got: "
            f"[{theta.shape[0]}, {dims + 1}]."
        )
    spatial = size[2:]
    base = _C.ones(*spatial, dims + 1, dtype=theta.dtype, device=theta.device)
    for axis, n in enumerate(spatial):
        steps = _C.linspace(-1.0, 1.0, n, dtype=theta.dtype) if n > 1 else _C.zeros(1, dtype=theta.dtype)
        if not align_corners:
            steps = steps * ((n - 1) / n)
        shape = [1] * dims
        shape[axis] = n
        base.select(-1, dims - 1 - axis).copy_(steps.reshape(shape))
    points = base.reshape(1, -1, dims + 1).expand(size[0], -1, dims + 1)
    return points.bmm(theta.transpose(1, 2)).reshape(size[0], *spatial, dims)
