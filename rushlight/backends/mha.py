"""`torch.backends.mha`: the switch of the fused attention layer."""

_fastpath = True


def get_fastpath_enabled() -> bool:
    """What `set_fastpath_enabled` was told."""
    return _fastpath


def set_fastpath_enabled(value: bool) -> None:
    """Remembered; there is one path here."""
    global _fastpath
    _fastpath = value
