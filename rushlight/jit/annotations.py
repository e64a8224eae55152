"""`torch.jit.annotations`: the names of types that programs take from here."""

from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union  # noqa: UP035  # the very names that are asked for

from rushlight.futures import Future

__all__ = ["Any", "Dict", "Future", "List", "NamedTuple", "Optional", "Tuple", "Union"]
