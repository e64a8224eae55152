"""Runs one OptimizerInfo against the candidate: every OptimizerInput with every implementation it may ask for."""

import copy
import importlib
import re
import types
import warnings

import torch
from torch.testing._internal import common_optimizers
from torch.testing._internal.common_optimizers import OptimizerErrorEnum, optim_db

from .bridge import Bridge, CannotConvert
from .compare import Mismatch, Runner, Tally, _builtin

PARTS = ("repr", "step", "state", "schedule", "closure", "gradient", "errors")
DECIDING = PARTS
STEPS = 10


def entries():
    return list(optim_db)


def name(info):
    return info.name


def _double(v):
    if isinstance(v, tuple):
        return tuple(_double(x) for x in v)
    return v.double() if isinstance(v, torch.Tensor) else v


class OptimizerBridge(Bridge):
    """A tensor that stands twice in a sample is one tensor on the other side too."""

    def __init__(self, candidate):
        super().__init__(candidate)
        self.known = {}

    def to(self, v, grads=None):
        if not isinstance(v, torch.Tensor):
            return super().to(v, grads)
        if id(v) not in self.known:
            self.known[id(v)] = (super().to(v, grads), v)
        return self.known[id(v)][0]


class _Twin:
    """The same optimizer in both libraries, over equal parameters that get equal gradients."""

    def __init__(self, runner, info, kwargs, dtype, theirs_only=None):
        self.b, self.sparse = OptimizerBridge(runner.b.c), info.only_supports_sparse_grads
        torch.manual_seed(0)
        shapes = (
            ((5, 4), (3, 7)) if info.name == "Muon" else ((5, 4), (6, 2), (4, 3)) if self.sparse else ((5, 4), (6,), ())
        )
        self.theirs = [torch.randn(shape, dtype=dtype, requires_grad=True) for shape in shapes]
        self.mine = [self.b.tensor(p) for p in self.theirs]
        self.mine_cls = getattr(runner.b.c.optim, info.name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.a = info.optim_cls(self.theirs, **{**copy.deepcopy(kwargs), **(theirs_only or {})})
            self.o = self.mine_cls(self.mine, **self.b.to(copy.deepcopy(kwargs)))
        self.rng = torch.Generator().manual_seed(1)

    def give_gradients(self):
        for p, q in zip(self.theirs, self.mine):
            g = torch.randn(p.shape, dtype=p.dtype, generator=self.rng)
            if self.sparse:
                g[torch.randint(0, len(g), (1,), generator=self.rng)] = 0
                p.grad, q.grad = g.to_sparse(1), self.b.tensor(g)
            else:
                p.grad, q.grad = g, self.b.tensor(g)

    def step(self, times=1):
        for _ in range(times):
            self.give_gradients()
            self.a.step()
            self.o.step()


class OptimizerRunner:
    def __init__(self, candidate):
        self.ops = Runner(candidate, (), ())
        self.b = self.ops.b
        for part in ("optim", "optim.lr_scheduler"):
            importlib.import_module(f"{candidate.__name__}.{part}")

    def run(self, info, emit):
        dtypes = [torch.float64, torch.float32]
        if info.supports_complex and not info.only_supports_sparse_grads:
            dtypes.append(torch.complex128)
        for dtype in dtypes:
            tallies = {part: Tally() for part in PARTS}
            for sample, theirs_only in self._inputs(info, dtype):
                self._one(info, sample, theirs_only, dtype, tallies)
            if dtype == torch.float64 and not info.step_requires_closure and not info.only_supports_sparse_grads:
                for schedulers in info.scheduler_inputs:
                    self._part(tallies["schedule"], info.name, self._schedules, info, schedulers)
            for part in PARTS:
                if tallies[part].total:
                    emit(part, dtype, tallies[part])
        tally = Tally()
        for sample in info.optim_error_inputs_func("cpu", torch.float32):
            self._error(info, sample, tally)
        emit("errors", None, tally)

    def _inputs(self, info, dtype):
        """(keyword arguments, what PyTorch on a CPU gets instead): those for GPUs too, which PyTorch refuses here."""
        for sample in info.optim_inputs_func("cuda"):
            kwargs = dict(sample.kwargs)
            theirs = {"capturable": False} if kwargs.get("capturable") else {}
            if dtype != torch.float32:  # else PyTorch rounds what it computes with them to float32
                theirs |= {k: _double(v) for k, v in kwargs.items() if k in ("lr", "betas")}
            yield kwargs, theirs
            for flag in info.supported_impls:
                if flag == "foreach" and any(isinstance(v, torch.Tensor) for v in kwargs.values()):
                    theirs = {**theirs, "foreach": False}
                if flag == "fused" and (dtype.is_complex or kwargs.get("capturable")):
                    continue
                yield {**kwargs, flag: True}, theirs

    def _one(self, info, kwargs, theirs_only, dtype, tallies):
        label = {"dtype": str(dtype), **kwargs}
        try:
            if kwargs.get("differentiable"):
                if dtype == torch.float64:
                    self._part(tallies["gradient"], label, self._gradients, info, kwargs, theirs_only)
                return
            if info.step_requires_closure:
                self._part(tallies["closure"], label, self._closure, info, kwargs, dtype)
                return
            self._part(tallies["repr"], label, self._reprs, info, kwargs, theirs_only, dtype)
            self._part(tallies["step"], label, self._steps, info, kwargs, theirs_only, dtype)
            self._part(tallies["state"], label, self._states, info, kwargs, theirs_only, dtype)
        except Exception as e:
            tallies["step"].bad(e, None)

    def _part(self, tally, label, f, *args):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                f(*args)
            tally.ok()
        except Exception as e:
            tally.bad(Mismatch(f"{e if isinstance(e, Mismatch) else repr(e)} with {label}"), None)

    # ---- the parts

    def _reprs(self, info, kwargs, theirs_only, dtype):
        twin = _Twin(self, info, kwargs, dtype)
        if any(isinstance(v, torch.Tensor) for v in kwargs.values()) or kwargs.get("betas"):
            return
        if repr(twin.a) != repr(twin.o):
            raise Mismatch(f"repr is {twin.o!r}, expected {twin.a!r}")
        if list(twin.a.defaults) != list(twin.o.defaults):
            raise Mismatch(f"defaults are {list(twin.o.defaults)}, expected {list(twin.a.defaults)}")

    def _steps(self, info, kwargs, theirs_only, dtype):
        twin = _Twin(self, info, kwargs, dtype, theirs_only)
        for i in range(STEPS):
            twin.step()
            self.ops.compare([p.detach() for p in twin.theirs], twin.mine, where=f"step {i + 1}: parameter")
        if twin.sparse:
            return
        before = [p.detach().clone() for p in twin.theirs]
        for p, q in zip(twin.theirs, twin.mine):  # no gradient, no change
            p.grad = q.grad = None
        twin.a.step()
        twin.o.step()
        self.ops.compare(before, twin.mine, where="without gradients: parameter")

    def _states(self, info, kwargs, theirs_only, dtype):
        """state_dict has the same content; each library goes on from the other's."""
        twin = _Twin(self, info, kwargs, dtype, theirs_only)
        twin.step(3)
        theirs, mine = twin.a.state_dict(), twin.o.state_dict()
        for i, own in theirs["state"].items():
            if list(own) != list(mine["state"][i]):
                raise Mismatch(f"state has keys {list(mine['state'][i])}, expected {list(own)}")
        self.ops.compare(theirs["state"], mine["state"], where="state")
        for a, b in zip(theirs["param_groups"], mine["param_groups"]):
            if list(a) != list(b) or a["params"] != b["params"]:
                raise Mismatch(f"a group is {b}, expected {a}")
        twin.a.load_state_dict(self._with_groups(self.b.back(mine), theirs))
        twin.o.load_state_dict(self._with_groups(self.b.to(copy.deepcopy(theirs)), mine))
        twin.step(3)
        self.ops.compare([p.detach() for p in twin.theirs], twin.mine, where="after loading: parameter")

    @staticmethod
    def _with_groups(saved, own):
        """PyTorch keeps its own `capturable`, and tuples that the way over made lists."""
        return {"state": saved["state"], "param_groups": copy.deepcopy(own["param_groups"])}

    def _schedules(self, info, schedulers):
        twin = _Twin(self, info, {} if info.name == "Muon" else {"lr": 0.01}, torch.float64)
        both = [[make(twin.a) for make in schedulers], [self._rebound(make)(twin.o) for make in schedulers]]
        for i in range(STEPS + 5):
            twin.step()
            for scheduler in both[0] + both[1]:
                scheduler.step(1.0) if "Plateau" in type(scheduler).__name__ else scheduler.step()
            for a, b in zip(*both):
                if list(a.get_last_lr()) != list(b.get_last_lr()):
                    raise Mismatch(f"step {i}: lr is {b.get_last_lr()}, expected {a.get_last_lr()}")
                if list(a.state_dict()) != list(b.state_dict()):
                    raise Mismatch(f"the schedule's state is {list(b.state_dict())}, expected {list(a.state_dict())}")
            self.ops.compare([p.detach() for p in twin.theirs], twin.mine, where=f"step {i}: parameter")

    def _rebound(self, make):
        own = {
            n: getattr(self.b.c.optim.lr_scheduler, n) for n in dir(common_optimizers) if n.endswith(("LR", "Plateau"))
        }
        return types.FunctionType(make.__code__, {**make.__globals__, **own})

    def _closure(self, info, kwargs, dtype):
        twin = _Twin(self, info, kwargs, dtype)

        def closure(lib, params, optimizer):
            def evaluate():
                optimizer.zero_grad()
                parts = [(lib.view_as_real(p) if p.is_complex() else p) - 0.5 for p in params]
                loss = sum((x**2).sum() + (x**4).mean() for x in parts)
                loss.backward()
                return loss

            return evaluate

        for i in range(3):
            want = twin.a.step(closure(torch, twin.theirs, twin.a))
            got = twin.o.step(closure(self.b.c, twin.mine, twin.o))
            self.ops.compare(want.detach(), got, where=f"step {i}: loss")
            self.ops.compare([p.detach() for p in twin.theirs], twin.mine, where=f"step {i}: parameter")
        theirs, mine = twin.a.state_dict()["state"][0], twin.o.state_dict()["state"][0]
        if sorted(theirs) != sorted(mine):
            raise Mismatch(f"state has keys {sorted(mine)}, expected {sorted(theirs)}")
        for key in ("func_evals", "n_iter"):
            if theirs[key] != mine[key]:
                raise Mismatch(f"{key} is {mine[key]}, expected {theirs[key]}")

    def _gradients(self, info, kwargs, theirs_only):
        """The gradient of a step with respect to the parameters and gradients that went in."""
        found = []
        twin = _Twin(self, info, {k: v for k, v in kwargs.items() if k != "differentiable"}, torch.float64, theirs_only)
        twin.give_gradients()
        options = {**copy.deepcopy(kwargs), **theirs_only}
        for cls, params, given in (
            (info.optim_cls, twin.theirs, options),
            (twin.mine_cls, twin.mine, self.b.to(copy.deepcopy(kwargs))),
        ):
            grads = [p.grad.clone().requires_grad_() for p in params]
            copies = [p.clone() for p in params]
            for p, g in zip(copies, grads):
                p.grad = g.clone()
            torch.set_default_dtype(torch.float64)  # PyTorch's counter, from which it computes the corrections
            try:
                cls(copies, **given).step()
                sum((p * p).sum() for p in copies).backward()
            except RuntimeError:
                if cls is info.optim_cls:
                    return
                raise
            finally:
                torch.set_default_dtype(torch.float32)
            found.append([[p.detach() for p in copies], [p.grad for p in params], [g.grad for g in grads]])
        for what, want, got in zip(("parameter", "gradient of a parameter", "gradient of a gradient"), *found):
            if [x is None for x in want] != [x is None for x in got]:
                raise Mismatch(f"{what}: None or not")
            self.ops.compare([x for x in want if x is not None], [x for x in got if x is not None], where=what)

    def _error(self, info, sample, tally):
        given = sample.optimizer_error_input
        b = OptimizerBridge(self.b.c)
        params = [torch.nn.Parameter(torch.randn(2, 3))] if given.params is None else given.params
        try:
            mine = b.to(params), b.to(given.kwargs)
            for p in params if isinstance(params, list) else ():
                if isinstance(p, torch.Tensor) and p.grad is not None:
                    mine[0][0].grad = b.to(p.grad)
        except CannotConvert:
            return
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)
                try:
                    optimizer = getattr(self.b.c.optim, info.name)(mine[0], **mine[1])
                    if sample.error_on == OptimizerErrorEnum.STEP_ERROR:
                        optimizer.step()
                except Exception as e:
                    if not isinstance(e, _builtin(sample.error_type)):
                        raise Mismatch(f"expected {sample.error_type.__name__}, got {e!r}") from None
                    if not re.search(sample.error_regex, str(e)):
                        raise Mismatch(f"expected {sample.error_regex!r}, got {e}") from None
                else:
                    raise Mismatch(f"no {sample.error_type.__name__} raised")
            tally.ok()
        except Mismatch as e:
            tally.bad(Mismatch(f"{e} with {given.desc}"), None)


def section(table, version):
    """The lines of docs/conformance.md about optimizers."""
    from .report import samples, status, verdicts

    passed = sum(status(p, DECIDING) == "pass" for p in table.values())
    count = sum(samples(table, part)[1] for part in PARTS)
    out = [
        "## Optimizers",
        "",
        f"`python -m tests.conformance --optimizers all` runs PyTorch {version}'s OptimizerInfo database: every",
        "optimizer with every set of arguments, plain and with each of `foreach`, `fused` and `differentiable` that it",
        "takes, in float64, float32 and complex128: the parameters after each of ten steps; the keys and values of",
        "`state_dict`, and that each library goes on from the other's; the schedules of the learning rate; closures;",
        "gradients through a step; `repr` and the defaults; wrong arguments, by type and message. Arguments for GPUs",
        "(`capturable=True`), which PyTorch refuses on a CPU, are compared with PyTorch without them. SparseAdam gets",
        "here as zeros what PyTorch gets as gaps; its two errors about sparse parameters cannot be asked for.",
        "",
        f"**{passed} of {len(table)} optimizers pass** ({count} samples).",
        "",
    ]
    return "\n".join([*out, *verdicts(table, "optimizer", DECIDING, PARTS), ""])
