"""Which implementation scaled_dot_product_attention uses. Here there is one, so the choice changes nothing."""

from __future__ import annotations

import contextlib
import enum
from typing import TYPE_CHECKING, Any

from rushlight._missing import module_getattr

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["WARN_FOR_UNFUSED_KERNELS", "SDPBackend", "sdpa_kernel"]

WARN_FOR_UNFUSED_KERNELS = False


class SDPBackend(enum.Enum):
    """PyTorch's implementations.

    >>> with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
    ...     x = F.scaled_dot_product_attention(*torch.ones(3, 1, 2, 4))
    >>> x.shape
    torch.Size([1, 2, 4])
    """

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


_chosen: list[SDPBackend] = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]


def _cur_sdpa_kernel_backends(with_priority: bool = False) -> list[SDPBackend]:
    return list(_chosen)


@contextlib.contextmanager
def sdpa_kernel(backends: SDPBackend | list[SDPBackend], set_priority: bool = False) -> Iterator[dict[Any, Any]]:
    """Name the implementations that may be used inside. Accepted: the one on the CPU serves them all.

    >>> from rushlight.nn.attention import SDPBackend, sdpa_kernel
    >>> q = torch.ones(1, 1, 2, 4)
    >>> with sdpa_kernel(SDPBackend.MATH):
    ...     torch.nn.functional.scaled_dot_product_attention(q, q, q).shape
    torch.Size([1, 1, 2, 4])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.attention.sdpa_kernel.html
    """
    global _chosen
    asked = [backends] if isinstance(backends, SDPBackend) else backends
    if not isinstance(asked, (list, tuple)) or not all(isinstance(b, SDPBackend) for b in asked):
        raise AssertionError("Backend must be an instance of SDPBackend or a list of SDPBackend instances")
    before, _chosen = _chosen, list(dict.fromkeys(asked))
    try:
        yield {}
    finally:
        _chosen = before


__getattr__ = module_getattr(__name__, ("bias", "flex_attention"))
