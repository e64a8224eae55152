"""`torch.nested`: tensors of tensors of different shapes are not here.

Reference: https://pytorch.org/docs/stable/nested.html
"""

from __future__ import annotations

from rushlight._later import absent_function

__all__ = ["as_nested_tensor", "narrow", "nested_tensor", "nested_tensor_from_jagged", "to_padded_tensor"]

_WHY = "pad the tensors to one shape with torch.nn.utils.rnn.pad_sequence"
as_nested_tensor, narrow, nested_tensor, nested_tensor_from_jagged, to_padded_tensor = (
    absent_function(f"torch.nested.{name}", _WHY) for name in __all__
)
