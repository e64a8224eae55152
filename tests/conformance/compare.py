"""Runs one OpInfo against the candidate and reports, part by part, how many samples agree."""

import contextlib
import random
import warnings

import numpy as np
import torch
from torch.testing import assert_close

from .bridge import Bridge, CannotConvert, dtype_name, plain_values

PARTS = ("forward", "gradient", "gradgrad", "method", "operator", "inplace", "out", "errors")
# The parts that decide whether an operator passes; `errors` is reported beside them.
DECIDING = tuple(p for p in PARTS if p != "errors")
# Values of these are whatever lay in memory: only shape, dtype and strides can be compared.
UNINITIALISED = {"empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided", "empty_permuted", "resize_",
                 "resize_as_"}  # fmt: skip
# PyTorch's own gradient of these is wrong (its gradcheck fails), so there is nothing to compare with.
WRONG_GRADIENT = {"as_strided_scatter"}
# Which of several equal values these name is left open: the values there must be equal. Where dim stands.
TIES = {"sort": 1, "argsort": 1, "topk": 2, "kthvalue": 2, "mode": 1}
# PyTorch's float64 results of these are right to about 1e-6 only.
COARSE = {"special.bessel_j0", "special.bessel_j1", "special.bessel_y0", "special.bessel_y1"}
# Its samples have logits of several hundred, whose last place moves the weights by 1e-5: the luck of one rounding.
SENSITIVE = {"nn.functional.multi_head_attention_forward"}
# Wrong inputs that rushlight takes otherwise, on purpose (docs/compatibility.md): words of PyTorch's refusal, and why.
MEANT = {
    "mean": ("could not infer output dtype", "integers have a mean"),
    "narrow_copy": ("dim < static_cast", "a dimension out of range is an IndexError, as for narrow"),
}
SEED = 42
GRADGRAD_SAMPLES = 6


class Mismatch(Exception):
    pass


def full_name(op):
    return op.name + ("." + op.variant_test_name if op.variant_test_name else "")


def seed_all(bridge):
    for m in {id(torch): torch, id(bridge.c): bridge.c}.values():
        m.default_generator.manual_seed(SEED)
    random.seed(SEED)
    np.random.seed(SEED)


def _short(e):
    lines = [x for x in str(e).strip().splitlines() if x.strip()]
    text = "; ".join(lines[:4])
    return f"{type(e).__name__}: {text}"[:240]


def _describe(sample):
    with contextlib.suppress(Exception):
        s = str(sample.summary()) if hasattr(sample, "summary") else ""
        return s.replace("\n", " ")[:200]
    return ""


class Tally:
    def __init__(self):
        self.passed = 0
        self.total = 0
        self.first = None

    def ok(self):
        self.passed += 1
        self.total += 1

    def bad(self, error, sample):
        self.total += 1
        if self.first is None:
            self.first = _short(error)
            described = _describe(sample)
            if described:
                self.first += " at " + described

    @contextlib.contextmanager
    def judging(self, sample):
        """Passes if the block does; what can not be converted does not count."""
        try:
            yield
        except CannotConvert:
            return
        except Exception as e:
            self.bad(e, sample)
        else:
            self.ok()


class Runner:
    def __init__(self, candidate, dtypes, grad_dtypes, parts=PARTS):
        self.b = Bridge(candidate)
        self.same = Bridge(torch)
        self.dtypes = [getattr(torch, d) for d in dtypes]
        self.grad_dtypes = [getattr(torch, d) for d in grad_dtypes]
        self.parts = parts
        self.slack = 2

    # ---- comparing

    def compare(self, want, got, exact=None, loose=False, where="result", reference=None):
        """`want` and `reference` are PyTorch's; `got` is the candidate's, not yet converted."""
        if isinstance(want, torch.Tensor):
            if want.layout != torch.strided:
                raise CannotConvert(f"layout {want.layout}")
            if not isinstance(got, self.b.c.Tensor):
                raise Mismatch(f"{where} is {type(got).__name__}, not a tensor")
            if tuple(got.shape) != tuple(want.shape):
                raise Mismatch(f"{where} has shape {tuple(got.shape)}, expected {tuple(want.shape)}")
            if dtype_name(got.dtype) != dtype_name(want.dtype):
                raise Mismatch(f"{where} has dtype {got.dtype}, expected {want.dtype}")
            if loose:
                return
            mine = self.b.back(got)
            want = plain_values(want)
            try:
                assert_close(mine, want, equal_nan=True)
            except AssertionError as e:
                if self._as_accurate(mine, want, reference):
                    return
                raise Mismatch(f"{where}: {e}") from None
            return
        if isinstance(want, dict):
            if list(want) != list(got):
                raise Mismatch(f"{where} has keys {list(got)}, expected {list(want)}")
            for k in want:
                self.compare(want[k], got[k], loose=loose, where=f"{where}[{k!r}]")
            return
        if isinstance(want, list | tuple):
            if not isinstance(got, list | tuple) or len(got) != len(want):
                raise Mismatch(f"{where} is {type(got).__name__} of {_len(got)}, expected {len(want)} items")
            names = getattr(type(want), "__match_args__", ())
            for i, w in enumerate(want):
                ref = reference[i] if isinstance(reference, list | tuple) and len(reference) == len(want) else None
                self.compare(w, got[i], loose=loose, where=f"{where}[{i}]", reference=ref)
                if i < len(names) and not hasattr(got, names[i]):
                    raise Mismatch(f"{where} lacks the field {names[i]}")
            return
        if isinstance(want, torch.dtype):
            if dtype_name(got) != dtype_name(want):
                raise Mismatch(f"{where} is {got}, expected {want}")
            return
        if isinstance(want, float | complex) and not loose:
            assert_close(got, want, equal_nan=True)
            return
        if isinstance(want, torch.storage.TypedStorage | torch.UntypedStorage):
            return
        if not loose and got != want:
            raise Mismatch(f"{where} is {got!r}, expected {want!r}")

    def _as_accurate(self, mine, want, reference):
        """Where sums in another order part from PyTorch's: no further from the float64 truth than twice PyTorch."""
        if not isinstance(reference, torch.Tensor) or reference.shape != want.shape or not want.is_floating_point():
            return False
        truth = reference.detach().double()
        good = torch.isfinite(truth) & torch.isfinite(want)
        if not torch.equal(good, torch.isfinite(mine) & torch.isfinite(truth)):
            return False
        if not good.any():
            return torch.equal(mine.nan_to_num(1.5), want.nan_to_num(1.5))
        if not torch.equal(mine[~good].nan_to_num(1.5), want[~good].nan_to_num(1.5)):
            return False
        theirs = (want.double() - truth)[good].abs().max()
        ours = (mine.double() - truth)[good].abs().max()
        scale = truth[good].abs().max()
        return bool(ours <= self.slack * theirs + 2 * torch.finfo(want.dtype).eps * scale)

    # ---- one operator

    def run(self, op, emit):
        """Calls emit(part, dtype, tally) as parts finish, so that a crash later on loses nothing."""
        name = full_name(op)
        self.slack = 4 if name in SENSITIVE else 2
        try:
            mine = self.b.function(op.op, hint=op.name)
        except AttributeError as e:
            for dtype in self._dtypes(op):
                tally = Tally()
                tally.total = sum(1 for _ in self._samples(op, dtype, False))
                tally.first = str(e)
                emit("forward", dtype, tally)
            return
        loose = name in UNINITIALISED
        first = True
        for dtype in self._dtypes(op):
            grads = dtype in self.grad_dtypes and op.supports_autograd and dtype in op.supported_backward_dtypes("cpu")
            self._forward(op, mine, dtype, loose, emit)
            if grads and "gradient" in self.parts and name not in WRONG_GRADIENT:
                self._gradients(op, mine, dtype, emit)
            if first and not loose:
                self._variants(op, dtype, emit)
            first = False
        if "errors" in self.parts and op.error_inputs_func:
            self._errors(op, mine, emit)

    def _dtypes(self, op):
        have = op.supported_dtypes("cpu")
        return [d for d in self.dtypes if d in have]

    def _samples(self, op, dtype, requires_grad):
        seed_all(self.b)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for s in op.sample_inputs("cpu", dtype, requires_grad=requires_grad):
                try:
                    sparse = any(t.layout != torch.strided for t in _tensors((s.input, s.args, s.kwargs)))
                except Exception:
                    sparse = False
                if not sparse:
                    yield s

    def _call(self, f, args, kwargs):
        seed_all(self.b)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return f(*args, **kwargs)

    def _forward(self, op, mine, dtype, loose, emit):
        tally = Tally()
        for s in self._samples(op, dtype, False):
            args = (s.input, *s.args)
            with tally.judging(s):
                given = self.b.to(args), self.b.to(s.kwargs)
                want = self._call(op.op, args, s.kwargs)
                got = self._call(mine, *given)
                try:
                    self.compare(want, got, loose=loose)
                except Mismatch:
                    self._second_look(op, s, want, got, dtype)
        emit("forward", dtype, tally)

    def _second_look(self, op, s, want, got, dtype):
        """Decompositions are fixed up to sign and phase: the sample's own post-processing says what is determined."""
        if op.name in TIES and not s.kwargs.get("stable") and self._same_choice(op, s, want, got):
            return
        if op.name in COARSE and isinstance(got, self.b.c.Tensor):
            mine = self.b.back(got)
            if mine.dtype == want.dtype and torch.allclose(mine, want, rtol=1e-5, atol=1e-6, equal_nan=True):
                return
        if dtype == torch.float32:
            again = _doubled((s.input, *s.args)), _doubled(s.kwargs)
            with contextlib.suppress(Exception):
                reference = self._call(op.op, *again)
                self.compare(want, got, reference=reference)
                return
        if op.name.startswith(("linalg", "svd", "qr", "geqrf", "pca_lowrank", "ormqr")):
            process = s.output_process_fn_grad
            self.compare(process(want), self.b.function(process)(got))
            return
        self.compare(want, got)

    def _same_choice(self, op, s, want, got):
        """Whether values agree and indices name equal elements, each once."""
        at = TIES[op.name]
        dim = s.kwargs.get("dim", s.args[at - 1] if len(s.args) >= at else -1)
        values, indices = (None, got) if op.name == "argsort" else got
        if values is not None:
            self.compare(want[0], values)
        theirs = want if op.name == "argsort" else want[1]
        mine = self.b.back(indices)
        if mine.shape != theirs.shape or mine.dtype != theirs.dtype:
            return False
        if s.input.dim() == 0:
            return torch.equal(mine, theirs)
        if mine.dim() < s.input.dim():
            mine, theirs = mine.unsqueeze(dim), theirs.unsqueeze(dim)
        if mine.numel() and (mine.min() < 0 or mine.max() >= s.input.shape[dim]):
            return False
        order = mine.sort(dim)[0]
        n = order.shape[dim]
        if n > 1 and (order.narrow(dim, 1, n - 1) == order.narrow(dim, 0, n - 1)).any():
            return False
        assert_close(s.input.gather(dim, mine), s.input.gather(dim, theirs), rtol=0, atol=0, equal_nan=True)
        return True

    def _gradients(self, op, mine, dtype, emit):
        first, second = Tally(), Tally()
        wrapped = op.gradcheck_wrapper
        for n, s in enumerate(self._samples(op, dtype, True)):
            pairs = []
            part = first
            try:
                args, kwargs = (s.input, *s.args), s.kwargs
                given_args, given_kwargs = self.b.to(args, pairs), self.b.to(kwargs, pairs)
                if not pairs:
                    continue

                def out_of(f, process, wrap, a, k):
                    return process(self._call(lambda *x, **y: wrap(f, *x, **y), a, k))

                theirs = out_of(op.op, s.output_process_fn_grad, wrapped, args, kwargs)
                theirs = [t for t in _tensors(theirs) if t.requires_grad]
                if not theirs:
                    continue
                deep = "gradgrad" in self.parts and op.supports_gradgrad and n < GRADGRAD_SAMPLES
                v = [_cotangent(t) for t in theirs]
                inputs = [p[0] for p in pairs]
                want = torch.autograd.grad(theirs, inputs, v, allow_unused=True, create_graph=deep)

                process = self.b.function(s.output_process_fn_grad)
                got_out = out_of(mine, process, self.b.function(wrapped), given_args, given_kwargs)
                got_out = [t for t in _tensors(got_out, self.b.c.Tensor) if t.requires_grad]
                if len(got_out) != len(theirs):
                    raise Mismatch(f"{len(got_out)} outputs require grad, expected {len(theirs)}")
                mine_in = [p[1] for p in pairs]
                w = [self.b.tensor(x) for x in v]
                got = self.b.c.autograd.grad(got_out, mine_in, w, allow_unused=True, create_graph=deep)
                self._compare_grads(inputs, want, got)
                first.ok()
                if not deep:
                    continue
                part = second
                again = [(i, t) for i, t in enumerate(want) if t is not None and t.requires_grad]
                if not again:
                    continue
                v2 = [_cotangent(t) for _, t in again]
                try:
                    want2 = torch.autograd.grad([t for _, t in again], inputs, v2, allow_unused=True)
                except RuntimeError:
                    continue
                missing = [i for i, _ in again if got[i] is None or not got[i].requires_grad]
                if missing:
                    raise Mismatch(f"gradient {missing[0]} does not require grad under create_graph")
                w2 = [self.b.tensor(x) for x in v2]
                got2 = self.b.c.autograd.grad([got[i] for i, _ in again], mine_in, w2, allow_unused=True)
                self._compare_grads(inputs, want2, got2)
                second.ok()
            except CannotConvert:
                continue
            except Exception as e:
                part.bad(e, s)
        emit("gradient", dtype, first)
        if second.total:
            emit("gradgrad", dtype, second)

    def _compare_grads(self, inputs, want, got):
        for i, (x, w, g) in enumerate(zip(inputs, want, got)):
            if w is None and g is None:
                continue
            w = torch.zeros_like(x) if w is None else w
            if g is None:
                if w.abs().sum() == 0:
                    continue
                raise Mismatch(f"gradient {i} is None")
            self.compare(w, g, where=f"gradient {i}")

    # ---- other spellings of the same operator

    def _variants(self, op, dtype, emit):
        for part, f in (("method", op.method_variant), ("operator", op.operator_variant)):
            if f is not None and part in self.parts:
                self._variant(op, part, f, dtype, emit)
        if "inplace" in self.parts and op.inplace_variant is not None:
            self._inplace(op, dtype, emit)
        if "out" in self.parts and op.supports_out:
            self._out(op, dtype, emit)

    def _variant(self, op, part, f, dtype, emit):
        tally = Tally()
        for s in self._samples(op, dtype, False):
            args = (s.input, *s.args)
            try:
                want = self._call(f, args, s.kwargs)
            except Exception:
                continue
            with tally.judging(s):
                mine = f if getattr(f, "__module__", "") in ("_operator", "operator") else self.b.function(f)
                got = self._call(mine, self.b.to(args), self.b.to(s.kwargs))
                try:
                    self.compare(want, got, loose=full_name(op) in UNINITIALISED)
                except Mismatch:
                    self._second_look(op, s, want, got, dtype)
        if tally.total:
            emit(part, dtype, tally)

    def _inplace(self, op, dtype, emit):
        tally = Tally()
        for s in self._samples(op, dtype, False):
            if not isinstance(s.input, torch.Tensor) or s.broadcasts_input:
                continue
            theirs = self.same.tensor(s.input)
            given = (self.b.tensor(s.input), *self.b.to(s.args))
            try:
                want = self._call(op.inplace_variant, (theirs, *s.args), s.kwargs)
            except Exception:
                continue
            with tally.judging(s):
                got = self._call(self.b.function(op.inplace_variant), given, self.b.to(s.kwargs))
                self.compare(want, got)
                if want is theirs and got is not given[0]:
                    raise Mismatch("the result is not the tensor that was changed")
                self.compare(theirs, given[0], where="the tensor changed in place")
        if tally.total:
            emit("inplace", dtype, tally)

    def _out(self, op, dtype, emit):
        tally = Tally()
        for s in self._samples(op, dtype, False):
            args = (s.input, *s.args)
            try:
                want = self._call(op.op, args, s.kwargs)
                flat = list(_tensors(want))
                if isinstance(want, torch.Tensor):
                    space, mine_space = torch.empty_like(want), self.b.tensor(torch.empty_like(want))
                elif isinstance(want, tuple) and len(flat) == len(want):
                    space = tuple(torch.empty_like(t) for t in want)
                    mine_space = tuple(self.b.tensor(t) for t in space)
                else:
                    continue
                self._call(op.op, args, {**s.kwargs, "out": space})
                for w, m in zip(flat, _tensors(space)):
                    assert_close(m, w, equal_nan=True)
            except (Exception, AssertionError):
                continue
            with tally.judging(s):
                mine = self.b.function(op.op, hint=op.name)
                got = self._call(mine, self.b.to(args), {**self.b.to(s.kwargs), "out": mine_space})
                for w, m in zip(_tensors(space), _tensors(mine_space, self.b.c.Tensor)):
                    try:
                        self.compare(w, m, where="out")
                    except Mismatch:
                        self._second_look(op, s, want, got, dtype)
        if tally.total:
            emit("out", dtype, tally)

    # ---- wrong inputs

    def _errors(self, op, mine, emit):
        tally = Tally()
        try:
            cases = list(op.error_inputs("cpu"))
        except Exception:
            return
        for case in cases:
            s = case.sample_input
            if not hasattr(s, "input"):
                continue
            args = (s.input, *s.args)
            try:
                given = self.b.together(args, s.kwargs)
            except Exception:
                continue
            try:
                self._call(op.op, args, s.kwargs)
                continue
            except Exception as e:
                if full_name(op) in MEANT and MEANT[full_name(op)][0] in str(e):
                    continue
                expected = _builtin(type(e))
            try:
                try:
                    self._call(mine, *given)
                except expected:
                    tally.ok()
                    continue
                raise Mismatch(f"no {expected.__name__} raised")
            except Exception as e:
                tally.bad(
                    e if isinstance(e, Mismatch) else Mismatch(f"expected {expected.__name__}, got {_short(e)}"), s
                )
        if tally.total:
            emit("errors", None, tally)


def _builtin(kind):
    return next(t for t in kind.__mro__ if t.__module__ == "builtins")


def _len(x):
    return len(x) if hasattr(x, "__len__") else "no length"


def _tensors(v, kind=torch.Tensor):
    if isinstance(v, kind):
        yield v
    elif isinstance(v, list | tuple):
        for x in v:
            yield from _tensors(x, kind)
    elif isinstance(v, dict):
        for x in v.values():
            yield from _tensors(x, kind)


def _doubled(v):
    if isinstance(v, torch.Tensor):
        return v.double() if v.dtype == torch.float32 else v
    if isinstance(v, list | tuple):
        return type(v)(_doubled(x) for x in v) if type(v) in (list, tuple) else v
    if isinstance(v, dict):
        return {k: _doubled(x) for k, x in v.items()}
    return v


def _cotangent(t):
    g = torch.Generator().manual_seed(1234 + t.numel())
    return torch.randn(t.shape, dtype=t.dtype, generator=g)
