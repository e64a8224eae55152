"""Runs scripts, modules and snippets as `python` would, with `import torch` served by rushlight."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["main"]

_USAGE = """\
usage: rushlight [option] ... [-c code | -m module | script.py | -] [argument] ...

Runs a program as python does; `import torch` gives rushlight, in it and in every library it imports.

  script.py    a file, or a folder or zip file with a __main__.py
  -m module    a module, as a program
  -c code      the code in the argument
  -            the code on standard input
  --info       what a bug report needs, and exit
  --version    the version, and exit
  -h, --help   this text, and exit

Options of python itself go before -m: `python -W error -m rushlight script.py`.
"""


def main(argv: list[str] | None = None) -> Any:
    """Run the command line; returns the exit status for what is not a program."""
    args = sys.argv[1:] if argv is None else list(argv)
    first = args[0] if args else ("-" if not sys.stdin.isatty() else "--help")
    if first in ("-h", "--help", "-?"):
        print(_USAGE, end="")
        return 0
    if first in ("-V", "--version"):
        import rushlight

        print(f"rushlight {_own_version()} (API of PyTorch {rushlight.__version__})")
        return 0
    if first == "--info":
        _print_info()
        return 0
    if first in ("-c", "-m"):
        if len(args) < 2:
            print(f"Argument expected for the {first} option\n{_USAGE}", end="", file=sys.stderr)
            return 2
        run = _run_code if first == "-c" else _run_module
        return _run(run, args[1], args[2:], first)
    if first.startswith("-") and first != "-":
        print(f"Unknown option: {first}\n{_USAGE}", end="", file=sys.stderr)
        return 2
    return _run(_run_stdin if first == "-" else _run_script, first, args[1:], first)


def _run(run: Callable[[str], None], what: str, args: list[str], argv0: str) -> int:
    """Run the program, and end as python would: exit status, traceback from the program's own frames, signals."""
    import atexit

    from rushlight._import_hook import enable_torch_alias

    interrupted: list[bool] = []
    atexit.register(_die_of_interrupt, interrupted)  # registered first, so it runs after the program's own
    enable_torch_alias()
    sys.argv = [argv0, *args]
    try:
        run(what)
    except SystemExit:
        raise
    except BaseException as error:
        own = {__file__, run.__code__.co_filename}
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename in own:
            trace = trace.tb_next
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        if isinstance(error, KeyboardInterrupt):
            interrupted.append(True)
        return 1
    return 0


def _die_of_interrupt(interrupted: list[bool]) -> None:
    """End by SIGINT, so that the shell sees that Ctrl-C ended the program."""
    if interrupted and os.name == "posix":
        import signal

        sys.stdout.flush()
        sys.stderr.flush()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)


def _new_main(file: str | None) -> dict[str, Any]:
    """The namespace of a fresh `__main__` module."""
    import builtins
    from types import ModuleType

    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    namespace = vars(module)
    namespace["__builtins__"] = builtins
    namespace["__annotations__"] = {}
    if file is not None:
        from importlib.machinery import SourceFileLoader

        namespace["__file__"] = file
        namespace["__cached__"] = None
        namespace["__loader__"] = SourceFileLoader("__main__", file)
    return namespace


def _set_first_path(folder: str) -> None:
    """Where python puts the program's own folder; `-P` (safe path) leaves it out."""
    if getattr(sys.flags, "safe_path", False):
        return
    if sys.path:
        sys.path[0] = folder
    else:
        sys.path.append(folder)


def _run_script(path: str) -> None:
    if os.path.isdir(path) or _is_zip(path):
        import runpy

        _set_first_path(os.path.abspath(path))
        runpy._run_module_as_main("__main__", alter_argv=False)  # type: ignore[attr-defined]
        return
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        full = os.path.abspath(path)
        print(f"{sys.executable}: can't open file {full!r}: [Errno {error.errno}] {error.strerror}", file=sys.stderr)
        raise SystemExit(2) from None
    _set_first_path(os.path.dirname(os.path.realpath(path)))
    namespace = _new_main(os.path.abspath(path))
    exec(compile(source, namespace["__file__"], "exec", dont_inherit=True), namespace)


def _is_zip(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            if file.read(4) != b"PK\x03\x04":
                return False
    except OSError:
        return False
    return True


def _run_module(name: str) -> None:
    import runpy

    _set_first_path(os.getcwd())
    runpy._run_module_as_main(name)  # type: ignore[attr-defined]


def _run_code(code: str) -> None:
    _set_first_path("")
    exec(compile(code, "<string>", "exec", dont_inherit=True), _new_main(None))


def _run_stdin(_: str) -> None:
    _set_first_path("")
    source = sys.stdin.buffer.read()
    exec(compile(source, "<stdin>", "exec", dont_inherit=True), _new_main(None))


def _own_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("rushlight")
    except PackageNotFoundError:
        return "from source"


def _print_info() -> None:
    """Versions, machine, threads: what a bug report needs."""
    import platform

    import rushlight
    from rushlight import _C

    lines = [
        ("rushlight", _own_version()),
        ("API of PyTorch", rushlight.__version__),
        ("core", _C.__file__),
        ("instruction set", _C._isa()),
        ("threads", _C.get_num_threads()),
        ("CPUs", os.cpu_count()),
        ("Python", sys.version.replace("\n", " ")),
        ("platform", platform.platform()),
        ("machine", platform.machine()),
    ]
    from importlib.util import find_spec

    if find_spec("numpy") is not None:
        from importlib.metadata import version

        lines.append(("NumPy", version("numpy")))
    lines += [(name, os.environ[name]) for name in sorted(os.environ) if name.startswith(("RUSHLIGHT_", "OMP_NUM_"))]
    for name, value in lines:
        print(f"{name + ':':<17}{value}")
