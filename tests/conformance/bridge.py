"""Carries values between PyTorch and the library under test.

Tensors travel as raw bytes, so every dtype, stride pattern and NaN payload arrives as it left.
"""

import contextlib
import functools
import types

import numpy as np
import torch

_RAW = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64, 16: torch.int64}
_NUMPY = {
    torch.float32, torch.float64, torch.float16, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8,
    torch.bool, torch.complex64, torch.complex128,
}  # fmt: skip


def plain_values(t):
    """The tensor's values without a pending conjugation, negation or all-zeros mark."""
    t = t.detach()
    if getattr(t, "_is_zerotensor", bool)():
        t = t.clone()
    for step in ("resolve_conj", "resolve_neg"):
        t = getattr(t, step)() if hasattr(t, step) else t
    return t


class CannotConvert(Exception):
    """A sample uses something that has no meaning for the library under test (a sparse layout, a GPU)."""


def dtype_name(dtype):
    return str(dtype).rsplit(".", 1)[-1]


class Bridge:
    def __init__(self, candidate):
        self.c = candidate
        self.shared = None  # while tensors travel together: what came of each memory

    def together(self, *values):
        """The values of one call: tensors over one memory arrive over one memory."""
        self.shared = {}
        try:
            return [self.to(v) for v in values]
        finally:
            self.shared = None

    # ---- PyTorch -> candidate

    def tensor(self, t, requires_grad=None):
        if t.layout != torch.strided or t.is_nested:
            raise CannotConvert(f"layout {t.layout}")
        need = t.requires_grad if requires_grad is None else requires_grad
        t = plain_values(t)
        c = self.c
        memory = (t.untyped_storage().data_ptr(), t.dtype)
        if self.shared is not None and memory in self.shared:
            return self.shared[memory].as_strided(tuple(t.shape), tuple(t.stride()), t.storage_offset())
        # A view brings its whole storage along: as_strided reaches beyond the view.
        size = t.untyped_storage().nbytes() // t.element_size()
        plain = t.is_contiguous() and size == t.numel()
        flat = t.reshape(-1) if plain else t.as_strided((size,), (1,), 0)
        if t.dtype in _NUMPY:
            out = c.from_numpy(flat.numpy().copy())
        else:
            out = c.from_numpy(flat.view(_RAW[t.element_size()]).numpy().copy()).view(self.dtype(t.dtype))
        if self.shared is not None and t.numel():
            if t.untyped_storage().resizable():  # as memory of NumPy's is not
                out = out.clone()
            self.shared[memory] = out
        if plain:
            out = out.reshape(tuple(t.shape))
        else:
            out = out.as_strided(tuple(t.shape), tuple(t.stride()), t.storage_offset())
        return out.requires_grad_(True) if need else out

    def dtype(self, dtype):
        return getattr(self.c, dtype_name(dtype))

    def generator(self, g):
        mine = self.c.Generator()
        mine.manual_seed(g.initial_seed())
        return mine

    def to(self, v, grads=None):
        """Convert any nest of sample values. Leaves that require grad are appended to `grads` as (torch, candidate)."""
        if isinstance(v, torch.Tensor):
            out = self.tensor(v)
            if grads is not None and v.requires_grad:
                grads.append((v, out))
            return out
        if isinstance(v, torch.dtype):
            return self.dtype(v)
        if isinstance(v, torch.Size):
            return self.c.Size(v)
        if isinstance(v, torch.device):
            return self.c.device(str(v))
        if isinstance(v, torch.layout | torch.memory_format):
            return getattr(self.c, str(v).rsplit(".", 1)[-1])
        if isinstance(v, torch.Generator):
            return self.generator(v)
        if isinstance(v, torch.nn.Module):
            return getattr(self.c.nn, type(v).__name__)()
        if isinstance(v, dict):
            return type(v)((k, self.to(x, grads)) for k, x in v.items())
        if isinstance(v, tuple) and type(v) is not tuple and hasattr(v, "_fields"):
            return type(v)(*(self.to(x, grads) for x in v))
        if isinstance(v, list | tuple):
            kind = list if isinstance(v, list) else tuple
            return kind(self.to(x, grads) for x in v)
        if isinstance(v, slice):
            return slice(self.to(v.start), self.to(v.stop), self.to(v.step))
        if isinstance(v, functools.partial) or callable(v) and not isinstance(v, type):
            return self.function(v)
        return v

    # ---- candidate -> PyTorch

    def back(self, v):
        c = self.c
        if isinstance(v, c.Tensor):
            v = plain_values(v)
            name = dtype_name(v.dtype)
            want = getattr(torch, name)
            if want in _NUMPY:
                return torch.from_numpy(np.array(v.numpy(), copy=True, order="C"))
            raw = v.contiguous().reshape(-1).view(self.dtype(_RAW[want.itemsize])).numpy()
            return torch.from_numpy(np.array(raw, copy=True)).view(want).reshape(tuple(v.shape))
        if isinstance(v, c.Size):
            return torch.Size(v)
        if isinstance(v, c.dtype):
            return getattr(torch, dtype_name(v))
        if isinstance(v, list | tuple):
            return [self.back(x) for x in v]
        if isinstance(v, dict):
            return {k: self.back(x) for k, x in v.items()}
        return v

    # ---- functions

    def resolve(self, path):
        """The candidate's object of that dotted name under torch."""
        obj = self.c
        parts = path.split(".")
        if parts[0] == "torch":
            parts = parts[1:]
        for i, p in enumerate(parts):
            try:
                obj = getattr(obj, p)
            except AttributeError:
                raise AttributeError(f"no torch.{'.'.join(parts[: i + 1])}") from None
        return obj

    def function(self, f, hint=None):
        """The candidate's counterpart of a PyTorch callable, or a test helper rebuilt to call the candidate."""
        if isinstance(f, functools.partial):
            return functools.partial(self.function(f.func), *self.to(f.args), **self.to(f.keywords))
        if hint and _lookup(hint) is f:
            return self.resolve(hint)
        if isinstance(f, types.MethodDescriptorType | types.WrapperDescriptorType):
            return self._method(f.__name__)
        if isinstance(f, types.GetSetDescriptorType):
            return self._method(f.__name__)
        module = getattr(f, "__module__", "") or ""
        name = getattr(f, "__name__", "")
        if name == "freeze_rng_state":
            return self._same_stream
        if isinstance(f, types.FunctionType) and "testing" in module.split("."):
            return self._rebind(f)
        if isinstance(f, types.FunctionType) and getattr(torch.Tensor, name, None) is f:
            return self._method(name)
        if module.startswith("torch._C._nn"):
            return self.resolve(f"nn.functional.{name}")
        for base in (module, "torch", "torch.nn.functional", "torch.linalg", "torch.special", "torch.fft"):
            path = f"{base}.{name}"
            if path.startswith("torch") and _lookup(path) is f:
                return self.resolve(path)
        if module == "torch._ops.aten":
            name = str(f).split(".")[1]
            for path in (name, f"ops.aten.{name}"):
                if _exists(self.c, path):
                    return self.resolve(path)
        if isinstance(f, types.FunctionType):
            return self._rebind(f)
        if module.startswith("torch") or "torch" in type(f).__module__:
            raise AttributeError(f"no counterpart of {module}.{name}")
        return f

    @contextlib.contextmanager
    def _same_stream(self, *args, **kwargs):
        """PyTorch's freeze_rng_state for the candidate: the default generator is left as it was found."""
        g = self.c.default_generator
        state = g.get_state()
        try:
            yield
        finally:
            g.set_state(state)

    def _method(self, name):
        if not hasattr(self.c.Tensor, name):
            raise AttributeError(f"no Tensor.{name}")
        return getattr(self.c.Tensor, name)

    def _rebind(self, f, seen=None):
        seen = {} if seen is None else seen
        if id(f) in seen:
            return seen[id(f)]
        scope = dict(f.__globals__)
        cells = None
        new = types.FunctionType(f.__code__, scope, f.__name__, None, None if f.__closure__ is None else f.__closure__)
        if f.__closure__:
            cells = tuple(types.CellType(self._swap(cell.cell_contents, seen)) for cell in f.__closure__)
            new = types.FunctionType(f.__code__, scope, f.__name__, None, cells)
        new.__defaults__ = tuple(self._swap(d, seen) for d in f.__defaults__) if f.__defaults__ else None
        new.__kwdefaults__ = {k: self._swap(d, seen) for k, d in (f.__kwdefaults__ or {}).items()} or None
        seen[id(f)] = new
        for name in _names(f.__code__):
            if name in scope:
                scope[name] = self._swap(scope[name], seen)
        return new

    def _swap(self, v, seen):
        if v is torch:
            return self.c
        if isinstance(v, types.ModuleType) and v.__name__.startswith("torch."):
            try:
                return self.resolve(v.__name__)
            except AttributeError:
                return v
        if v is torch.Tensor:
            return self.c.Tensor
        if isinstance(v, types.FunctionType) and "testing" in (v.__module__ or "").split("."):
            return self._same_stream if v.__name__ == "freeze_rng_state" else self._rebind(v, seen)
        if isinstance(v, type | torch.Tensor):
            return v
        if isinstance(v, _CALLS) and (getattr(v, "__module__", None) or "").startswith("torch"):
            try:
                return self.function(v)
            except AttributeError as e:
                return _missing(str(e))
        if isinstance(v, torch.dtype):
            return self.dtype(v)
        return v


_CALLS = (types.FunctionType, types.BuiltinFunctionType, types.MethodDescriptorType, functools.partial)


def _exists(obj, path):
    for p in path.split("."):
        if not hasattr(obj, p):
            return False
        obj = getattr(obj, p)
    return True


def _missing(text):
    def raiser(*args, **kwargs):
        raise AttributeError(text)

    return raiser


def _names(code):
    yield from code.co_names
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from _names(const)


@functools.cache
def _lookup(path):
    obj = torch
    for p in path.split(".")[1:] if path.startswith("torch.") else path.split("."):
        obj = getattr(obj, p, None)
    return obj
