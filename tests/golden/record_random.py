"""Records PyTorch's random streams into random_table.json: python record_random.py (needs PyTorch).

Each entry holds a call as text. Before it come `seed` and `before` of the table's head; the second leaves a cached
normal behind, as in the middle of a program. A test evaluates the same text with rushlight under the name `torch`
and compares: `sha256` of the result's bytes, the first values, and `state`, the hash of the generator's state after
the call. Entries with `approximate` lean on the C library's logarithms and sines in double precision, so that another
library may differ in the last place; of these, small results are recorded whole.
"""

import hashlib
import json
import pathlib
import warnings

import torch

SEED = 42
BEFORE = "torch.randn(3)"
SIZES = (1, 2, 15, 16, 17, 31, 32, 33, 100, 1000, 100003)
FEW_SIZES = (1, 17, 1000, 100003)
FLOATS = ("float32", "float64", "float16", "bfloat16")
COMPLEX = ("complex64", "complex128")
INTEGERS = ("uint8", "int8", "int16", "int32", "int64")
WHOLE = 33  # results up to this size are recorded whole


def calls():
    """(call, approximate) pairs."""
    for dtype in FLOATS + COMPLEX:
        double = dtype in ("float64", "complex128")
        for n in SIZES:
            tail = f"{n}, dtype=torch.{dtype}"
            yield f"torch.rand({tail})", False
            yield f"torch.empty({tail}).uniform_(-0.123, 0.456)", False
            serial = n * (1 + (dtype in COMPLEX)) < 16
            yield f"torch.randn({tail})", double or serial
            yield f"torch.empty({tail}).normal_(0.37, 0.123)", double or serial
    for dtype in FLOATS:
        for shape in (
            "4, 250, dtype=torch.{}).T",
            "40, 6, dtype=torch.{})[::2, 1::2]",
            "3, 4, 5, dtype=torch.{}).permute(2, 0, 1)",
            "3, 4, 5, 6, dtype=torch.{}).transpose(1, 3)[:, ::2]",
        ):
            yield "torch.empty(" + shape.format(dtype) + ".normal_(0.5, 2)", True
            yield "torch.empty(" + shape.format(dtype) + ".uniform_()", False
        for n in FEW_SIZES:
            tail = f"{n}, dtype=torch.{dtype}"
            yield f"torch.empty({tail}).exponential_()", True
            yield f"torch.empty({tail}).exponential_(0.3)", True
            yield f"torch.empty({tail}).cauchy_(1, 2)", True
            yield f"torch.empty({tail}).log_normal_(0.1, 0.5)", True
            yield f"torch.poisson(torch.full(({n},), 3.0, dtype=torch.{dtype}))", True
            yield f"torch.poisson(torch.full(({n},), 40.0, dtype=torch.{dtype}))", True
            yield f"torch.bernoulli(torch.full(({n},), 0.3, dtype=torch.{dtype}))", False
            yield f"torch.dropout(torch.ones({tail}), 0.1, True)", False
            yield (
                f"torch.normal(torch.zeros({tail}), torch.full(({n},), 0.7, dtype=torch.{dtype}))",
                n < 16 or dtype == "float64",
            )
        yield f"torch.multinomial(torch.tensor([0.1, 0.5, 0.4], dtype=torch.{dtype}), 1000, True)", False
        yield f"torch.multinomial(torch.arange(1, 101, dtype=torch.{dtype}), 50)", True
        yield f"torch.multinomial(torch.arange(12, dtype=torch.{dtype}).reshape(3, 4), 1)", True
        yield f"torch.multinomial(torch.arange(12, dtype=torch.{dtype}).reshape(3, 4), 9, True)", False
    yield "torch.multinomial(torch.arange(1.0, 1001.0), 500)", True
    for dtype in FLOATS + INTEGERS + ("bool",):
        for n in FEW_SIZES:
            tail = f"{n}, dtype=torch.{dtype}"
            yield f"torch.empty({tail}).random_()", False
            yield f"torch.empty({tail}).bernoulli_(0.3)", False
            yield f"torch.randint(0, 2, ({n},), dtype=torch.{dtype})", False
            if dtype != "bool":
                yield f"torch.randint(3, 100, ({n},), dtype=torch.{dtype})", False
                yield f"torch.empty({tail}).geometric_(0.2)", True
                if n <= {"uint8": 100, "int8": 100, "int16": 1000, "float16": 1000}.get(dtype, n):
                    yield f"torch.randperm({tail})", False
    for n in FEW_SIZES:
        for low, high in ((-5, 5), (0, 2**28 - 1), (0, 2**28), (-(2**40), 2**40), (-(2**63), 2**63 - 1)):
            yield f"torch.randint({low}, {high}, ({n},))", False
        yield f"torch.empty({n}, dtype=torch.int64).random_({-(2**63)}, None)", False
        yield f"torch.empty({n}, dtype=torch.int32).random_(-3, None)", False
        yield f"torch.empty({n}).random_(3, None)", False
        yield f"torch.empty({n}).random_(0, {2**25})", False
        yield f"torch.empty({n}).bernoulli_(torch.full(({n},), 0.3, dtype=torch.float64))", False
        for dtype in ("float32", "float64"):
            for count, p in ((5.0, 0.3), (100.0, 0.3), (100.0, 0.8)):
                yield (
                    (
                        f"torch.binomial(torch.full(({n},), {count}, dtype=torch.{dtype}), "
                        f"torch.full(({n},), {p}, dtype=torch.{dtype}))"
                    ),
                    True,
                )


def plain(tensor):
    """Values as JSON holds them exactly: complex numbers as pairs of their parts."""
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor)
    return tensor.to(torch.float64).tolist() if tensor.is_floating_point() else tensor.tolist()


def digest(data):
    return hashlib.sha256(data).hexdigest()[:16]


def record(call, approximate):
    torch.manual_seed(SEED)
    eval(BEFORE, {"torch": torch})
    result = eval(call, {"torch": torch}).contiguous()
    state = torch.get_rng_state().numpy().tobytes()
    flat = result.reshape(-1)
    entry = {
        "call": call,
        "dtype": str(result.dtype).removeprefix("torch."),
        "shape": list(result.shape),
        "sha256": digest(flat.view(torch.uint8).numpy().tobytes()),
        "state": digest(state),
    }
    if approximate:
        entry["approximate"] = True
    if approximate and flat.numel() <= WHOLE:
        entry["values"] = plain(flat)
    else:
        entry["first"] = plain(flat[:4])
    return entry


def main():
    warnings.simplefilter("ignore")
    head = {"torch": torch.__version__.split("+")[0], "seed": SEED, "before": BEFORE}
    lines = [json.dumps(record(call, approximate)) for call, approximate in calls()]
    text = json.dumps(head)[:-1] + ', "entries": [\n' + ",\n".join(lines) + "\n]}\n"
    path = pathlib.Path(__file__).with_name("random_table.json")
    path.write_text(text)
    print(f"{path}: {len(lines)} entries")


if __name__ == "__main__":
    main()
