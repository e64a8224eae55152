"""Compositions of products: einsum, tensordot, kron, distances."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

from rushlight import _C
from rushlight._autocast import in_float32
from rushlight._composite import composite
from rushlight._dims import wrapped


def _letters(equation: str, operands: tuple[Any, ...]) -> tuple[list[list[str]], list[str] | None]:
    """The labels of each operand and of the output (None: implicit); "..." is a label of its own."""

    def parse(text: str) -> list[str]:
        labels: list[str] = []
        text = text.replace(" ", "")
        i = 0
        while i < len(text):
            if text[i] == ".":
                if text[i : i + 3] != "..." or "..." in labels:
                    raise RuntimeError(f"einsum(): found '.' that is not part of a single ellipsis in {equation!r}")
                labels.append("...")
                i += 3
            elif text[i].isascii() and text[i].isalpha():
                labels.append(text[i])
                i += 1
            else:
                raise RuntimeError(
                    f"einsum(): invalid subscript given at index {i} in the equation string, subscripts must be in "
                    "[a-zA-Z]"
                )
        return labels

    left, arrow, right = equation.partition("->")
    inputs = [parse(part) for part in left.split(",")]
    if len(inputs) != len(operands):
        raise RuntimeError(
            f"einsum(): {'more' if len(inputs) < len(operands) else 'fewer'} operands were provided than specified in "
            f"the equation ({len(operands)} operands, {len(inputs)} terms)"
        )
    return inputs, parse(right) if arrow else None


def _from_sublists(args: tuple[Any, ...]) -> tuple[list[list[str]], list[str] | None, tuple[Any, ...]]:
    """einsum(x, [0, 1], y, [1, 2], [0, 2]): numbers name the dimensions."""

    def parse(numbers: Any) -> list[str]:
        labels = []
        for n in numbers:
            if n is Ellipsis:
                labels.append("...")
            elif 0 <= n < 52:
                labels.append(chr(ord("A") + n) if n < 26 else chr(ord("a") + n - 26))
            else:
                raise ValueError(f"einsum(): subscript {n} in a sublist is not in the range [0, 52)")
        return labels

    operands = args[0 : len(args) - len(args) % 2 : 2]
    inputs = [parse(labels) for labels in args[1::2][: len(operands)]]
    return inputs, parse(args[-1]) if len(args) % 2 else None, operands


def _expand_ellipses(inputs: list[list[str]], output: list[str] | None, operands: tuple[Any, ...]) -> list[str]:
    """Replace "..." by labels of its own for each dimension it covers, in place; returns the output's labels."""
    widest = 0
    for labels, t in zip(inputs, operands, strict=True):
        named = len(labels) - ("..." in labels)
        covered = t.dim() - named
        if covered < 0 or (covered > 0 and "..." not in labels):
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({named}) does not match the number of dimensions "
                f"({t.dim()}) for an operand of shape {tuple(t.shape)}"
                + (" and no ellipsis was given" if covered > 0 else "")
            )
        if "..." in labels:
            widest = max(widest, covered)
    batch = [f".{i}" for i in range(widest)]
    if output is None:
        counts: dict[str, int] = {}
        for labels in inputs:
            for label in labels:
                counts[label] = counts.get(label, 0) + 1
        output = ["..."] if "..." in counts else []
        output += sorted(label for label, count in counts.items() if count == 1 and label != "...")
    for labels, t in zip(inputs, operands, strict=True):
        if "..." in labels:
            at = labels.index("...")
            covered = t.dim() - len(labels) + 1
            labels[at : at + 1] = batch[widest - covered :]
    if "..." in output:
        at = output.index("...")
        output[at : at + 1] = batch
    return output


def _take_diagonals(t: Any, labels: list[str]) -> tuple[Any, list[str]]:
    """ "ii" becomes the diagonal, labelled "i"."""
    labels = list(labels)
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            if t.shape[first] != t.shape[second]:
                raise RuntimeError(
                    f"einsum(): subscript {label} is repeated for an operand but the sizes don't match, "
                    f"{t.shape[second]} != {t.shape[first]}"
                )
            t = t.diagonal(0, first, second)
            del labels[second], labels[first]
            labels.append(label)
    return t, labels


def _sum_away(t: Any, labels: list[str], keep: set[str]) -> tuple[Any, list[str]]:
    """Sum over the labels that nobody needs any more."""
    gone = [d for d, label in enumerate(labels) if label not in keep]
    if gone:
        t = t.sum(gone)
        labels = [label for label in labels if label in keep]
    return t, labels


def _contract(a: Any, la: list[str], b: Any, lb: list[str], keep: set[str]) -> tuple[Any, list[str]]:
    """The product of two operands, summed over what only they have: one batched matrix product."""
    sizes: dict[str, int] = {}
    for t, labels in ((a, la), (b, lb)):
        for label, size in zip(labels, t.shape, strict=True):
            sizes[label] = size if sizes.get(label, 1) == 1 else sizes[label]
    # A dimension of size 1 that meets a larger one broadcasts; it is as if this operand did not have it.
    for label in set(la) & set(lb):
        small_a, small_b = a.shape[la.index(label)] == 1, b.shape[lb.index(label)] == 1
        if small_a and not small_b:
            a, la = a.squeeze(la.index(label)), [x for x in la if x != label]
        elif small_b and not small_a:
            b, lb = b.squeeze(lb.index(label)), [x for x in lb if x != label]
    a, la = _sum_away(a, la, keep | set(lb))
    b, lb = _sum_away(b, lb, keep | set(la))
    batch = [x for x in la if x in lb and x in keep]
    inner = [x for x in la if x in lb and x not in keep]
    rows = [x for x in la if x not in lb]
    cols = [x for x in lb if x not in la]
    if not inner:
        order = batch + rows + cols

        def spread(t: Any, labels: list[str]) -> Any:
            t = t.permute([labels.index(x) for x in order if x in labels])
            return t.reshape([sizes[x] if x in labels else 1 for x in order])

        return spread(a, la) * spread(b, lb), order

    def count(labels: list[str]) -> int:
        return math.prod(sizes[x] for x in labels)

    left = a.permute([la.index(x) for x in batch + rows + inner])
    right = b.permute([lb.index(x) for x in batch + inner + cols])
    if batch:
        result = _C.bmm(
            left.reshape(count(batch), count(rows), count(inner)),
            right.reshape(count(batch), count(inner), count(cols)),
        )
    else:
        result = _C.mm(left.reshape(count(rows), count(inner)), right.reshape(count(inner), count(cols)))
    order = batch + rows + cols
    return result.reshape([sizes[x] for x in order]), order


class _Product(NamedTuple):
    """How an equation of two operands is one matrix product; a permutation is None where nothing moves."""

    equal: list[tuple[int, int]]  # dimensions that must agree
    left: list[int] | None
    right: list[int] | None
    counts: tuple[int, int, int, int]  # dimensions that are batch, rows, inner, columns
    out: list[int] | None


@lru_cache(maxsize=256)
def _as_product(equation: str, dims: tuple[int, int]) -> _Product | None:
    """None where it takes more: ellipses, diagonals, sums of one operand, and whatever is an error."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    la, comma, lb = left.partition(",")
    labels = (la, lb, right)
    if not (arrow and comma and left.isascii() and right.isascii() and (la.isalpha() and lb.isalpha())):
        return None
    if (
        any(len(set(x)) != len(x) for x in labels)
        or dims != (len(la), len(lb))
        or set(la) ^ set(lb) != set(right) - (set(la) & set(lb))
    ):
        return None
    shared = [x for x in la if x in lb]
    batch, inner = [x for x in shared if x in right], [x for x in shared if x not in right]
    rows, cols = [x for x in la if x not in lb], [x for x in lb if x not in la]
    if not inner:
        return None

    def order(have: str | list[str], want: str | list[str]) -> list[int] | None:
        moved = [have.index(x) for x in want]
        return moved if moved != sorted(moved) else None

    return _Product(
        [(la.index(x), lb.index(x)) for x in shared],
        order(la, batch + rows + inner),
        order(lb, batch + inner + cols),
        (len(batch), len(rows), len(inner), len(cols)),
        order(batch + rows + cols, right),
    )


def _multiply(a: Any, b: Any, how: _Product) -> Any:
    """The product, or None where dimensions broadcast or do not fit."""
    sizes_a, sizes_b = a.shape, b.shape
    for i, j in how.equal:
        if sizes_a[i] != sizes_b[j]:
            return None
    if how.left is not None:
        a = a.permute(how.left)
    if how.right is not None:
        b = b.permute(how.right)
    if how.counts == (0, 1, 1, 1):
        product = _C.mm(a, b)
        result = product.view(product.shape)  # as PyTorch's, whose grad_fn says so
    elif how.counts == (1, 1, 1, 1):
        product = _C.bmm(a, b)
        result = product.view(product.shape)
    else:
        batch, rows, inner, _ = how.counts
        start, end = a.shape[: batch + rows], b.shape[batch + inner :]
        batches, depth = math.prod(start[:batch]), math.prod(b.shape[batch : batch + inner])
        left = (math.prod(start[batch:]), depth)
        right = (depth, math.prod(end))
        if batch:
            result = _C.bmm(a.reshape(batches, *left), b.reshape(batches, *right))
        else:
            result = _C.mm(a.reshape(left), b.reshape(right))
        result = result.reshape((*start, *end))
    return result if how.out is None else result.permute(how.out)


@composite("einsum(str equation, Tensor[] tensors, *, int[]? path=None) -> Tensor", method=False)
def einsum(*args: Any) -> Any:
    """Sums of products in Einstein's notation.

    Args:
        args: an equation such as "bij,bjk->bik" and the operands, or operands each followed by a list of numbers
            that name its dimensions, and at the end a list for the output. "..." stands for any further
            dimensions, which broadcast; a repeated label takes the diagonal.

    Raises:
        RuntimeError: an equation that does not fit the operands' shapes.

    Example:
        >>> import rushlight as torch
        >>> torch.einsum("ij,j->i", torch.ones(2, 3), torch.arange(3.0))
        tensor([3., 3.])

    Reference: https://pytorch.org/docs/stable/generated/torch.einsum.html
    """
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand and its "
            "subscripts list"
        )
    if isinstance(args[0], str):
        operands = tuple(args[1]) if len(args) == 2 and isinstance(args[1], (list, tuple)) else args[1:]
        for i, t in enumerate(operands):
            if not isinstance(t, _C.Tensor):
                raise TypeError(f"einsum(): expected Tensor as element {i} in argument 1, but got {type(t).__name__}")
        if len(operands) == 2:
            how = _as_product(args[0], (operands[0].dim(), operands[1].dim()))
            if how is not None and (product := _multiply(*operands, how)) is not None:
                return product
        inputs, output = _letters(args[0], operands)
    else:
        inputs, output, operands = _from_sublists(args)
    output = _expand_ellipses(inputs, output, operands)
    known: dict[str, int] = {}
    for at, (labels, t) in enumerate(zip(inputs, operands, strict=True)):
        for label, size in zip(labels, t.shape, strict=True):
            if known.get(label, 1) not in (1, size) and size != 1:
                raise RuntimeError(
                    f"einsum(): subscript {label} has size {size} for operand {at} which does not broadcast with "
                    f"previously seen size {known[label]}: the operands have the shapes "
                    f"{', '.join(str(list(t.shape)) for t in operands)}"
                )
            known[label] = size if known.get(label, 1) == 1 else known[label]
    for label in output:
        if output.count(label) > 1:
            raise RuntimeError(f"einsum(): output subscript {label} appears more than once in the output")
        if label not in known:
            raise RuntimeError(
                f"einsum(): output subscript {label} does not appear in the equation for any input operand"
            )
    terms = [_take_diagonals(t, labels) for t, labels in zip(operands, inputs, strict=True)]
    while len(terms) > 1:
        i, j = _next_pair(terms, output)
        (a, la), (b, lb) = terms[i], terms[j]
        rest = [terms[k] for k in range(len(terms)) if k not in (i, j)]
        keep = set(output).union(*(labels for _, labels in rest))
        terms = [_contract(a, la, b, lb, keep), *rest] if (i, j) == (0, 1) else [*rest, _contract(a, la, b, lb, keep)]
    result, labels = terms[0]
    gone = [label for label in labels if label not in output]
    if len(operands) == 1 or labels != output + gone:
        result = result.permute([labels.index(label) for label in output + gone])
    return result.sum(list(range(len(output), result.dim()))) if gone else result


def _next_pair(terms: list[tuple[Any, list[str]]], output: list[str]) -> tuple[int, int]:
    """Which two operands to multiply next: the pair with the smallest result, the first of equals."""
    if len(terms) == 2:
        return 0, 1
    best, pair = None, (0, 1)
    for i in range(len(terms)):
        for j in range(i + 1, len(terms)):
            keep = set(output).union(*(labels for k, (_, labels) in enumerate(terms) if k not in (i, j)))
            sizes: dict[str, int] = {}
            for t, labels in (terms[i], terms[j]):
                for label, size in zip(labels, t.shape, strict=True):
                    sizes[label] = max(size, sizes.get(label, 1))
            cost = (math.prod(n for label, n in sizes.items() if label in keep), math.prod(sizes.values()))
            if best is None or cost < best:
                best, pair = cost, (i, j)
    return pair


@composite("tensordot(Tensor self, Tensor other, int[] dims_self, int[] dims_other) -> Tensor", method=False)
def tensordot(a: Any, b: Any, dims: Any = 2, out: Any = None) -> Any:
    """The product summed over pairs of dimensions.

    Args:
        a, b: the operands.
        dims: a number n (the last n of a with the first n of b), or the two lists of dimensions.

    >>> torch.tensordot(torch.ones(2, 3, 4), torch.ones(3, 4, 5), dims=2).shape
    torch.Size([2, 5])

    Reference: https://pytorch.org/docs/stable/generated/torch.tensordot.html
    """
    if isinstance(dims, _C.Tensor):
        dims = dims.tolist() if dims.numel() > 1 else int(dims.item())
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.dim(), b.dim()):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        of_a, of_b = list(range(a.dim() - dims, a.dim())), list(range(dims))
    else:
        of_a, of_b = ([d] if isinstance(d, int) else [int(x) for x in d] for d in dims)
    if len(of_a) != len(of_b):
        raise RuntimeError("both dimension lists should have same length")
    of_a, of_b = [wrapped(d, a.dim()) for d in of_a], [wrapped(d, b.dim()) for d in of_b]
    for x, y in zip(of_a, of_b, strict=True):
        if a.shape[x] == b.shape[y]:
            continue
        if a.shape[x] == 1:
            b = b.sum(y, keepdim=True)
        elif b.shape[y] == 1:
            a = a.sum(x, keepdim=True)
        else:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a.shape[x]} in dim {x} and second has size "
                f"{b.shape[y]} in dim {y}"
            )
    keep_a = [d for d in range(a.dim()) if d not in of_a]
    keep_b = [d for d in range(b.dim()) if d not in of_b]
    inner = math.prod(a.shape[d] for d in of_a)
    shape = [a.shape[d] for d in keep_a] + [b.shape[d] for d in keep_b]
    left = a.permute(keep_a + of_a).reshape(math.prod(a.shape[d] for d in keep_a), inner)
    right = b.permute(of_b + keep_b).reshape(inner, math.prod(b.shape[d] for d in keep_b))
    result = _C.mm(left, right).reshape(shape)
    return result if out is None else _C._write_out(out, result)


@composite("spmm(Tensor self, Tensor mat2) -> Tensor", method=False)
def spmm(input: Any, mat2: Any) -> Any:
    """The matrix product under the name that programs with sparse matrices use: here both are dense.

    >>> torch.spmm(torch.eye(2), torch.ones(2, 1))
    tensor([[1.],
            [1.]])
    """
    return _C.mm(input, mat2)


@composite("kron(Tensor self, Tensor other) -> Tensor")
def kron(input: Any, other: Any, *, out: Any = None) -> Any:
    """The Kronecker product: every element of input times all of other.

    >>> torch.kron(torch.tensor([1, 10]), torch.tensor([1, 2]))
    tensor([ 1,  2, 10, 20])

    Reference: https://pytorch.org/docs/stable/generated/torch.kron.html
    """
    ndim = max(input.dim(), other.dim())
    a = [1] * (ndim - input.dim()) + list(input.shape)
    b = [1] * (ndim - other.dim()) + list(other.shape)
    left = input.reshape([n for size in a for n in (size, 1)])
    right = other.reshape([n for size in b for n in (1, size)])
    result = (left * right).reshape([x * y for x, y in zip(a, b, strict=True)])
    return result if out is None else _C._write_out(out, result)


@composite("chain_matmul(Tensor[] matrices) -> Tensor", method=False)
def chain_matmul(*matrices: Any, out: Any = None) -> Any:
    """The older `linalg.multi_dot`: the product of several matrices, in the cheapest order.

    >>> torch.chain_matmul(torch.ones(2, 3), torch.ones(3, 4), torch.ones(4, 1)).shape
    torch.Size([2, 1])
    """
    import warnings

    warnings.warn(
        "torch.chain_matmul is deprecated and will be removed in a future PyTorch release. Use torch.linalg.multi_dot "
        "instead, which accepts a list of two or more tensors rather than multiple parameters.",
        stacklevel=3,
    )
    parts = list(matrices[0]) if len(matrices) == 1 and isinstance(matrices[0], (list, tuple)) else list(matrices)
    if not parts:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    for i, part in enumerate(parts):
        if part.dim() != 2:
            raise RuntimeError(f"chain_matmul(): Tensor dimension is {part.dim()}, expected 2 instead (matrix {i})")
    if len(parts) > 1:
        from rushlight.linalg import multi_dot

        return multi_dot(parts, out=out)
    return parts[0] if out is None else _C._write_out(out, parts[0])


@composite("cross(Tensor self, Tensor other, int? dim=None) -> Tensor")
def cross(input: Any, other: Any, dim: int | None = None, *, out: Any = None) -> Any:
    """The vector product along a dimension of size 3 (the first such one by default).

    >>> torch.cross(torch.tensor([1, 0, 0]), torch.tensor([0, 1, 0]), dim=0)
    tensor([0, 0, 1])

    Reference: https://pytorch.org/docs/stable/generated/torch.cross.html
    """
    if input.dim() != other.dim():
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    if dim is None:
        import warnings

        warnings.warn(
            "Using torch.cross without specifying the dim arg is deprecated.\nPlease either pass the dim explicitly or "
            "simply use torch.linalg.cross.",
            stacklevel=3,
        )
        dim = next((d for d, n in enumerate(input.shape) if n == 3), None)
        if dim is None:
            raise RuntimeError("no dimension of size 3 in input")
    if input.shape[dim] != 3 or other.shape[dim] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {input.shape[dim]} and {other.shape[dim]}"
        )
    result = (input * other.roll(-1, dim) - input.roll(-1, dim) * other).roll(-1, dim)
    return result if out is None else _C._write_out(out, result)


_COMPUTE_MODES = (
    "use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist",
)  # fmt: skip


@composite("cdist(Tensor x1, Tensor x2, float p=2, str? compute_mode=None) -> Tensor", method=False)
@in_float32
def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: str | None = "use_mm_for_euclid_dist_if_necessary") -> Any:
    """The p-norm distance of each row of x1 (..., P, M) from each row of x2 (..., R, M): (..., P, R).

    Args:
        compute_mode: more than 25 rows use a matrix product when p is 2, as in PyTorch, unless this is
            "donot_use_mm_for_euclid_dist"; fewer take the differences themselves, which is more accurate.

    >>> torch.cdist(torch.tensor([[0., 0.]]), torch.tensor([[3., 4.], [0., 1.]]))
    tensor([[5., 1.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.cdist.html
    """
    if x1.dim() < 2 or x2.dim() < 2:
        raise RuntimeError("cdist only supports at least 2D tensors")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}")
    if not p >= 0:
        raise RuntimeError(f"cdist only supports non-negative p values, got {p}")
    if compute_mode not in (None, *_COMPUTE_MODES):
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode: {', '.join(_COMPUTE_MODES)}")
    many = x1.shape[-2] > 25 or x2.shape[-2] > 25
    if p == 2.0 and compute_mode != "donot_use_mm_for_euclid_dist" and many:
        squares1 = (x1 * x1).sum(-1, keepdim=True)
        squares2 = (x2 * x2).sum(-1, keepdim=True)
        squared = squares1 + squares2.transpose(-2, -1) - 2 * _C.matmul(x1, x2.transpose(-2, -1))
        squared = squared.clamp_min(0)
        if squared.requires_grad:  # a distance of 0 gets the gradient 0, where that of the root is infinite
            zero = squared == 0
            return squared.masked_fill(zero, 1).sqrt().masked_fill(zero, 0)
        return squared.sqrt()
    difference = x1.unsqueeze(-2) - x2.unsqueeze(-3)
    return _norm(difference, p)


def _norm(difference: Any, p: float) -> Any:
    """The p-norm over the last dimension, with gradient 0 where it is 0."""
    if p == 0:
        return difference.sign().abs().sum(-1)
    if difference.shape[-1] == 0:
        return difference.sum(-1)
    if p == 1:
        return difference.abs().sum(-1)
    if p == math.inf:
        return difference.abs().amax(-1)
    return difference.norm(p, -1)


@composite("pdist(Tensor self, float p=2) -> Tensor", method=False)
def pdist(input: Any, p: float = 2) -> Any:
    """The distances of all pairs of rows, as a vector in the order (0, 1), (0, 2), ..., (1, 2), ...

    >>> torch.pdist(torch.tensor([[0., 0.], [3., 4.], [0., 1.]]))
    tensor([5.0000, 1.0000, 4.2426])
    """
    if input.dim() != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.dim()}D")
    if not p >= 0:
        raise RuntimeError(f"pdist only supports non-negative p values, got {p}")
    rows = input.shape[0]
    pairs = [(i, j) for i in range(rows) for j in range(i + 1, rows)]
    if not pairs:
        return input.reshape(-1)[:0]
    index = _C.tensor(pairs)
    return _norm(input[index[:, 0]] - input[index[:, 1]], p)
