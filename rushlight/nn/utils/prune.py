"""Pruning: weights multiplied by masks that choose what stays."""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from rushlight import _C
from rushlight.nn.utils.convert_parameters import parameters_to_vector

__all__ = [
    "BasePruningMethod",
    "CustomFromMask",
    "Identity",
    "L1Unstructured",
    "LnStructured",
    "PruningContainer",
    "RandomStructured",
    "RandomUnstructured",
    "custom_from_mask",
    "global_unstructured",
    "identity",
    "is_pruned",
    "l1_unstructured",
    "ln_structured",
    "random_structured",
    "random_unstructured",
    "remove",
]


class BasePruningMethod(ABC):
    """A way of pruning: a forward pre-hook that computes `name` as `name_orig * name_mask`.

    Subclasses define `PRUNING_TYPE` ("unstructured", "structured" or "global") and `compute_mask`.

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.utils.prune.BasePruningMethod.html
    """

    _tensor_name: str
    PRUNING_TYPE: str

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The mask for the tensor `t`, on top of `default_mask`."""

    def apply_mask(self, module: Any) -> Any:
        """The pruned tensor."""
        if self._tensor_name is None:
            raise AssertionError(f"Module {module} has to be pruned")
        mask = getattr(module, self._tensor_name + "_mask")
        original = getattr(module, self._tensor_name + "_orig")
        return mask.to(dtype=original.dtype) * original

    @classmethod
    def apply(cls, module: Any, name: str, *args: Any, importance_scores: Any = None, **kwargs: Any) -> Any:
        """Prune the parameter `name` of a module; what pruned it before stays, in a `PruningContainer`."""
        method: Any = cls(*args, **kwargs)
        method._tensor_name = name
        earlier = [
            (key, hook)
            for key, hook in module._forward_pre_hooks.items()
            if isinstance(hook, BasePruningMethod) and hook._tensor_name == name
        ]
        if len(earlier) > 1:
            raise AssertionError(f"Avoid adding multiple pruning hooks to the same tensor {name} of module {module}.")
        for _, before in earlier:
            container = before if isinstance(before, PruningContainer) else PruningContainer(before)
            container._tensor_name = name
            container.add_pruning_method(method)
            method = container
        original = getattr(module, name)
        if importance_scores is None:
            importance_scores = original
        elif importance_scores.shape != original.shape:
            raise AssertionError(f"importance_scores should have the same shape as parameter {name} of {module}")
        if earlier:
            default_mask = getattr(module, name + "_mask").detach().clone(memory_format=_C.contiguous_format)
        else:
            default_mask = _C.ones_like(original)
        # The module changes only once nothing can fail any more.
        mask = method.compute_mask(importance_scores, default_mask=default_mask)
        for key, _ in earlier:
            del module._forward_pre_hooks[key]
        if not earlier:
            module.register_parameter(name + "_orig", original)
            del module._parameters[name]
        module.register_buffer(name + "_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(self, t: Any, default_mask: Any = None, importance_scores: Any = None) -> Any:
        """`t` with what this method prunes set to zero; no module is involved."""
        if importance_scores is None:
            importance_scores = t
        elif importance_scores.shape != t.shape:
            raise AssertionError("importance_scores should have the same shape as tensor t")
        default_mask = _C.ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(importance_scores, default_mask=default_mask)

    def remove(self, module: Any) -> None:
        """Make the pruned tensor an ordinary parameter."""
        name = self._tensor_name
        if name is None:
            raise AssertionError(f"Module {module} has to be pruned before pruning can be removed")
        weight = self.apply_mask(module)
        if hasattr(module, name):
            delattr(module, name)
        original = module._parameters[name + "_orig"]
        original.data = weight.data
        del module._parameters[name + "_orig"]
        del module._buffers[name + "_mask"]
        setattr(module, name, original)


class PruningContainer(BasePruningMethod):
    """Several prunings of one tensor, each on what the ones before left.

    >>> from rushlight.nn.utils import prune
    >>> m = prune.l1_unstructured(torch.nn.Linear(2, 2), "weight", amount=1)
    >>> m = prune.l1_unstructured(m, "weight", amount=1)
    >>> int((m.weight == 0).sum())
    2
    """

    def __init__(self, *args: Any) -> None:
        self._pruning_methods: tuple[Any, ...] = ()
        if not isinstance(args, Iterable) or len(args) == 1:
            self._tensor_name = args[0]._tensor_name
            self.add_pruning_method(args[0])
        elif len(args) > 1:
            self._tensor_name = args[0]._tensor_name
            for method in args:
                self.add_pruning_method(method)

    def add_pruning_method(self, method: Any) -> None:
        """Add one more method."""
        if not isinstance(method, BasePruningMethod) and method is not None:
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method is not None and self._tensor_name != method._tensor_name:
            raise ValueError(
                "Can only add pruning methods acting on the parameter named "
                f"'{self._tensor_name}' to PruningContainer {self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Any:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: Any) -> Any:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The last method's mask of what `default_mask` leaves, on top of it."""
        method = self._pruning_methods[-1]
        mask = default_mask.to(dtype=t.dtype)
        if method.PRUNING_TYPE == "unstructured":
            left: Any = mask == 1
        elif method.PRUNING_TYPE == "structured":
            if not hasattr(method, "dim"):
                raise AttributeError(
                    'Pruning methods of PRUNING_TYPE "structured" need to have the attribute `dim` defined.'
                )
            dim = method.dim % t.dim()
            others = [d for d in range(t.dim()) if d != dim]
            keep = mask.sum(others) != 0
            left = tuple(keep if d == dim else slice(None) for d in range(t.dim()))
        elif method.PRUNING_TYPE == "global":
            left = tuple(slice(None) for _ in range(t.dim()))
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
        partial = method.compute_mask(t[left], default_mask=mask[left])
        new_mask = mask.clone()
        new_mask[left] = partial.to(dtype=mask.dtype)
        return new_mask


class Identity(BasePruningMethod):
    """Prunes nothing: a mask of ones.

    >>> from rushlight.nn.utils import prune
    >>> prune.Identity().prune(torch.tensor([5., 7.]))
    tensor([5., 7.])
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The mask as it is."""
        return default_mask

    @classmethod
    def apply(cls, module: Any, name: str) -> Any:  # type: ignore[override]
        """Prune the parameter `name`."""
        return super().apply(module, name)


class _AmountUnstructured(BasePruningMethod):
    """Prunes a fraction (float) or a count (int) of the elements: those whose rank is smallest."""

    PRUNING_TYPE = "unstructured"

    def __init__(self, amount: float) -> None:
        _validate_pruning_amount_init(amount)
        self.amount = amount

    def _rank(self, t: Any) -> Any:
        """How much each entry matters: those of the lowest rank go. Every subclass says."""
        raise NotImplementedError

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The mask."""
        count = _to_prune(self.amount, t.nelement())
        mask = default_mask.clone(memory_format=_C.contiguous_format)
        if count:
            mask.view(-1)[self._rank(t).reshape(-1).topk(count, largest=False).indices] = 0
        return mask


class RandomUnstructured(_AmountUnstructured):
    """Prunes elements at random: a fraction (float) or a count (int) of them.

    >>> from rushlight.nn.utils import prune
    >>> (prune.RandomUnstructured(amount=2).prune(torch.ones(4)) == 0).sum()
    tensor(2)
    """

    def _rank(self, t: Any) -> Any:
        return -_C.rand_like(t)  # the largest, as PyTorch takes them

    @classmethod
    def apply(cls, module: Any, name: str, amount: float) -> Any:  # type: ignore[override]
        """Prune the parameter `name`."""
        return super().apply(module, name, amount=amount)


class L1Unstructured(_AmountUnstructured):
    """Prunes the elements of smallest absolute value: a fraction (float) or a count (int) of them.

    >>> from rushlight.nn.utils import prune
    >>> prune.L1Unstructured(amount=2).prune(torch.tensor([1., -3., 0.5, 2.]))
    tensor([ 0., -3.,  0.,  2.])
    """

    def _rank(self, t: Any) -> Any:
        return t.abs()

    @classmethod
    def apply(cls, module: Any, name: str, amount: float, importance_scores: Any = None) -> Any:  # type: ignore[override]
        """Prune the parameter `name`."""
        return super().apply(module, name, amount=amount, importance_scores=importance_scores)


def _slices_mask(t: Any, dim: int, kept: Any) -> Any:
    """A mask of ones at the indices `kept` of dimension `dim`."""
    mask = _C.zeros_like(t)
    index: list[Any] = [slice(None)] * t.dim()
    index[dim] = kept
    mask[tuple(index)] = 1
    return mask


class _Structured(BasePruningMethod):
    """Base of those that prune whole slices along a dimension: `_kept` gives those that stay."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, dim: int = -1) -> None:
        _validate_pruning_amount_init(amount)
        self.amount = amount
        self.dim = dim

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The mask."""
        _validate_structured_pruning(t)
        _validate_pruning_dim(t, self.dim)
        count = _to_prune(self.amount, t.shape[self.dim])
        if count == 0:
            return default_mask
        mask = _slices_mask(t, self.dim, self._kept(t, count))
        return mask * default_mask.to(dtype=mask.dtype)

    def _kept(self, t: Any, count: int) -> Any:
        """Which slices stay, as a mask; each way of pruning chooses its own."""
        raise NotImplementedError(f"{type(self).__name__} does not say which slices stay: define _kept")


class RandomStructured(_Structured):
    """Prunes whole slices along a dimension at random.

    >>> from rushlight.nn.utils import prune
    >>> (prune.RandomStructured(amount=1, dim=0).prune(torch.ones(2, 3)) == 0).sum()
    tensor(3)
    """

    def _kept(self, t: Any, count: int) -> Any:
        draw = _C.rand(t.shape[self.dim])
        return draw > draw.kthvalue(k=count).values

    @classmethod
    def apply(cls, module: Any, name: str, amount: float, dim: int = -1) -> Any:  # type: ignore[override]
        """Prune the parameter `name`."""
        return super().apply(module, name, amount=amount, dim=dim)


class LnStructured(_Structured):
    """Prunes the slices along a dimension that have the smallest n-norm.

    >>> from rushlight.nn.utils import prune
    >>> prune.LnStructured(amount=1, n=2, dim=0).prune(torch.tensor([[1., 1.], [5., 5.]]))
    tensor([[0., 0.],
            [5., 5.]])
    """

    def __init__(self, amount: float, n: Any, dim: int = -1) -> None:
        super().__init__(amount, dim)
        self.n = n

    def _kept(self, t: Any, count: int) -> Any:
        dim = self.dim % t.dim()
        norms = t.norm(p=self.n, dim=[d for d in range(t.dim()) if d != dim])
        return norms.topk(len(norms) - count, largest=True).indices

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Any, name: str, amount: float, n: Any, dim: int, importance_scores: Any = None
    ) -> Any:
        """Prune the parameter `name`."""
        return super().apply(module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores)


class CustomFromMask(BasePruningMethod):
    """Prunes by a given mask.

    >>> from rushlight.nn.utils import prune
    >>> prune.CustomFromMask(torch.tensor([1, 0])).prune(torch.tensor([5., 7.]))
    tensor([5., 0.])
    """

    PRUNING_TYPE = "global"

    def __init__(self, mask: Any) -> None:
        self.mask = mask

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Both masks together."""
        if default_mask.shape != self.mask.shape:
            raise AssertionError("default_mask and self.mask must have the same shape")
        return default_mask * self.mask.to(dtype=default_mask.dtype)

    @classmethod
    def apply(cls, module: Any, name: str, mask: Any) -> Any:  # type: ignore[override]
        """Prune the parameter `name`."""
        return super().apply(module, name, mask=mask)


def identity(module: Any, name: str) -> Any:
    """Give the parameter `name` a mask of ones.

    >>> m = torch.nn.utils.prune.identity(torch.nn.Linear(2, 1), "weight")
    >>> m.weight_mask
    tensor([[1., 1.]])
    """
    Identity.apply(module, name)
    return module


def random_unstructured(module: Any, name: str, amount: float) -> Any:
    """Prune elements of a parameter at random: `amount` is a fraction (float) or a count (int).

    >>> m = torch.nn.utils.prune.random_unstructured(torch.nn.Linear(4, 4), "weight", amount=3)
    >>> int((m.weight_mask == 0).sum())
    3

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.utils.prune.random_unstructured.html
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: Any, name: str, amount: float, importance_scores: Any = None) -> Any:
    """Prune the elements of a parameter that have the smallest absolute values (or scores).

    Example:
        >>> import rushlight as torch
        >>> m = torch.nn.utils.prune.l1_unstructured(torch.nn.Linear(2, 3), "weight", amount=0.5)
        >>> m.weight_mask.sum()
        tensor(3.)

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.utils.prune.l1_unstructured.html
    """
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: Any, name: str, amount: float, dim: int) -> Any:
    """Prune slices of a parameter along `dim` at random.

    >>> m = torch.nn.utils.prune.random_structured(torch.nn.Linear(4, 4), "weight", amount=1, dim=0)
    >>> m.weight_mask.sum(1).sort().values
    tensor([0., 4., 4., 4.])
    """
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(module: Any, name: str, amount: float, n: Any, dim: int, importance_scores: Any = None) -> Any:
    """Prune the slices of a parameter along `dim` that have the smallest n-norm.

    >>> m = torch.nn.Linear(2, 2)
    >>> _ = m.weight.data.copy_(torch.tensor([[1., 1.], [9., 9.]]))
    >>> torch.nn.utils.prune.ln_structured(m, "weight", amount=1, n=2, dim=0).weight.tolist()
    [[0.0, 0.0], [9.0, 9.0]]

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.utils.prune.ln_structured.html
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Any, name: str, mask: Any) -> Any:
    """Prune a parameter by a mask.

    >>> m = torch.nn.utils.prune.custom_from_mask(torch.nn.Linear(2, 1), "weight", torch.tensor([[1, 0]]))
    >>> m.weight[0, 1].item() == 0
    True
    """
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(parameters: Any, pruning_method: Any, importance_scores: Any = None, **kwargs: Any) -> None:
    """Prune several parameters together, as if they were one vector.

    Args:
        parameters: (module, name) pairs.
        pruning_method: the class of an unstructured method.
        importance_scores: by (module, name), what to rank by instead of the values.
        kwargs: for the method: amount.

    Raises:
        TypeError: `parameters` is no iterable, or the method is not unstructured.

    >>> a, b = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    >>> _ = a.weight.data.fill_(1.), b.weight.data.fill_(5.)
    >>> from rushlight.nn.utils import prune
    >>> prune.global_unstructured([(a, "weight"), (b, "weight")], prune.L1Unstructured, amount=1)
    >>> a.weight.item(), b.weight.item()
    (0.0, 5.0)

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.utils.prune.global_unstructured.html
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    importance_scores = {} if importance_scores is None else importance_scores
    if not isinstance(importance_scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    parameters = list(parameters)
    scores = parameters_to_vector(
        [importance_scores.get((module, name), getattr(module, name)) for module, name in parameters]
    )
    masks = parameters_to_vector([getattr(m, name + "_mask", _C.ones_like(getattr(m, name))) for m, name in parameters])
    container = PruningContainer()
    container._tensor_name = "temp"
    method = pruning_method(**kwargs)
    method._tensor_name = "temp"
    container.add_pruning_method(method)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. '
            f"Found method {pruning_method} of type {method.PRUNING_TYPE}"
        )
    mask = container.compute_mask(scores, masks)
    start = 0
    for module, name in parameters:
        param = getattr(module, name)
        custom_from_mask(module, name, mask=mask[start : start + param.numel()].view_as(param))
        start += param.numel()


def remove(module: Any, name: str) -> Any:
    """Make a pruned parameter an ordinary one again, with its zeros.

    Raises:
        ValueError: it is not pruned.

    >>> m = torch.nn.utils.prune.identity(torch.nn.Linear(2, 2), "weight")
    >>> _ = torch.nn.utils.prune.remove(m, "weight")
    >>> [name for name, _ in m.named_parameters()]
    ['bias', 'weight']
    """
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")


def is_pruned(module: Any) -> bool:
    """Whether a module, or one below it, is pruned.

    >>> m = torch.nn.Linear(2, 2)
    >>> torch.nn.utils.prune.is_pruned(m), torch.nn.utils.prune.is_pruned(torch.nn.utils.prune.identity(m, "weight"))
    (False, True)
    """
    return any(
        isinstance(hook, BasePruningMethod)
        for _, submodule in module.named_modules()
        for hook in submodule._forward_pre_hooks.values()
    )


def _validate_pruning_amount_init(amount: Any) -> None:
    if not isinstance(amount, numbers.Real):
        raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    if (isinstance(amount, numbers.Integral) and int(amount) < 0) or (
        not isinstance(amount, numbers.Integral) and not 0.0 <= float(amount) <= 1.0
    ):
        raise ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")


def _to_prune(amount: Any, size: int) -> int:
    """How many of `size` things `amount` means."""
    if not isinstance(amount, numbers.Integral):
        return round(float(amount) * size)
    if int(amount) > size:
        raise ValueError(f"amount={amount} should be smaller than the number of parameters to prune={size}")
    return int(amount)


def _validate_structured_pruning(t: Any) -> None:
    if t.dim() <= 1:
        raise ValueError(
            "Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
            f"{t.shape} with {t.dim()} dims"
        )


def _validate_pruning_dim(t: Any, dim: int) -> None:
    if dim >= t.dim():
        raise IndexError(f"Invalid index {dim} for tensor of size {t.shape}")
