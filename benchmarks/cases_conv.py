"""Convolutions: the shapes of ResNet-18, depthwise, 1x1 and 7x7 kernels, and training steps of small networks."""

from .cases import Case

# name: (input, weight, options, targets of the forward and of the backward)
SHAPES = {
    "7x7/2 3->64, 224x224": ((4, 3, 224, 224), (64, 3, 7, 7), "stride=2, padding=3", 1.5),
    "3x3 64->64, 56x56": ((8, 64, 56, 56), (64, 64, 3, 3), "padding=1", 1.0),
    "3x3/2 64->128, 56x56": ((8, 64, 56, 56), (128, 64, 3, 3), "stride=2, padding=1", 1.0),
    "3x3/2 128->256, 28x28": ((8, 128, 28, 28), (256, 128, 3, 3), "stride=2, padding=1", 1.0),
    "3x3/2 256->512, 14x14": ((8, 256, 14, 14), (512, 256, 3, 3), "stride=2, padding=1", 1.0),
    "3x3 128->128, 28x28": ((8, 128, 28, 28), (128, 128, 3, 3), "padding=1", 1.0),
    "3x3 256->256, 14x14": ((8, 256, 14, 14), (256, 256, 3, 3), "padding=1", 1.0),
    "3x3 512->512, 7x7": ((8, 512, 7, 7), (512, 512, 3, 3), "padding=1", 1.0),
    "3x3 512->512, 7x7, one image": ((1, 512, 7, 7), (512, 512, 3, 3), "padding=1", 1.0),
    "1x1/2 64->128, 56x56": ((8, 64, 56, 56), (128, 64, 1, 1), "stride=2", 1.5),
    "1x1/2 128->256, 28x28": ((8, 128, 28, 28), (256, 128, 1, 1), "stride=2", 1.5),
    "1x1/2 256->512, 14x14": ((8, 256, 14, 14), (512, 256, 1, 1), "stride=2", 1.5),
    "1x1 64->256, 56x56": ((8, 64, 56, 56), (256, 64, 1, 1), "", 1.5),
    "1x1 512->512, 7x7": ((8, 512, 7, 7), (512, 512, 1, 1), "", 1.5),
    "depthwise 3x3 64, 56x56": ((8, 64, 56, 56), (64, 1, 3, 3), "padding=1, groups=64", 1.5),
    "depthwise 3x3/2 128, 56x56": ((8, 128, 56, 56), (128, 1, 3, 3), "stride=2, padding=1, groups=128", 1.5),
    "groups=4 3x3 64->64, 28x28": ((8, 64, 28, 28), (64, 16, 3, 3), "padding=1, groups=4", 1.0),
    "5x5 1->6, 28x28, batch 64": ((64, 1, 28, 28), (6, 1, 5, 5), "padding=2", 1.5),
    "3x3 16->32, 14x14, batch 64": ((64, 16, 14, 14), (32, 16, 3, 3), "padding=1", 1.0),
    "3x3 1->16, 28x28, batch 64": ((64, 1, 28, 28), (16, 1, 3, 3), "padding=1", 1.0),
}
# The same with the operation's name first. The transposed ones are a DCGAN's.
OTHERS = {
    "conv1d 5 64->64, 1000, batch 16": ((16, 64, 1000), (64, 64, 5), "padding=2", 1.0),
    "conv1d 16/4 1->32, 16000, batch 4": ((4, 1, 16000), (32, 1, 16), "stride=4", 1.0),
    "conv3d 3x3x3 3->16, 16x56x56, batch 2": ((2, 3, 16, 56, 56), (16, 3, 3, 3, 3), "padding=1", 1.0),
    "conv3d 3x3x3 16->32, 8x28x28, batch 4": ((4, 16, 8, 28, 28), (32, 16, 3, 3, 3), "padding=1", 1.0),
    "conv_transpose2d 4x4/2 256->128, 8x8, batch 16": ((16, 256, 8, 8), (256, 128, 4, 4), "stride=2, padding=1", 1.0),
    "conv_transpose2d 4x4/2 64->3, 32x32, batch 16": ((16, 64, 32, 32), (64, 3, 4, 4), "stride=2, padding=1", 1.0),
}

NET = """
from importlib import import_module
nn = torch.nn
torch.manual_seed(0)
x = torch.randn({batch}, {channels}, {size}, {size}); y = torch.randint(0, 10, ({batch},))
{model}
optimizer = import_module(torch.__name__ + ".optim").{optimizer}
criterion = nn.CrossEntropyLoss()
def step():
    optimizer.zero_grad()
    criterion(model(x), y).backward()
    optimizer.step()
"""
SMALL_CNN = """model = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
    nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 7 * 7, 10))"""
LENET = """model = nn.Sequential(
    nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2),
    nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10))"""
RESNET = """
class Block(nn.Module):
    def __init__(self, a, b, s):
        super().__init__()
        self.conv1 = nn.Conv2d(a, b, 3, s, 1, bias=False); self.bn1 = nn.BatchNorm2d(b)
        self.conv2 = nn.Conv2d(b, b, 3, 1, 1, bias=False); self.bn2 = nn.BatchNorm2d(b)
        self.down = nn.Sequential(nn.Conv2d(a, b, 1, s, bias=False), nn.BatchNorm2d(b)) if s > 1 or a != b else None
        self.relu = nn.ReLU(inplace=True)
    def forward(self, x):
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += x if self.down is None else self.down(x)
        return self.relu(out)
layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
for a, b, s in ((64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)):
    layers += [Block(a, b, s), Block(b, b, 1)]
model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))"""
NETS = {
    "small CNN step, MNIST, batch 32": (32, 1, 28, SMALL_CNN, "Adam(model.parameters())", 2.0),
    "small CNN step, MNIST, batch 64": (64, 1, 28, SMALL_CNN, "Adam(model.parameters())", 2.0),
    "LeNet step, MNIST, batch 64": (64, 1, 28, LENET, "SGD(model.parameters(), lr=0.1)", 2.0),
    "ResNet-18 step, 224x224, batch 4": (4, 3, 224, RESNET, "SGD(model.parameters(), lr=0.1)", 1.1),
}


def point_flops(x, w, options):
    """A 1x1 convolution's arithmetic; 0 for other kernels, which transforms do with less."""
    if w[2:] != (1, 1):
        return 0.0
    step = 2 if "stride=2" in options else 1
    return 2.0 * x[0] * w[0] * w[1] * (x[2] // step) * (x[3] // step)


def cases() -> list[Case]:
    """Forward and backward of every shape, and the steps."""
    out = []
    for name, (x, w, options, target) in ({f"conv2d {name}": s for name, s in SHAPES.items()} | OTHERS).items():
        setup = (
            f"torch.manual_seed(0); x = torch.randn{x}; w = torch.randn{w}; conv = lambda: "
            f"torch.{name.split()[0]}(x, w{', ' if options else ''}{options}); g = torch.randn_like(conv())"
        )
        flops = point_flops(x, w, options)
        out.append(Case(name, "conv", setup, "conv()", target=target, flops=flops))
        setup += "; x.requires_grad_(); w.requires_grad_(); y = conv()"
        statement = "torch.autograd.grad(y, (x, w), g, retain_graph=True)"
        out.append(Case(f"{name}, backward", "conv", setup, statement, target=target, flops=2 * flops))
    for name, (batch, channels, size, model, optimizer, target) in NETS.items():
        setup = NET.format(batch=batch, channels=channels, size=size, model=model, optimizer=optimizer)
        out.append(Case(name, "conv", setup, "step()", target=target))
    return out
