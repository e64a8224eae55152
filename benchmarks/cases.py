"""What is timed. A case is a setup and a statement, both run with `torch` bound to the library under test."""

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path


@dataclass(frozen=True)
class Case:
    name: str
    group: str
    setup: str
    statement: str
    target: float = 1.0  # PyTorch's time over rushlight's, at least
    kept: float | None = None  # the same against a PyTorch whose malloc keeps its memory; None: not asked for
    size: str = ""
    flops: float = (
        0.0  # arithmetic of one call, where no algorithm does with less and the machine's limit is worth showing
    )
    jax: tuple = field(default=())  # (setup, statement) with `jax` and `jnp` bound


GROUPS = {
    "tiny": "Tiny tensors: the cost of a call",
    "autograd": "Autograd and training steps",
    "matmul": "float32 matrix products",
    "bulk": "Pointwise operations, reductions and the rest at 1e3, 1e5 and 1e7 elements",
    "conv": "Convolutions and small convolutional networks",
    "pool": "Pooling and normalisation",
    "sequences": "Recurrent networks, attention and what language models are made of",
    "data": "DataLoader",
    "files": "Saving and loading",
    "optim": "Optimizers, and training steps with Adam",
    "short": "float16 and bfloat16",
}
# The geometric mean that a group must reach.
GROUP_TARGETS = {"tiny": 6.0, "bulk": 2.5}

CASES = []


def add(*args, **kwargs):
    CASES.append(Case(*args, **kwargs))


# ---- tiny tensors

FOUR = "a = torch.rand(4); b = torch.rand(4); m = torch.rand(4, 4); n = torch.rand(4, 4)"
add("a + b", "tiny", FOUR, "a + b", target=15)
add("a + b, requires grad", "tiny", FOUR + "; a.requires_grad_()", "a + b", target=10)
for name, statement in {
    "a * 2.0": "a * 2.0",
    "relu": "torch.relu(a)",
    "a[1]": "a[1]",
    "a[1:3]": "a[1:3]",
    "m[:, 1]": "m[:, 1]",
    "item": "s.item()",
    "reshape": "m.reshape(2, 8)",
    "sum": "a.sum()",
    "sum(dim)": "m.sum(dim=1)",
    "matmul 4x4": "m @ n",
    "tensor([...])": "torch.tensor([1.0, 2.0, 3.0, 4.0])",
    "zeros(4)": "torch.zeros(4)",
    "a < b": "a < b",
    "exp": "a.exp()",
    "a.add_(b)": "a.add_(b)",
    "cat": "torch.cat([a, b])",
    "transpose": "m.T",
    "float(s)": "float(s)",
}.items():
    add(name, "tiny", FOUR + "; s = torch.rand(())", statement, target=1.0)

# ---- autograd and steps

add(
    "(x * y).sum().backward()",
    "autograd",
    "x = torch.rand(4, requires_grad=True); y = torch.rand(4, requires_grad=True)",
    "(x * y).sum().backward()",
    target=15,
)
QUICKSTART = """
from importlib import import_module
nn = torch.nn
torch.manual_seed(0)
x = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
y = torch.tensor([[2.0], [4.0], [6.0], [8.0]])
model = nn.Linear(1, 1)
criterion = nn.MSELoss()
optimizer = import_module(torch.__name__ + ".optim").SGD(model.parameters(), lr=0.01)
def step():
    loss = criterion(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
JAX_QUICKSTART = """
x = jnp.array([[1.0], [2.0], [3.0], [4.0]])
y = 2 * x
p = (jnp.ones((1, 1)), jnp.zeros(1))
def loss(p): return ((x @ p[0] + p[1] - y) ** 2).mean()
@jax.jit
def update(p):
    g = jax.grad(loss)(p)
    return tuple(a - 0.01 * b for a, b in zip(p, g))
def step():
    jax.block_until_ready(update(p))
"""
add(
    "quickstart step: Linear(1, 1), MSE, SGD", "autograd", QUICKSTART, "step()", target=16, jax=(JAX_QUICKSTART, "step()")
)  # fmt: skip
add(
    "chain of 100 adds, forward and backward",
    "autograd",
    """
x = torch.rand(4, requires_grad=True)
def chain():
    y = x
    for _ in range(100):
        y = y + x
    y.sum().backward()
""",
    "chain()",
    target=5,
)
add(
    "three Linear+ReLU by hand, 32x64, forward and backward",
    "autograd",
    """
x = torch.rand(32, 64)
ws = [torch.rand(64, 64, requires_grad=True) for _ in range(3)]
def mlp():
    y = x
    for w in ws:
        y = torch.relu(y @ w)
    y.sum().backward()
""",
    "mlp()",
    target=1.5,
)

# ---- matrix products

for n in (32, 64, 128, 256, 512, 1024, 2048):
    add(
        f"{n}x{n} @ {n}x{n}",
        "matmul",
        f"a = torch.rand({n}, {n}); b = torch.rand({n}, {n})",
        "a @ b",
        target=1.2 if n < 256 else 1.0,
        kept=1.0,
        flops=2.0 * n**3,
    )
for m, k, n in ((32, 20, 64), (64, 256, 128), (64, 784, 100), (128, 784, 256), (32, 1024, 1024), (256, 512, 2048)):
    add(
        f"linear {m}x{k} -> {n}",
        "matmul",
        f"x = torch.rand({m}, {k}); w = torch.rand({n}, {k}); b = torch.rand({n})",
        "torch.nn.functional.linear(x, w, b)",
        target=1.2 if max(m, n) < 256 else 1.0,
        kept=1.0,
        flops=2.0 * m * k * n,
    )
add(
    "bmm 32 of 64x64",
    "matmul",
    "a = torch.rand(32, 64, 64); b = torch.rand(32, 64, 64)",
    "a @ b",
    kept=1.0,
    flops=2.0 * 32 * 64**3,
)
add("mv 1024x1024", "matmul", "a = torch.rand(1024, 1024); b = torch.rand(1024)", "a @ b", kept=1.0)

# ---- the rest, at three sizes

BULK = {
    "add": "x + y",
    "mul scalar": "x * 2.0",
    "div": "x / y",
    "add a row": "m + row",
    "exp": "x.exp()",
    "log": "x.log()",
    "tanh": "x.tanh()",
    "sigmoid": "x.sigmoid()",
    "relu": "x.relu()",
    "gelu": "torch.nn.functional.gelu(x)",
    "sqrt": "x.sqrt()",
    "pow 3": "x ** 3",
    "clamp": "x.clamp(0.2, 0.8)",
    "x < y": "x < y",
    "to float64": "x.to(torch.float64)",
    "where": "torch.where(mask, x, y)",
    "masked_select": "x[mask]",
    "masked_fill": "x.masked_fill(mask, 0.0)",
    "sum": "x.sum()",
    "mean": "x.mean()",
    "max": "x.max()",
    "argmax": "x.argmax()",
    "var": "x.var()",
    "norm": "x.norm()",
    "any": "none.any()",
    "sum dim 0": "m.sum(0)",
    "sum dim 1": "m.sum(1)",
    "max dim 0": "m.max(0)",
    "max dim 1": "m.max(1)",
    "argmax dim 0": "m.argmax(0)",
    "argmax dim 1": "m.argmax(1)",
    "var dim 0": "m.var(0)",
    "var dim 1": "m.var(1)",
    "cumsum": "x.cumsum(0)",
    "cumsum dim 0": "m.cumsum(0)",
    "cumsum dim 1": "m.cumsum(1)",
    "softmax dim 1": "m.softmax(1)",
    "softmax dim 0": "m.softmax(0)",
    "sort": "x.sort()",
    "sort dim 1": "m.sort(1)",
    "topk 10": "x.topk(10)",
    "cat": "torch.cat([x, y])",
    "transpose-copy": "m.T.contiguous()",
    "gather": "x.gather(0, index)",
    "index_select rows": "m.index_select(0, rows)",
    "index_add": "m.index_add(0, rows, m)",
    "nonzero": "mask.nonzero()",
    "flip": "x.flip(0)",
    "add in place": "x.add_(1e-9)",
    "rand": "torch.rand(n)",
    "randn": "torch.randn(n)",
}
for label, (h, w) in {"1e3": (25, 40), "1e5": (250, 400), "1e7": (2500, 4000)}.items():
    setup = f"""
torch.manual_seed(0)
n = {h * w}
m = torch.rand({h}, {w}); x = m.reshape(-1).clone(); y = torch.rand(n) + 0.1; row = torch.rand({w})
mask = torch.rand(n) < 0.5; none = torch.zeros(n, dtype=torch.bool)
index = torch.randint(0, n, (n,)); rows = torch.randperm({h})
"""
    for name, statement in BULK.items():
        add(f"{name} {label}", "bulk", setup, statement, kept=1.0, size=label)

# The families that stand in files of their own.
for _file in sorted(Path(__file__).parent.glob("cases_*.py")):
    for _case in import_module(f"{__package__}.{_file.stem}").cases():
        GROUPS.setdefault(_case.group, _case.group)
        CASES.append(_case)

# With another process busy on one core: no operation may lose more than that core.
CONTENDED = ("512x512 @ 512x512", "add 1e5", "add 1e7", "exp 1e7", "sum 1e7", "softmax dim 1 1e7", "transpose-copy 1e7")
