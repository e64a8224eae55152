"""What `rushlight.vision.ops` does not have yet."""

from __future__ import annotations

from rushlight._later import absent_class, absent_function
from rushlight.vision.ops import _ABSENT

for _name in _ABSENT:
    _stand_in = absent_class if _name[0].isupper() else absent_function
    globals()[_name] = _stand_in(f"torchvision.ops.{_name}", "it is not written yet")
