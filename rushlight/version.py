"""`torch.version`: which PyTorch this is the API of, and what it was built with (nothing but the CPU)."""

from rushlight.torch_version import __version__

__all__ = ["__version__", "cuda", "debug", "git_version", "hip", "rocm", "xpu"]

cuda = None
hip = None
rocm = None
xpu = None
debug = False
git_version = "rushlight"
