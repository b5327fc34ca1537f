"""Errors whose text is written for the person at the screen."""

from pydantic import ValidationError


class LabError(Exception):
    """Something the user can mend. The text says what happened, what was expected and how to mend it."""


class SpecError(LabError):
    """A spec that cannot be trained."""


class DataError(LabError):
    """A dataset that is not there or not what it should be."""


class ImageError(LabError):
    """An uploaded image that cannot be read."""


class StoreError(LabError):
    """The home folder or its database cannot be used."""


class UnknownRun(LabError):
    """A run id that the store does not hold."""


def explain(error: ValidationError, what: str) -> str:
    """Say in one line what is wrong with `what`: the first three faults, each with its place in the spec.

    >>> from cnn_core.spec import TrainingSpec
    >>> try:
    ...     TrainingSpec(epochs=0)
    ... except ValidationError as error:
    ...     print(explain(error, "The spec"))
    The spec is not valid: epochs: Input should be greater than or equal to 1.
    """
    faults = []
    for fault in error.errors(include_url=False)[:3]:
        place = ".".join(str(part) for part in fault["loc"])
        message = fault["msg"].removeprefix("Value error, ").rstrip(".")
        faults.append(f"{place}: {message}" if place else message)
    more = len(error.errors(include_url=False)) - len(faults)
    line = f"{what} is not valid: {'; '.join(faults)}{f'; and {more} more' if more else ''}."
    return " ".join(line.split())
