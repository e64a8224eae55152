"""Records tests/golden/files/: small files written by PyTorch. Run with PyTorch: `python -m tests.golden.record_files`."""

from collections import Counter, OrderedDict, defaultdict
from pathlib import Path

import numpy as np
import torch

FOLDER = Path(__file__).parent / "files"
DTYPES = (
    "uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128 bool".split()
)  # what both have


def tensors():
    base = torch.arange(12.0)
    attribute = torch.ones(2)
    attribute.note = "kept"
    return {
        "dtypes": {name: torch.tensor([0, 1, 2]).to(getattr(torch, name)) for name in DTYPES},
        "base": base,
        "row": base.view(3, 4)[1],
        "transposed": torch.arange(6).reshape(2, 3).t(),
        "expanded": torch.ones(1).expand(3),
        "scalar": torch.tensor(2.5),
        "empty": torch.empty(0, 3),
        "requires_grad": torch.zeros(2, requires_grad=True),
        "parameter": torch.nn.Parameter(torch.ones(2), requires_grad=False),
        "attribute": attribute,
        "conj": torch.tensor([1 + 2j]).conj(),
        "storage": torch.tensor([1, 2], dtype=torch.uint8).untyped_storage(),
        "size": torch.Size([2, 3]),
        "device": torch.device("cuda:1"),
        "dtype": torch.bfloat16,
        "generator": torch.Generator().manual_seed(5),
        "function": torch.relu,
    }


def data():
    return {
        "numbers": [0, -1, 255, 65536, 2**31, -(2**70), 1.5, float("inf"), True, None, 1 + 2j],
        "text": ["", "ü€😀", "x" * 300, b"\x00\xff", bytearray(b"ab")],
        "containers": [{1, 2}, frozenset({3}), (), (1,), OrderedDict(a=1), Counter("aab"), defaultdict(list, a=[1])],
        "numpy": [
            np.float32(2.5),
            np.int64(-3),
            np.bool_(True),
            np.arange(6, dtype=np.int16).reshape(2, 3),
            np.zeros((2, 3), order="F"),
            np.array(["a", "bc"]),
            np.array([1, "a", None], dtype=object),
            np.dtype("<f4"),
        ],
    }


def module():
    net = torch.nn.Sequential(
        OrderedDict(
            first=torch.nn.Linear(3, 4),
            norm=torch.nn.LayerNorm(4),
            act=torch.nn.GELU(approximate="tanh"),
            last=torch.nn.Linear(4, 1, bias=False),
        )
    )
    fill(net)
    return net.eval()


def fill(net):
    with torch.no_grad():
        for i, p in enumerate(net.parameters()):
            p.copy_(torch.arange(p.numel()).reshape(p.shape) / 8 + i)


def layers():
    """Layers with state of their own kinds, each saved whole."""
    made = [
        torch.nn.Conv2d(1, 2, 3, padding=1),
        torch.nn.BatchNorm2d(2),
        torch.nn.LSTM(2, 3, bidirectional=True),
        torch.nn.GRU(2, 3),
        torch.nn.MultiheadAttention(4, 2),
        torch.nn.EmbeddingBag(3, 2),
    ]
    for layer in made:
        fill(layer)
    return made


def checkpoint():
    """What a training script saves: weights, the optimizer's state, the epoch, the random state."""
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    fill(net)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.125, weight_decay=0.25)
    net(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return {
        "epoch": 3,
        "model_state_dict": net.state_dict(),
        "optimizer_state_dict": optimizer.state_dict(),
        "loss": torch.tensor(0.5),
    }


def main():
    FOLDER.mkdir(exist_ok=True)
    torch.manual_seed(0)
    for make in (tensors, data, module, layers, checkpoint):
        made = make()
        torch.save(made, FOLDER / f"{make.__name__}.pth")
    whole = tensors()
    del whole["generator"]
    torch.save(whole, FOLDER / "tensors_legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(checkpoint(), FOLDER / "checkpoint_legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(data(), FOLDER / "data_protocol5.pth", pickle_protocol=5)


if __name__ == "__main__":
    main()
