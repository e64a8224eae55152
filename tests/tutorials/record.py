"""Records what each tutorial prints under PyTorch: python tests/tutorials/record.py (needs PyTorch and torchvision).

Where the tutorials and PyTorch disagree, what the tutorials print is recorded (see docs/compatibility.md).
"""

import contextlib
import functools
import io
import re
import runpy
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent

# script: (what PyTorch prints, what the tutorial says)
DIFFERENCES = {"basics_3_3": ("torch.int32\ntorch.int32\nFalse\nFalse\n", "torch.int32\ntorch.int32\nTrue\nTrue\n")}


def of_integers(f):
    def wrapped(x, *args, **kwargs):
        return f(x if x.is_floating_point() else x.float(), *args, **kwargs)

    return wrapped


def main():
    torch.mean, torch.std = of_integers(torch.mean), of_integers(torch.std)
    torch.load = functools.partial(torch.load, weights_only=False)  # the tutorials load whole modules
    for script in sorted(HERE.glob("*.py")):
        if script.name == "record.py" or script.name.startswith("_"):
            continue
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.chdir(HERE):
            runpy.run_path(str(script), run_name="__main__")
        text = out.getvalue()
        if script.stem in DIFFERENCES:
            old, new = DIFFERENCES[script.stem]
            assert text.count(old) == 1, script
            text = text.replace(old, new)
        text = re.sub(r" at 0x[0-9a-f]+", " at 0x...", text)
        script.with_suffix(".txt").write_text(text)
        print(script.stem, len(text.splitlines()), "lines")


if __name__ == "__main__":
    main()
