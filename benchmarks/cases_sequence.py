"""Sequences: training steps of a language model with an LSTM and of a small GPT, recurrent layers, attention, and the
forward and backward of what such models are made of."""

from .cases import Case

LAYER = """
torch.manual_seed(0)
net = torch.nn.{kind}({width}, {hidden}, batch_first=True)
x = torch.randn({batch}, {steps}, {width})
def step():
    net.zero_grad()
    net(x)[0].sum().backward()
"""
TRAIN = """
from importlib import import_module
nn, F = torch.nn, torch.nn.functional
torch.manual_seed(0)
letters = 65
{model}
x = torch.randint(0, letters, ({batch}, {steps})); y = torch.randint(0, letters, ({batch}, {steps}))
optimizer = import_module(torch.__name__ + ".optim").{optimizer}(model.parameters(), lr=1e-3)
def step():
    optimizer.zero_grad()
    F.cross_entropy(model(x).reshape(-1, letters), y.reshape(-1)).backward()
    optimizer.step()
"""
LSTM = """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(letters, {width})
        self.lstm = nn.LSTM({width}, {width}, batch_first=True)
        self.head = nn.Linear({width}, letters)
    def forward(self, x):
        return self.head(self.lstm(self.embed(x))[0])
model = Model()
"""
GPT = """
class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width); self.norm2 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width); self.proj = nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
    def forward(self, x):
        b, t, c = x.shape
        q, k, v = (z.view(b, t, self.heads, c // self.heads).transpose(1, 2) for z in self.qkv(self.norm1(x)).split(c, 2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(y.transpose(1, 2).reshape(b, t, c))
        return x + self.mlp(self.norm2(x))
class Model(nn.Module):
    def __init__(self, width={width}, heads={heads}, layers=4):
        super().__init__()
        self.embed = nn.Embedding(letters, width); self.place = nn.Embedding({steps}, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width); self.head = nn.Linear(width, letters, bias=False)
    def forward(self, x):
        return self.head(self.norm(self.blocks(self.embed(x) + self.place(torch.arange(x.shape[1])))))
model = Model()
"""
ATTENTION = """
q, k, v = (torch.randn({shape}, requires_grad=True) for _ in range(3)); g = torch.randn({shape})
sdpa = torch.nn.functional.scaled_dot_product_attention
def both():
    sdpa(q, k, v{options}).backward(g)
"""
ROWS = """
F = torch.nn.functional
torch.manual_seed(0)
x = torch.randn({rows}, {width}, requires_grad=True); g = torch.randn({rows}, {width})
norm = torch.nn.LayerNorm({width}); target = torch.randint(0, {width}, ({rows},))
def layer_norm():
    x.grad = None
    norm(x).backward(g)
def softmax():
    x.grad = None
    F.softmax(x, -1).backward(g)
def cross_entropy():
    x.grad = None
    F.cross_entropy(x, target).backward()
"""
EMBEDDING = """
table = torch.nn.Embedding({rows}, {width}); index = torch.randint(0, {rows}, ({count},)); g = torch.randn({count}, {width})
def both():
    table.weight.grad = None
    table(index).backward(g)
"""


def cases():
    found = []

    def add(name, setup, statement, target, flops=0.0):
        found.append(Case(name, "sequences", setup, statement, target=target, flops=flops))

    for width, steps in ((64, 32), (128, 64)):
        setup = TRAIN.format(model=LSTM.format(width=width), batch=32, steps=steps, optimizer="Adam")
        # Gates of input and state, letters of the head; backward takes two products for each.
        flops = 3 * 32 * steps * (2 * 4 * width * 2 * width + 2 * width * 65)
        add(f"LSTM step: 32x{steps}, hidden {width}, Adam", setup, "step()", 2.0, flops)
    for width, heads, batch, steps in ((128, 4, 16, 64), (256, 8, 16, 128)):
        model = GPT.format(width=width, heads=heads, steps=steps)
        setup = TRAIN.format(model=model, batch=batch, steps=steps, optimizer="AdamW")
        add(f"GPT step: 4 layers of {width}, {batch}x{steps}, AdamW", setup, "step()", 1.5)
    for kind, target in (("LSTM", 1.0), ("GRU", 2.0), ("RNN", 2.0)):
        setup = LAYER.format(kind=kind, batch=32, steps=32, width=64, hidden=64)
        add(f"{kind}(64, 64), 32x32, forward and backward", setup, "step()", target)
    setup = LAYER.format(kind="LSTM", batch=1, steps=16, width=16, hidden=16)
    add("LSTM(16, 16), one sequence of 16, forward and backward", setup, "step()", 2.0)
    for shape, options in (((16, 4, 64, 32), ", is_causal=True"), ((4, 8, 256, 64), ""), ((1, 2, 8, 8), "")):
        setup = ATTENTION.format(shape=shape, options=options)
        label = "x".join(map(str, shape)) + (", causal" if options else "")
        add(f"attention {label}, forward and backward", setup, "both()", 1.0)
    for rows, width in ((64, 64), (1024, 128), (2048, 768)):
        setup = ROWS.format(rows=rows, width=width)
        for name in ("layer_norm", "softmax", "cross_entropy"):
            add(f"{name} {rows}x{width}, forward and backward", setup, f"{name}()", 1.3)
    for rows, width, count in ((65, 64, 1024), (10000, 128, 512)):
        setup = EMBEDDING.format(rows=rows, width=width, count=count)
        add(f"embedding {rows}x{width}, {count} rows, forward and backward", setup, "both()", 1.3)
    return found
