"""`torch.backends.cpu`."""

from rushlight import _C

__all__ = ["get_cpu_capability"]


def get_cpu_capability() -> str:
    """The instruction set that kernels use: "DEFAULT", "AVX2" or "AVX512"."""
    name: str = _C._isa()
    return "DEFAULT" if name == "scalar" else name.upper()
