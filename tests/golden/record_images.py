"""Records PyTorch's results for image_cases.py: python -m tests.golden.record_images (needs PyTorch)."""

import json
from pathlib import Path

import torch

from .image_cases import FAMILIES
from .record import number
from .spec import key, run

DIGITS = {"float32": 8, "float64": 11, "float16": 5, "bfloat16": 4}


def encode(t):
    name = str(t.dtype)[6:]
    return [name, list(t.shape), " ".join(number(x, DIGITS.get(name, 0)) for x in t.reshape(-1).tolist())]


def main():
    lines = {}
    for name, args, kwargs in (case for cases in FAMILIES.values() for case in cases):
        k = key(name, args, kwargs)
        try:
            results, grads = run(torch, name, args, kwargs)
        except (RuntimeError, TypeError, ValueError, IndexError) as e:
            print("left out:", k, str(e).splitlines()[0][:150])
            continue
        value = {"out": [encode(t) for t in results]}
        if grads is not None:
            value["grad"] = [encode(g) for g in grads]
        lines[k] = f"{json.dumps(k)}: {json.dumps(value, separators=(',', ':'))}"
    path = Path(__file__).parent / "images.json"
    path.write_text("{\n" + ",\n".join(lines.values()) + "\n}\n")
    print(f"{len(lines)} cases, {path.stat().st_size / 1e3:.0f} kB, PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
