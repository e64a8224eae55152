"""Trees of containers: take the leaves out, and put others in. For libraries that import it from `torch.utils._pytree`."""

from __future__ import annotations

import functools
from collections import OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

__all__ = [
    "GetAttrKey",
    "KeyPath",
    "LeafSpec",
    "MappingKey",
    "NodeDef",
    "PyTree",
    "SUPPORTED_NODES",
    "SequenceKey",
    "TreeSpec",
    "key_get",
    "keystr",
    "register_pytree_node",
    "tree_all",
    "tree_all_only",
    "tree_any",
    "tree_any_only",
    "tree_flatten",
    "tree_flatten_with_path",
    "tree_is_leaf",
    "tree_iter",
    "tree_leaves",
    "tree_leaves_with_path",
    "tree_map",
    "tree_map_",
    "tree_map_only",
    "tree_map_only_",
    "tree_map_with_path",
    "tree_structure",
    "tree_unflatten",
]

PyTree = Any
Context = Any


class NodeDef(NamedTuple):
    """How a container is taken apart and put together."""

    flatten_fn: Callable[[Any], tuple[Iterable[Any], Context]]
    unflatten_fn: Callable[[Iterable[Any], Context], Any]
    flatten_with_keys_fn: Callable[[Any], tuple[list[tuple[Any, Any]], Context]] | None = None


class MappingKey(NamedTuple):
    """The way from a dictionary to an item."""

    key: Any

    def __str__(self) -> str:
        return f"[{self.key!r}]"

    def get(self, mapping: Any) -> Any:
        """The item."""
        return mapping[self.key]


class SequenceKey(NamedTuple):
    """The way from a list or tuple to an item."""

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx!r}]"

    def get(self, sequence: Any) -> Any:
        """The item."""
        return sequence[self.idx]


class GetAttrKey(NamedTuple):
    """The way from an object to an attribute."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"

    def get(self, obj: Any) -> Any:
        """The attribute."""
        return getattr(obj, self.name)


def _list_flatten(d: list[Any]) -> tuple[list[Any], Context]:
    return d, None


def _list_unflatten(values: Iterable[Any], context: Context) -> list[Any]:
    return list(values)


def _tuple_flatten(d: tuple[Any, ...]) -> tuple[list[Any], Context]:
    return list(d), None


def _tuple_unflatten(values: Iterable[Any], context: Context) -> tuple[Any, ...]:
    return tuple(values)


def _dict_flatten(d: dict[Any, Any]) -> tuple[list[Any], Context]:
    return list(d.values()), list(d)


def _dict_unflatten(values: Iterable[Any], context: Context) -> dict[Any, Any]:
    return dict(zip(context, values))


def _list_flatten_with_keys(d: Any) -> tuple[list[tuple[Any, Any]], Context]:
    return [(SequenceKey(i), item) for i, item in enumerate(d)], None


_tuple_flatten_with_keys = _list_flatten_with_keys


def _dict_flatten_with_keys(d: dict[Any, Any]) -> tuple[list[tuple[Any, Any]], Context]:
    return [(MappingKey(key), item) for key, item in d.items()], list(d)


def _fields(value: Any) -> tuple[list[Any], Any]:
    return list(value), type(value)


def _remade(values: Iterable[Any], context: Any) -> Any:
    kind = context
    return kind(*values) if hasattr(kind, "_fields") else kind(tuple(values))


_NODES: dict[Any, NodeDef] = {
    tuple: NodeDef(_tuple_flatten, _tuple_unflatten, _list_flatten_with_keys),
    list: NodeDef(_list_flatten, _list_unflatten, _list_flatten_with_keys),
    dict: NodeDef(_dict_flatten, _dict_unflatten, _dict_flatten_with_keys),
    OrderedDict: NodeDef(_dict_flatten, lambda values, keys: OrderedDict(zip(keys, values)), _dict_flatten_with_keys),
    defaultdict: NodeDef(
        lambda x: (list(x.values()), [x.default_factory, list(x)]),
        lambda values, context: defaultdict(context[0], zip(context[1], values)),
        lambda x: (_dict_flatten_with_keys(x)[0], [x.default_factory, list(x)]),
    ),
    deque: NodeDef(
        lambda x: (list(x), x.maxlen),
        lambda values, length: deque(values, maxlen=length),
        lambda x: (_list_flatten_with_keys(x)[0], x.maxlen),
    ),
}
SUPPORTED_NODES = _NODES
_NAMED = NodeDef(
    _fields,
    _remade,
    lambda x: (
        ([(GetAttrKey(name), getattr(x, name)) for name in x._fields], type(x))
        if hasattr(x, "_fields")
        else (_list_flatten_with_keys(x)[0], type(x))
    ),
)

_NODES[namedtuple] = _NAMED


def register_pytree_node(
    cls: type,
    flatten_fn: Callable[[Any], tuple[Iterable[Any], Context]],
    unflatten_fn: Callable[[Iterable[Any], Context], Any],
    *,
    serialized_type_name: str | None = None,
    to_dumpable_context: Any = None,
    from_dumpable_context: Any = None,
    flatten_with_keys_fn: Any = None,
) -> None:
    """Make a class a container.

    Args:
        cls: the class.
        flatten_fn: from an instance to its items and whatever else makes it up.
        unflatten_fn: from these two to an instance.

    Raises:
        ValueError: the class is one already.
    """
    if cls in _NODES:
        raise ValueError(f"{cls} is already registered as pytree node.")
    _NODES[cls] = NodeDef(flatten_fn, unflatten_fn, flatten_with_keys_fn)


_register_pytree_node = register_pytree_node


def is_namedtuple_class(cls: Any) -> bool:
    """Whether a class is a namedtuple's."""
    return isinstance(cls, type) and issubclass(cls, tuple) and isinstance(getattr(cls, "_fields", None), tuple)


def is_namedtuple(obj: Any) -> bool:
    """Whether an object, or class, is a namedtuple."""
    return is_namedtuple_class(obj if isinstance(obj, type) else type(obj))


is_namedtuple_instance = is_namedtuple


def is_structseq(obj: Any) -> bool:
    """Whether an object, or class, is a result with named parts, such as that of `torch.max`."""
    cls = obj if isinstance(obj, type) else type(obj)
    return issubclass(cls, tuple) and isinstance(getattr(cls, "n_sequence_fields", None), int)


def _node_of(value: Any) -> tuple[Any, NodeDef] | None:
    kind = type(value)
    found = _NODES.get(kind)
    if found is not None:
        return kind, found
    if is_namedtuple(value) or is_structseq(value):
        return kind, _NAMED
    return None


def _get_node_type(tree: Any) -> Any:
    """The type of a container; that of namedtuples is `namedtuple`."""
    return namedtuple if is_namedtuple(tree) else type(tree)


class TreeSpec:
    """The shape of a tree: what containers, without the leaves."""

    __slots__ = ("children_specs", "context", "num_children", "num_leaves", "num_nodes", "type")

    def __init__(self, type: Any, context: Any, children_specs: list[TreeSpec]) -> None:
        self.type = type
        self.context = context
        self.children_specs = children_specs
        self.num_children = len(children_specs)
        self.num_leaves: int = 1 if type is None else sum(child.num_leaves for child in children_specs)
        self.num_nodes: int = 1 + sum(child.num_nodes for child in children_specs)

    def is_leaf(self) -> bool:
        """Whether it is a leaf."""
        return self.type is None

    def children(self) -> list[TreeSpec]:
        """The shapes of the items."""
        return list(self.children_specs)

    def child(self, index: int) -> TreeSpec:
        """The shape of one item."""
        return self.children_specs[index]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, TreeSpec)
            and self.type is other.type
            and self.context == other.context
            and self.children_specs == other.children_specs
        )

    def __hash__(self) -> int:
        return hash((self.type, str(self.context), tuple(self.children_specs)))

    def _text(self, depth: int) -> str:
        if self.type is None:
            return "*"
        between = ",\n" + "  " * (depth + 1)
        children = between.join(child._text(depth + 1) for child in self.children_specs)
        return f"TreeSpec({self.type.__name__}, {self.context}, [{children}])"

    def __repr__(self) -> str:
        return self._text(0)


PyTreeSpec = TreeSpec


def LeafSpec() -> TreeSpec:
    """The shape of a leaf."""
    return TreeSpec(None, None, [])


_LEAF = LeafSpec()


def tree_is_leaf(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> bool:
    """Whether it is no container."""
    return (is_leaf is not None and is_leaf(tree)) or _node_of(tree) is None


def tree_flatten(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> tuple[list[Any], TreeSpec]:
    """The leaves, and the shape.

    Example:
        >>> leaves, spec = tree_flatten({"a": [1, 2], "b": 3})
        >>> leaves
        [1, 2, 3]
        >>> tree_unflatten([x * 10 for x in leaves], spec)
        {'a': [10, 20], 'b': 30}
    """
    leaves: list[Any] = []

    def walk(value: Any) -> TreeSpec:
        found = None if is_leaf is not None and is_leaf(value) else _node_of(value)
        if found is None:
            leaves.append(value)
            return _LEAF
        kind, node = found
        items, context = node.flatten_fn(value)
        return TreeSpec(kind, context, [walk(item) for item in items])

    spec = walk(tree)
    return leaves, spec


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> Any:
    """A tree of that shape with these leaves.

    Raises:
        TypeError: the second argument is no shape.
        ValueError: there are too few leaves, or too many.
    """
    if not isinstance(treespec, TreeSpec):
        raise TypeError(f"Expected `treespec` to be an instance of PyTreeSpec but got item of type {type(treespec)}.")
    leaves = list(leaves)
    if len(leaves) != treespec.num_leaves:
        raise ValueError(
            f"tree_unflatten(leaves, treespec): `leaves` has length {len(leaves)} but the spec refers to a pytree that "
            f"holds {treespec.num_leaves} items ({treespec})."
        )
    rest = iter(leaves)

    def build(spec: TreeSpec) -> Any:
        if spec.type is None:
            return next(rest)
        node = _NODES.get(spec.type, _NAMED)
        return node.unflatten_fn([build(child) for child in spec.children_specs], spec.context)

    return build(treespec)


def tree_leaves(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> list[Any]:
    """The leaves."""
    return tree_flatten(tree, is_leaf)[0]


def tree_iter(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> Iterable[Any]:
    """The leaves, one by one."""
    return iter(tree_leaves(tree, is_leaf))


def tree_structure(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> TreeSpec:
    """The shape."""
    return tree_flatten(tree, is_leaf)[1]


def _like(tree: Any, spec: TreeSpec) -> list[Any]:
    """What stands in a tree where the leaves of a shape are."""
    if spec.type is None:
        return [tree]
    found = _node_of(tree)
    if found is None or found[0] is not spec.type:
        raise ValueError(f"Node type mismatch; expected {spec.type}, but got {type(tree)}.")
    items, context = found[1].flatten_fn(tree)
    items = list(items)
    if len(items) != spec.num_children or context != spec.context:
        raise ValueError(f"Node mismatch; expected {spec}, but got {tree_structure(tree)}.")
    return [leaf for item, child in zip(items, spec.children_specs) for leaf in _like(item, child)]


def tree_map(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: Callable[[Any], bool] | None = None) -> Any:
    """A tree with every leaf replaced by `func(leaf)`; further trees of the same shape give further arguments.

    Example:
        >>> tree_map(lambda x: x + 1, (1, [2, 3]))
        (2, [3, 4])
    """
    leaves, spec = tree_flatten(tree, is_leaf)
    return tree_unflatten([func(*values) for values in zip(leaves, *(_like(rest, spec) for rest in rests))], spec)


def tree_map_(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: Any = None) -> Any:
    """Call `func` with every leaf; gives the tree back."""
    tree_map(func, tree, *rests, is_leaf=is_leaf)
    return tree


def map_only(kinds: Any) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """Restricts a function of leaves to some types, or to those that a function picks."""
    chosen = kinds if callable(kinds) and not isinstance(kinds, type) else lambda leaf: isinstance(leaf, kinds)

    def wrapper(func: Callable[[Any], Any]) -> Callable[[Any], Any]:
        @functools.wraps(func)
        def inner(leaf: Any) -> Any:
            return func(leaf) if chosen(leaf) else leaf

        return inner

    return wrapper


def tree_map_only(kinds: Any, func: Callable[[Any], Any], tree: Any, is_leaf: Any = None) -> Any:
    """`tree_map` of the leaves of some types."""
    return tree_map(map_only(kinds)(func), tree, is_leaf=is_leaf)


def tree_map_only_(kinds: Any, func: Callable[[Any], Any], tree: Any, is_leaf: Any = None) -> Any:
    """`tree_map_` of the leaves of some types."""
    return tree_map_(map_only(kinds)(func), tree, is_leaf=is_leaf)


def tree_all(pred: Callable[[Any], bool], tree: Any, is_leaf: Any = None) -> bool:
    """Whether it holds for every leaf."""
    return all(map(pred, tree_iter(tree, is_leaf)))


def tree_any(pred: Callable[[Any], bool], tree: Any, is_leaf: Any = None) -> bool:
    """Whether it holds for a leaf."""
    return any(map(pred, tree_iter(tree, is_leaf)))


def tree_all_only(kinds: Any, pred: Callable[[Any], bool], tree: Any, is_leaf: Any = None) -> bool:
    """Whether it holds for every leaf of some types."""
    return all(pred(leaf) for leaf in tree_iter(tree, is_leaf) if isinstance(leaf, kinds))


def tree_any_only(kinds: Any, pred: Callable[[Any], bool], tree: Any, is_leaf: Any = None) -> bool:
    """Whether it holds for a leaf of some types."""
    return any(pred(leaf) for leaf in tree_iter(tree, is_leaf) if isinstance(leaf, kinds))


# ---- ways to the leaves ----

KeyPath = tuple[Any, ...]


def tree_flatten_with_path(tree: Any, is_leaf: Any = None) -> tuple[list[tuple[KeyPath, Any]], TreeSpec]:
    """The leaves, each with the way to it, and the shape.

    Example:
        >>> leaves, spec = tree_flatten_with_path({"a": [1, 2]})
        >>> [(keystr(path), leaf) for path, leaf in leaves]
        [("['a'][0]", 1), ("['a'][1]", 2)]
    """
    found: list[tuple[KeyPath, Any]] = []

    def walk(path: KeyPath, value: Any) -> None:
        node = None if is_leaf is not None and is_leaf(value) else _node_of(value)
        if node is None:
            found.append((path, value))
            return
        if node[1].flatten_with_keys_fn is None:
            raise ValueError(
                f"Did not find a flatten_with_keys_fn for type: {node[0]}. Please pass it to register_pytree_node."
            )
        for key, item in node[1].flatten_with_keys_fn(value)[0]:
            walk((*path, key), item)

    walk((), tree)
    return found, tree_structure(tree, is_leaf)


def tree_leaves_with_path(tree: Any, is_leaf: Any = None) -> list[tuple[KeyPath, Any]]:
    """The leaves, each with the way to it."""
    return tree_flatten_with_path(tree, is_leaf)[0]


def tree_map_with_path(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: Any = None) -> Any:
    """`tree_map` with a function that also gets the way to the leaf."""
    leaves, spec = tree_flatten_with_path(tree, is_leaf)
    others = [_like(rest, spec) for rest in rests]
    return tree_unflatten([func(*leaf, *more) for leaf, *more in zip(leaves, *others)], spec)


def keystr(kp: KeyPath) -> str:
    """A way as a program writes it."""
    return "".join(map(str, kp))


def key_get(obj: Any, kp: KeyPath) -> Any:
    """What is at the end of a way."""
    for key in kp:
        obj = key.get(obj)
    return obj
