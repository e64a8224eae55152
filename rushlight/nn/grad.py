"""The gradients of convolutions, as functions."""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight import autograd as _autograd
from rushlight.autograd.grad_mode import enable_grad

__all__ = ["conv1d_input", "conv1d_weight", "conv2d_input", "conv2d_weight", "conv3d_input", "conv3d_weight"]


def _of_input(op: Any, size: Any, weight: Any, grad: Any, arguments: tuple[Any, ...]) -> Any:
    if size is None:
        raise ValueError("grad.conv_input requires specifying an input_size")
    with enable_grad():
        x = weight.new_zeros(size).requires_grad_()
        return _autograd.grad(op(x, weight.detach(), None, *arguments), x, grad)[0]


def _of_weight(op: Any, x: Any, size: Any, grad: Any, arguments: tuple[Any, ...]) -> Any:
    with enable_grad():
        weight = x.new_zeros(size).requires_grad_()
        return _autograd.grad(op(x.detach(), weight, None, *arguments), weight, grad)[0]


def conv1d_input(
    input_size: Any, weight: Any, grad_output: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Any:  # fmt: skip
    """The gradient of conv1d with respect to its input, of size `input_size`.

    >>> torch.nn.grad.conv1d_input((1, 1, 4), torch.ones(1, 1, 2), torch.ones(1, 1, 3))
    tensor([[[1., 2., 2., 1.]]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.grad.conv1d_input.html
    """
    return _of_input(_C.conv1d, input_size, weight, grad_output, (stride, padding, dilation, groups))


def conv1d_weight(
    input: Any, weight_size: Any, grad_output: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Any:  # fmt: skip
    """The gradient of conv1d with respect to its weight, of size `weight_size`.

    >>> torch.nn.grad.conv1d_weight(torch.ones(1, 1, 4), (1, 1, 2), torch.ones(1, 1, 3))
    tensor([[[3., 3.]]])
    """
    return _of_weight(_C.conv1d, input, weight_size, grad_output, (stride, padding, dilation, groups))


def conv2d_input(
    input_size: Any, weight: Any, grad_output: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Any:  # fmt: skip
    """The gradient of conv2d with respect to its input, of size `input_size`.

    >>> torch.nn.grad.conv2d_input((1, 1, 3, 3), torch.ones(1, 1, 2, 2), torch.ones(1, 1, 2, 2))[0, 0]
    tensor([[1., 2., 1.],
            [2., 4., 2.],
            [1., 2., 1.]])
    """
    return _of_input(_C.conv2d, input_size, weight, grad_output, (stride, padding, dilation, groups))


def conv2d_weight(
    input: Any, weight_size: Any, grad_output: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Any:  # fmt: skip
    """The gradient of conv2d with respect to its weight, of size `weight_size`.

    >>> torch.nn.grad.conv2d_weight(torch.ones(1, 1, 3, 3), (1, 1, 2, 2), torch.ones(1, 1, 2, 2))[0, 0]
    tensor([[4., 4.],
            [4., 4.]])
    """
    return _of_weight(_C.conv2d, input, weight_size, grad_output, (stride, padding, dilation, groups))


def conv3d_input(
    input_size: Any, weight: Any, grad_output: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Any:  # fmt: skip
    """The gradient of conv3d with respect to its input, of size `input_size`.

    >>> torch.nn.grad.conv3d_input((1, 1, 3, 3, 3), torch.ones(1, 1, 2, 2, 2), torch.ones(1, 1, 2, 2, 2)).shape
    torch.Size([1, 1, 3, 3, 3])
    """
    return _of_input(_C.conv3d, input_size, weight, grad_output, (stride, padding, dilation, groups))


def conv3d_weight(
    input: Any, weight_size: Any, grad_output: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Any:  # fmt: skip
    """The gradient of conv3d with respect to its weight, of size `weight_size`.

    >>> torch.nn.grad.conv3d_weight(torch.ones(1, 1, 3, 3, 3), (1, 1, 2, 2, 2), torch.ones(1, 1, 2, 2, 2)).shape
    torch.Size([1, 1, 2, 2, 2])
    """
    return _of_weight(_C.conv3d, input, weight_size, grad_output, (stride, padding, dilation, groups))
