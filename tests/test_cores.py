"""Who computes in halves, with how many threads, and what trains."""

import pytest

from cnn_core import cores
from cnn_core.blocks import Blocks, ConvBlock, to_graph
from cnn_core.cores import splits_batches
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
def test_batches_in_halves(settings, halves):
    spec = change(preset("lenet5").spec, settings)
    assert splits_batches(spec, 2) == halves
    assert not splits_batches(spec, 1)


def test_batch_normalisation_sees_whole_batches():
    blocks = Blocks(conv=(ConvBlock(filters=4, batch_normalization=True),))
    assert not splits_batches(RunSpec(model=to_graph(blocks)), 2)
    assert splits_batches(RunSpec(model=to_graph(Blocks(conv=(ConvBlock(filters=4),)))), 2)


def test_threads_are_those_that_were_asked_for_or_one_a_core(monkeypatch):
    monkeypatch.delenv(cores.THREADS, raising=False)
    assert cores.threads() == cores.cores()
    monkeypatch.setenv(cores.THREADS, "3")
    spec = preset("tiny").spec
    assert cores.threads() == 3 and cores.device(spec) == "CPU (3 threads)"
    exact = change(spec, {"training.deterministic": True})
    assert cores.device(exact) == "CPU (2 threads)", "other numbers of threads give other bits"


def test_a_gpu_trains_where_there_is_one(monkeypatch):
    import tensorflow as tf

    gpu = tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [gpu])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda device: {"device_name": "A Fast One"})
    assert cores.device(preset("tiny").spec) == "GPU (A Fast One)"
