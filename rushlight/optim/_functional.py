"""The updates as functions of lists, under the names that PyTorch gives them: `torch.optim._functional.adam(...)`."""

from __future__ import annotations

from typing import Any

from rushlight import _C

__all__ = ["adadelta", "adagrad", "adam", "adamax", "adamw", "asgd", "nadam", "radam", "rmsprop", "rprop", "sgd"]

# The names of pairs in a group and of their parts in the functions.
_PAIRS = {
    "betas": ("beta1", "beta2"),
    "etas": ("etaminus", "etaplus"),
    "step_sizes": ("step_size_min", "step_size_max"),
}


def _function(name: str, rule: str, lists: dict[str, str], **defaults: Any) -> Any:
    """A function of parameters, gradients and lists of state; `lists` gives each one's key in an optimizer's state."""

    def update(params: Any, grads: Any, *state: Any, **options: Any) -> None:
        given = dict(zip(lists, state))
        given.update({n: options.pop(n) for n in lists if n in options})
        missing = [n for n in lists if n not in given]
        if missing:
            raise TypeError(f"{name}() missing required argument: {missing[0]!r}")
        for pair, parts in _PAIRS.items():
            if all(part in options for part in parts):
                options[pair] = tuple(options.pop(part) for part in parts)
        group = {**defaults, **options, "lr": options.get("lr", 0.0), "params": []}
        kept: dict[Any, dict[str, Any]] = {}
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            same = p.detach()  # the same numbers, with a gradient of its own
            same.grad = g
            group["params"].append(same)
            kept[same] = {key: given[n][i] for n, key in lists.items() if i < len(given[n])}
        _C._optim_step(rule, [group], kept)
        for n, key in lists.items():  # what the update made
            for i, same in enumerate(group["params"]):
                if i < len(given[n]) and given[n][i] is None:
                    given[n][i] = kept[same].get(key)

    update.__name__ = update.__qualname__ = name
    update.__doc__ = (
        f"What `torch.optim` does in a step of this rule, to lists: ({', '.join(['params', 'grads', *lists])})."
    )
    return update


_MOMENTS = {"exp_avgs": "exp_avg", "exp_avg_sqs": "exp_avg_sq"}
_STEPS = {"state_steps": "step"}
_PLAIN = {"weight_decay": 0.0, "maximize": False}
_MOST = {"max_exp_avg_sqs": "max_exp_avg_sq"}

sgd = _function("sgd", "sgd", {"momentum_buffer_list": "momentum_buffer"}, **_PLAIN)
adam = _function("adam", "adam", {**_MOMENTS, **_MOST, **_STEPS}, decoupled_weight_decay=False, **_PLAIN)
adamw = _function("adamw", "adam", {**_MOMENTS, **_MOST, **_STEPS}, decoupled_weight_decay=True, **_PLAIN)
adamax = _function("adamax", "adamax", {"exp_avgs": "exp_avg", "exp_infs": "exp_inf", **_STEPS}, **_PLAIN)
nadam = _function(
    "nadam", "nadam", {**_MOMENTS, "mu_products": "mu_product", **_STEPS}, decoupled_weight_decay=False, **_PLAIN
)
radam = _function("radam", "radam", {**_MOMENTS, **_STEPS}, decoupled_weight_decay=False, **_PLAIN)
adagrad = _function("adagrad", "adagrad", {"state_sums": "sum", **_STEPS}, initial_accumulator_value=0.0, **_PLAIN)
adadelta = _function(
    "adadelta", "adadelta", {"square_avgs": "square_avg", "acc_deltas": "acc_delta", **_STEPS}, **_PLAIN
)
rmsprop = _function(
    "rmsprop", "rmsprop",
    {"square_avgs": "square_avg", "grad_avgs": "grad_avg", "momentum_buffer_list": "momentum_buffer", **_STEPS},
    **_PLAIN,
)  # fmt: skip
rprop = _function("rprop", "rprop", {"prevs": "prev", "step_sizes": "step_size", **_STEPS}, maximize=False)
asgd = _function("asgd", "asgd", {"axs": "ax", "mus": "mu", "etas": "eta", **_STEPS}, **_PLAIN)
