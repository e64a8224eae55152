"""Optimizers: their steps alone, steps of small networks with Adam, and a whole script from start to end."""

from .cases import Case

MANY = """
from importlib import import_module
params = [torch.rand({size}).requires_grad_() for _ in range({count})]
for p in params:
    p.grad = torch.rand({size})
optimizer = getattr(import_module(torch.__name__ + ".optim"), "{name}")(params, lr=1e-4{options})
optimizer.step()
"""
STEP = """
from importlib import import_module
nn = torch.nn
torch.manual_seed(0)
{network}
optimizer = import_module(torch.__name__ + ".optim").Adam(model.parameters(), lr=1e-3{options})
def step():
    optimizer.zero_grad()
    loss = criterion(model(x), y)
    loss.backward()
    optimizer.step()
"""
REGRESSION = """
class RegressionNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(20, 64); self.fc2 = nn.Linear(64, 32); self.fc3 = nn.Linear(32, 1); self.relu = nn.ReLU()
    def forward(self, x):
        return self.fc3(self.relu(self.fc2(self.relu(self.fc1(x)))))
model, criterion = RegressionNet(), nn.MSELoss()
x, y = torch.randn(32, 20), torch.randn(32, 1)"""
MLP = """
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
criterion = nn.CrossEntropyLoss()
x, y = torch.randn(64, 1, 28, 28), torch.randint(0, 10, (64,))"""
VAE = """
class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enter = nn.Linear(784, 400); self.mean = nn.Linear(400, 20); self.logvar = nn.Linear(400, 20)
        self.leave = nn.Linear(20, 400); self.image = nn.Linear(400, 784)
    def forward(self, x):
        h = torch.relu(self.enter(x.view(-1, 784)))
        mean, logvar = self.mean(h), self.logvar(h)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * logvar)
        return torch.sigmoid(self.image(torch.relu(self.leave(z)))), mean, logvar
def criterion(out, x):
    image, mean, logvar = out
    distance = nn.functional.binary_cross_entropy(image, x.view(-1, 784), reduction="sum")
    return distance - 0.5 * torch.sum(1 + logvar - mean.pow(2) - logvar.exp())
model = VAE()
x = y = torch.rand(128, 1, 28, 28)"""
JAX_STEP = """
sizes = {sizes}
keys = jax.random.split(jax.random.PRNGKey(0), len(sizes))
p = [(jax.random.normal(k, s) / s[0] ** 0.5, jnp.zeros(s[1])) for k, s in zip(keys, sizes)]
x = jax.random.normal(keys[0], ({batch}, sizes[0][0]))
y = {target}
def loss(p):
    h = x
    for w, b in p[:-1]:
        h = jax.nn.relu(h @ w + b)
    h = h @ p[-1][0] + p[-1][1]
    return {loss}
zeros = jax.tree_util.tree_map(jnp.zeros_like, p)
@jax.jit
def update(p, m, v, t):
    g = jax.grad(loss)(p)
    m = jax.tree_util.tree_map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = jax.tree_util.tree_map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
    new = lambda p, m, v: p - 1e-3 * m / (1 - 0.9**t) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return jax.tree_util.tree_map(new, p, m, v), m, v
def step():
    jax.block_until_ready(update(p, zeros, zeros, 1.0))
"""
# name: (network, target, JAX's sizes, batch, targets, loss)
NETS = {
    "RegressionNet (20-64-32-1), Adam, step": (
        REGRESSION, 14, [(20, 64), (64, 32), (32, 1)], 32, "jax.random.normal(keys[1], (32, 1))", "((h - y) ** 2).mean()"
    ),
    "MNIST MLP (784-256-128-10), batch 64, Adam, step": (
        MLP, 3, [(784, 256), (256, 128), (128, 10)], 64, "jnp.arange(64) % 10",
        "-jnp.take_along_axis(jax.nn.log_softmax(h), y[:, None], 1).mean()",
    ),
}  # fmt: skip
SCRIPT = """
import {library} as torch
import {library}.nn as nn
import {library}.optim as optim

torch.manual_seed(0)
x = torch.rand(100, 1) * 10
y = 2 * x + 1 + torch.randn(100, 1)
model = nn.Linear(1, 1)
optimizer = optim.SGD(model.parameters(), lr=0.01)
criterion = nn.MSELoss()
for step in range(100):
    loss = criterion(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(loss.item())
"""


def cases() -> list[Case]:
    """Also against PyTorch's fused=True, which rushlight accepts and need not be asked for."""
    out = []
    for name, options in (("SGD", ""), ("SGD", ", momentum=0.9"), ("Adam", ""), ("AdamW", "")):
        for fused, target in (("", 5), (", fused=True", 1.2)):
            setup = MANY.format(name=name, options=options + fused, size=10_000, count=100)
            out.append(
                Case(
                    f"{name}{options}{fused}, step of 100 tensors of 10000", "optim", setup, "optimizer.step()", target
                )
            )
    for name in ("Adamax", "NAdam", "RAdam", "Adagrad", "Adadelta", "RMSprop", "Rprop", "ASGD"):
        setup = MANY.format(name=name, options="", size=10_000, count=100)
        out.append(Case(f"{name}, step of 100 tensors of 10000", "optim", setup, "optimizer.step()", 5))
    out.append(
        Case(
            "zero_grad of 100 tensors",
            "optim",
            MANY.format(name="SGD", options="", size=10, count=100),
            "optimizer.zero_grad()",
        )
    )
    for name, (network, target, sizes, batch, labels, loss) in NETS.items():
        jax = (JAX_STEP.format(sizes=sizes, batch=batch, target=labels, loss=loss), "step()")
        setup = STEP.format(network=network, options="")
        out.append(Case(name, "optim", setup, "step()", target, jax=jax))
        out.append(Case(f"{name}, fused=True", "optim", STEP.format(network=network, options=", fused=True"), "step()"))
    for fused, target in (("", 2), (", fused=True", 1)):
        setup = STEP.format(network=VAE, options=fused)
        out.append(Case(f"VAE (784-400-20), batch 128, Adam, step{fused}", "optim", setup, "step()", target))
    run = f"""
import os, subprocess, sys
# Compiled modules are kept, as they are in an installed package.
env = {{k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}}
code = {SCRIPT!r}.replace("{{library}}", torch.__name__)
def run(): subprocess.run([sys.executable, "-c", code], check=True, env=env, stdout=subprocess.DEVNULL)
"""
    out.append(Case("a script of 100 steps of linear regression, start to end", "optim", run, "run()", 20))
    return out
