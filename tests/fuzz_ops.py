"""Calls every registered op with random, often wrong, arguments. Run as a script by test_fuzz.py, in a process of its own.

    python -m tests.fuzz_ops SEED CALLS [OP]

An exception is a fine answer; a crash, a hang or an exception outside the usual kinds is not.
"""

from __future__ import annotations

import faulthandler
import random
import re
import sys
import warnings

import rushlight as torch

FINE = (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError, OverflowError, ZeroDivisionError, AssertionError, MemoryError)  # fmt: skip
DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.uint8, torch.int8, torch.bool,
          torch.complex64]  # fmt: skip
SHAPES = [(), (0,), (1,), (3,), (2, 3), (3, 2), (3, 3), (0, 3), (2, 0, 3), (1, 1), (2, 3, 4), (1, 2, 3, 4), (2, 3, 3), (2, 2, 2, 2, 2), (17,), (5, 7)]  # fmt: skip
INTS = [0, 0, 1, 1, 2, 3, -1, -2, 5, 7, -100, 100, 2**31 - 1, 2**31, -(2**31), 2**62, 2**63 - 1, -(2**63)]
SMALL = [0, 1, 2, 3, -1, -2, 4]
FLOATS = [0.0, 1.0, -1.0, 0.5, 2.5, 1e30, -1e300, float("inf"), float("-inf"), float("nan")]


def tensor(r: random.Random) -> torch.Tensor:
    shape, dtype = r.choice(SHAPES), r.choice(DTYPES) if r.random() < 0.5 else torch.float32
    if r.random() < 0.3:
        dtype = torch.int64
    t = torch.zeros(shape, dtype=dtype) if r.random() < 0.3 else torch.randint(-3, 5, shape).to(dtype)
    k = r.random()
    if k < 0.15 and t.dim() >= 2:
        t = t.transpose(0, -1)
    elif k < 0.25 and t.dim() >= 1:
        t = t.expand(2, *t.shape)
    elif k < 0.35 and t.dim() >= 1:
        t = t[..., ::2]
    elif k < 0.5 and t.is_floating_point():
        t.requires_grad_()
        if r.random() < 0.5:
            t = t * 1
    return t


def integer(r: random.Random) -> int:
    return r.choice(SMALL) if r.random() < 0.7 else r.choice(INTS)


def argument(r: random.Random, kind: str, name: str):
    optional = kind.endswith("?")
    kind = kind.rstrip("?")
    if (optional and r.random() < 0.5) or r.random() < 0.01:
        return None
    if r.random() < 0.03:
        return r.choice([None, "x", 3, 2.5, [], [1, 2], tensor(r), object(), True, 1j, torch.float32])
    base = re.sub(r"\(.*?\)", "", kind)
    if base in ("Tensor",):
        return tensor(r)
    if base in ("Tensor[]", "Tensor?[]"):
        return [tensor(r) for _ in range(r.choice([0, 1, 2, 3]))]
    if base == "Scalar":
        return r.choice([integer(r), r.choice(FLOATS), True, 1 + 2j])
    if base in ("int", "SymInt"):
        return integer(r)
    if re.fullmatch(r"(Sym)?[iI]nt\[\d*\]", base):
        return [integer(r) for _ in range(r.choice([0, 1, 1, 2, 2, 3, 4]))]
    if base == "float":
        return r.choice(FLOATS)
    if base.startswith("float["):
        return [r.choice(FLOATS) for _ in range(r.choice([0, 1, 2, 3]))]
    if base == "bool":
        return r.random() < 0.5
    if base.startswith("bool["):
        return [r.random() < 0.5 for _ in range(3)]
    if base == "ScalarType":
        return r.choice(DTYPES)
    if base == "str":
        return r.choice(["", "mean", "sum", "none", "floor", "trunc", "fro", "nuc", "ij", "ij,jk->ik", "i...", "->", "tanh", "bilinear", "reflect", "\0"])  # fmt: skip
    if base == "MemoryFormat":
        return r.choice([torch.contiguous_format, torch.preserve_format, torch.channels_last])
    return None


def parameters(schema: str):
    inside = re.sub(r"\(\w!?\)", "", schema[schema.index("(") + 1 : schema.rindex("->")].strip().rstrip(")"))
    keyword = False
    for part in filter(None, (p.strip() for p in re.split(r",\s*(?![^\[]*\])", inside))):
        if part == "*":
            keyword = True
            continue
        declared, _, default = part.partition("=")
        kind, _, name = declared.strip().rpartition(" ")
        yield kind, name, bool(default), keyword


def too_large(values) -> bool:
    """Sizes that are legal and would really be allocated: not what is looked for."""
    total = 1
    for v in values:
        for i in v if isinstance(v, list) else [v]:
            if isinstance(i, (int, float)) and not isinstance(i, bool) and 100 < abs(i) <= 2**40:
                return True
            if isinstance(i, int) and abs(i) > 1:
                total *= abs(i)
    return False


def main(seed: int, calls: int, only: str | None = None) -> None:
    faulthandler.enable()
    warnings.simplefilter("ignore")
    r = random.Random(seed)
    ops = [(s, f) for s, _, f in torch._C._schemas() if only is None or s.split("(")[0].split(".")[0] == only]
    trace = len(sys.argv) > 4
    for i in range(calls):
        schema, flags = r.choice(ops)
        name = schema.split("(")[0].split(".")[0]
        positional, named = [], {}
        for kind, parameter, has_default, keyword in parameters(schema):
            if has_default and r.random() < 0.5:
                break
            value = argument(r, kind, parameter)
            if keyword:
                named[parameter] = value
            else:
                positional.append(value)
        for key in ("layout", "device", "pin_memory"):
            named.pop(key, None)
        in_place = "inplace" in flags and r.random() < 0.3 and positional and isinstance(positional[0], torch.Tensor)
        if too_large([*positional, *named.values()]):
            continue
        text = f"{i}: {name}{'_' if in_place else ''}({positional}, {named})" if trace else ""
        if trace:
            print(text, flush=True)
        faulthandler.dump_traceback_later(20, exit=True)
        try:
            f = getattr(torch.Tensor, name + "_", None) if in_place else None
            f = f or getattr(torch._C, name, None) or getattr(torch.Tensor, name, None)
            if f is None:
                continue
            result = f(*positional, **named)
            results = result if isinstance(result, (tuple, list)) else [result]
            for t in results:
                if isinstance(t, torch.Tensor):
                    repr(t)
                    if t.requires_grad:
                        t.backward(torch.ones_like(t))
        except FINE:
            pass
        except Exception as error:
            raise AssertionError(
                f"call {i} of seed {seed}: {name}({positional}, {named}) raised {type(error)}"
            ) from error
    faulthandler.cancel_dump_traceback_later()
    print("done", calls)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 and sys.argv[3] != "-" else None)
