"""Batch and instance norm that find out num_features in their first call."""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight.nn.modules.batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from rushlight.nn.modules.instancenorm import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from rushlight.nn.modules.lazy import LazyModuleMixin
from rushlight.nn.parameter import UninitializedBuffer, UninitializedParameter

__all__ = [
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
]


class _LazyNormBase(LazyModuleMixin):
    """Takes num_features from dimension 1 of the input; the other arguments are those of the class that it becomes."""

    num_features: int
    weight: Any
    bias: Any
    running_mean: Any
    running_var: Any

    def __init__(
        self, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True, track_running_stats: bool = True,
        device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(0, eps, momentum, False, False, device, dtype, bias=bias)
        self.affine = affine
        self.track_running_stats = track_running_stats
        if affine:
            self.weight = UninitializedParameter(device=device, dtype=dtype)
            if bias:
                self.bias = UninitializedParameter(device=device, dtype=dtype)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(device=device, dtype=dtype)
            self.running_var = UninitializedBuffer(device=device, dtype=dtype)
            self.num_batches_tracked = _C.tensor(0, dtype=_C.int64, device=device)

    def reset_parameters(self) -> None:
        """Set the parameters and statistics, once they have shapes."""
        if not self.has_uninitialized_params() and self.num_features != 0:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, input: Any) -> None:
        """Shapes by the channels of the input."""
        if not self.has_uninitialized_params():
            if self.num_features == 0:  # the state was loaded before the first call
                self.num_features = int(input.shape[1])
            return
        self.num_features = int(input.shape[1])
        for tensor in (self.weight, self.bias, self.running_mean, self.running_var):
            if tensor is not None:
                tensor.materialize((self.num_features,))
        self.reset_parameters()


class LazyBatchNorm1d(_LazyNormBase, BatchNorm1d):  # type: ignore[misc]
    """A `BatchNorm1d` whose num_features is found out in the first call.

    >>> m = torch.nn.LazyBatchNorm1d()
    >>> _ = m(torch.zeros(4, 5))
    >>> m
    BatchNorm1d(5, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.LazyBatchNorm1d.html
    """

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNormBase, BatchNorm2d):  # type: ignore[misc]
    """A `BatchNorm2d` whose num_features is found out in the first call.

    Example:
        >>> import rushlight as torch
        >>> m = torch.nn.LazyBatchNorm2d()
        >>> _ = m(torch.zeros(2, 3, 4, 4))
        >>> m.num_features
        3
    """

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNormBase, BatchNorm3d):  # type: ignore[misc]
    """A `BatchNorm3d` whose num_features is found out in the first call.

    >>> m = torch.nn.LazyBatchNorm3d()
    >>> _ = m(torch.zeros(4, 5, 2, 2, 2))
    >>> m.num_features
    5
    """

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(_LazyNormBase, InstanceNorm1d):  # type: ignore[misc]
    """An `InstanceNorm1d` whose num_features is found out in the first call.

    >>> m = torch.nn.LazyInstanceNorm1d()
    >>> _ = m(torch.zeros(4, 5, 3))
    >>> m.num_features
    5
    """

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNormBase, InstanceNorm2d):  # type: ignore[misc]
    """An `InstanceNorm2d` whose num_features is found out in the first call.

    >>> m = torch.nn.LazyInstanceNorm2d()
    >>> _ = m(torch.zeros(4, 5, 3, 3))
    >>> m.num_features
    5
    """

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNormBase, InstanceNorm3d):  # type: ignore[misc]
    """An `InstanceNorm3d` whose num_features is found out in the first call.

    >>> m = torch.nn.LazyInstanceNorm3d()
    >>> _ = m(torch.zeros(4, 5, 2, 2, 2))
    >>> m.num_features
    5
    """

    cls_to_become = InstanceNorm3d
