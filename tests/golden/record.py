"""Records PyTorch's results for cases.py: python -m tests.golden.record (needs PyTorch)."""

import json
from pathlib import Path

import torch

from .cases import CASES
from .spec import key, run

HERE = Path(__file__).parent
DIGITS = {"float32": 8, "float64": 14, "float16": 5, "bfloat16": 4, "complex64": 8, "complex128": 14}


def number(x, digits):
    if isinstance(x, complex):
        return f"{number(x.real, digits)}|{number(x.imag, digits)}"
    return f"{x:.{digits}g}" if isinstance(x, float) else str(int(x))


def encode(t):
    name = str(t.dtype)[6:]
    flat = t.resolve_conj().reshape(-1).tolist()
    return [name, list(t.shape), " ".join(number(x, DIGITS.get(name, 0)) for x in flat)]


def main():
    lines = []
    seen = set()
    for name, args, kwargs in CASES:
        k = key(name, args, kwargs)
        if k in seen:
            continue
        seen.add(k)
        try:
            results, grads = run(torch, name, args, kwargs)
            value = {"out": [encode(t) for t in results]}
            if grads is not None:
                value["grad"] = [encode(g) for g in grads]
        except (RuntimeError, TypeError, ValueError, IndexError) as e:
            print("left out:", k, str(e).splitlines()[0][:150])
            continue
        lines.append(f"{json.dumps(k)}: {json.dumps(value, separators=(',', ':'))}")
    path = HERE / "values.json"
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{len(lines)} cases, {path.stat().st_size / 1e3:.0f} kB, PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
