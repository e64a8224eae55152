"""`torch._foreach_add(tensors, others)` and its kind: an operation on every tensor of a list, as optimizers of libraries use."""

from __future__ import annotations

from typing import Any

from rushlight import _C

__all__ = ["find"]

_UNARY = frozenset(
    "abs acos asin atan ceil cos cosh erf erfc exp expm1 floor frac lgamma log log10 log1p log2 neg reciprocal round rsqrt "
    "sigmoid sign sin sinh sqrt tan tanh trunc".split()
)
_BINARY = frozenset("add sub mul div pow lerp".split())
_LIMITS = {"maximum": "clamp_min", "clamp_min": "clamp_min", "minimum": "clamp_max", "clamp_max": "clamp_max"}
_TERNARY = frozenset({"addcmul", "addcdiv"})


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def _each(value: Any, count: int) -> list[Any]:
    """A value for every tensor: from a list, from a tensor of one dimension, or the same for all."""
    if _is_list(value):
        if len(value) != count:
            raise RuntimeError(f"Tensor lists must have the same number of tensors, got {count} and {len(value)}")
        return list(value)
    if isinstance(value, _C.Tensor) and value.dim() == 1 and value.numel() == count and count > 1:
        return value.tolist()
    return [value] * count


def _call(name: str, tensor: Any, *values: Any, in_place: bool, **options: Any) -> Any:
    return getattr(tensor, name + "_" if in_place else name)(*values, **options)


def _foreach(name: str, in_place: bool) -> Any:
    def run(self: Any, *values: Any, **options: Any) -> Any:
        if not _is_list(self) or len(self) == 0:
            raise RuntimeError("Tensor list must have at least one tensor.")
        count = len(self)
        values = (*values, *(options.pop(key) for key in ("other", "exponent", "weight", "weights") if key in options))
        made: list[Any] = []
        if name in _TERNARY:
            tensor1, tensor2, *rest = values
            scale = _each(rest[0] if rest else options.get("value", options.get("scalars", 1)), count)
            for tensor, a, b, value in zip(self, tensor1, tensor2, scale):
                made.append(_call(name, tensor, a, b, value=value, in_place=in_place))
        elif name in _LIMITS:
            for tensor, value in zip(self, _each(values[0], count)):
                made.append(_call(_LIMITS[name], tensor, value, in_place=in_place))
        elif name == "lerp":
            for tensor, end, weight in zip(self, values[0], _each(values[1], count)):
                made.append(_call(name, tensor, end, weight, in_place=in_place))
        elif name in _BINARY:
            for tensor, value in zip(self, _each(values[0], count)):
                made.append(_call(name, tensor, value, in_place=in_place, **options))
        else:
            for tensor in self:
                made.append(_call(name, tensor, in_place=in_place))
        return None if in_place else tuple(made)

    return run


def _copy_(self: Any, src: Any, non_blocking: bool = False) -> None:
    for into, tensor in zip(self, src, strict=True):
        into.copy_(tensor)


def _zero_(self: Any) -> None:
    for tensor in self:
        tensor.zero_()


def _norm(self: Any, ord: Any = 2, dtype: Any = None) -> tuple[Any, ...]:
    from rushlight.linalg import vector_norm

    return tuple(vector_norm(tensor, ord, dtype=dtype) for tensor in self)


def _max(self: Any) -> tuple[Any, ...]:
    return tuple(tensor.max() for tensor in self)


_OWN = {"_foreach_copy_": _copy_, "_foreach_zero_": _zero_, "_foreach_norm": _norm, "_foreach_max": _max}


def find(name: str) -> Any:
    """The function `torch.name`, or None."""
    if name in _OWN:
        return _OWN[name]
    bare = name.removeprefix("_foreach_").removesuffix("_")
    if bare in _UNARY or bare in _BINARY or bare in _LIMITS or bare in _TERNARY:
        made = _foreach(bare, name.endswith("_"))
        made.__name__ = made.__qualname__ = name
        return made
    return None
