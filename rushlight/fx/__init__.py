"""`torch.fx`: its classes can be imported and asked for by `isinstance`; tracing is refused.

Reference: https://pytorch.org/docs/stable/fx.html
"""

from __future__ import annotations

from typing import Any

from rushlight._later import absent_class, absent_function
from rushlight._missing import module_getattr

__all__ = [
    "Graph",
    "GraphModule",
    "Interpreter",
    "Node",
    "Proxy",
    "Tracer",
    "Transformer",
    "replace_pattern",
    "symbolic_trace",
    "wrap",
]

_WHY = "programs are not turned into graphs yet"

Graph, GraphModule, Interpreter, Node, Proxy, Tracer, Transformer = (
    absent_class(f"torch.fx.{name}", _WHY)
    for name in ("Graph", "GraphModule", "Interpreter", "Node", "Proxy", "Tracer", "Transformer")
)
symbolic_trace = absent_function("torch.fx.symbolic_trace", _WHY)
replace_pattern = absent_function("torch.fx.replace_pattern", _WHY)


def wrap(fn_or_name: Any) -> Any:
    """Marks a function that tracing would not look into: gives it back."""
    return fn_or_name


__getattr__ = module_getattr(__name__)
