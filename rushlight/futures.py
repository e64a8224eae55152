"""`torch.futures`: results that come later.

Reference: https://pytorch.org/docs/stable/futures.html
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Future", "collect_all", "wait_all"]

_T = TypeVar("_T")


class Future(Generic[_T]):
    """A result that another part of the program sets.

    Args:
        devices: accepted; there is one device.

    Examples:
        >>> import rushlight as torch
        >>> first = torch.futures.Future()
        >>> second = first.then(lambda f: f.value() + 1)
        >>> first.set_result(1)
        >>> second.wait()
        2
    """

    def __init__(self, *, devices: Any = None) -> None:
        self._done = threading.Condition()
        self._outcome: Any = None  # (result, exception)
        self._callbacks: list[Callable[[Any], Any]] = []

    def done(self) -> bool:
        """Whether there is a result, or an exception."""
        return self._outcome is not None

    def wait(self) -> Any:
        """Wait for the result; raises what was set as an exception."""
        with self._done:
            self._done.wait_for(self.done)
        return self.value()

    def value(self) -> Any:
        """The result of a future that is done; raises what was set as an exception.

        Raises:
            RuntimeError: it is not done.
        """
        if self._outcome is None:
            raise RuntimeError("this Future has no value yet: wait() for it")
        result, error = self._outcome
        if error is not None:
            raise error
        return result

    def _finish(self, result: Any, error: BaseException | None) -> None:
        with self._done:
            if self._outcome is not None:
                raise RuntimeError("this Future is done already: a result or an exception is set once")
            self._outcome = (result, error)
            callbacks, self._callbacks = self._callbacks, []
            self._done.notify_all()
        for callback in callbacks:
            callback(self)

    def set_result(self, result: Any) -> None:
        """Set the result, and call what waits for it.

        Raises:
            RuntimeError: the future is done already.
        """
        self._finish(result, None)

    def set_exception(self, result: Any) -> None:
        """Set an exception, which `wait` raises.

        Raises:
            RuntimeError: the future is done already.
        """
        if not isinstance(result, BaseException):
            raise AssertionError(f"{result!r} is of type {type(result).__name__}, not an Exception")
        self._finish(None, result)

    def add_done_callback(self, callback: Callable[[Any], Any]) -> None:
        """Call a function with this future when it is done; at once if it is."""
        with self._done:
            if self._outcome is None:
                self._callbacks.append(callback)
                return
        callback(self)

    def then(self, callback: Callable[[Any], Any]) -> Future[Any]:
        """A future of what the function makes of this one when it is done."""
        following: Future[Any] = Future()

        def go_on(future: Any) -> None:
            try:
                result = callback(future)
            except Exception as error:
                text = f"Got the following error when running the callback: {type(error).__name__}: {error}"
                failure = RuntimeError(text)
                failure.__cause__ = error
                following.set_exception(failure)
            else:
                following.set_result(result)

        self.add_done_callback(go_on)
        return following


def collect_all(futures: list[Future[Any]]) -> Future[list[Future[Any]]]:
    """A future of the list of futures, done when all of them are; an exception of one is its exception.

    >>> a, b = torch.futures.Future(), torch.futures.Future()
    >>> both = torch.futures.collect_all([a, b])
    >>> a.set_result(1), b.set_result(2)
    (None, None)
    >>> [f.value() for f in both.wait()]
    [1, 2]
    """
    together: Future[list[Future[Any]]] = Future()
    left, lock = len(futures), threading.Lock()

    def one_more(_: Any) -> None:
        nonlocal left
        with lock:
            left -= 1
            last = left == 0
        if last:
            errors = [error for _, error in (future._outcome for future in futures) if error is not None]
            together._finish(futures, errors[0] if errors else None)

    if not futures:
        together.set_result(futures)
    for future in futures:
        future.add_done_callback(one_more)
    return together


def wait_all(futures: list[Future[Any]]) -> list[Any]:
    """The results of all futures, when all are done; raises the first exception among them.

    >>> f = torch.futures.Future()
    >>> f.set_result(3)
    >>> torch.futures.wait_all([f])
    [3]
    """
    return [future.wait() for future in collect_all(futures).wait()]
