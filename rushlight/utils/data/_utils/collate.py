"""Makes one batch out of a list of samples."""

from __future__ import annotations

import copy
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

from rushlight import _C

# The kinds of NumPy arrays that make no tensor.
np_str_obj_array_pattern = re.compile(r"[SaUO]")

__all__ = ["collate", "default_collate", "default_collate_fn_map", "default_convert"]

_Map = dict[Any, Callable[..., Any]]


def default_convert(data: Any) -> Any:
    """Turn the NumPy arrays and numbers in a sample into tensors; the rest stays as it is.

    Args:
        data: a sample; mappings, tuples and sequences are walked through.

    Example:
        >>> import numpy as np
        >>> default_convert({"x": np.array([1, 2]), "name": "a"})
        {'x': tensor([1, 2]), 'name': 'a'}

    Reference: https://pytorch.org/docs/stable/data.html#torch.utils.data.default_convert
    """
    kind = type(data)
    if isinstance(data, _C.Tensor):
        return data
    if _is_numpy(data):
        return data if data.dtype.kind in "SUO" else _C.as_tensor(data)
    if isinstance(data, Mapping):
        return _like_mapping(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return kind(*(default_convert(value) for value in data))
    if isinstance(data, tuple):
        return [default_convert(value) for value in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _like_sequence(data, [default_convert(value) for value in data])
    return data


def default_collate(batch: Any) -> Any:
    """Make a batch: tensors are stacked, numbers become a tensor, containers are collated item by item.

    Args:
        batch: the samples: tensors, NumPy arrays, numbers, strings, or mappings, tuples and sequences of these.

    Raises:
        TypeError: samples of another type.
        RuntimeError: samples of different lengths, or tensors of different shapes.

    Example:
        >>> default_collate([(torch.zeros(2), 3), (torch.ones(2), 4)])
        [tensor([[0., 0.],
                [1., 1.]]), tensor([3, 4])]

    Reference: https://pytorch.org/docs/stable/data.html#torch.utils.data.default_collate
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)


def collate(batch: Any, *, collate_fn_map: _Map | None = None) -> Any:
    """`default_collate` with a function of one's own for some types of samples.

    Args:
        batch: the samples.
        collate_fn_map: from a type, or a tuple of types, to `fn(batch, *, collate_fn_map)`; the first that fits is used.

    Example:
        >>> collate(["a", "b"], collate_fn_map={str: lambda batch, *, collate_fn_map: "".join(batch)})
        'ab'

    Reference: https://pytorch.org/docs/stable/data.html#torch.utils.data.default_collate
    """
    first = batch[0]
    kind = type(first)
    if collate_fn_map is not None:
        found = collate_fn_map.get(kind)
        if found is None:
            found = next((fn for types, fn in collate_fn_map.items() if isinstance(first, types)), None)
        if found is None and _C.Tensor in collate_fn_map and _is_numpy(first):
            found = _array
        if found is not None:
            return found(batch, collate_fn_map=collate_fn_map)

    if isinstance(first, Mapping):
        joined = {key: collate([sample[key] for sample in batch], collate_fn_map=collate_fn_map) for key in first}
        return _like_mapping(first, joined)
    named = isinstance(first, tuple) and hasattr(first, "_fields")
    if named or isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError(
                "each element in list of batch should be of equal size; got sizes "
                f"{sorted({len(sample) for sample in batch})}: pad the samples, or pass a collate_fn"
            )
        columns = [collate(samples, collate_fn_map=collate_fn_map) for samples in zip(*batch)]
        if named:
            return kind(*columns)
        return columns if isinstance(first, tuple) else _like_sequence(first, columns)
    raise TypeError(
        f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {kind}; "
        "pass a collate_fn for samples of other types"
    )


def _tensors(batch: Any, *, collate_fn_map: _Map | None = None) -> Any:
    return _C.stack(list(batch), 0)


def _floats(batch: Any, *, collate_fn_map: _Map | None = None) -> Any:
    return _C.tensor(list(batch), dtype=_C.float64)


def _ints(batch: Any, *, collate_fn_map: _Map | None = None) -> Any:
    return _C.tensor(list(batch))


def _texts(batch: Any, *, collate_fn_map: _Map | None = None) -> Any:
    return batch


def _array(batch: Any, *, collate_fn_map: _Map | None = None) -> Any:
    first = batch[0]
    if first.dtype.kind in "SUOMmV":
        raise TypeError(
            f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {first.dtype}"
        )
    if isinstance(first, sys.modules["numpy"].generic):
        return _C.as_tensor(batch)
    return _C.stack([_C.as_tensor(sample) for sample in batch], 0)


default_collate_fn_map: _Map = {_C.Tensor: _tensors, float: _floats, int: _ints, str: _texts, bytes: _texts}


def _is_numpy(value: Any) -> bool:
    """Whether it is a NumPy array or number; does not import NumPy to find out."""
    numpy = sys.modules.get("numpy")
    return (
        numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic)) and not isinstance(value, (str, bytes))
    )


def _like_mapping(model: Any, items: dict[Any, Any]) -> Any:
    """A mapping of the model's type where that can be made, with what else the model holds; else a dict."""
    if type(model) is dict:
        return items
    try:
        if isinstance(model, MutableMapping):
            made = copy.copy(model)
            made.update(items)
            return made
        return type(model)(items)  # type: ignore[call-arg]
    except TypeError:
        return items


def _like_sequence(model: Any, items: list[Any]) -> Any:
    """A sequence of the model's type where that can be made; else a list."""
    if type(model) is list:
        return items
    try:
        if isinstance(model, MutableSequence):
            made = copy.copy(model)
            for at, item in enumerate(items):
                made[at] = item
            return made
        return type(model)(items)  # type: ignore[call-arg]
    except TypeError:
        return items
