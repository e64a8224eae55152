"""Records PyTorch's type promotion: python -m tests.golden.record_promotion (needs PyTorch)."""

import json
import operator
from pathlib import Path

DTYPES = [
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64",
    "complex128",
]  # fmt: skip
SCALARS = {"True": True, "2": 2, "2.5": 2.5, "1j": 1j}
OPERATORS = {"+": operator.add, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv, "**": operator.pow,
             "%": operator.mod, "<": operator.lt, "==": operator.eq, "&": operator.and_}  # fmt: skip
FUNCTIONS = ("sum", "prod", "cumsum", "exp", "sqrt", "abs", "neg", "sign", "sigmoid", "floor", "square", "logical_not",
             "isnan", "any", "argmax", "max", "conj", "real", "angle", "nan_to_num", "count_nonzero", "reciprocal")  # fmt: skip


def _name(f):
    try:
        return str(f().dtype)[6:]
    except (RuntimeError, TypeError, NotImplementedError):
        return "error"


def table(torch, section):
    """{what: name of the resulting dtype}"""
    d = {n: getattr(torch, n) for n in DTYPES}
    one = {n: torch.ones(2, dtype=t) for n, t in d.items()}
    zero = {n: torch.ones((), dtype=t) for n, t in d.items()}
    if section == "promote_types":
        return {f"{a} {b}": str(torch.promote_types(d[a], d[b]))[6:] for a in d for b in d}
    if section == "zero-dim":
        return {f"{a}[2] + {b}[]": _name(lambda: one[a] + zero[b]) for a in d for b in d}
    if section == "scalars":
        return {
            f"{a} {o} {s}": _name(lambda: f(one[a], v))
            for a in d
            for o, f in OPERATORS.items()
            for s, v in SCALARS.items()
        }
    if section == "scalars left":
        return {
            f"{s} {o} {a}": _name(lambda: f(v, one[a]))
            for a in d
            for o, f in OPERATORS.items()
            for s, v in SCALARS.items()
        }
    if section == "operators":
        return {
            f"{a} {o} {b}": _name(lambda: f(one[a], one[b]))
            for a in d
            for b in d
            for o, f in OPERATORS.items()
            if o != "+"
        }
    if section == "functions":
        return {
            f"{f} {a}": _name(lambda: getattr(torch, f)(one[a], *([0] if f == "cumsum" else [])))
            for f in FUNCTIONS
            for a in d
        }
    if section == "cat and where":
        pairs = [(a, b) for a in d for b in d]
        mask = torch.tensor([True, False])
        out = {f"cat {a} {b}": _name(lambda: torch.cat([one[a], one[b]])) for a, b in pairs}
        return out | {f"where {a} {b}": _name(lambda: torch.where(mask, one[a], one[b])) for a, b in pairs}
    raise KeyError(section)


SECTIONS = ("promote_types", "zero-dim", "scalars", "scalars left", "operators", "functions", "cat and where")


def main():
    import torch

    path = Path(__file__).with_name("promotion.json")
    lines = [f"{json.dumps(s)}: {json.dumps(table(torch, s))}" for s in SECTIONS]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
