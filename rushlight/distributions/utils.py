"""What the distributions share: broadcasting of parameters, probabilities and their logits, lazy attributes."""

from __future__ import annotations

from functools import update_wrapper
from numbers import Number
from typing import TYPE_CHECKING, Any

from rushlight import _C
from rushlight._dtype_info import finfo

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "broadcast_all",
    "clamp_probs",
    "lazy_property",
    "logits_to_probs",
    "probs_to_logits",
    "tril_matrix_to_vec",
    "vec_to_tril_matrix",
]

euler_constant = 0.57721566490153286060


def broadcast_all(*values: Any) -> tuple[Any, ...]:
    """Numbers and tensors as tensors of one shape; numbers take the dtype of the first tensor.

    Raises:
        ValueError: a value is neither a number nor a tensor.

    >>> torch.distributions.utils.broadcast_all(torch.ones(2), 3)
    (tensor([1., 1.]), tensor([3., 3.]))
    """
    from rushlight._composite.shapes import broadcast_tensors

    if not all(isinstance(v, (Number, _C.Tensor)) or hasattr(v, "__torch_function__") for v in values):
        raise ValueError(
            "Input arguments must all be instances of Number, torch.Tensor or objects implementing __torch_function__."
        )
    like = next((v for v in values if isinstance(v, _C.Tensor)), None)
    dtype = _C.get_default_dtype() if like is None else like.dtype
    tensors = [v if isinstance(v, _C.Tensor) else _C.tensor(v, dtype=dtype) for v in values]
    if all(t.shape == tensors[0].shape for t in tensors):
        return tuple(tensors)
    return tuple(broadcast_tensors(*tensors))


def _standard_normal(shape: Any, dtype: Any, device: Any = None) -> Any:
    return _C.empty(shape, dtype=dtype, device=device).normal_()


def _sum_rightmost(value: Any, dim: int) -> Any:
    """The sum over the last `dim` dimensions."""
    return value if dim == 0 else value.reshape((*value.shape[:-dim], -1)).sum(-1)


def logits_to_probs(logits: Any, is_binary: bool = False) -> Any:
    """The probabilities that logits stand for: sigmoid of each one, or softmax over the last dimension.

    >>> torch.distributions.utils.logits_to_probs(torch.tensor([0., 0.]))
    tensor([0.5000, 0.5000])
    """
    return logits.sigmoid() if is_binary else _C.softmax(logits, -1)


def clamp_probs(probs: Any) -> Any:
    """Probabilities kept an epsilon away from 0 and 1.

    >>> torch.distributions.utils.clamp_probs(torch.tensor([0., 0.5])) > 0
    tensor([True, True])
    """
    eps = finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs: Any, is_binary: bool = False) -> Any:
    """The inverse of `logits_to_probs`, finite for probabilities of 0 and 1 too.

    >>> torch.distributions.utils.probs_to_logits(torch.tensor([0.5, 0.5]))
    tensor([-0.6931, -0.6931])
    """
    kept = clamp_probs(probs)
    return kept.log() - (-kept).log1p() if is_binary else kept.log()


class lazy_property:
    """A method that becomes an attribute of the instance when it is first read."""

    def __init__(self, wrapped: Callable[..., Any]) -> None:
        self.wrapped = wrapped
        update_wrapper(self, wrapped)  # type: ignore[arg-type]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return property(self.wrapped)  # which is what documentation can read
        with_grad = _C._is_grad_enabled()
        _C._set_grad_enabled(True)
        try:
            value = self.wrapped(instance)
        finally:
            _C._set_grad_enabled(with_grad)
        setattr(instance, self.wrapped.__name__, value)
        return value


def is_lazy(cls: type, name: str) -> bool:
    """Whether the class has a `lazy_property` of that name."""
    return any(isinstance(base.__dict__.get(name), lazy_property) for base in cls.__mro__)


def tril_matrix_to_vec(mat: Any, diag: int = 0) -> Any:
    """The lower triangles of matrices (*, D, D), row by row, as vectors.

    Raises:
        ValueError: `diag` is not in [-D, D).

    >>> torch.distributions.utils.tril_matrix_to_vec(torch.tensor([[1., 0.], [2., 3.]]))
    tensor([1., 2., 3.])
    """
    n = mat.shape[-1]
    if diag < -n or diag >= n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    rows = _C.arange(n)
    return mat[..., rows < rows.view(-1, 1) + (diag + 1)]


def vec_to_tril_matrix(vec: Any, diag: int = 0) -> Any:
    """The inverse of `tril_matrix_to_vec`.

    Raises:
        ValueError: the length is no triangle's.

    >>> torch.distributions.utils.vec_to_tril_matrix(torch.tensor([1., 2., 3.]))
    tensor([[1., 0.],
            [2., 3.]])
    """
    n = (-(1 + 2 * diag) + ((1 + 2 * diag) ** 2 + 8 * vec.shape[-1] + 4 * abs(diag) * (diag + 1)) ** 0.5) / 2
    if round(n) - n > finfo(vec.dtype).eps:
        raise ValueError(
            f"The size of last dimension is {vec.shape[-1]} which cannot be expressed as the lower triangular part of "
            "a square D x D matrix."
        )
    size = round(n)
    mat = vec.new_zeros((*vec.shape[:-1], size, size))
    rows = _C.arange(size)
    mat[..., rows < rows.view(-1, 1) + (diag + 1)] = vec
    return mat


def one_of_two(probs: Any, logits: Any) -> None:
    """ValueError unless exactly one of the two is given."""
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")


class ProbsOrLogits:
    """For distributions that take either; the other one is computed when it is read."""

    _binary = True
    _given = ""
    _param: Any
    __dict__: dict[str, Any]

    def _take(self, probs: Any, logits: Any) -> Any:
        """Keep what is given, as a tensor; returns the batch shape."""
        one_of_two(probs, logits)
        value = logits if probs is None else probs
        self._given = "logits" if probs is None else "probs"
        (self._param,) = broadcast_all(value)
        self.__dict__[self._given] = self._param
        return self._param.size()

    def _take_trials(self, total_count: Any, probs: Any, logits: Any) -> Any:
        """`_take`, with a `total_count` of trials for each."""
        self._take(probs, logits)
        total_count, self._param = broadcast_all(total_count, self._param)
        self.total_count = total_count.type_as(self._param)
        self.__dict__[self._given] = self._param
        return self._param.size()

    @property
    def param_shape(self) -> Any:
        """The shape of what was given."""
        return self._param.size()

    @lazy_property
    def logits(self) -> Any:
        """Log-odds, or unnormalised log-probabilities."""
        return probs_to_logits(self.probs, is_binary=self._binary)

    @lazy_property
    def probs(self) -> Any:
        """Probabilities."""
        return logits_to_probs(self.logits, is_binary=self._binary)

    def _new(self, *args: Any, **kwargs: Any) -> Any:
        return self._param.new(*args, **kwargs)

    def _expand_given(self, new: Any, shape: Any) -> None:
        for name in ("probs", "logits"):
            if name in self.__dict__:
                new.__dict__[name] = self.__dict__[name].expand(shape)
        new._given = self._given
        new._param = new.__dict__[self._given]
