"""Records each script's losses under PyTorch: python tests/training/record.py (needs PyTorch)."""

import contextlib
import io
import runpy
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main():
    sys.path.insert(0, str(HERE))
    for script in sorted(HERE.glob("*.py")):
        if script.stem in ("record", "common"):
            continue
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            runpy.run_path(str(script), run_name="__main__")
        script.with_suffix(".txt").write_text(out.getvalue())
        losses = out.getvalue().split()
        print(script.stem, losses[0], "to", losses[-1])


if __name__ == "__main__":
    main()
