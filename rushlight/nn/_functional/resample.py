"""Interpolation to another size, and sampling at the places of a grid: functions of torch.nn.functional."""

from __future__ import annotations

import math
from typing import Any

from rushlight import _C
from rushlight.nn._functional import pooling

__all__ = ["affine_grid", "grid_sample", "interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

_SMOOTH = {
    ("linear", 1): _C.upsample_linear1d,
    ("bilinear", 2): _C.upsample_bilinear2d,
    ("bicubic", 2): _C.upsample_bicubic2d,
    ("trilinear", 3): _C.upsample_trilinear3d,
}
_FILTERED = {
    ("bilinear", 2): _C._upsample_bilinear2d_aa,
    ("bicubic", 2): _C._upsample_bicubic2d_aa,
    ("lanczos", 2): _C._upsample_lanczos2d_aa,
}
_NEAREST = {
    ("nearest", 1): _C.upsample_nearest1d,
    ("nearest", 2): _C.upsample_nearest2d,
    ("nearest", 3): _C.upsample_nearest3d,
    ("nearest-exact", 1): _C._upsample_nearest_exact1d,
    ("nearest-exact", 2): _C._upsample_nearest_exact2d,
    ("nearest-exact", 3): _C._upsample_nearest_exact3d,
}
_AREA = {1: pooling.adaptive_avg_pool1d, 2: pooling.adaptive_avg_pool2d, 3: pooling.adaptive_avg_pool3d}
_DIMS = {"linear": 1, "bilinear": 2, "trilinear": 3}
_MODES = "nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact"


def _one_each(value: Any, what: str, spatial: Any) -> list[Any]:
    """A number for all dimensions, or a sequence of one for each."""
    if not isinstance(value, (tuple, list)):
        return [value] * len(spatial)
    if len(value) != len(spatial):
        first, shown, letter = (
            ("output", f"output size of {value}", "o")
            if what == "size"
            else ("scale_factor", f"scale_factor of shape {value}", "s")
        )
        raise ValueError(
            f"Input and {first} must have the same number of spatial dimensions, but got input with spatial dimensions "
            f"of {list(spatial)} and {shown}. Please provide input tensor in (N, C, d1, d2, ...,dK) format and "
            f"{'output size' if letter == 'o' else first} in ({letter}1, {letter}2, ...,{letter}K) format."
        )
    return list(value)


def _whole(n: Any, size: list[Any]) -> int:
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(
            "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, int, int], "
            f"but got size with types {[type(n) for n in size]}"
        )
    return int(n)


def _no_such_mode(mode: str, dims: int) -> NotImplementedError:
    if mode in _DIMS and dims in (1, 2, 3):
        return NotImplementedError(f"Got {dims + 2}D input, but {mode} mode needs {_DIMS[mode] + 2}D input")
    return NotImplementedError(
        f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {dims + 2}D) for the modes: {_MODES} (got {mode})"
    )


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
    spatial = input.shape[2:]
    dims = len(spatial)
    if align_corners is not None and mode in ("nearest", "area", "nearest-exact"):
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    if mode == "lanczos":
        if not antialias:
            raise ValueError("Lanczos mode requires antialias=True")
        if align_corners:
            raise ValueError("Lanczos mode does not support align_corners=True")
    scales: list[Any] = []
    if size is not None:
        if scale_factor is not None:
            raise ValueError("only one of size or scale_factor should be defined")
        output = _one_each(size, "size", spatial)
        output = [n if type(n) is int else _whole(n, output) for n in output]
        if recompute_scale_factor:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    elif scale_factor is not None:
        factors = [float(s) for s in _one_each(scale_factor, "scale_factor", spatial)]
        output = [math.floor(n * s) for n, s in zip(spatial, factors)]
        if not recompute_scale_factor:
            scales = factors
    else:
        raise ValueError("either size or scale_factor should be defined")
    if antialias and (mode, dims) not in _FILTERED:
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input"
        )
    op: Any = _NEAREST.get((mode, dims))
    if op is not None:
        return op(input, output, *scales)
    if mode == "area" and dims in _AREA:
        return _AREA[dims](input, output)
    op = (_FILTERED if antialias else _SMOOTH).get((mode, dims))
    if op is None:
        raise _no_such_mode(mode, dims)
    return op(input, output, bool(align_corners), *scales)


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
    """interpolate(mode="nearest"), by its old name.

    >>> import warnings
    >>> warnings.simplefilter("ignore")
    >>> F.upsample_nearest(torch.tensor([[[[1., 2.]]]]), scale_factor=2)
    tensor([[[[1., 1., 2., 2.],
              [1., 1., 2., 2.]]]])
    """
    _deprecated("upsample_nearest")
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """interpolate(mode="bilinear", align_corners=True), by its old name.

    >>> import warnings
    >>> warnings.simplefilter("ignore")
    >>> F.upsample_bilinear(torch.tensor([[[[0., 1.]]]]), scale_factor=2)
    tensor([[[[0.0000, 0.3333, 0.6667, 1.0000],
              [0.0000, 0.3333, 0.6667, 1.0000]]]])
    """
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

    >>> x, grid = torch.tensor([[[[1., 2.], [3., 4.]]]]), torch.tensor([[[[0., 0.], [1., 1.]]]])
    >>> F.grid_sample(x, grid, align_corners=True)
    tensor([[[[2.5000, 4.0000]]]])

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
