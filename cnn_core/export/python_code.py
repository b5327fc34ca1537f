"""Pieces of Python code as text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

WIDTH = 130  # of a line, as in the lab


@dataclass(frozen=True)
class Section:
    """A part of a script, or a cell of a notebook: its title, what it is for in words, its code, and the imports that it needs."""

    title: str
    text: str
    code: str
    imports: frozenset[str] = field(default_factory=frozenset)  # whole statements


class Code(str):
    """An argument that is code already; every other one is written as its value."""

    __slots__ = ()


def written(value: Any) -> str:
    """A value as code.

    >>> written("same"), written(Code("SEED")), written(0.5), written({"digit": "accuracy"})
    ('"same"', 'SEED', '0.5', '{"digit": "accuracy"}')
    """
    if isinstance(value, Code):
        return str(value)
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{written(key)}: {written(one)}' for key, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    return repr(value)


def call(function: str, *positional: Any, indent: int = 0, extra: int = 0, tall: bool = False, **named: Any) -> str:
    """A call on one line, or with an argument a line where that would be too long.

    indent: columns before the line. extra: columns that other text takes on the line. tall: an argument a line in any case.

    >>> call("layers.Conv2D", 6, 5, padding="same")
    'layers.Conv2D(6, 5, padding="same")'
    """
    arguments = [*map(written, positional), *(f"{name}={written(value)}" for name, value in named.items())]
    line = f"{function}({', '.join(arguments)})"
    if not tall and indent + extra + len(line) <= WIDTH:
        return line
    inside, space = " " * (indent + 4), " " * indent
    return "\n".join([f"{function}(", *(f"{inside}{argument}," for argument in arguments), f"{space})"])
