"""What a type checker must understand of a user's program. Checked by `make types`, never run."""

from typing_extensions import assert_type

import rushlight as torch
from rushlight import Tensor


def scale(x: Tensor, by: float) -> Tensor:
    return (x * by).clamp_(min=0)


x = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)
assert_type(scale(x, 2.0), Tensor)
assert_type(x.reshape(3, 2) @ x, Tensor)
assert_type(x.sum(dim=(0, 1), keepdim=True), Tensor)
assert_type(x.max(dim=1).indices, Tensor)
assert_type(torch.cat([x, x], dim=1), Tensor)
assert_type(x.numel(), int)
x.sum().backward()
