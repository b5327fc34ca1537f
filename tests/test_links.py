"""Settings as a link or a file: what goes in comes out, and what is no settings gets a sentence."""

import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn_core import links, presets
from cnn_core.errors import SpecError
from tests.strategies import run_specs


@given(run_specs)
def test_a_spec_goes_around(spec):
    assert links.decode(links.encode(spec)) == spec
    assert links.read_file(spec.model_dump_json(indent=2).encode(), "mine.json") == spec


@pytest.mark.parametrize("preset", sorted(presets.PRESETS))
def test_every_preset_fits_into_an_address(preset):
    spec = presets.preset(preset).spec
    text = links.encode(spec)
    assert links.decode(text) == spec and len(text) < 6_000


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda data: base64.urlsafe_b64encode(data).decode()))
def test_any_text_is_a_spec_or_gets_a_sentence(text):
    with pytest.raises(SpecError, match=r"^[^\n]+\.$"):
        links.decode(text)


@given(st.binary(max_size=300))
def test_any_file_is_a_spec_or_gets_a_sentence(content):
    with pytest.raises(SpecError, match=r"^The file mine\.json [^\n]+\.$"):
        links.read_file(content, "mine.json")


def test_a_text_that_unpacks_to_very_much_is_refused_before_it_does():
    bomb = base64.urlsafe_b64encode(zlib.compress(b" " * 500_000_000, 9)).decode()
    with pytest.raises(SpecError, match="could not be read"):
        links.decode(bomb)


def test_a_text_with_nothing_in_it_is_a_damaged_link():
    with pytest.raises(SpecError, match="could not be read: it is damaged"):
        links.decode(base64.urlsafe_b64encode(zlib.compress(b"")).decode())


def test_a_file_that_is_too_large_is_not_read():
    with pytest.raises(SpecError, match="201 kB, and settings have 200 kB at most"):
        links.read_file(b" " * (links.MOST_BYTES + 1000), "mine.json")
