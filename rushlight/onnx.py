"""`torch.onnx`: writing ONNX files is refused.

Reference: https://pytorch.org/docs/stable/onnx.html
"""

from __future__ import annotations

from typing import Any

from rushlight._later import absent_function

__all__ = ["dynamo_export", "export", "is_in_onnx_export"]

_WHY = "models are not written as ONNX yet; save the state_dict, which PyTorch reads and exports"

export = absent_function("torch.onnx.export", _WHY)
dynamo_export = absent_function("torch.onnx.dynamo_export", _WHY)


def is_in_onnx_export() -> bool:
    """False."""
    return False


def __getattr__(name: str) -> Any:
    from rushlight._missing import no_attribute

    raise no_attribute(__name__, name, __all__)
