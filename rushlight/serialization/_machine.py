"""A machine that reads pickles and runs nothing from them.

Python's own unpickler calls whatever a file names. This one has the same instructions, but what a name means, what
may be called, and what may be given a state is decided by its `Builder`; lists, dictionaries and the like it
makes itself. Every length is checked against the bytes that are there, so a hostile file cannot ask for much memory.

Reference: https://peps.python.org/pep-3154/ and `pickletools` in the standard library.
"""

from __future__ import annotations

import codecs
from collections import Counter, OrderedDict, defaultdict, deque
from pickle import UnpicklingError
from struct import unpack_from
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Builder", "Machine", "Unbuilt", "checked_key"]

_DICTS = (dict, OrderedDict, defaultdict, Counter)
_PLAIN_KEYS = frozenset({str, int, float, bool, bytes, complex, type(None)})
_MOST_DIGITS = 4300  # turning longer ones into numbers takes quadratic time
_MOST_KEY_PARTS = 10_000
# Python frees these one inside the other by recursion, without end: so they are not put into each other without end.
_FRAGILE = (deque, defaultdict)
_MOST_FRAGILE = 5000


class Unbuilt:
    """Stands for an object that can only be made when its state is known."""

    def __init__(self, kind: str, args: Any = ()) -> None:
        self.kind = kind
        self.args = args
        self.places: list[int] = []  # where the machine remembers it


class Builder:
    """What the machine asks about everything that is not plain data."""

    def find(self, module: str, name: str) -> Any:
        """What `module.name` is."""
        raise NotImplementedError

    def call(self, function: Any, args: Any) -> Any:
        """function(*args)."""
        raise NotImplementedError

    def new(self, cls: Any, args: Any, kwargs: Any) -> Any:
        """cls.__new__(cls, *args, **kwargs)."""
        raise NotImplementedError

    def build(self, made: Any, state: Any) -> Any:
        """`made` with its state; may be another object."""
        raise NotImplementedError

    def extend(self, made: Any, items: list[Any]) -> None:
        """Append to what is no list."""
        raise UnpicklingError(f"cannot append to {type(made).__name__}")

    def set_items(self, made: Any, items: list[Any]) -> None:
        """Set items of what is no dictionary."""
        raise UnpicklingError(f"cannot set items of {type(made).__name__}")

    def persistent(self, identity: Any) -> Any:
        """What is stored outside of the pickle."""
        raise UnpicklingError("A load persistent id instruction was encountered, but nothing is stored outside")


def checked_key(key: Any) -> Any:
    """The key itself. Refuses what hashes by code of its own, and tuples nested so that hashing them would never end."""
    if type(key) in _PLAIN_KEYS:
        return key
    parts = 0
    todo = [key]
    while todo:
        part = todo.pop()
        parts += 1
        if parts > _MOST_KEY_PARTS:
            raise UnpicklingError("a key of a dictionary or set is nested too deeply")
        kind = type(part)
        if kind in _PLAIN_KEYS or kind is frozenset:
            continue
        if isinstance(part, tuple) and kind.__hash__ is tuple.__hash__:
            todo.extend(tuple.__iter__(part))
        elif kind.__hash__ is None:
            raise UnpicklingError(f"unhashable type: {kind.__name__!r} as a key")
    return key


class Machine:
    """Runs one pickle, from `start` of `data`; afterwards `end` is where it stopped."""

    def __init__(self, data: bytes, builder: Builder, start: int = 0, encoding: str = "utf-8", errors: str = "strict"):
        self.data = data
        self.builder = builder
        self.at = start
        self.end = start
        self.encoding = encoding
        self.errors = errors
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.fragile = 0

    def run(self) -> Any:
        """What the pickle describes.

        Raises:
            EOFError: the data ends before the pickle does.
            pickle.UnpicklingError: the data is no pickle, or one that is refused.
        """
        data, size = self.data, len(self.data)
        if self.at >= size:
            raise EOFError("Ran out of input")
        steps = _STEPS
        try:
            while True:
                code = data[self.at]
                self.at += 1
                if code == 0x2E:  # STOP
                    self.end = self.at
                    if self.marks:
                        raise UnpicklingError("unexpected MARK found")
                    return self.stack.pop()
                steps[code](self)
        except IndexError:
            if self.at >= size:
                raise EOFError("Ran out of input: the pickle is cut off") from None
            raise UnpicklingError("unpickling stack underflow: the pickle is damaged") from None

    # ---- parts of an instruction ----

    def take(self, count: int) -> bytes:
        """The next bytes."""
        at = self.at
        if count < 0 or count > len(self.data) - at:
            raise UnpicklingError(f"pickle data was truncated: {count} bytes expected, {len(self.data) - at} left")
        self.at = at + count
        return self.data[at : at + count]

    def number(self, form: str, count: int) -> Any:
        at = self.at
        if count > len(self.data) - at:
            raise UnpicklingError("pickle data was truncated")
        self.at = at + count
        return unpack_from(form, self.data, at)[0]

    def raw_line(self) -> bytes:
        end = self.data.find(b"\n", self.at)
        if end < 0:
            raise UnpicklingError("pickle data was truncated")
        text = self.data[self.at : end]
        self.at = end + 1
        return text

    def line(self) -> str:
        try:
            return self.raw_line().decode("utf-8")
        except UnicodeDecodeError:
            raise UnpicklingError("a name in the pickle is not UTF-8: the pickle is damaged") from None

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def items(self) -> list[Any]:
        """What was pushed since the last MARK, taken off."""
        if not self.marks:
            raise UnpicklingError("could not find MARK: the pickle is damaged")
        items = self.stack
        self.stack = self.marks.pop()
        return items

    def text(self, raw: bytes) -> Any:
        """A string of Python 2."""
        return raw if self.encoding == "bytes" else raw.decode(self.encoding, self.errors)

    def utf8(self, raw: bytes) -> None:
        try:
            self.stack.append(str(raw, "utf-8", "surrogatepass"))
        except UnicodeDecodeError:
            raise UnpicklingError("a string in the pickle is not UTF-8: the pickle is damaged") from None


def _mark(m: Machine) -> None:
    m.marks.append(m.stack)
    m.stack = []


def _pop(m: Machine) -> None:
    if m.stack:
        m.stack.pop()
    else:
        m.items()


def _proto(m: Machine) -> None:
    version = m.number("<B", 1)
    if version > 5:
        raise UnpicklingError(f"unsupported pickle protocol: {version}")


def _int(m: Machine) -> None:
    text = m.line()
    m.push({"00": False, "01": True}[text] if text in ("00", "01") else _parsed(text))


def _parsed(text: str) -> int:
    text = text.removesuffix("L")
    if len(text) > _MOST_DIGITS:
        raise UnpicklingError(f"a number of {len(text)} digits is refused")
    try:
        return int(text, 0) if text[:1] != "0" else int(text)
    except ValueError:
        raise UnpicklingError(f"no number: {text[:40]!r}") from None


def _float(m: Machine) -> None:
    text = m.line()
    try:
        m.push(float(text))
    except ValueError:
        raise UnpicklingError(f"no number: {text[:40]!r}") from None


def _floats(m: Machine) -> None:
    """A number, and those that follow it."""
    at = m.at - 1
    run = m.data[at : at + 9 * 1000 : 9]
    count = min(len(run) - len(run.lstrip(b"G")), (len(m.data) - at) // 9)
    if count == 0:
        raise UnpicklingError("pickle data was truncated")
    m.stack.extend(unpack_from(">" + "xd" * count, m.data, at))
    m.at = at + 9 * count


def _long(width: str, count: int) -> Callable[[Machine], None]:
    def step(m: Machine) -> None:
        m.push(int.from_bytes(m.take(m.number(width, count)), "little", signed=True))

    return step


def _string(m: Machine) -> None:
    raw = m.raw_line()
    if len(raw) < 2 or raw[0] != raw[-1] or raw[:1] not in (b"'", b'"'):
        raise UnpicklingError("the STRING opcode argument must be quoted")
    try:
        m.push(m.text(codecs.escape_decode(raw[1:-1])[0]))  # type: ignore[arg-type]
    except ValueError as error:
        raise UnpicklingError(str(error)) from None


def _counted(width: str, count: int, then: Callable[[Machine, bytes], None]) -> Callable[[Machine], None]:
    def step(m: Machine) -> None:
        then(m, m.take(m.number(width, count)))

    return step


def _unicode(m: Machine) -> None:
    m.push(m.raw_line().decode("raw-unicode-escape"))


def _tuple(m: Machine) -> None:
    items = m.items()
    m.push(tuple(items))


def _tuple_of(count: int) -> Callable[[Machine], None]:
    def step(m: Machine) -> None:
        stack = m.stack
        if len(stack) < count:
            raise IndexError
        stack[-count:] = [tuple(stack[-count:])]

    return step


def _list(m: Machine) -> None:
    items = m.items()
    m.push(items)


def _dict(m: Machine) -> None:
    items = m.items()
    made: dict[Any, Any] = {}
    _fill(m, made, items)
    m.push(made)


def _fill(m: Machine, made: Any, items: list[Any]) -> None:
    if len(items) % 2:
        raise UnpicklingError("odd number of items for a dictionary: the pickle is damaged")
    if type(made) in _DICTS:
        _count_fragile(m, made, items)
        for i in range(0, len(items), 2):
            made[checked_key(items[i])] = items[i + 1]
    else:
        m.builder.set_items(made, items)


def _extend(m: Machine, made: Any, items: list[Any]) -> None:
    if type(made) is list or type(made) is deque:
        _count_fragile(m, made, items)
        made.extend(items)
    else:
        m.builder.extend(made, items)


def _count_fragile(m: Machine, made: Any, items: list[Any]) -> None:
    if type(made) in _FRAGILE:
        m.fragile += sum(type(item) in _FRAGILE for item in items)
        if m.fragile > _MOST_FRAGILE:
            raise UnpicklingError(f"more than {_MOST_FRAGILE} deques and defaultdicts in each other are refused")


def _append(m: Machine) -> None:
    value = m.stack.pop()
    _extend(m, m.stack[-1], [value])


def _appends(m: Machine) -> None:
    items = m.items()
    _extend(m, m.stack[-1], items)


def _set_item(m: Machine) -> None:
    value, key = m.stack.pop(), m.stack.pop()
    _fill(m, m.stack[-1], [key, value])


def _set_items(m: Machine) -> None:
    items = m.items()
    _fill(m, m.stack[-1], items)


def _add_items(m: Machine) -> None:
    items = m.items()
    made = m.stack[-1]
    if type(made) is set:
        made.update(map(checked_key, items))
    else:
        m.builder.extend(made, items)


def _frozenset(m: Machine) -> None:
    items = m.items()
    m.push(frozenset(map(checked_key, items)))


def _get(m: Machine, index: int) -> None:
    try:
        m.stack.append(m.memo[index])
    except KeyError:
        raise UnpicklingError(f"Memo value not found at index {index}: the pickle is damaged") from None


def _put(m: Machine, index: int) -> None:
    value = m.stack[-1]
    m.memo[index] = value
    if type(value) is Unbuilt:
        value.places.append(index)


def _global(m: Machine) -> None:
    module = m.line()
    m.push(m.builder.find(module, m.line()))


def _stack_global(m: Machine) -> None:
    name, module = m.stack.pop(), m.stack.pop()
    if type(name) is not str or type(module) is not str:
        raise UnpicklingError("STACK_GLOBAL requires str")
    m.push(m.builder.find(module, name))


def _reduce(m: Machine) -> None:
    args = m.stack.pop()
    m.stack[-1] = m.builder.call(m.stack[-1], args)


def _new(m: Machine) -> None:
    args = m.stack.pop()
    m.stack[-1] = m.builder.new(m.stack[-1], args, {})


def _new_ex(m: Machine) -> None:
    kwargs, args = m.stack.pop(), m.stack.pop()
    m.stack[-1] = m.builder.new(m.stack[-1], args, kwargs)


def _inst(m: Machine) -> None:
    module = m.line()
    cls = m.builder.find(module, m.line())
    m.push(m.builder.call(cls, tuple(m.items())))


def _obj(m: Machine) -> None:
    items = m.items()
    m.push(m.builder.call(items[0], tuple(items[1:])))


def _build(m: Machine) -> None:
    state = m.stack.pop()
    before = m.stack[-1]
    after = m.builder.build(before, state)
    if after is not before:
        m.stack[-1] = after
        for index in before.places:
            m.memo[index] = after


def _persistent(m: Machine) -> None:
    m.push(m.builder.persistent(m.stack.pop()))


def _refused(m: Machine) -> None:
    code = m.data[m.at - 1]
    raise UnpicklingError(f"invalid load key, {chr(code)!r}: this is no pickle, or it is damaged")


_STEPS: list[Callable[[Machine], None]] = [_refused] * 256
for _code, _step in {
    "(": _mark,
    "0": _pop,
    "1": lambda m: (m.items(), None)[1],
    "2": lambda m: m.push(m.stack[-1]),
    "\x80": _proto,
    "\x95": lambda m: (m.take(8), None)[1],
    "N": lambda m: m.push(None),
    "\x88": lambda m: m.push(True),
    "\x89": lambda m: m.push(False),
    "I": _int,
    "L": lambda m: m.push(_parsed(m.line())),
    "J": lambda m: m.push(m.number("<i", 4)),
    "K": lambda m: m.push(m.number("<B", 1)),
    "M": lambda m: m.push(m.number("<H", 2)),
    "\x8a": _long("<B", 1),
    "\x8b": _long("<i", 4),
    "F": _float,
    "G": _floats,
    "S": _string,
    "T": _counted("<i", 4, lambda m, raw: m.push(m.text(raw))),
    "U": _counted("<B", 1, lambda m, raw: m.push(m.text(raw))),
    "V": _unicode,
    "X": _counted("<I", 4, Machine.utf8),
    "\x8c": _counted("<B", 1, Machine.utf8),
    "\x8d": _counted("<Q", 8, Machine.utf8),
    "B": _counted("<I", 4, Machine.push),
    "C": _counted("<B", 1, Machine.push),
    "\x8e": _counted("<Q", 8, Machine.push),
    "\x96": _counted("<Q", 8, lambda m, raw: m.push(bytearray(raw))),
    "\x98": lambda m: None,  # READONLY_BUFFER
    ")": lambda m: m.push(()),
    "\x85": _tuple_of(1),
    "\x86": _tuple_of(2),
    "\x87": _tuple_of(3),
    "t": _tuple,
    "]": lambda m: m.push([]),
    "l": _list,
    "}": lambda m: m.push({}),
    "d": _dict,
    "\x8f": lambda m: m.push(set()),
    "\x91": _frozenset,
    "a": _append,
    "e": _appends,
    "s": _set_item,
    "u": _set_items,
    "\x90": _add_items,
    "g": lambda m: _get(m, _parsed(m.line())),
    "h": lambda m: _get(m, m.number("<B", 1)),
    "j": lambda m: _get(m, m.number("<I", 4)),
    "p": lambda m: _put(m, _parsed(m.line())),
    "q": lambda m: _put(m, m.number("<B", 1)),
    "r": lambda m: _put(m, m.number("<I", 4)),
    "\x94": lambda m: _put(m, len(m.memo)),
    "c": _global,
    "\x93": _stack_global,
    "R": _reduce,
    "\x81": _new,
    "\x92": _new_ex,
    "i": _inst,
    "o": _obj,
    "b": _build,
    "P": lambda m: m.push(m.builder.persistent(m.line())),
    "Q": _persistent,
}.items():
    _STEPS[ord(_code)] = _step
