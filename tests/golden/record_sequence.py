"""Records what PyTorch gives for sequence_cases.py into sequence.json: python -m tests.golden.record_sequence"""

import json
import pathlib
import warnings

import torch

from .sequence_cases import CASES, some


def values(t):
    return [float(f"{v:.6g}") for v in some(t.detach().double().reshape(-1).tolist())]


def main():
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    table = {
        name: [{"shape": list(t.shape), "values": values(t)} for t in function(torch)]
        for name, function in CASES.items()
    }
    path = pathlib.Path(__file__).parent / "sequence.json"
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in table.items())
    path.write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    main()
