"""Records the weights that PyTorch's modules and init functions draw: python -m tests.golden.record_init (needs PyTorch).

initial_weights.json: {call: {name: [shape, hash of the bytes, first values]}}, each call under seed 0.
"""

import hashlib
import json
import warnings
from pathlib import Path

MODULES = """
Linear(5, 7)
Linear(5, 7, bias=False)
Bilinear(3, 4, 5)
Embedding(10, 6)
Embedding(10, 6, padding_idx=2)
EmbeddingBag(10, 6)
Conv1d(3, 4, 3)
Conv2d(4, 6, 3, groups=2)
Conv2d(3, 8, 7, stride=2, padding=3, bias=False)
Conv3d(2, 3, 2)
ConvTranspose1d(3, 4, 3)
ConvTranspose2d(4, 6, 3, groups=2)
ConvTranspose3d(2, 3, 2)
BatchNorm1d(4)
BatchNorm2d(4)
InstanceNorm2d(4, affine=True, track_running_stats=True)
GroupNorm(2, 6)
LayerNorm(6)
RMSNorm(6)
PReLU(3)
RNN(3, 5, num_layers=2, bidirectional=True)
LSTM(3, 5, num_layers=2, bidirectional=True)
LSTM(3, 6, proj_size=4)
GRU(3, 5, batch_first=True)
RNNCell(3, 5)
LSTMCell(3, 5)
GRUCell(3, 5)
MultiheadAttention(8, 2)
MultiheadAttention(8, 2, kdim=6, vdim=5)
MultiheadAttention(8, 2, bias=False, add_bias_kv=True)
TransformerEncoderLayer(8, 2, 16)
TransformerDecoderLayer(8, 2, 16)
Transformer(8, 2, 1, 1, 16)
AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10])
""".strip().splitlines()

FUNCTIONS = """
uniform_(w, -1.0, 2.0)
normal_(w, 0.5, 0.1)
trunc_normal_(w, std=0.02)
trunc_normal_(w, a=0.5, b=1.5)
trunc_normal_(w, mean=1.0, a=3.0, b=4.0)
constant_(w, 0.3)
ones_(w)
zeros_(w)
eye_(w)
dirac_(v)
dirac_(v, 2)
xavier_uniform_(w)
xavier_uniform_(v, gain=2.0)
xavier_normal_(w)
kaiming_uniform_(w)
kaiming_uniform_(v, a=0.2, mode="fan_out")
kaiming_normal_(v, nonlinearity="relu")
kaiming_normal_(w, mode="fan_out", nonlinearity="tanh")
orthogonal_(w)
orthogonal_(v, gain=2)
sparse_(w, 0.3)
""".strip().splitlines()
# These lean on a decomposition, whose last bits are the library's.
APPROXIMATE = ("orthogonal_",)


def tensors(torch, call):
    """What a call makes, by name."""
    torch.manual_seed(0)
    if call in MODULES:
        return dict(eval(f"torch.nn.{call}", {"torch": torch}).state_dict())
    scope = {"torch": torch, "w": torch.empty(6, 8), "v": torch.empty(4, 4, 3, 3)}
    return {"": eval(f"torch.nn.init.{call}", scope)}


def entry(t):
    flat = t.detach().contiguous().reshape(-1)
    digest = hashlib.sha256(flat.numpy().tobytes()).hexdigest()[:16]
    return [list(t.shape), digest, [float(f"{x:.8g}") for x in flat[:4].tolist()]]


def main():
    import torch

    warnings.simplefilter("ignore")
    lines = []
    for call in MODULES + FUNCTIONS:
        made = {name: entry(t) for name, t in tensors(torch, call).items()}
        lines.append(f"{json.dumps(call)}: {json.dumps(made, separators=(',', ':'))}")
    path = Path(__file__).with_name("initial_weights.json")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{len(lines)} calls, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
