"""Normalisation over channels, batches and neighbours: functions of torch.nn.functional."""

from __future__ import annotations

from typing import Any

from rushlight import _C

__all__ = ["batch_norm", "group_norm", "instance_norm", "local_response_norm"]


def _refuse_single(input: Any, values: int, kind: str) -> None:
    if values == 1:
        raise ValueError(f"Expected more than 1 {kind} when training, got input size {input.shape}")


def batch_norm(
    input: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None, training: bool = False,
    momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    """Each channel of (N, C, ...) to mean 0 and variance 1 over the batch, then weight and bias per channel.

    In training mean and variance are the batch's, and running_mean and running_var move towards them by momentum;
    otherwise they are running_mean and running_var (Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167).

    >>> torch.nn.functional.batch_norm(torch.tensor([[1.0], [3.0]]), None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    if training:
        if eps <= 0.0:
            raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
        shape = input.shape
        if len(shape) > 1 and shape[1]:
            _refuse_single(input, input.numel() // shape[1], "value per channel")
    return _C.batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, True)


def instance_norm(
    input: Any, running_mean: Any = None, running_var: Any = None, weight: Any = None, bias: Any = None,
    use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    """Each channel of each item of (N, C, ...) to mean 0 and variance 1, then weight and bias per channel.

    >>> F.instance_norm(torch.tensor([[[1., 3.], [10., 30.]]]))
    tensor([[[-1.0000,  1.0000],
             [-1.0000,  1.0000]]])

    Reference: Ulyanov et al. 2016, https://arxiv.org/abs/1607.08022
    """
    if use_input_stats:
        spatial = 1
        for n in input.shape[2:]:
            spatial *= n
        _refuse_single(input, spatial, "spatial element")
    return _C.instance_norm(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, True)


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Each of num_groups groups of channels of each item to mean 0 and variance 1, then weight and bias per channel.

    >>> F.group_norm(torch.tensor([[1., 3., 10., 30.]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])

    Reference: Wu & He 2018, https://arxiv.org/abs/1803.08494
    """
    shape = input.shape
    if len(shape) < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {len(shape)}")
    if num_groups > 0 and input.numel() == num_groups:
        _refuse_single(input, 1, "value per channel")
    return _C.group_norm(input, num_groups, weight, bias, eps, True)


def _neighbours(squares: Any, before: int, after: int, size: int) -> Any:
    """Sums over a channel and its neighbours, divided by size."""
    rows = squares.reshape(squares.shape[0], 1, squares.shape[1], -1)
    rows = _C.constant_pad_nd(rows, (0, 0, before, after), 0.0)
    return _C.avg_pool2d(rows, (before + after + 1, 1), 1, 0, False, True, size).reshape(squares.shape)


def local_response_norm(input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """input / (k + alpha * mean of the squares of size neighbouring channels) ** beta, of (N, C, ...).

    >>> F.local_response_norm(torch.ones(1, 4, 2), 2).shape
    torch.Size([1, 4, 2])

    Reference: Krizhevsky et al. 2012, section 3.3
    """
    if input.dim() < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {input.dim()} dimensions)")
    if input.numel() == 0:
        return input
    around = _neighbours(input * input, size // 2, (size - 1) // 2, size)
    return input / (around * alpha + k) ** beta
