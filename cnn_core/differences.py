"""What differs between the settings of two runs."""

from dataclasses import dataclass
from typing import Any

from cnn_core.spec import RunSpec

ABSENT = "–"


@dataclass(frozen=True)
class Difference:
    """A setting by its dotted path, as `cnn_core.spec.change` takes it, and what each of two specs says; ABSENT where one has no such."""

    path: str
    one: Any
    other: Any


def differences(one: RunSpec, other: RunSpec) -> list[Difference]:
    """The settings in which two specs differ, in the order of a spec. A layer or head that only one of them has is one line: its kind
    or target.

    >>> from cnn_core.presets import preset
    >>> from cnn_core.spec import change
    >>> tiny = preset("tiny").spec
    >>> differences(tiny, change(tiny, {"training.epochs": 7, "model.layers.conv_1.filters": 12}))
    [Difference(path='model.layers.conv_1.filters', one=8, other=12), Difference(path='training.epochs', one=6, other=7)]
    """
    return _compared("", one.model_dump(mode="json"), other.model_dump(mode="json"))


def _compared(path: str, one: Any, other: Any) -> list[Difference]:
    one, other = _by_name(one), _by_name(other)
    if one == other:
        return []
    if not isinstance(one, dict) or not isinstance(other, dict) or one.get("kind") != other.get("kind"):
        return [Difference(path, _short(one), _short(other))]
    found = []
    for name in [*one, *(name for name in other if name not in one)]:
        found += _compared(f"{path}.{name}" if path else name, one.get(name, ABSENT), other.get(name, ABSENT))
    return found


def _by_name(value: Any) -> Any:
    """A list of named things as a dictionary."""
    if isinstance(value, list) and value and all(isinstance(item, dict) and "name" in item for item in value):
        return {item["name"]: item for item in value}
    return value


def _short(value: Any) -> Any:
    """A layer by its kind and a head by its target."""
    return value.get("kind") or value.get("target") if isinstance(value, dict) else value
