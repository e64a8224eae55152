"""Reads an operation's schema, in PyTorch's notation, into parts that the generators write out.

clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor
max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from keyword import iskeyword


@dataclass(frozen=True)
class Type:
    base: str  # "Tensor", "int", "Scalar", ...
    optional: bool = False
    list: bool = False
    size: int | None = None  # of a list whose length is fixed; one value may then stand for the list
    inner_optional: bool = False  # Tensor?[]: a list of which items may be missing
    written: bool = False  # Tensor(a!): the operation writes into it


@dataclass(frozen=True)
class Parameter:
    name: str
    type: Type
    default: str | None  # as written; None where there is none
    keyword_only: bool = False


@dataclass(frozen=True)
class Schema:
    name: str
    overload: str
    parameters: tuple[Parameter, ...]
    returns: tuple[tuple[str, Type], ...]  # (name or "", type)
    text: str

    @property
    def takes_out(self) -> bool:
        """Whether the function has `out=`: its results are tensors, and it writes into none of its arguments."""
        in_place = self.name.endswith("_") or any(p.type.written for p in self.parameters)
        return not in_place and bool(self.returns) and all(t.base == "Tensor" and not t.list for _, t in self.returns)

    @property
    def self_parameter(self) -> Parameter | None:
        """What the method form is called on."""
        for parameter in self.parameters:
            if parameter.name == "self" and parameter.type.base == "Tensor" and not parameter.type.list:
                return parameter
        return None


class SchemaError(ValueError):
    pass


_TYPE = re.compile(
    r"(?P<base>[A-Za-z_]\w*)(?P<alias>\([^)]*\))?(?P<item>\?)?(?P<list>\[(?P<size>\d*)\])?(?P<optional>\?)?$"
)


def parse_type(text: str) -> Type:
    match = _TYPE.match(text.strip())
    if not match:
        raise SchemaError(f"not a type: {text!r}")
    is_list = match["list"] is not None
    return Type(
        base=match["base"],
        optional=bool(match["optional"]) or (bool(match["item"]) and not is_list),
        list=is_list,
        size=int(match["size"]) if match["size"] else None,
        inner_optional=bool(match["item"]) and is_list,
        written="!" in (match["alias"] or ""),
    )


def split(text: str) -> list[str]:
    """Splits at the commas that stand outside of brackets and quotes."""
    parts, depth, quote, start = [], 0, "", 0
    for i, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    last = text[start:].strip()
    return [*parts, last] if last else parts


def _parameters(text: str) -> tuple[Parameter, ...]:
    found: list[Parameter] = []
    keyword_only = False
    for part in split(text):
        if part == "*":
            keyword_only = True
            continue
        declaration, equals, default = part.partition("=")
        type_text, space, name = declaration.strip().rpartition(" ")
        if not space or not name.isidentifier():
            raise SchemaError(f"a parameter needs a type and a name: {part!r}")
        found.append(Parameter(name, parse_type(type_text), default.strip() if equals else None, keyword_only))
    return tuple(found)


def _returns(text: str) -> tuple[tuple[str, Type], ...]:
    text = text.strip()
    items = split(text[1:-1]) if text.startswith("(") and text.endswith(")") else [text]
    found = []
    for item in items:
        type_text, space, name = item.rpartition(" ")
        if space and not name.isidentifier():
            raise SchemaError(f"not a result: {item!r}")
        found.append((name, parse_type(type_text)) if space else ("", parse_type(item)))
    return tuple(found)


def parse(text: str) -> Schema:
    head, arrow, result = text.rpartition("->")
    match = re.match(r"\s*([A-Za-z_]\w*)(?:\.(\w+))?\s*\((.*)\)\s*$", head, re.DOTALL)
    if not arrow or not match:
        raise SchemaError(f"not a schema: {text!r}")
    return Schema(match[1], match[2] or "", _parameters(match[3]), _returns(result), " ".join(text.split()))


# ---- from schema to Python ----------------------------------------------------------------------------------------

# Written with a leading underscore where Tensor has a member of that name, which would hide the type inside the class.
_PLAIN = {
    "Tensor": "Tensor",
    "Scalar": "Number",
    "int": "_int",
    "SymInt": "_int",
    "float": "_float",
    "bool": "_bool",
    "complex": "_complex",
    "str": "_str",
    "ScalarType": "_dtype",
    "Device": "_device | _str | _int",
    "Layout": "_layout",
    "MemoryFormat": "_memory_format",
    "Generator": "Generator",
    "Dimname": "_str",
    "Storage": "Any",
    "any": "Any",
}


def annotation(type_: Type, number: bool = False) -> str:
    plain = _PLAIN.get(type_.base, "Any")
    if type_.list:
        item = f"{plain} | None" if type_.inner_optional else plain
        plain = f"Sequence[{item}]"
        if type_.size is not None:
            plain = f"{_PLAIN.get(type_.base, 'Any')} | {plain}"
    elif type_.base == "Tensor" and number:
        plain = "Tensor | Number"
    return f"{plain} | None" if type_.optional else plain


def default(parameter: Parameter) -> str:
    """The default as Python writes it; what Python has no literal for becomes `...`."""
    text = parameter.default or "..."
    if text.startswith("["):
        return "(" + ", ".join(split(text[1:-1])) + ("," if len(split(text[1:-1])) == 1 else "") + ")"
    if (
        text in ("None", "True", "False")
        or text[0] in "\"'"
        or re.fullmatch(r"-?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", text)
    ):
        return text
    return "..."


def result_class(schema: Schema) -> str | None:
    """The name of the named tuple that the operation returns, where its results have names."""
    names = [name for name, _ in schema.returns]
    return f"_{schema.name}_result" if len(names) > 1 and all(names) else None


def result(schema: Schema) -> str:
    def one(type_: Type) -> str:
        plain = _PLAIN.get(type_.base, "Any")
        plain = f"tuple[{plain}, ...]" if type_.list else plain
        return f"{plain} | None" if type_.optional else plain

    if not schema.returns:
        return "None"
    if len(schema.returns) == 1:
        return one(schema.returns[0][1])
    return result_class(schema) or "tuple[" + ", ".join(one(type_) for _, type_ in schema.returns) + "]"


def _written(parameter: Parameter, numbers: Collection[str]) -> str:
    name = "input" if parameter.name == "self" else parameter.name  # what functions call it
    if iskeyword(name):
        name += "_"  # random_(from, to): a stub cannot say it, so there it goes by position
    text = f"{name}: {annotation(parameter.type, parameter.name in numbers)}"
    return text if parameter.default is None else f"{text} = {default(parameter)}"


def signatures(schema: Schema, form: str = "function", out: bool = False, numbers: Collection[str] = ()) -> list[str]:
    """The signatures of one schema as a "function", a "method", an "inplace" method or an "inplace function".

    numbers: the parameters for which a Python number may stand where the schema says Tensor.

    More than one where a list of integers may also be given as separate arguments: x.reshape(2, 3).
    """
    receiver = schema.self_parameter if form in ("method", "inplace") else None
    if form != "function" and schema.self_parameter is None:
        return []
    parameters = [p for p in schema.parameters if p is not receiver]
    positional = [p for p in parameters if not p.keyword_only]
    keyword = [p for p in parameters if p.keyword_only]
    # A parameter without a default may not follow one that has one; in Python it then can only be named.
    for i, parameter in enumerate(positional):
        if parameter.default is None and any(p.default is not None for p in positional[:i]):
            keyword, positional = positional[i:] + keyword, positional[:i]
            break

    named = [_written(p, numbers) for p in keyword if not (out and p.name == "out")]
    if out and not form.startswith("inplace"):
        tensors = "Tensor" if len(schema.returns) == 1 else "tuple[Tensor, ...]"
        named.append(f"out: {tensors} | None = None")

    first = ["self"] if receiver is not None else []
    returned = "Tensor" if form.startswith("inplace") else result(schema)
    name = schema.name + ("_" if form.startswith("inplace") else "")

    def line(arguments: list[str]) -> str:
        return f"def {name}({', '.join(arguments)}) -> {returned}: ..."

    star = ["*"] if named else []
    found = [line([*first, *(_written(p, numbers) for p in positional), *star, *named])]
    spread = positional[0] if len(positional) == 1 else None
    if spread and spread.type.base in ("int", "SymInt") and spread.type.list and spread.default is None:
        found.append(line([*first, f"*{spread.name}: _int", *named]))
    return found
