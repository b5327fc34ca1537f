"""Whether a network fits into the memory, before it is tried."""

import pytest

from cnn_core import memory
from cnn_core.blocks import Blocks, ConvBlock, to_graph
from cnn_core.errors import SpecError
from cnn_core.presets import PRESETS, preset
from cnn_core.spec import DataSpec, ModelSpec, RunSpec, TrainingSpec, change

WIDE = change(RunSpec(model=to_graph(Blocks(conv=(ConvBlock(filters=256, pooling="none"),) * 5))), {"training.batch_size": 4096})


def test_what_is_counted():
    spec = change(RunSpec(model=to_graph(Blocks(conv=(ConvBlock(filters=4, kernel_size=5),)))), {"training.batch_size": 10})
    fixed = memory.LIBRARIES + 5000 * 28 * 28
    weights = 5 * 5 * 4 + 4 + 14 * 14 * 4 * 10 + 10
    outputs = 28 * 28 * 4 + 14 * 14 * 4 + 10 + 28 * 28 * 4
    assert memory.needed(spec) == fixed + 4 * (10 * outputs + 5 * weights)


def test_layers_of_every_kind_are_counted():
    layers = [
        {"kind": "Conv1D", "name": "conv", "filters": 4, "kernel_size": 5},
        {"kind": "Activation", "name": "relu"},
        {"kind": "MaxPooling1D", "name": "pool"},
        {"kind": "ZeroPadding1D", "name": "frame"},
        {"kind": "Concatenate", "name": "twice", "inputs": ["frame", "frame"]},
        {"kind": "Flatten", "name": "row"},
        {"kind": "Dense", "name": "output"},
        {"kind": "Activation", "name": "softmax", "function": "softmax"},
    ]
    model = ModelSpec.model_validate({"layers": layers, "heads": [{"layer": "softmax"}]})
    spec = RunSpec(model=model, data=DataSpec(dataset="mnist-1d"), training=TrainingSpec(optimizer="sgd", batch_size=3))
    fixed = memory.LIBRARIES + 4 * 5000 * 40
    weights = 5 * 4 + 4 + 22 * 8 * 10 + 10
    outputs = 40 * 4 + 20 * 4 + 22 * 4 + 22 * 8 + 10 + 22 * 8
    assert memory.needed(spec) == fixed + 4 * (3 * outputs + 4 * weights)


def test_a_network_that_is_too_large_is_refused_before_it_starts(lab, monkeypatch):
    monkeypatch.setattr(memory, "there_is", lambda: 8_000_000_000)
    with pytest.raises(
        SpecError, match=r"takes at least \d+\.\d GB of memory, and this computer has 8\.0 GB\. Lower the batch size"
    ):
        lab.submit(WIDE)
    assert lab.store.ids() == []


def test_every_preset_fits_into_a_small_computer(monkeypatch):
    monkeypatch.setattr(memory, "there_is", lambda: 2_000_000_000)
    for name in PRESETS:
        memory.check(preset(name).spec)


@pytest.mark.parametrize(("text", "expected"), [("max\n", 9_000), ("5000\n", 5_000), ("20000", 9_000), (None, 9_000)])
def test_a_container_may_have_less_than_its_computer(tmp_path, monkeypatch, text, expected):
    if text is not None:
        (tmp_path / "memory.max").write_text(text)
    monkeypatch.setattr(memory, "LIMIT", tmp_path / "memory.max")
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: type("Memory", (), {"total": 9_000}))
    assert memory.there_is() == expected
