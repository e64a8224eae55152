"""What a bug report needs: `python -m rushlight -m torch.utils.collect_env`."""

from __future__ import annotations

__all__ = ["get_pretty_env_info", "main"]


def get_pretty_env_info() -> str:
    """Versions, machine, threads, as text."""
    import contextlib
    import io

    from rushlight._runner import _print_info

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        _print_info()
    return out.getvalue()


def main() -> None:
    """Print it."""
    print("Collecting environment information...")
    print(get_pretty_env_info(), end="")


if __name__ == "__main__":
    main()
