"""Records runs of PyTorch's optimizers and schedules: python -m tests.golden.record_optim (needs PyTorch)."""

import json
from pathlib import Path

import torch

from .optim_cases import (
    LBFGS,
    OPTIMIZERS,
    SCHEDULES,
    WITHOUT_COMPLEX,
    minimize_rosenbrock,
    run_optimizer,
    run_schedule,
)
from .record import encode


def main():
    torch.set_num_threads(1)
    lines = []
    for name, kwargs in OPTIMIZERS:
        for dtype in ("float32", "float64", "complex64"):
            if dtype == "complex64" and (name in WITHOUT_COMPLEX or kwargs and len(kwargs) < 3):
                continue
            params, saved = run_optimizer(torch, name, kwargs, dtype)
            found = {
                "params": [encode(p) for p in params],
                "state": {
                    i: {k: encode(v) if isinstance(v, torch.Tensor) else v for k, v in own.items()}
                    for i, own in saved["state"].items()
                },
                "group": saved["param_groups"][0],
            }
            lines.append((f"{name} {json.dumps(kwargs)} {dtype}", found))
    for kwargs in LBFGS:
        lines.append((f"LBFGS {json.dumps(kwargs)}", minimize_rosenbrock(torch, kwargs, "float64")))
    for name in SCHEDULES:
        lines.append((f"schedule {name}", run_schedule(torch, name)))
    text = ",\n".join(f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in lines)
    path = Path(__file__).parent / "optim.json"
    path.write_text("{\n" + text + "\n}\n")
    print(f"{len(lines)} runs, {path.stat().st_size / 1e3:.0f} kB, PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
