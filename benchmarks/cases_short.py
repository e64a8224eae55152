"""float16 and bfloat16 on the CPU: pointwise operations, rows, products, and what autocast makes of a training step."""

from dataclasses import replace

from .cases import Case

POINTWISE = {
    "a + b": "a + b",
    "relu": "torch.relu(a)",
    "exp": "a.exp()",
    "to float32": "a.float()",
    "from float32": "f.to(a.dtype)",
}
PRODUCTS = {
    "512x512 @ 512x512": (512, 512, 512),
    "Linear 1x512 -> 512": (1, 512, 512),
    "Linear 32x784 -> 256": (32, 784, 256),
}
MLP = """
from importlib import import_module
nn = torch.nn
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
x = torch.randn(128, 784); y = torch.randint(0, 10, (128,))
optimizer = import_module(torch.__name__ + ".optim").SGD(model.parameters(), lr=0.01)
def step():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = nn.functional.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
def infer():
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        return model(x)
"""


# What is at PyTorch's speed give or take the noise.
NEAR = {"float16 exp, 1e6", "float16 to float32, 1e6", "float16 from float32, 1e6", "bfloat16 512x512 @ 512x512"}


def cases() -> list[Case]:
    """PyTorch multiplies matrices of float16 many times slower than those of float32: they have no rows here but one."""
    out = []
    for dtype in ("bfloat16", "float16"):
        setup = "a = torch.randn({0}).to(torch.{1}); b = torch.randn({0}).to(torch.{1}); f = torch.randn({0})"
        for name, statement in POINTWISE.items():
            out.append(Case(f"{dtype} {name}, 1e6", "short", setup.format(10**6, dtype), statement))
        for name in ("softmax", "log_softmax"):
            out.append(Case(f"{dtype} {name}, 256x1024", "short", setup.format("256, 1024", dtype), f"a.{name}(-1)"))
        for name, (m, k, n) in PRODUCTS.items():
            if dtype == "float16" and m > 1:
                continue
            setup_product = f"a = torch.randn({m}, {k}).to(torch.{dtype}); w = torch.randn({n}, {k}).to(torch.{dtype})"
            statement = "torch.nn.functional.linear(a, w)" if "Linear" in name else "a @ w"
            out.append(Case(f"{dtype} {name}", "short", setup_product, statement, flops=2.0 * m * k * n))
    out.append(Case("autocast bfloat16, MLP of 512, batch 128: step", "short", MLP, "step()"))
    out.append(Case("autocast bfloat16, MLP of 512, batch 128: inference", "short", MLP, "infer()"))
    return [replace(c, target=0.9) if c.name in NEAR else c for c in out]
