"""python -m tests.conformance.files: checkpoints go PyTorch -> rushlight -> PyTorch, and come back unchanged.

Models are trained for some steps under PyTorch and saved; rushlight loads the file into its own model and optimizer and saves
them again; PyTorch loads that with weights_only=True. Every tensor and every number must be the same, to the bit, and
training must go on as if nothing had happened. The same the other way round, and for whole modules.
"""

import importlib
import io
import os
import sys
import tempfile
import warnings

import numpy as np
import torch

warnings.filterwarnings("ignore")


def language_model(T):
    class Model(T.nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = T.nn.Embedding(20, 16)
            self.lstm = T.nn.LSTM(16, 24, num_layers=2, batch_first=True, dropout=0.0, bidirectional=True)
            self.head = T.nn.Linear(48, 20)

        def forward(self, x):
            return self.head(self.lstm(self.embed(x))[0])

    return Model()


def resnet(T):
    """ResNet-18 in shape, narrower."""

    class Block(T.nn.Module):
        def __init__(self, a, b, s):
            super().__init__()
            self.conv1 = T.nn.Conv2d(a, b, 3, s, 1, bias=False)
            self.bn1 = T.nn.BatchNorm2d(b)
            self.conv2 = T.nn.Conv2d(b, b, 3, 1, 1, bias=False)
            self.bn2 = T.nn.BatchNorm2d(b)
            self.relu = T.nn.ReLU(inplace=True)
            self.downsample = (
                T.nn.Sequential(T.nn.Conv2d(a, b, 1, s, bias=False), T.nn.BatchNorm2d(b)) if a != b or s != 1 else None
            )

        def forward(self, x):
            y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
            return self.relu(y + (x if self.downsample is None else self.downsample(x)))

    class ResNet(T.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = T.nn.Conv2d(3, 8, 7, 2, 3, bias=False)
            self.bn1 = T.nn.BatchNorm2d(8)
            self.maxpool = T.nn.MaxPool2d(3, 2, 1)
            for i, (a, b, s) in enumerate([(8, 8, 1), (8, 16, 2), (16, 32, 2), (32, 64, 2)], 1):
                setattr(self, f"layer{i}", T.nn.Sequential(Block(a, b, s), Block(b, b, 1)))
            self.fc = T.nn.Linear(64, 10)

        def forward(self, x):
            x = self.maxpool(T.relu(self.bn1(self.conv1(x))))
            x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
            return self.fc(x.mean((2, 3)))

    return ResNet()


def adam(T, parameters):
    return T.optim.Adam(parameters, lr=1e-3, weight_decay=0.01, amsgrad=True)


def sgd(T, parameters):
    return T.optim.SGD(parameters, lr=0.01, momentum=0.9, nesterov=True)


def words(T):
    x = T.from_numpy(np.random.default_rng(0).integers(0, 20, (4, 12)))
    return x[:, :-1], x[:, 1:].reshape(-1)


def images(T):
    draw = np.random.default_rng(0)
    x = T.from_numpy(draw.standard_normal((4, 3, 32, 32)).astype("float32"))
    return x, T.from_numpy(draw.integers(0, 10, 4))


CASES = {
    "LSTM language model with Adam": (language_model, adam, words),
    "ResNet-18 in shape with Adam": (resnet, adam, images),
    "ResNet-18 in shape with SGD": (resnet, sgd, images),
}


class Run:
    """A model and its optimizer in one of the libraries."""

    def __init__(self, T, model, optimizer, data):
        T.manual_seed(0)
        self.T, self.model = T, model(T)
        self.optimizer = optimizer(T, self.model.parameters())
        self.scheduler = T.optim.lr_scheduler.StepLR(self.optimizer, 2)
        self.data = data(T)

    def train(self, steps):
        x, y = self.data
        for _ in range(steps):
            out = self.model(x)
            loss = self.T.nn.functional.cross_entropy(out.reshape(-1, out.shape[-1]), y)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.scheduler.step()
        return self

    def save(self):
        file = io.BytesIO()
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "random": self.T.get_rng_state(),
            "epoch": 3,
        }
        self.T.save(state, file)
        return io.BytesIO(file.getvalue())

    def load(self, file):
        state = self.T.load(file, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        self.T.set_rng_state(state["random"])
        return self


def differences(a, b, where=""):
    """Where two loaded files differ."""
    if hasattr(a, "untyped_storage") and hasattr(b, "untyped_storage"):
        same = str(a.dtype) == str(b.dtype) and a.shape == b.shape and a.stride() == b.stride()
        if not same or a.detach().numpy().tobytes() != b.detach().numpy().tobytes():
            yield f"{where}: tensors differ"
    elif type(a) is not type(b):
        yield f"{where}: {type(a).__name__} and {type(b).__name__}"
    elif isinstance(a, dict):
        if list(a) != list(b):
            yield f"{where}: keys {list(a)} and {list(b)}"
        for key in a:
            if key in b:
                yield from differences(a[key], b[key], f"{where}.{key}")
        if hasattr(a, "_metadata"):
            yield from differences(dict(a._metadata), dict(getattr(b, "_metadata", {})), f"{where}._metadata")
    elif isinstance(a, (list, tuple)):
        if len(a) != len(b):
            yield f"{where}: lengths {len(a)} and {len(b)}"
        for i, (x, y) in enumerate(zip(a, b)):
            yield from differences(x, y, f"{where}[{i}]")
    elif a != b:
        yield f"{where}: {a!r} and {b!r}"


def there_and_back(T, home, case):
    """What differs after home -> T -> home."""
    file = Run(home, *case).train(3).save()
    through = Run(T, *case).load(io.BytesIO(file.getvalue())).save()
    before = home.load(io.BytesIO(file.getvalue()), weights_only=True)
    yield from differences(before, home.load(io.BytesIO(through.getvalue()), weights_only=True))
    one, two = (Run(home, *case).load(f).train(2) for f in (file, through))
    yield from differences(one.model.state_dict(), two.model.state_dict(), "two steps later")


def whole_module(T, home, make):
    """What differs between a module of `home` and what `T` loads and saves of it; its class must be importable in both."""
    home.manual_seed(0)
    module = make(home)
    file = io.BytesIO()
    home.save(module, file)
    file.seek(0)
    over = T.load(file, weights_only=False)
    if repr(over) != repr(module):
        yield f"printed: {over!r}"
    again = io.BytesIO()
    T.save(over, again)
    again.seek(0)
    back = home.load(again, weights_only=False)
    yield from differences(module.state_dict(), back.state_dict())
    yield from (
        f"attribute {name}"
        for name in vars(module).keys() ^ vars(back).keys()
        if not name.startswith("_") and "hook" not in name
    )


MODULES = {
    "Sequential(Conv2d, BatchNorm2d, ReLU, Flatten, Linear)": lambda T: T.nn.Sequential(
        T.nn.Conv2d(1, 2, 3), T.nn.BatchNorm2d(2), T.nn.ReLU(), T.nn.Flatten(), T.nn.Linear(8, 2)
    ),
    "LSTM": lambda T: T.nn.LSTM(3, 4, 2, bidirectional=True),
    "GRU": lambda T: T.nn.GRU(3, 4),
    "MultiheadAttention": lambda T: T.nn.MultiheadAttention(8, 2),
    "TransformerEncoderLayer": lambda T: T.nn.TransformerEncoderLayer(8, 2, 16),
    "Embedding, LayerNorm, GELU, Dropout": lambda T: T.nn.Sequential(
        T.nn.Embedding(5, 4), T.nn.LayerNorm(4), T.nn.GELU(), T.nn.Dropout(0.2)
    ),
}


def calculated_offsets(T):
    """PyTorch can map a file without looking up where its records are; it must not do so with ours."""
    from torch.utils.serialization import config

    state = {"a": T.arange(100.0), "b": T.ones(7), "c": T.arange(5)}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.pth")
        T.save(state, path)
        config.load.calculate_storage_offsets = True
        try:
            yield from differences(state, torch.load(path, mmap=True))
        finally:
            config.load.calculate_storage_offsets = False


def main():
    T = importlib.import_module("rushlight")
    failed = 0
    jobs = [("PyTorch maps our files", lambda: calculated_offsets(T))]
    for name, case in CASES.items():
        jobs.append((f"{name}: PyTorch -> rushlight -> PyTorch", lambda case=case: there_and_back(T, torch, case)))
        jobs.append((f"{name}: rushlight -> PyTorch -> rushlight", lambda case=case: there_and_back(torch, T, case)))
    for name, make in MODULES.items():
        jobs.append((f"module {name}: PyTorch -> rushlight -> PyTorch", lambda make=make: whole_module(T, torch, make)))
        jobs.append(
            (f"module {name}: rushlight -> PyTorch -> rushlight", lambda make=make: whole_module(torch, T, make))
        )
    for name, job in jobs:
        try:
            found = list(job())
        except Exception as error:
            found = [f"{type(error).__name__}: {str(error)[:300]}"]
        failed += bool(found)
        print(f"{'FAIL' if found else 'ok':4} {name}")
        for line in found[:5]:
            print(f"     {line}")
    print(f"files: {len(jobs) - failed} of {len(jobs)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
