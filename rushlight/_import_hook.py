"""Serves `import torch` (and `torchvision`) with rushlight: the same module objects under both names."""

from __future__ import annotations

import importlib
import importlib.machinery
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import ModuleType

__all__ = ["disable_torch_alias", "enable_torch_alias"]

_SERVED = {"torch": "rushlight", "torchvision": "rushlight.vision"}


class _Loader:
    """Loads `torch.x` by importing `rushlight.x`."""

    def __init__(self, real: str) -> None:
        self.real = real
        self.spec: Any = None

    def create_module(self, spec: Any) -> ModuleType:
        module = importlib.import_module(self.real)
        self.spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.spec  # the import system put the alias there


class _Finder:
    """Finds every module below the served names, so that no other torch is ever mixed in."""

    @staticmethod
    def find_spec(fullname: str, path: Sequence[str] | None = None, target: Any = None) -> Any:
        top, dot, rest = fullname.partition(".")
        if top not in _SERVED:
            return None
        real = _SERVED[top] + dot + rest
        if real not in sys.modules and not _exists(real):
            parent, _, name = fullname.rpartition(".")
            hint = ""
            if parent:
                from rushlight._missing import suggestion

                real_parent = real.rpartition(".")[0]
                hint = ": " + suggestion(real_parent, name, dir(sys.modules[real_parent]))
            raise ModuleNotFoundError(f"No module named {fullname!r}{hint}", name=fullname)
        return importlib.machinery.ModuleSpec(fullname, _Loader(real), is_package=False)  # type: ignore[arg-type]

    @staticmethod
    def find_distributions(context: Any = None) -> Iterator[Any]:
        """For `importlib.metadata.version("torch")`, by which libraries ask whether PyTorch is there, and which."""
        from rushlight._distributions import served

        wanted = getattr(context, "name", None)
        for name in _SERVED if wanted is None else {wanted.lower()} & _SERVED.keys():
            yield served(name)


def _exists(real: str) -> bool:
    from importlib.util import find_spec

    try:
        return find_spec(real) is not None
    except ModuleNotFoundError:
        return False


_finder = _Finder()


class _Watcher:
    """Calls a function when a module has been imported."""

    def __init__(self, name: str, action: Callable[[Any], None]) -> None:
        self.name = name
        self.action = action

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: Any = None) -> Any:
        if fullname != self.name:
            return None
        from importlib.util import find_spec

        sys.meta_path.remove(self)  # type: ignore[arg-type]
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_act(module: ModuleType) -> None:
                load(module)
                self.action(module)

            spec.loader.exec_module = load_and_act  # type: ignore[method-assign]
        return spec


def after_import(name: str, action: Callable[[Any], None]) -> None:
    """Call `action(module)` when the module of that name has been imported: now, if it has been."""
    if name in sys.modules:
        action(sys.modules[name])
    else:
        sys.meta_path.insert(0, _Watcher(name, action))  # type: ignore[arg-type]


class _AliasThere:
    """Unpickled, it enables the alias: in a process that `multiprocessing` starts, before the program is imported there."""

    def __reduce__(self) -> Any:
        import os

        home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        code = (
            f"import sys; sys.path += [{home!r}] * ({home!r} not in sys.path)\n"
            "from rushlight._import_hook import enable_torch_alias; enable_torch_alias()"
        )
        return exec, (code,)


def _alias_in_spawned(spawn: Any) -> None:
    """Make `multiprocessing.spawn` enable the alias in the processes that it starts."""
    prepared = spawn.get_preparation_data

    def get_preparation_data(name: str) -> dict[str, Any]:
        data: dict[str, Any] = prepared(name)
        return {"torch_alias": _AliasThere(), **data} if _finder in sys.meta_path else data

    spawn.get_preparation_data = get_preparation_data


_spawn_watched = False


def enable_torch_alias() -> None:
    """From now on `import torch` gives rushlight, and `import torchvision` rushlight.vision.

    Raises:
        RuntimeError: another torch has been imported already.
    """
    global _spawn_watched
    import rushlight

    loaded = sys.modules.get("torch")
    if loaded is not None and loaded is not rushlight:
        raise RuntimeError("enable_torch_alias(): another torch is imported already; call this before importing it")
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)  # type: ignore[arg-type]
    rushlight.__name__ = "torch"  # what programs compare names with
    if not _spawn_watched:
        _spawn_watched = True
        after_import("multiprocessing.spawn", _alias_in_spawned)
        # The server would import the program, without the alias, to be quicker later.
        after_import("multiprocessing.forkserver", lambda forkserver: forkserver.set_forkserver_preload([]))


def disable_torch_alias() -> None:
    """Undo `enable_torch_alias`: names imported from now on are looked up as usual."""
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)  # type: ignore[arg-type]
    import rushlight

    rushlight.__name__ = "rushlight"
    for name in [n for n in sys.modules if n.partition(".")[0] in _SERVED]:
        del sys.modules[name]
