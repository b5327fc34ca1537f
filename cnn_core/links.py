"""A spec as a short text for an address or as a small file, and back."""

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
        if not data:
            raise ValueError("nothing in it")
    except (binascii.Error, zlib.error, ValueError):
        raise SpecError(
            "The settings in the link could not be read: it is damaged or was cut short. Ask for the link again."
        ) from None
    return from_json(data, "The link")


def read_file(content: bytes, name: str) -> RunSpec:
    """The spec of an uploaded file. Raises SpecError for one that is not a spec."""
    if len(content) > MOST_BYTES:
        raise SpecError(
            f"The file {name} has {len(content) / 1000:,.0f} kB, and settings have {MOST_BYTES / 1000:.0f} kB at most. "
            "Choose a file that this lab has written."
        )
    return from_json(content, f"The file {name}")
