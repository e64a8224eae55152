"""Compositions that make, join and split shapes."""

from __future__ import annotations

import itertools
import math
from typing import Any

from rushlight import _C
from rushlight._composite import composite
from rushlight._dims import wrapped


def _unpack(tensors: tuple[Any, ...]) -> tuple[Any, ...]:
    """f(a, b) and f([a, b]) mean the same."""
    return tuple(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors


@composite("broadcast_shapes(*shapes) -> Size", method=False)
def broadcast_shapes(*shapes: Any) -> Any:
    """The shape that tensors of the given shapes broadcast to.

    Raises:
        RuntimeError: they do not broadcast.
        ValueError: a negative size.

    >>> torch.broadcast_shapes((2, 1), (3,))
    torch.Size([2, 3])

    Reference: https://pytorch.org/docs/stable/generated/torch.broadcast_shapes.html
    """
    given = [(s,) if isinstance(s, int) else tuple(s) for s in shapes]
    result = [1] * max((len(s) for s in given), default=0)
    for shape in given:
        for i in range(-1, -len(shape) - 1, -1):
            size = shape[i]
            if size < 0:
                raise ValueError(f"Attempting to broadcast a dimension with negative length! {shape} has {size}")
            if size == 1 or size == result[i]:
                continue
            if result[i] != 1:
                raise RuntimeError(
                    "Shape mismatch: objects cannot be broadcast to a single shape: "
                    + " and ".join(str(s) for s in given)
                    + f" (size {result[i]} against {size} in dimension {i})"
                )
            result[i] = size
    return _C.Size(result)


@composite("broadcast_tensors(Tensor[] tensors) -> Tensor[]", method=False)
def broadcast_tensors(*tensors: Any) -> Any:
    """The tensors expanded to one shape (without copying).

    >>> a, b = torch.broadcast_tensors(torch.ones(2, 1), torch.ones(3))
    >>> a.shape, b.shape
    (torch.Size([2, 3]), torch.Size([2, 3]))

    Reference: https://pytorch.org/docs/stable/generated/torch.broadcast_tensors.html
    """
    tensors = _unpack(tensors)
    shape = [1] * max((t.dim() for t in tensors), default=0)
    for t in tensors:
        for i in range(-1, -t.dim() - 1, -1):
            size = t.shape[i]
            if size != 1 and shape[i] == 1:
                shape[i] = size
            elif size != 1 and size != shape[i]:
                raise RuntimeError(
                    f"The size of tensor a ({shape[i]}) must match the size of tensor b ({size}) at non-singleton "
                    f"dimension {len(shape) + i}"
                )
    return tuple(t.expand(shape) for t in tensors)


def _at_least(tensors: tuple[Any, ...], grow: Any) -> Any:
    if len(tensors) == 1 and not isinstance(tensors[0], (list, tuple)):
        return grow(tensors[0])
    return tuple(grow(t) for t in _unpack(tensors))


def _grow_1d(t: Any) -> Any:
    return t.reshape(1) if t.dim() == 0 else t


def _grow_2d(t: Any) -> Any:
    return t.reshape(1, 1) if t.dim() == 0 else t.unsqueeze(0) if t.dim() == 1 else t


def _grow_3d(t: Any) -> Any:
    t = _grow_2d(t)
    return t.unsqueeze(-1) if t.dim() == 2 else t


@composite("atleast_1d(Tensor[] tensors) -> Tensor[]", method=False)
def atleast_1d(*tensors: Any) -> Any:
    """Each tensor with at least one dimension.

    >>> torch.atleast_1d(torch.tensor(1.)).shape
    torch.Size([1])
    """
    return _at_least(tensors, _grow_1d)


@composite("atleast_2d(Tensor[] tensors) -> Tensor[]", method=False)
def atleast_2d(*tensors: Any) -> Any:
    """Each tensor with at least two dimensions; a vector becomes a row.

    >>> torch.atleast_2d(torch.tensor([1., 2.])).shape
    torch.Size([1, 2])
    """
    return _at_least(tensors, _grow_2d)


@composite("atleast_3d(Tensor[] tensors) -> Tensor[]", method=False)
def atleast_3d(*tensors: Any) -> Any:
    """Each tensor with at least three dimensions; a vector becomes (1, N, 1), a matrix (M, N, 1).

    >>> torch.atleast_3d(torch.tensor([1., 2.])).shape
    torch.Size([1, 2, 1])
    """
    return _at_least(tensors, _grow_3d)


def _cat(tensors: list[Any], dim: int, out: Any) -> Any:
    return _C.cat(tensors, dim) if out is None else _C.cat(tensors, dim, out=out)


def _nonempty(tensors: Any, name: str) -> list[Any]:
    tensors = list(tensors)
    if not tensors:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return tensors


@composite("hstack(Tensor[] tensors, *, Tensor(a!)? out=None) -> Tensor", method=False)
def hstack(tensors: Any, *, out: Any = None) -> Any:
    """Join along dimension 1 (vectors: 0).

    >>> torch.hstack((torch.tensor([1, 2]), torch.tensor([3])))
    tensor([1, 2, 3])

    Reference: https://pytorch.org/docs/stable/generated/torch.hstack.html
    """
    parts = [_grow_1d(t) for t in _nonempty(tensors, "hstack")]
    return _cat(parts, 0 if parts[0].dim() == 1 else 1, out)


@composite("vstack(Tensor[] tensors, *, Tensor(a!)? out=None) -> Tensor", method=False)
def vstack(tensors: Any, *, out: Any = None) -> Any:
    """Join along dimension 0; vectors become rows.

    >>> torch.vstack((torch.tensor([1, 2]), torch.tensor([3, 4])))
    tensor([[1, 2],
            [3, 4]])
    """
    return _cat([_grow_2d(t) for t in _nonempty(tensors, "vstack")], 0, out)


@composite("row_stack(Tensor[] tensors, *, Tensor(a!)? out=None) -> Tensor", method=False)
def row_stack(tensors: Any, *, out: Any = None) -> Any:
    """The same as vstack.

    >>> torch.row_stack((torch.tensor([1, 2]), torch.tensor([3, 4])))
    tensor([[1, 2],
            [3, 4]])
    """
    return vstack(tensors, out=out)


@composite("dstack(Tensor[] tensors, *, Tensor(a!)? out=None) -> Tensor", method=False)
def dstack(tensors: Any, *, out: Any = None) -> Any:
    """Join along dimension 2.

    >>> torch.dstack((torch.tensor([1, 2]), torch.tensor([3, 4]))).shape
    torch.Size([1, 2, 2])
    """
    return _cat([_grow_3d(t) for t in _nonempty(tensors, "dstack")], 2, out)


@composite("column_stack(Tensor[] tensors, *, Tensor(a!)? out=None) -> Tensor", method=False)
def column_stack(tensors: Any, *, out: Any = None) -> Any:
    """Join along dimension 1; vectors become columns.

    >>> torch.column_stack((torch.tensor([1, 2]), torch.tensor([3, 4])))
    tensor([[1, 3],
            [2, 4]])
    """
    parts = [t.reshape(t.numel(), 1) if t.dim() <= 1 else t for t in _nonempty(tensors, "column_stack")]
    return _cat(parts, 1, out)


@composite("_chunk_cat(Tensor[] tensors, int dim, int num_chunks, *, Tensor(a!)? out=None) -> Tensor", method=False)
def _chunk_cat(tensors: Any, dim: int, num_chunks: int, *, out: Any = None) -> Any:
    """Cut each tensor along dim into chunks, with zeros at the end of the last; the n-th chunks of all stand in row n."""
    tensors = _nonempty(tensors, "_chunk_cat")
    if num_chunks < 1:
        raise RuntimeError(f"_chunk_cat expects positive num_chunks, got {num_chunks}")
    if not all(t.numel() for t in tensors):
        raise RuntimeError("_chunk_cat expects non-empty tensor")
    dim = dim + tensors[0].dim() if dim < 0 else dim
    if any(t.shape[:dim] != tensors[0].shape[:dim] for t in tensors):
        raise RuntimeError("_chunk_cat expects same sizes of 0,...,dim-1 dimensions for all tensors")
    rows = []
    for t in tensors:
        size = -(-t.size(dim) // num_chunks)
        missing = list(t.shape)
        missing[dim] = size * num_chunks - t.size(dim)
        whole = _C.cat([t, t.new_zeros(missing)], dim)
        rows.append(whole.reshape(*t.shape[:dim], num_chunks, size * math.prod(t.shape[dim + 1 :])))
    return _cat(rows, dim + 1, out)


def _first_given(*ways: Any) -> Any:
    """How to split, under whichever name it was passed."""
    return next((way for way in ways if way is not None), None)


@composite("tensor_split(Tensor self, SymInt[] indices_or_sections, int dim=0) -> Tensor[]")
def tensor_split(
    input: Any, indices_or_sections: Any = None, dim: int = 0, *, indices: Any = None, sections: Any = None
) -> Any:
    """Split into views: a number of nearly equal parts, or at given indices.

    >>> torch.tensor_split(torch.arange(5), 2), torch.tensor_split(torch.arange(5), (1, 3))
    ((tensor([0, 1, 2]), tensor([3, 4])), (tensor([0]), tensor([1, 2]), tensor([3, 4])))

    Reference: https://pytorch.org/docs/stable/generated/torch.tensor_split.html
    """
    where = _first_given(indices_or_sections, indices, sections)
    if input.dim() == 0:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    if isinstance(where, _C.Tensor):
        if where.dtype != _C.int64:
            raise RuntimeError(
                f"tensor_split expected tensor_indices_or_sections to have dtype of long, but got {where.dtype}"
            )
        where = where.tolist()
    size = input.shape[dim]
    if isinstance(where, int):
        if where <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {where}")
        base, extra = divmod(size, where)
        ends = list(itertools.accumulate(base + (i < extra) for i in range(where)))
        starts = [0, *ends[:-1]]
    else:
        points = [slice(None, int(w)).indices(size)[1] for w in where]
        starts, ends = [0, *points], [*points, size]
    return tuple(input.narrow(dim, a, max(b - a, 0)) for a, b in zip(starts, ends, strict=True))


def _split(name: str, input: Any, where: Any, dim: int, least: int) -> Any:
    points = where if isinstance(where, list | tuple) else [where]
    if not isinstance(where, _C.Tensor) and not all(hasattr(p, "__index__") for p in points):
        raise TypeError(f"{name}(): argument 'indices' must be an int or a tuple of ints, not {where!r}")
    if input.dim() < least:
        raise RuntimeError(
            f"torch.{name} requires a tensor with at least {least} dimension{'s' if least > 1 else ''}, but got a "
            f"tensor with {input.dim()} dimensions!"
        )
    if isinstance(where, int) and (where == 0 or input.shape[dim] % where != 0):
        raise RuntimeError(
            f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension "
            f"{input.shape[dim]} is not divisible by the split_size {where}!"
        )
    return tensor_split(input, where, dim)


@composite("hsplit(Tensor self, int[] indices) -> Tensor[]")
def hsplit(input: Any, indices_or_sections: Any = None, *, indices: Any = None, sections: Any = None) -> Any:
    """Split along dimension 1 (a vector: 0) into equal parts or at indices.

    >>> torch.hsplit(torch.arange(4).view(2, 2), 2)
    (tensor([[0],
            [2]]), tensor([[1],
            [3]]))
    """
    where = _first_given(indices_or_sections, indices, sections)
    return _split("hsplit", input, where, 0 if input.dim() == 1 else 1, 1)


@composite("vsplit(Tensor self, int[] indices) -> Tensor[]")
def vsplit(input: Any, indices_or_sections: Any = None, *, indices: Any = None, sections: Any = None) -> Any:
    """Split along dimension 0 into equal parts or at indices.

    >>> torch.vsplit(torch.arange(4).view(2, 2), 2)
    (tensor([[0, 1]]), tensor([[2, 3]]))
    """
    where = _first_given(indices_or_sections, indices, sections)
    return _split("vsplit", input, where, 0, 2)


@composite("dsplit(Tensor self, int[] indices) -> Tensor[]")
def dsplit(input: Any, indices_or_sections: Any = None, *, indices: Any = None, sections: Any = None) -> Any:
    """Split along dimension 2 into equal parts or at indices.

    >>> [x.shape for x in torch.dsplit(torch.zeros(1, 2, 4), [1])]
    [torch.Size([1, 2, 1]), torch.Size([1, 2, 3])]
    """
    where = _first_given(indices_or_sections, indices, sections)
    return _split("dsplit", input, where, 2, 3)


@composite("meshgrid(Tensor[] tensors, *, str? indexing=None) -> Tensor[]", method=False)
def meshgrid(*tensors: Any, indexing: str | None = None) -> Any:
    """Grids of the coordinates that vectors span.

    Args:
        tensors: vectors (or numbers as tensors).
        indexing: "ij" (a dimension for each vector, in order) or "xy" (the first two swapped).

    >>> x, y = torch.meshgrid(torch.tensor([1, 2]), torch.tensor([3, 4, 5]), indexing="ij")
    >>> x, y
    (tensor([[1, 1, 1],
            [2, 2, 2]]), tensor([[3, 4, 5],
            [3, 4, 5]]))

    Reference: https://pytorch.org/docs/stable/generated/torch.meshgrid.html
    """
    vectors = list(_unpack(tensors))
    if not vectors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if indexing is None:
        import warnings

        warnings.warn(
            "torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.", stacklevel=3
        )
        indexing = "ij"
    if indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    for v in vectors:
        if v.dim() > 1:
            raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {v}")
        if v.dtype != vectors[0].dtype:
            raise RuntimeError("torch.meshgrid expects all tensors to have the same dtype")
    swap = indexing == "xy" and len(vectors) >= 2
    if swap:
        vectors[:2] = vectors[1::-1]
    shape = [v.numel() for v in vectors]
    grids = []
    for i, v in enumerate(vectors):
        place = [1] * len(vectors)
        place[i] = v.numel()
        grids.append(v.reshape(place).expand(shape))
    if swap:
        grids[:2] = grids[1::-1]
    return tuple(grids)


@composite("cartesian_prod(Tensor[] tensors) -> Tensor", method=False)
def cartesian_prod(*tensors: Any) -> Any:
    """All combinations of one element from each vector, as rows.

    >>> torch.cartesian_prod(torch.tensor([1, 2]), torch.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    vectors = _unpack(tensors)
    for v in vectors:
        if v.dim() != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {v.shape}")
    if len(vectors) == 1:
        return vectors[0]
    return _C.stack([g.reshape(-1) for g in meshgrid(*vectors, indexing="ij")], 1)


@composite("combinations(Tensor self, int r=2, bool with_replacement=False) -> Tensor", method=False)
def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Any:
    """All combinations of r elements of a vector, as rows, in the order of itertools.

    >>> torch.combinations(torch.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    if input.dim() != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {input.shape}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return input.new_empty(0)
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = list(choose(range(input.numel()), r))
    return input[_C.tensor(rows, dtype=_C.int64).reshape(-1, r)]


@composite("block_diag(Tensor[] tensors) -> Tensor", method=False)
def block_diag(*tensors: Any) -> Any:
    """The tensors as blocks along the diagonal of a matrix that is zero elsewhere.

    >>> torch.block_diag(torch.tensor([[1, 2]]), torch.tensor([3]))
    tensor([[1, 2, 0],
            [0, 0, 3]])
    """
    blocks = []
    for i, t in enumerate(_unpack(tensors)):
        if t.dim() > 2:
            raise RuntimeError(
                f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {i} has {t.dim()} dimensions"
            )
        blocks.append(_grow_2d(t))
    if not blocks:
        return _C.empty((1, 0))
    width = sum(b.shape[1] for b in blocks)
    rows, left = [], 0
    for b in blocks:
        right = width - left - b.shape[1]
        rows.append(_C.cat([b.new_zeros((b.shape[0], left)), b, b.new_zeros((b.shape[0], right))], 1))
        left += b.shape[1]
    return _C.cat(rows, 0)


@composite("rot90(Tensor self, int k=1, int[] dims=[0,1]) -> Tensor")
def rot90(input: Any, k: int = 1, dims: Any = (0, 1)) -> Any:
    """Rotate by k times 90 degrees in the plane of two dimensions, from the first towards the second.

    >>> torch.rot90(torch.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if input.dim() < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {input.dim()}")
    a, b = (wrapped(d, input.dim()) for d in dims)
    if a == b:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    k %= 4
    if k == 1:
        return input.flip((b,)).transpose(a, b)
    if k == 2:
        return input.flip((a, b))
    if k == 3:
        return input.flip((a,)).transpose(a, b)
    return input.clone()


@composite("fliplr(Tensor self) -> Tensor")
def fliplr(input: Any) -> Any:
    """Reverse dimension 1.

    >>> torch.fliplr(torch.tensor([[1, 2], [3, 4]]))
    tensor([[2, 1],
            [4, 3]])
    """
    if input.dim() < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return input.flip((1,))


@composite("flipud(Tensor self) -> Tensor")
def flipud(input: Any) -> Any:
    """Reverse dimension 0.

    >>> torch.flipud(torch.tensor([[1, 2], [3, 4]]))
    tensor([[3, 4],
            [1, 2]])
    """
    if input.dim() < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return input.flip((0,))


@composite("vander(Tensor x, int? N=None, bool increasing=False) -> Tensor", method=False)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Columns x^(N-1), ..., x, 1 (the other way round if increasing).

    >>> torch.vander(torch.tensor([2, 3]), 3)
    tensor([[4, 2, 1],
            [9, 3, 1]])
    """
    if x.dim() != 1:
        raise RuntimeError(f"x must be a one-dimensional tensor, but got {x.dim()} dimensions")
    count = x.numel() if N is None else N
    if count < 0:
        raise RuntimeError("N must be non-negative.")
    if count == 0:
        return x.new_empty((x.numel(), 0))
    dtype = x.dtype if x.dtype.is_floating_point or x.dtype.is_complex else _C.int64
    x = x.to(dtype)
    columns = [_C.ones_like(x)]
    if count > 1:
        columns += list(x.unsqueeze(-1).expand(x.numel(), count - 1).cumprod(-1).unbind(-1))
    return _C.stack(columns if increasing else columns[::-1], -1)


@composite("unravel_index(Tensor indices, SymInt[] shape) -> Tensor[]", method=False)
def unravel_index(indices: Any, shape: Any) -> Any:
    """The coordinates, one tensor for each dimension of `shape`, of flat indices into it.

    >>> torch.unravel_index(torch.tensor([1, 5]), (2, 3))
    (tensor([0, 1]), tensor([1, 2]))
    """
    if not isinstance(indices, _C.Tensor):
        raise TypeError(f"unravel_index(): argument 'indices' must be Tensor, not {type(indices).__name__}")
    if indices.dtype.is_floating_point or indices.dtype.is_complex or indices.dtype == _C.bool:
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if any(size < 0 for size in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {sizes}")
    result, step = [], 1
    for size in reversed(sizes):
        result.append(indices.div(step, rounding_mode="floor") % size)
        step *= size
    return tuple(reversed(result))
