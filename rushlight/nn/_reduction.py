"""The `reduction` argument of losses, and the two arguments it replaced."""

from __future__ import annotations

__all__ = ["code", "legacy"]

_CODES = {"none": 0, "mean": 1, "sum": 2}


def code(reduction: str) -> int:
    """The core's number for "none", "mean" or "sum"; ValueError for anything else."""
    found = _CODES.get(reduction)
    if found is not None:
        return found
    if reduction == "elementwise_mean":
        import warnings

        warnings.warn("reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.", stacklevel=3)
        return 1
    raise ValueError(f"{reduction} is not a valid value for reduction")


def legacy(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """`reduction`, or what the deprecated `size_average` and `reduce` mean where they are given."""
    if size_average is None and reduce is None:
        return reduction
    import warnings

    try:
        means = size_average is None or bool(size_average)
        reduces = reduce is None or bool(reduce)
    except RuntimeError as error:  # nn.MSELoss(input, target)
        raise RuntimeError(f"{error}. A loss is made first and then called: nn.MSELoss()(input, target)") from None
    meant = "none" if not reduces else "mean" if means else "sum"
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{meant}' instead.", stacklevel=4
    )
    return meant
