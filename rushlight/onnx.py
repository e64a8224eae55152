"""`torch.onnx`: writing ONNX files is refused.

Reference: https://pytorch.org/docs/stable/onnx.html
"""

from __future__ import annotations

from rushlight._later import absent_function
from rushlight._missing import module_getattr

__all__ = ["dynamo_export", "export", "is_in_onnx_export"]

_WHY = "models are not written as ONNX yet; save the state_dict, which PyTorch reads and exports"

export = absent_function("torch.onnx.export", _WHY)
dynamo_export = absent_function("torch.onnx.dynamo_export", _WHY)


def is_in_onnx_export() -> bool:
    """False."""
    return False


__getattr__ = module_getattr(__name__)
