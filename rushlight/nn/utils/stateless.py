"""Calling a module with other parameters than its own."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["functional_call"]


def _tied_names(module: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` with the other names of tensors that the module holds under several."""
    names: dict[int, set[str]] = {}
    for walk in (module.named_parameters, module.named_buffers):
        for name, tensor in walk(remove_duplicate=False):
            names.setdefault(id(tensor), set()).add(name)
    tied = {name: group for group in names.values() if len(group) > 1 for name in group}
    full = dict(given)
    for name, tensor in given.items():
        group = tied.get(name, {name})
        if any(other in given and given[other] is not tensor for other in group):
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(g for g in group if g in given)}, which are "
                "tied. Consider using tie_weights=False"
            )
        full.update(dict.fromkeys(group, tensor))
    return full


@contextmanager
def _reparametrize_module(
    module: Any, parameters_and_buffers: Mapping[str, Any], tie_weights: bool = False, strict: bool = False,
    stack_weights: bool = False,
) -> Iterator[None]:  # fmt: skip
    """Within this block the module holds the given tensors in place of its own."""
    given = dict(parameters_and_buffers)
    if tie_weights:
        given = _tied_names(module, given)
    own = {name for walk in (module.named_parameters, module.named_buffers) for name, _ in walk(remove_duplicate=False)}
    unexpected = [name for name in given if name not in own]
    missing = [name for name in sorted(own) if name not in given]
    if strict and (unexpected or missing):
        text = f"Error(s) in reparametrizing for {type(module).__name__}:"
        if unexpected:
            text += "\n\tUnexpected key(s): " + ", ".join(f"'{n}'" for n in sorted(unexpected)) + "."
        if missing:
            text += "\n\tMissing key(s): " + ", ".join(f"'{n}'" for n in missing) + "."
        raise RuntimeError(text)
    before: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for name, tensor in given.items():
            path, _, last = name.rpartition(".")
            if name not in own:
                found = module._modules.get(name)
                if found is not None:
                    raise TypeError(f"attribute `{name}`: {found} is not an instance of torch.Tensor")
                continue
            owner = module.get_submodule(path)
            members = owner._parameters if last in owner._parameters else owner._buffers
            before.append((members, last, members[last]))
            members[last] = tensor
        yield
    finally:
        for (members, last, old), name in zip(reversed(before), reversed([n for n in given if n in own]), strict=True):
            if last in members:
                given[name] = members[last]
            members[last] = old
        for name in list(parameters_and_buffers):
            # What an in-place module (batch norm) put there goes back into the caller's dictionary.
            if isinstance(parameters_and_buffers, dict) and name in own:
                parameters_and_buffers[name] = given[name]


def functional_call(
    module: Any, parameters_and_buffers: Mapping[str, Any], args: Any = None, kwargs: Any = None, *,
    tie_weights: bool = True, strict: bool = False,
) -> Any:  # fmt: skip
    """`module(*args, **kwargs)` with the given tensors in place of the module's own; the older name of
    `rushlight.func.functional_call`.

    >>> m = torch.nn.Linear(1, 1)
    >>> values = {"weight": torch.tensor([[2.]]), "bias": torch.zeros(1)}
    >>> torch.nn.utils.stateless.functional_call(m, values, torch.ones(1, 1))
    tensor([[2.]])
    """
    import warnings

    warnings.warn(
        "This API is deprecated as of PyTorch 2.0 and will be removed in a future version of PyTorch. Please use "
        "torch.func.functional_call instead which is a drop-in replacement for this API.",
        FutureWarning,
        stacklevel=2,
    )
    return _functional_call(module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict)


def _functional_call(
    module: Any, parameters_and_buffers: Mapping[str, Any], args: Any = None, kwargs: Any = None, *,
    tie_weights: bool = True, strict: bool = False,
) -> Any:  # fmt: skip
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _reparametrize_module(module, parameters_and_buffers, tie_weights=tie_weights, strict=strict):
        return module(*args, **({} if kwargs is None else kwargs))
