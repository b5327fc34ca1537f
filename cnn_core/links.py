"""A spec as a short text for an address, and back."""

import base64
import binascii
import zlib

from cnn_core.errors import SpecError
from cnn_core.spec import RunSpec, from_json

MOST_BYTES = 200_000  # of JSON; a text that would unpack to more is refused before it does


def encode(spec: RunSpec) -> str:
    """The spec as compressed JSON in letters that an address may hold."""
    return base64.urlsafe_b64encode(zlib.compress(spec.model_dump_json().encode(), 9)).decode().rstrip("=")


def decode(text: str) -> RunSpec:
    """The spec of a link. Raises SpecError for a text that is not one.

    >>> from cnn_core.presets import preset
    >>> decode(encode(preset("tiny").spec)) == preset("tiny").spec
    True
    """
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        unpacking = zlib.decompressobj()
        data = unpacking.decompress(packed, MOST_BYTES)
        if unpacking.unconsumed_tail or not unpacking.eof:
            raise ValueError("cut short or too long")
    except (binascii.Error, zlib.error, ValueError):
        raise SpecError(
            "The settings in the link could not be read: it is damaged or was cut short. Ask for the link again."
        ) from None
    return from_json(data, "The link")
