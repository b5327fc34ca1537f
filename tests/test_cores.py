"""Who computes in halves."""

import pytest

from cnn_core import cores
from cnn_core.blocks import Blocks, ConvBlock, to_graph
from cnn_core.cores import in_halves
from cnn_core.presets import preset
from cnn_core.spec import RunSpec, change


@pytest.mark.parametrize(
    ("settings", "halves"),
    [
        ({}, True),
        ({"training.deterministic": True}, False),
        ({"training.batch_size": 1}, False),
        ({"training.batch_size": 2}, True),
    ],
)
def test_batches_in_halves(monkeypatch, settings, halves):
    spec = change(preset("lenet5").spec, settings)
    monkeypatch.setattr(cores, "cores", lambda: 2)
    assert in_halves(spec) == halves
    monkeypatch.setattr(cores, "cores", lambda: 1)
    assert not in_halves(spec)


def test_batch_normalisation_sees_whole_batches(monkeypatch):
    monkeypatch.setattr(cores, "cores", lambda: 2)
    blocks = Blocks(conv=(ConvBlock(filters=4, batch_normalization=True),))
    assert not in_halves(RunSpec(model=to_graph(blocks)))
    assert in_halves(RunSpec(model=to_graph(Blocks(conv=(ConvBlock(filters=4),)))))
