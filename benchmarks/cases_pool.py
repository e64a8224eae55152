"""Pooling, batch norm and interpolation, forward and backward, at the sizes of convolutional networks."""

from .cases import Case

# name: (input, statement over x, target)
POOLING = {
    "max_pool2d 2, 32x32x28x28": ((32, 32, 28, 28), "F.max_pool2d(x, 2)", 1.3),
    "max_pool2d 2, 64x64x56x56": ((64, 64, 56, 56), "F.max_pool2d(x, 2)", 1.3),
    "max_pool2d 3/2, 16x64x112x112": ((16, 64, 112, 112), "F.max_pool2d(x, 3, 2, 1)", 1.3),
    "max_pool2d 2, 32x16x14x14": ((32, 16, 14, 14), "F.max_pool2d(x, 2)", 1.3),
    "max_pool2d 2, 1x1x4x4": ((1, 1, 4, 4), "F.max_pool2d(x, 2)", 3.0),
    "avg_pool2d 2, 32x32x28x28": ((32, 32, 28, 28), "F.avg_pool2d(x, 2)", 1.3),
    "adaptive_avg_pool2d 1, 32x512x7x7": ((32, 512, 7, 7), "F.adaptive_avg_pool2d(x, 1)", 1.0),
    "interpolate x2 bilinear, 8x64x28x28": ((8, 64, 28, 28), "F.interpolate(x, scale_factor=2, mode='bilinear')", 1.0),
    "interpolate x2 nearest, 8x64x28x28": ((8, 64, 28, 28), "F.interpolate(x, scale_factor=2)", 1.0),
}
BATCH_NORM = {
    "32x64x56x56": (32, 64, 56, 56),
    "32x128x28x28": (32, 128, 28, 28),
    "32x256x14x14": (32, 256, 14, 14),
    "32x512x7x7": (32, 512, 7, 7),
    "8x16x8x8": (8, 16, 8, 8),
    "32x64": (32, 64),
    "256x1024": (256, 1024),
}
SETUP = """
from importlib import import_module
F = import_module(torch.__name__ + ".nn.functional")
torch.manual_seed(0)
x = torch.randn{shape}.requires_grad_()
w = torch.rand({channels}).requires_grad_(); b = torch.rand({channels}).requires_grad_()
mean = torch.zeros({channels}); var = torch.ones({channels})
def run(): return {call}
g = torch.randn_like(run())
"""


def cases() -> list[Case]:
    """Every shape forward and backward; batch norm in evaluation, forward alone, too."""
    out = []
    for name, (shape, call, target) in POOLING.items():
        setup = SETUP.format(shape=shape, channels=shape[1], call=call)
        out.append(Case(name, "pool", setup, "torch.autograd.grad(run(), x, g)", target=target))
    for name, shape in BATCH_NORM.items():
        for training in (True, False):
            call = f"F.batch_norm(x, mean, var, w, b, {training})"
            setup = SETUP.format(shape=shape, channels=shape[1], call=call)
            how = "training" if training else "evaluation"
            statement = "torch.autograd.grad(run(), (x, w, b), g)"
            out.append(Case(f"batch_norm {how} {name}", "pool", setup, statement, target=1.0))
        setup += "x.requires_grad_(False); w.requires_grad_(False); b.requires_grad_(False)\n"
        out.append(Case(f"batch_norm evaluation {name}, forward", "pool", setup, "run()", target=1.0))
    return out
