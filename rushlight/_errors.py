"""Exceptions of rushlight's own, under PyTorch's names."""

__all__ = ["AcceleratorError", "LinAlgError", "OutOfMemoryError"]


class AcceleratorError(RuntimeError):
    """An accelerator failed: programs catch it, nothing here raises it."""


class OutOfMemoryError(RuntimeError):
    """Memory for a tensor could not be had; the message names the request."""


class LinAlgError(RuntimeError):
    """A matrix is not what an algorithm needs, such as invertible or positive definite.

    >>> try:
    ...     torch.linalg.inv(torch.zeros(2, 2))
    ... except torch.linalg.LinAlgError:
    ...     print("singular")
    singular
    """
