"""Records PyTorch's distributions into distributions.json: python -m tests.golden.record_distributions (needs PyTorch)."""

import json
import warnings
from pathlib import Path

import torch

from .distribution_cases import DISTRIBUTIONS, PAIRS, evaluate, evaluate_pair


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.13g}")
    if isinstance(value, list):
        return [rounded(v) for v in value]
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return value


def main():
    warnings.simplefilter("ignore")
    head = {"torch": torch.__version__.split("+")[0]}
    lines = [
        f"{json.dumps(text)}: {json.dumps(rounded(f(torch, text)), separators=(',', ':'))}"
        for f, texts in ((evaluate, DISTRIBUTIONS), (evaluate_pair, PAIRS))
        for text in texts
    ]
    path = Path(__file__).with_name("distributions.json")
    path.write_text("{\n" + ",\n".join([f'"head": {json.dumps(head)}', *lines]) + "\n}\n")
    print(f"{len(lines)} cases, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
