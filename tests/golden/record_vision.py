"""Records torchvision's results for vision_cases.py: python -m tests.golden.record_vision (needs torchvision)."""

import json
import warnings
from pathlib import Path

import numpy as np
import PIL
import torch
import torchvision
from PIL import Image
from torchvision.transforms import functional

from .vision_cases import run, run_models


def main():
    warnings.simplefilter("ignore")
    recorded = {"pillow": PIL.__version__}
    recorded |= run(torch, torchvision.transforms, functional, np, Image)
    lines = [f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in recorded.items()]
    path = Path(__file__).parent / "vision.json"
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    models = {"torchvision": torchvision.__version__, **run_models(torch, torchvision.models, np)}
    path.with_name("vision_models.json").write_text(json.dumps(models, indent=1) + "\n")
    print(f"{len(lines)} results, {path.stat().st_size / 1e3:.0f} kB, torchvision {torchvision.__version__}")


if __name__ == "__main__":
    main()
