"""How many floating-point operations a program takes: those of its matrix products, convolutions and attention.

Reference: https://github.com/pytorch/pytorch/blob/main/torch/utils/flop_counter.py
"""

from __future__ import annotations

from collections import defaultdict
from math import prod
from typing import TYPE_CHECKING, Any

from rushlight import _C, ops
from rushlight.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from rushlight.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "FlopCounterMode",
    "convert_num_with_suffix",
    "convert_to_percent_str",
    "get_suffix_str",
    "register_flop_formula",
]

# A count: the operator it goes under, the operations, and of backward: for which arguments, with the operator and their number.
_Count = tuple[str, int, str, dict[int, int]]


def _product(args: Any, first: int, second: int, out: Any, name: str) -> _Count:
    inner = args[first].shape[-1]
    flops = 2 * out.numel() * inner
    return name, flops, "bmm" if name in ("bmm", "baddbmm") else "mm", {first: flops, second: flops}


def _matmul(args: Any, out: Any) -> _Count | None:
    a, b = args[0], args[1]
    if a.dim() == 0 or b.dim() == 0 or ((a.dim() == 1 or b.dim() == 1) and max(a.dim(), b.dim()) <= 2):
        return None  # products with vectors are not counted
    return _product(args, 0, 1, out, "mm" if min(a.dim(), b.dim()) <= 2 and b.dim() <= 2 else "bmm")


def _linear(args: Any, out: Any) -> _Count:
    return _product(args, 0, 1, out, "addmm" if len(args) > 2 and args[2] is not None and args[0].dim() > 1 else "mm")


def _convolution(args: Any, out: Any) -> _Count:
    weight = args[1]
    flops = 2 * out.numel() * prod(weight.shape[1:])
    return "convolution", flops, "convolution_backward", {0: flops, 1: flops}


def _transposed(args: Any, out: Any) -> _Count:
    flops = 2 * args[0].numel() * prod(args[1].shape[1:])
    return "convolution", flops, "convolution_backward", {0: flops, 1: flops}


def _attention(args: Any, out: Any) -> _Count:
    query, key, value = args[:3]
    batch = out.numel() // (out.shape[-1] * out.shape[-2])
    scores = 2 * batch * query.shape[-2] * key.shape[-2] * query.shape[-1]
    sums = 2 * batch * query.shape[-2] * key.shape[-2] * value.shape[-1]
    name = "scaled_dot_product_attention"
    # Backward makes the scores again, and those that are not kept.
    return name, scores + sums, name, {0: scores + sums, 1: scores, 2: sums}


_FORMULAS: dict[str, Callable[[Any, Any], _Count | None]] = {
    "mm": lambda args, out: _product(args, 0, 1, out, "mm"),
    "bmm": lambda args, out: _product(args, 0, 1, out, "bmm"),
    "addmm": lambda args, out: _product(args, 1, 2, out, "addmm"),
    "baddbmm": lambda args, out: _product(args, 1, 2, out, "baddbmm"),
    "matmul": _matmul,
    "linear": _linear,
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), _convolution),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), _transposed),
    "scaled_dot_product_attention": _attention,
}


def register_flop_formula(targets: Any, get_raw: bool = False) -> Callable[[Any], Any]:
    """A decorator: the function gives the operations of an operator of one's own, from shapes (with `get_raw`, from
    tensors) and `out_val` or `out_shape`.
    """

    def register(formula: Any) -> Any:
        for target in targets if isinstance(targets, (list, tuple)) else (targets,):
            _CUSTOM[getattr(target, "__name__", str(target))] = formula if get_raw else _of_shapes(formula)
        return formula

    return register


_CUSTOM: dict[str, Any] = {}


def _of_shapes(formula: Any) -> Any:
    def run(*args: Any, out_val: Any, **kwargs: Any) -> int:
        shapes = [a.shape if isinstance(a, _C.Tensor) else a for a in args]
        flops: int = formula(*shapes, out_shape=out_val.shape if isinstance(out_val, _C.Tensor) else None, **kwargs)
        return flops

    return run


_SUFFIXES = ("", "K", "M", "B", "T")


def get_suffix_str(number: int) -> str:
    """The unit in which a number is printed with at most four digits before the point."""
    return _SUFFIXES[max(0, min(len(_SUFFIXES) - 1, (len(str(number)) - 2) // 3))]


def convert_num_with_suffix(number: int, suffix: str) -> str:
    """A number in such a unit."""
    index = _SUFFIXES.index(suffix)
    return f"{number / 1000**index:.3f}{suffix}" if index else f"{number}"


def convert_to_percent_str(num: float, denom: float) -> str:
    """A share."""
    return f"{num / denom:.2%}" if denom else "0%"


class FlopCounterMode(TorchFunctionMode):
    """Counts, within it, the floating-point operations of matrix products, convolutions and attention, by module.

    Args:
        mods, depth: `depth` is how many levels of modules the table shows; `mods` is accepted.
        display: print the table at the end.
        custom_mapping: formulas for more functions, from their shapes.

    Example:
        >>> layer = torch.nn.Linear(4, 8)
        >>> with FlopCounterMode(display=False) as counter:
        ...     layer(torch.ones(3, 4)).sum().backward()
        >>> counter.get_total_flops()
        384
    """

    def __init__(
        self, mods: Any = None, depth: int = 2, display: bool = True, custom_mapping: dict[Any, Any] | None = None
    ) -> None:
        self.depth = depth
        self.display = display
        self.flop_counts: dict[str, dict[Any, int]] = defaultdict(lambda: defaultdict(int))
        self._own = dict(_CUSTOM)
        for target, formula in (custom_mapping or {}).items():
            raw = getattr(formula, "_get_raw", False)
            self._own[getattr(target, "__name__", str(target))] = formula if raw else _of_shapes(formula)
        self._path: list[tuple[Any, str]] = []
        self._hooks: list[Any] = []

    # ---- where ----

    def _enter_module(self, module: Any, inputs: Any) -> None:
        name = type(module).__name__
        if self._path:
            parent, path = self._path[-1]
            found = next((child for child, value in parent.named_modules() if value is module), None)
            if found:
                name = f"{path}.{found}"
        self._path.append((module, name))

    def _leave_module(self, module: Any, inputs: Any, output: Any) -> None:
        while self._path and self._path.pop()[0] is not module:
            pass

    def _add(self, where: tuple[str, ...], name: str, flops: int) -> None:
        for place in where:
            self.flop_counts[place][getattr(ops.aten, name, f"aten.{name}")] += flops

    # ---- what ----

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run it, and count."""
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        name = getattr(func, "__name__", "")
        where = ("Global", *dict.fromkeys(path for _, path in self._path))
        if name in self._own:
            self._add(where, name, self._own[name](*args, **kwargs, out_val=out))
        elif name in _FORMULAS and isinstance(out, _C.Tensor):
            given = (*args, *kwargs.values())
            count = _FORMULAS[name](given, out)
            if count is not None:
                self._add(where, count[0], count[1])
                self._count_backward(given, out, where, count)
        return out

    def _count_backward(self, args: Any, out: Any, where: tuple[str, ...], count: _Count) -> None:
        _, _, name, of_arguments = count
        flops = sum(
            flops for i, flops in of_arguments.items() if isinstance(args[i], _C.Tensor) and args[i].requires_grad
        )
        if flops and out.requires_grad:

            def counted(grad: Any) -> None:
                if self._hooks:
                    self._add(where, name, flops)

            out.register_hook(counted)

    # ---- results ----

    def get_total_flops(self) -> int:
        """All of them."""
        return sum(self.flop_counts["Global"].values())

    def get_flop_counts(self) -> dict[str, dict[Any, int]]:
        """By module ("Global" is everything) and operator."""
        return {place: dict(counts) for place, counts in self.flop_counts.items()}

    def get_table(self, depth: int | None = None) -> str:
        """The same as text."""
        depth = self.depth if depth is None else depth
        total = self.get_total_flops()
        suffix = get_suffix_str(total)
        rows: list[tuple[str, str, str]] = []
        subsumed = False

        def show(place: str) -> None:
            nonlocal subsumed
            flops = sum(self.flop_counts[place].values())
            subsumed |= place != "Global" and flops >= total
            rows.append((place, convert_num_with_suffix(flops, suffix), convert_to_percent_str(flops, total)))
            for op, count in self.flop_counts[place].items():
                rows.append((f"- {op}", convert_num_with_suffix(count, suffix), convert_to_percent_str(count, total)))

        for place in sorted(self.flop_counts):
            if place != "Global" and place.count(".") + 1 <= depth:
                show(place)
        if not subsumed:
            rest = rows[:]
            rows.clear()
            show("Global")
            rows.extend((" " + first, second, third) for first, second, third in rest)
        header = ("Module", "FLOP", "% Total")
        widths = [max([len(header[i]) + 2, *(len(row[i]) for row in rows)]) for i in range(3)]
        lines = [header, tuple("-" * width for width in widths), *(rows or [("Global", "0", "0%")])]
        return "\n".join(
            "  ".join((a.ljust(widths[0]), b.rjust(widths[1]), c.rjust(widths[2]))).rstrip() for a, b, c in lines
        )

    def __enter__(self) -> FlopCounterMode:
        self.flop_counts.clear()
        self.flop_counts["Global"]  # there is always this row
        self._hooks = [
            register_module_forward_pre_hook(self._enter_module),
            register_module_forward_hook(self._leave_module, always_call=True),
        ]
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        for hook in self._hooks:
            hook.remove()
        self._hooks = []
        self._path.clear()
        if self.display:
            print(self.get_table(self.depth))
