"""`torch.backends.openmp`: not here; rushlight has kernels of its own."""

from rushlight.backends._absent import enabled, flags, is_available, is_built

__all__ = ["enabled", "flags", "is_available", "is_built"]
