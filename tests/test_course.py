"""What comes before the first step of a run, laid out for it or rehearsed."""

import dataclasses

import keras
import numpy as np
import pytest

from cnn_core import course, datasets, model, shapes, worker
from cnn_core.blocks import Blocks, ConvBlock, to_graph
from cnn_core.course import Course, can_be_rehearsed, lay_out, reading_size, rehearse, split, steps_per_execution
from cnn_core.halves import HalvesModel
from cnn_core.presets import PRESETS, preset
from cnn_core.spec import DataSpec, RunSpec, change
from tests.sinks import QuietSink


@pytest.mark.parametrize(
    ("part", "kept", "held_out"), [(0.1, 3600, 400), (0.5, 2000, 2000), (0, 4000, None), ("test", 4000, 1000)]
)
def test_the_validation_part(part, kept, held_out):
    data = datasets.load("mnist-5k")
    train, validation = split(data, change(preset("tiny").spec, {"data.validation": part}))
    assert len(train[0]) == len(train[1]) == kept
    np.testing.assert_array_equal(train[0], data.x_train[:kept])
    if held_out is None:
        assert validation is None
    else:
        assert len(validation[0]) == len(validation[1]) == held_out
        source = data.y_test if part == "test" else data.y_train[kept:]
        np.testing.assert_array_equal(validation[1], source)


def test_steps_between_two_looks_at_the_commands():
    assert steps_per_execution(multiply_adds=363_636, batch_size=128, steps=469) == 46
    assert steps_per_execution(multiply_adds=10**9, batch_size=4096, steps=10) == 1
    assert steps_per_execution(multiply_adds=1, batch_size=1, steps=10_000) == 64
    assert steps_per_execution(multiply_adds=1, batch_size=1, steps=9) == 3
    assert steps_per_execution(multiply_adds=1, batch_size=1, steps=1) == 1


def test_large_maps_are_read_in_smaller_batches():
    wide = to_graph(Blocks(conv=(ConvBlock(filters=256, pooling="none"),)))
    assert reading_size(shapes.report(wide, DataSpec())) == 50_000_000 // (28 * 28 * 256)
    assert reading_size(shapes.report(preset("tiny").spec.model, DataSpec())) == 1000


def test_digits_are_redrawn_in_other_hands_before_training_and_clothes_are_not(monkeypatch):
    asked, said = [], []

    def vary(images, labels, part, seed):
        asked.append((len(images), len(labels), part, seed))
        return images

    monkeypatch.setattr(course.handwriting, "vary", vary)
    spec = change(preset("tiny").spec, {"data.augmentation.hands": 0.5, "training.seed": 3})
    digits = datasets.load("mnist-5k")
    for images in (digits, dataclasses.replace(digits, info=datasets.info("fashion-mnist"))):
        monkeypatch.setattr(course.datasets, "load", lambda *_, images=images: images)
        lay_out(spec, Course(), said.append)
    assert asked == [(3600, 3600, 0.5, 3)] and said.count("Redrawing some digits in other hands") == 1


def test_other_hands_are_few_in_the_calm_part_of_the_epochs(monkeypatch):
    given = []
    batches = model.TrainingBatches
    monkeypatch.setattr(model, "TrainingBatches", lambda *values: given.append(values) or batches(*values))
    lay_out(change(preset("tiny").spec, {"data.augmentation.hands": 0.5}), Course(), lambda text: None)
    ((redrawn, _, _, calm),) = given
    images = datasets.load("mnist-5k").x_train[:3600]
    before, after = ((some != images).any(axis=(1, 2, 3)).sum() for some in (redrawn, calm))
    assert 500 < before < 1000 and after == -(-before // 10)


def epochs(sink: QuietSink) -> list[tuple]:
    return [(row.phase, row.name, row.step, row.value) for row in sink.rows if row.phase in ("train", "validation")]


def _graphs_built(monkeypatch) -> list:
    """Grows whenever Python runs through the training step of a network, which it does to build its graph and then no more."""
    built = []
    for kind in (keras.Model, HalvesModel):
        step = kind.train_step
        monkeypatch.setattr(kind, "train_step", lambda *values, step=step: built.append(step) or step(*values))
    return built


@pytest.mark.parametrize("batch_normalization", [False, True])
def test_a_rehearsed_run_is_the_run_that_nobody_rehearsed(tmp_path, monkeypatch, batch_normalization):
    blocks = Blocks(conv=(ConvBlock(filters=3, dropout=0.3, batch_normalization=batch_normalization),))
    changes = {"training.epochs": 2, "training.schedule": "cosine", "data.augmentation.rotation": 20, "data.validation": 0.5}
    spec = change(RunSpec(model=to_graph(blocks)), changes)
    assert can_be_rehearsed(spec)
    prepared = rehearse(spec)
    graphs = _graphs_built(monkeypatch)
    assert int(prepared.trainer.optimizer.iterations) == 0 and not prepared.has_learned()
    fresh, rehearsed = QuietSink(tmp_path / "fresh"), QuietSink(tmp_path / "rehearsed")
    assert worker.train(spec, rehearsed, prepared) == "finished"
    assert not graphs, "nothing was built again"
    assert worker.train(spec, fresh) == "finished"
    assert graphs
    one, other = epochs(rehearsed), epochs(fresh)
    assert [row[:3] for row in one] == [row[:3] for row in other] and len(one) == 8
    np.testing.assert_allclose([row[3] for row in one], [row[3] for row in other], rtol=1e-3)


def test_what_takes_long_is_not_rehearsed():
    assert all(can_be_rehearsed(PRESETS[name].spec) for name in ("tiny", "lenet5", "lenet5-regularised", "dense-l2-l1"))
    heavy = Blocks(conv=(ConvBlock(filters=256, kernel_size=11, pooling="none"),) * 2)
    unfit = Blocks(conv=(ConvBlock(filters=1, kernel_size=11, padding="valid"),) * 3)
    specs = [RunSpec(model=to_graph(blocks)) for blocks in (heavy, unfit)]
    assert not any(map(can_be_rehearsed, [*specs, change(preset("tiny").spec, {"data.augmentation.hands": 0.1})]))


def test_images_that_are_not_here_are_not_fetched_for_a_rehearsal(monkeypatch):
    monkeypatch.setattr(course.datasets, "is_here", lambda name: False)
    assert not can_be_rehearsed(preset("tiny").spec)
