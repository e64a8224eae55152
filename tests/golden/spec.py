"""The small language in which cases.py names its tensors, understood by the recorder and by the test.

    @f32[3,4]     values between -3 and 3, no two alike (below 1009 elements)
    @f64[3,4]U    between 0 and 1      P  between 0.1 and 3      X  nan, inf, -inf, 0, -0, ...      D  with duplicates
    @i64[5]       integers from -9 to 9; @i64[5]4 from 0 to 3; @b[4] booleans
    ...T          a transposed view    S  every second element of a larger tensor    E  expanded from size 1
A list of such names is a list of tensors. `nan` and `inf` are Python's.
"""

import re

DTYPES = {
    "f32": "float32", "f64": "float64", "f16": "float16", "bf16": "bfloat16", "i8": "int8", "i16": "int16",
    "i32": "int32", "i64": "int64", "u8": "uint8", "b": "bool", "c64": "complex64", "c128": "complex128",
}  # fmt: skip
_PATTERN = re.compile(r"@([a-z]+\d*)\[([\d,]*)\](\d*)([A-Z]*)$")
_SPECIAL = (float("nan"), float("inf"), float("-inf"), 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 1e-30, 1e30, 100.0)


def _numbers(count, kind, limit, flags, salt):
    steps = [(i * 611 + salt * 389 + 97) % 1009 / 1009 for i in range(count)]
    if kind == "b":
        return [s < 0.5 for s in steps]
    if kind[0] in "iu":
        if limit:
            return [int(s * int(limit)) for s in steps]
        return [int(s * 19) - (0 if kind[0] == "u" else 9) for s in steps]
    if kind[0] == "c":
        other = _numbers(count, "f64", "", flags, salt + 1)
        return [complex(a, b) for a, b in zip(_numbers(count, "f64", "", flags, salt), other)]
    if "X" in flags:
        return [_SPECIAL[i % len(_SPECIAL)] for i in range(count)]
    if "U" in flags:
        return [0.01 + 0.98 * s for s in steps]
    if "P" in flags:
        return [0.1 + 2.9 * s for s in steps]
    if "D" in flags:
        return [float(int(s * 5) - 2) for s in steps]
    return [6 * s - 3 for s in steps]


def _count(shape):
    n = 1
    for s in shape:
        n *= s
    return n


def tensor(torch, text, salt):
    """Returns (the tensor, the leaf it is a view of)."""
    kind, dims, limit, flags = _PATTERN.match(text).groups()
    shape = [int(d) for d in dims.split(",") if d]
    dtype = getattr(torch, DTYPES[kind])

    def base(size):
        return torch.tensor(_numbers(_count(size), kind, limit, flags, salt), dtype=dtype).reshape(size)

    if "T" in flags:
        leaf = base(shape[::-1])
        return leaf, lambda x: x.permute(*range(len(shape) - 1, -1, -1))
    if "S" in flags:
        leaf = base([*shape[:-1], 2 * shape[-1]])
        return leaf, lambda x: x[..., ::2]
    if "E" in flags:
        leaf = base([1, *shape[1:]])
        return leaf, lambda x: x.expand(shape)
    return base(shape), lambda x: x


def build(torch, value, leaves, salt=None):
    """The argument that `value` stands for; the floating leaves it was made from are appended to `leaves`."""
    salt = [0] if salt is None else salt
    if isinstance(value, str) and value.startswith("@"):
        salt[0] += 1
        leaf, view = tensor(torch, value, salt[0])
        if leaf.dtype == torch.float64 or leaf.dtype == torch.complex128:
            leaf.requires_grad_(True)
            leaves.append(leaf)
        return view(leaf)
    if isinstance(value, str) and value.startswith("torch."):
        return getattr(torch, value[6:])
    if isinstance(value, list):
        return [build(torch, v, leaves, salt) for v in value]
    if isinstance(value, tuple):
        return tuple(build(torch, v, leaves, salt) for v in value)
    if isinstance(value, dict):
        return {k: build(torch, v, leaves, salt) for k, v in value.items()}
    return value


def resolve(torch, name):
    if name.startswith("."):
        return getattr(torch.Tensor, name[1:])
    obj = torch
    for part in name.split("."):
        obj = getattr(obj, part)
    return obj


def outputs(torch, value):
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, list | tuple):
        return [t for v in value for t in outputs(torch, v)]
    return [torch.tensor(value)] if isinstance(value, bool | int | float) else []


def weights(torch, t):
    """A fixed cotangent of the shape of `t`."""
    return torch.tensor(_numbers(t.numel(), "f64", "", "P", 3), dtype=torch.float64).reshape(t.shape).to(t.dtype)


def run(torch, name, args, kwargs):
    """Returns (results, gradients of the float64 leaves, None without any)."""
    torch.manual_seed(0)
    leaves = []
    salt = [0]
    args = build(torch, args, leaves, salt)
    kwargs = build(torch, kwargs, leaves, salt)
    result = outputs(torch, resolve(torch, name)(*args, **kwargs))
    ends = [t for t in result if t.requires_grad]
    if not ends:
        return [t.detach() for t in result], None
    grads = torch.autograd.grad(ends, leaves, [weights(torch, t) for t in ends], allow_unused=True)
    return [t.detach() for t in result], [
        torch.zeros_like(x) if g is None else g.clone() for g, x in zip(grads, leaves)
    ]


def key(name, args, kwargs):
    """How values.json names a case."""
    shown = [repr(a) for a in args] + [f"{k}={v!r}" for k, v in kwargs.items()]
    return f"{name}({', '.join(shown)})".replace("'", "")
