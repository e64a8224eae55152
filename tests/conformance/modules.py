"""Runs one ModuleInfo against the candidate: every ModuleInput, built, filled, called, differentiated."""

import contextlib
import copy
import inspect
import io
import pickle
import re
import warnings

import torch
from torch.testing._internal.common_modules import ModuleErrorEnum, module_db

from .bridge import Bridge, plain_values
from .compare import Mismatch, Runner, Tally, _builtin, _cotangent, _doubled, _tensors

PARTS = ("init", "repr", "forward", "gradient", "gradgrad", "state", "copy", "errors")
DECIDING = PARTS
# What this module is made of arrives as an argument; there is nothing that it draws itself.
SECOND_HAND = {"TransformerEncoder", "TransformerDecoder"}
DTYPES = ("float64", "float32")
GRADGRAD_SAMPLES = 8


def entries():
    return list(module_db)


def name(info):
    return info.name.removeprefix("nn.")


@contextlib.contextmanager
def remember_arguments(*classes):
    """Instances of the classes made meanwhile know what they were made from."""
    before = {cls: cls.__init__ for cls in classes}

    def patched(init):
        def __init__(self, *args, **kwargs):
            init(self, *args, **kwargs)
            self.__dict__["_made_from"] = (args, kwargs)

        return __init__

    for cls, init in before.items():
        cls.__init__ = patched(init)
    try:
        yield
    finally:
        for cls, init in before.items():
            cls.__init__ = init


class ModuleBridge(Bridge):
    def to(self, v, grads=None):
        if isinstance(v, torch.nn.Module):
            return self.module(v)
        kind = type(v)
        if kind.__module__.startswith("torch.nn"):
            mine = self.resolve(f"{kind.__module__}.{kind.__qualname__}")
            if hasattr(v, "_fields"):  # a packed sequence
                return mine(*(self.to(x, grads) for x in v))
            if hasattr(v, "__dataclass_fields__"):
                return mine(**{k: self.to(getattr(v, k)) for k in v.__dataclass_fields__})
        return super().to(v, grads)

    def module(self, m):
        args, kwargs = m.__dict__.get("_made_from", ((), {}))
        kwargs = {k: x for k, x in kwargs.items() if k != "device"}
        mine = getattr(self.c.nn, type(m).__name__)(*self.to(args), **self.to(kwargs))
        state = m.state_dict()
        if state:
            mine.load_state_dict(self.to(dict(state)))
        return mine.train(m.training)


class ModuleRunner:
    def __init__(self, candidate):
        self.ops = Runner(candidate, DTYPES, ())
        self.b = self.ops.b = ModuleBridge(candidate)

    # ---- making modules and calling them

    def _inputs(self, info, dtype, training, errors=False):
        make = info.module_error_inputs_func if errors else info.module_inputs_func
        self._seed()
        classes = (torch.nn.TransformerEncoderLayer, torch.nn.TransformerDecoderLayer)
        with warnings.catch_warnings(), remember_arguments(*classes):
            warnings.simplefilter("ignore")
            yield from make(info, device="cpu", dtype=dtype, requires_grad=True, training=training)

    def _seed(self):
        for m in (torch, self.b.c):
            m.manual_seed(42)

    def _call(self, f, *args, **kwargs):
        self._seed()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return f(*args, **kwargs)

    def _given(self, sample, cls, dtype):
        kwargs = dict(sample.constructor_input.kwargs)
        if dtype != torch.float32 and "dtype" in inspect.signature(cls).parameters:
            kwargs.setdefault("dtype", dtype)
        return sample.constructor_input.args, kwargs

    # ---- one entry

    def run(self, info, emit):
        cls = info.module_cls
        mine = getattr(self.b.c.nn, cls.__name__, None)
        for dtype in (torch.float64, torch.float32):
            tallies = {part: Tally() for part in PARTS}
            for training in (True, False) if info.train_and_eval_differ else (True,):
                for sample in self._inputs(info, dtype, training):
                    if mine is None:
                        tallies["forward"].bad(AttributeError(f"no nn.{cls.__name__}"), None)
                    else:
                        self._one(info, mine, sample, dtype, training, tallies)
            for part in PARTS:
                if tallies[part].total:
                    emit(part, dtype, tallies[part])
        if mine is not None and info.module_error_inputs_func:
            tally = Tally()
            for sample in self._inputs(info, torch.float32, True, errors=True):
                self._error(cls, mine, sample, tally)
            emit("errors", None, tally)

    def _one(self, info, mine_cls, sample, dtype, training, tallies):
        label = _Label(sample, training)
        cls = info.module_cls
        args, kwargs = self._given(sample, cls, dtype)
        try:
            theirs = self._call(cls, *args, **kwargs)
            given = self.b.to(args), self.b.to(kwargs)
            mine = self._call(mine_cls, *given[0], **given[1])
        except Exception as e:
            tallies["init"].bad(e, label)
            return
        fresh = not info.is_lazy and cls.__name__ not in SECOND_HAND
        if fresh:
            self._part(tallies["init"], label, self._same_state, theirs, mine, True)
        self._part(tallies["repr"], label, self._same_repr, theirs, mine)
        theirs.to(dtype).train(training)
        mine.to(self.b.dtype(dtype)).train(training)
        if not info.is_lazy:
            try:
                mine.load_state_dict(self.b.to(dict(theirs.state_dict())))
            except Exception as e:
                tallies["state"].bad(e, label)
                return
        f_args, f_kwargs = _leaves(sample.forward_input.args), _leaves(sample.forward_input.kwargs)
        pairs = []
        try:
            g_args, g_kwargs = self.b.to(f_args, pairs), self.b.to(f_kwargs, pairs)
        except Exception as e:
            tallies["forward"].bad(e, label)
            return
        try:
            want = self._call(theirs, *_cloned(f_args, torch), **_cloned(f_kwargs, torch))
        except Exception:
            return
        got = None

        def forward():
            nonlocal got
            got = self._call(mine, *_cloned(g_args, self.b.c), **_cloned(g_kwargs, self.b.c))
            self._compare(want, got, theirs, f_args, f_kwargs, dtype)

        if not self._part(tallies["forward"], label, forward):
            return
        if dtype == torch.float64:
            deep = info.supports_gradgrad and tallies["gradgrad"].total < GRADGRAD_SAMPLES
            again = []
            self._part(
                tallies["gradient"], label, self._gradients, theirs, mine, want, got, pairs, again if deep else None
            )
            if again:
                self._part(tallies["gradgrad"], label, self._gradients_of_gradients, *again)
        self._part(tallies["state"], label, self._same_state, theirs, mine, False)
        if dtype == torch.float64:
            self._part(tallies["copy"], label, self._copies, mine, g_args, g_kwargs)

    def _part(self, tally, label, f, *args):
        try:
            f(*args)
            tally.ok()
            return True
        except Exception as e:
            tally.bad(e, label)
            return False

    def _compare(self, want, got, theirs, args, kwargs, dtype):
        try:
            self._same(want, got)
        except Mismatch:
            if dtype != torch.float32:
                raise
            reference = self._call(copy.deepcopy(theirs).double(), *_doubled(args), **_doubled(kwargs))
            self._same(want, got, reference=reference)

    def _same(self, want, got, where="result", reference=None):
        if hasattr(want, "_fields") and not isinstance(want, torch.Tensor):
            want, got = list(want), list(got)
        self.ops.compare(want, got, where=where, reference=reference)

    def _same_state(self, theirs, mine, bits):
        want, got = theirs.state_dict(), mine.state_dict()
        if list(want) != list(got):
            raise Mismatch(f"state_dict has keys {list(got)}, expected {list(want)}")
        if dict(want._metadata) != dict(got._metadata):
            raise Mismatch(f"state_dict has metadata {dict(got._metadata)}, expected {dict(want._metadata)}")
        for key, value in want.items():
            if not isinstance(value, torch.Tensor):
                continue
            self.ops.compare(value, got[key], where=key)
            if bits and not _equal_bits(plain_values(value), self.b.back(got[key])):
                raise Mismatch(f"the initial {key} is not the same, bit for bit")
        names = [(n, p.requires_grad) for n, p in theirs.named_parameters()]
        if names != [(n, p.requires_grad) for n, p in mine.named_parameters()]:
            raise Mismatch(f"named_parameters gives {[n for n, _ in mine.named_parameters()]}")

    def _same_repr(self, theirs, mine):
        if repr(theirs) != repr(mine):
            raise Mismatch(f"repr is {mine!r}, expected {theirs!r}")

    def _gradients(self, theirs, mine, want, got, pairs, again):
        """Compares gradients; into `again` goes what the gradients of the gradients need."""
        ends = [t for t in _tensors(_unpacked(want)) if t.requires_grad]
        mine_ends = [t for t in _tensors(_unpacked(got), self.b.c.Tensor) if t.requires_grad]
        if len(ends) != len(mine_ends):
            raise Mismatch(f"{len(mine_ends)} outputs require grad, expected {len(ends)}")
        inputs = [p for p, _ in pairs] + [p for p in theirs.parameters() if p.requires_grad]
        mine_inputs = [p for _, p in pairs] + [p for p in mine.parameters() if p.requires_grad]
        if not ends or not inputs:
            return
        deep = again is not None
        v = [_cotangent(t) for t in ends]
        wanted = torch.autograd.grad(ends, inputs, v, allow_unused=True, create_graph=deep)
        given = self.b.c.autograd.grad(
            mine_ends, mine_inputs, [self.b.tensor(t) for t in v], allow_unused=True, create_graph=deep
        )
        for i, (w, g) in enumerate(zip(wanted, given)):
            if (w is None) != (g is None):
                raise Mismatch(f"gradient {i} is {'None' if g is None else 'not None'}")
            if w is not None:
                self.ops.compare(w, g, where=f"gradient {i}")
        if deep and any(w is not None and w.requires_grad for w in wanted):
            again += [inputs, mine_inputs, wanted, given]

    def _gradients_of_gradients(self, inputs, mine_inputs, wanted, given):
        at = [i for i, w in enumerate(wanted) if w is not None and w.requires_grad]
        v = [_cotangent(wanted[i]) for i in at]
        try:
            want = torch.autograd.grad([wanted[i] for i in at], inputs, v, allow_unused=True)
        except RuntimeError:
            return  # PyTorch has none
        kept = [(given[i], self.b.tensor(x)) for i, x in zip(at, v) if given[i].requires_grad]
        got = [None] * len(inputs)
        if kept:
            ends, cotangents = zip(*kept)
            got = self.b.c.autograd.grad(list(ends), mine_inputs, list(cotangents), allow_unused=True)
        self.ops._compare_grads(inputs, want, got)

    def _copies(self, mine, args, kwargs):
        """A pickled and a deep-copied module compute what the module computes."""
        args, kwargs = _cloned(args, self.b.c), _cloned(kwargs, self.b.c)
        want = None
        ways = [lambda m: m, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
        if hasattr(self.b.c, "save"):
            ways.append(self._saved)
        for make in ways:
            got = self.b.back(self._call(make(mine), *_cloned(args, self.b.c), **_cloned(kwargs, self.b.c)))
            if mine.training and list(mine.buffers()):
                continue  # every call moves its statistics
            want = got if want is None else want
            for w, g in zip(_tensors(want), _tensors(got)):
                torch.testing.assert_close(g, w, rtol=0, atol=0, equal_nan=True)

    def _saved(self, m):
        f = io.BytesIO()
        self.b.c.save(m, f)
        f.seek(0)
        return self.b.c.load(f, weights_only=False)

    def _error(self, cls, mine_cls, sample, tally):
        inner = sample.module_error_input
        args, kwargs = inner.constructor_input.args, inner.constructor_input.kwargs
        label = _Label(inner, True)

        def attempt(kind, b, expected, convert):
            a, k = convert(args), convert(kwargs)
            if sample.error_on == ModuleErrorEnum.CONSTRUCTION_ERROR:
                return _raised(lambda: self._call(kind, *a, **k))
            m = kind(*a, **k)
            f = inner.forward_input
            return _raised(lambda: self._call(m, *convert(f.args), **convert(f.kwargs)))

        try:
            want = attempt(cls, None, None, lambda x: x)
            if want is None:
                return
            got = attempt(mine_cls, None, None, self.b.to)
            if got is None:
                raise Mismatch(f"no {type(want).__name__} raised")
            if not isinstance(got, _builtin(type(want))):
                raise Mismatch(f"expected {type(want).__name__}, got {type(got).__name__}: {got}")
            if not re.search(sample.error_regex, str(got)):
                raise Mismatch(f"expected {sample.error_regex!r}, got {got}")
            tally.ok()
        except Exception as e:
            tally.bad(e, label)


class _Label:
    """Names a sample in a failing row."""

    def __init__(self, sample, training):
        self.sample = sample
        self.training = training

    def summary(self):
        c = self.sample.constructor_input
        shown = [str(a) for a in c.args] + [f"{k}={v}" for k, v in c.kwargs.items()]
        return f"({', '.join(shown)})".replace("\n", " ") + ("" if self.training else " in eval")


def _raised(f):
    try:
        f()
    except Exception as e:
        return e
    return None


def _unpacked(v):
    return list(v) if hasattr(v, "_fields") else v


def _cloned(v, lib):
    """Copies that are connected to what they are copies of, so that in-place modules may change them."""
    if isinstance(v, lib.Tensor):
        return v.clone() if v.requires_grad else v
    if isinstance(v, dict):
        return {k: _cloned(x, lib) for k, x in v.items()}
    if type(v) in (list, tuple):
        return type(v)(_cloned(x, lib) for x in v)
    return v


def _leaves(v):
    """Samples computed from others (a logarithm of probabilities) become inputs of their own right."""
    if isinstance(v, torch.Tensor):
        return v if v.is_leaf else v.detach().requires_grad_(v.requires_grad)
    if isinstance(v, dict):
        return {k: _leaves(x) for k, x in v.items()}
    if type(v) in (list, tuple):
        return type(v)(_leaves(x) for x in v)
    return v


def _equal_bits(a, b):
    a, b = a.detach().contiguous().reshape(-1), b.detach().contiguous().reshape(-1)
    return a.dtype == b.dtype and torch.equal(a.view(torch.uint8), b.view(torch.uint8))


def section(table, version):
    """The lines of docs/conformance.md about modules."""
    from .report import status, verdicts

    passed = sum(status(p, DECIDING) == "pass" for p in table.values())
    out = [
        "## Modules",
        "",
        f"`python -m tests.conformance --modules all` runs PyTorch {version}'s ModuleInfo database: every module with",
        "every set of arguments, in float64 and float32, in training and in evaluation where they differ. Compared are",
        "the freshly drawn weights under the same seed, bit for bit; `repr`; the keys, metadata and values of",
        "`state_dict` before and after a call; the outputs; the gradients of inputs and parameters, and (of the first",
        "samples) their gradients; that a deep copy, a pickled copy and a saved and loaded one compute the same; and the wrong arguments, by type and message.",
        "",
        f"**{passed} of {len(table)} modules pass.**",
        "",
    ]
    return "\n".join([*out, *verdicts(table, "module", DECIDING, PARTS), ""])
