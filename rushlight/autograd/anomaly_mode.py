"""Anomaly mode: an error in backward names the forward line that made the node."""

from __future__ import annotations

from rushlight import _C

__all__ = ["detect_anomaly", "set_detect_anomaly"]


class set_detect_anomaly:
    """Switch anomaly mode on or off, for a block when used in a `with` statement.

    Args:
        mode: True to record where each node was made.
        check_nan: also raise when a gradient turns NaN in backward.

    >>> with torch.autograd.set_detect_anomaly(True):
    ...     torch.is_anomaly_enabled()
    True

    Reference: https://pytorch.org/docs/stable/autograd.html#anomaly-detection
    """

    __slots__ = ("prev",)

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.prev = (_C.is_anomaly_enabled(), _C.is_anomaly_check_nan_enabled())
        _C.set_anomaly_enabled(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        _C.set_anomaly_enabled(*self.prev)


class detect_anomaly:
    """A block in which backward finds the forward line behind an error or a NaN gradient. It slows execution.

    >>> x = torch.tensor(0., requires_grad=True)
    >>> try:
    ...     with torch.autograd.detect_anomaly():
    ...         (x / x).backward()
    ... except RuntimeError as error:
    ...     print(error)
    Function 'DivBackward0' returned nan values in its 1th output.

    Reference: https://pytorch.org/docs/stable/autograd.html#anomaly-detection
    """

    __slots__ = ("check_nan", "prev")

    def __init__(self, check_nan: bool = True) -> None:
        import warnings

        self.check_nan = check_nan
        self.prev = (False, True)
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled "
            "for debugging.",
            stacklevel=2,
        )

    def __enter__(self) -> None:
        self.prev = (_C.is_anomaly_enabled(), _C.is_anomaly_check_nan_enabled())
        _C.set_anomaly_enabled(True, self.check_nan)

    def __exit__(self, *exc: object) -> None:
        _C.set_anomaly_enabled(*self.prev)
