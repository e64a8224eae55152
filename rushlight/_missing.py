"""Names that a module lacks: imported when first asked for, or an error that says `torch.name` and what was meant."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

__all__ = ["DENSE", "complete_when_listed", "module_getattr", "no_attribute", "tensor_attribute", "torch_name"]


def torch_name(module: str) -> str:
    """What the program calls a module: "rushlight.nn" is torch.nn, "rushlight.vision" is torchvision."""
    if module == "rushlight.vision" or module.startswith("rushlight.vision."):
        return "torchvision" + module[len("rushlight.vision") :]
    return "torch" + module[len("rushlight") :] if module.partition(".")[0] == "rushlight" else module


# What to do without a kind of tensor that is not there.
DENSE = (
    "torch.mm, torch.spmm and @ take dense matrices, and torch.zeros(size).index_put_(tuple(indices), values, "
    "accumulate=True) makes one of indices and values"
)


def suggestion(module: str, name: str, names: Iterable[str]) -> str:
    """ "rushlight has no torch.foo; did you mean torch.fool?" """
    import difflib

    path = torch_name(module)
    text = f"rushlight has no {path}.{name}"
    if name.startswith("sparse"):
        return f"{text}, because it has no sparse tensors: {DENSE}"
    candidates = [n for n in names if not n.startswith("_") and n != name]
    close = difflib.get_close_matches(name, candidates, 1, 0.7 if len(name) > 3 else 0.5)
    if not close:
        folded = {n.lower(): n for n in candidates}
        close = [folded[name.lower()]] if name.lower() in folded else []
    return f"{text}; did you mean {path}.{close[0]}?" if close else text


def _is_from_import(depth: int) -> bool:
    """Whether the code that looks for a name is `from module import name`."""
    import opcode

    frame = sys._getframe(depth)
    code = frame.f_code.co_code
    return 0 <= frame.f_lasti < len(code) and code[frame.f_lasti] == opcode.opmap["IMPORT_FROM"]


def no_attribute(module: str, name: str, names: Iterable[str], depth: int = 2) -> Exception:
    """The error for a name that a module lacks: an ImportError in `from module import name`, else AttributeError.

    `depth` is how far above this call the code that wants the name is.
    """
    if name.startswith("__") and name.endswith("__"):
        return AttributeError(f"module {module!r} has no attribute {name!r}")
    hint = suggestion(module, name, names)
    if f"{module}.{name}" not in sys.modules and _is_from_import(depth + 1):
        path = torch_name(module)
        return ImportError(f"cannot import name {name!r} from {path!r}: {hint}", name=path)
    error = AttributeError(f"module {torch_name(module)!r} has no attribute {name!r}: {hint}")
    error.name = name
    return error


# The names of a module, whatever its class says.
_names_of: Callable[[Any], dict[str, Any]] = vars(type(sys))["__dict__"].__get__


def complete_when_listed(name: str, names: Iterable[str]) -> None:
    """Make `module.__dict__` and `vars(module)` import what the module only imports when it is asked for by name.

    Programs choose by name from such a dictionary: `torch.optim.__dict__["Adam"]`.
    """
    from types import ModuleType

    class Lazy(ModuleType):
        @property
        def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
            sys.modules[name].__class__ = ModuleType  # once is enough
            for each in names:
                getattr(self, each)
            return _names_of(self)

    sys.modules[name].__class__ = Lazy


def module_getattr(
    module: str, submodules: Collection[str] = (), homes: Mapping[str, str] | None = None
) -> Callable[[str], Any]:
    """A `__getattr__` for a module, which imports when first asked for, and else says what is missing.

    Args:
        module: its `__name__`.
        submodules: those that it imports when first asked for.
        homes: names that it takes from a submodule when first asked for, and that submodule.
    """
    homes = homes or {}

    def __getattr__(name: str) -> Any:
        own = _names_of(sys.modules[module])
        if name in homes:
            value = own[name] = getattr(importlib.import_module(f"{module}.{homes[name]}"), name)
            return value
        if name in submodules:
            return importlib.import_module(f"{module}.{name}")
        raise no_attribute(module, name, {*own, *submodules, *homes})

    return __getattr__


_tensor_hints: dict[str, str] = {}


def tensor_attribute(name: str, names: Iterable[str]) -> AttributeError:
    """The error for an attribute that tensors lack. `hasattr` comes here too, so the search is done once a name."""
    hint = _tensor_hints.get(name)
    if hint is None:
        import difflib

        close = difflib.get_close_matches(name, [n for n in names if not n.startswith("_")], 1, 0.7)
        hint = _tensor_hints[name] = f"; did you mean {close[0]}?" if close else ""
    error = AttributeError(f"'Tensor' object has no attribute {name!r}{hint}")
    error.name = name
    return error
