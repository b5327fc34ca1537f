"""Models, losses, optimizers and batches, against numbers made by hand."""

from typing import get_args

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_core import augmentation, datasets
from cnn_core.blocks import Blocks, ConvBlock, DenseBlock, Weights, to_graph
from cnn_core.errors import SpecError
from cnn_core.model import (
    OPTIMIZERS,
    TrainingBatches,
    build_model,
    build_optimizer,
    compile_model,
    distort,
    evaluation_batches,
    load_model,
)
from cnn_core.presets import preset
from cnn_core.spec import AugmentationSpec, RunSpec, ScheduleName, TrainingSpec, change

SMALL = RunSpec(
    model=to_graph(Blocks(conv=(ConvBlock(filters=2, pooling="min"),), dense=(DenseBlock(units=4),))),
    training=TrainingSpec(batch_size=32),
)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    data = datasets.load("mnist-5k")
    return data.x_train[:200], data.y_train[:200]


def test_the_model_has_the_layers_of_the_spec_and_no_more():
    model = build_model(preset("lenet5").spec)
    assert model.count_params() == 27_598 and model.input_shape == (None, 28, 28, 1) and model.output_shape == (None, 10)
    assert [layer.name for layer in model.layers] == ["input", *(layer.name for layer in preset("lenet5").spec.model.layers)]
    with pytest.raises(SpecError, match="Layer pool_1: Pool 8x8 does not fit"):
        build_model(change(SMALL, {"model.layers.conv_1.strides": 4, "model.layers.pool_1.pool_size": 8}))


def test_weights_come_back_and_strange_ones_are_refused(tmp_path, digits):
    model = build_model(SMALL)
    model.save_weights(tmp_path / "kept.weights.h5")
    again = load_model(SMALL, tmp_path / "kept.weights.h5")
    images = digits[0][:5] / np.float32(255)
    np.testing.assert_array_equal(model(images), again(images))
    with pytest.raises(ValueError, match="shape"):
        load_model(change(SMALL, {"model.layers.conv_1.filters": 3}), tmp_path / "kept.weights.h5")


def hand_loss(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> float:
    """Categorical cross-entropy by its definition."""
    given = model.predict(images / np.float32(255), verbose=0)[np.arange(len(labels)), labels]
    return float(-np.log(given).mean())


def test_penalties_are_those_of_their_definitions(digits):
    images, labels = digits
    weights = Weights(kernel_l2=0.02, kernel_l1=0.003, activity_l1=0.004)
    blocks = Blocks(
        conv=(ConvBlock(filters=2, activation="relu", pooling="none"),),
        dense=(DenseBlock(units=4, activation="linear"),),
        weights=weights,
    )
    spec = RunSpec(model=to_graph(blocks))
    keras.utils.set_random_seed(1)
    model = build_model(spec)
    compile_model(model, spec, 7)
    batch = images[:50], labels[:50]
    loss = model.evaluate(batch[0] / np.float32(255), batch[1], batch_size=50, verbose=0)[0]

    expected = hand_loss(model, *batch)
    for name in ("conv_1", "dense_1"):
        kernel = model.get_layer(name).get_weights()[0]
        expected += 0.02 * (kernel**2).sum() + 0.003 * np.abs(kernel).sum()
    for name in ("activation_1", "dense_1"):  # what these layers pass on, for each image
        output = keras.Model(model.inputs, model.get_layer(name).output).predict(batch[0] / np.float32(255), verbose=0)
        expected += 0.004 * np.abs(output).sum() / 50
    assert loss == pytest.approx(expected, rel=1e-4)


def test_max_norm_holds_after_training(digits):
    limit = 0.3
    blocks = Blocks(conv=(ConvBlock(filters=4),), dense=(DenseBlock(units=8),), weights=Weights(max_norm=limit))
    spec = RunSpec(model=to_graph(blocks), training=TrainingSpec(learning_rate=0.05, batch_size=32))
    model = build_model(spec)
    compile_model(model, spec, 7)
    model.fit(TrainingBatches(*digits, spec).dataset, epochs=2, verbose=0)
    conv, dense, output = (model.get_layer(name).get_weights()[0] for name in ("conv_1", "dense_1", "output"))
    per_filter = np.sqrt((conv**2).sum(axis=(0, 1, 2)))
    per_unit = np.sqrt((dense**2).sum(axis=0))
    assert per_filter.shape == (4,) and per_unit.shape == (8,)
    assert per_filter.max() <= limit * 1.001 and per_unit.max() <= limit * 1.001
    assert max(per_filter.max(), per_unit.max()) > limit * 0.99, "the limit was reached"
    assert np.sqrt((output**2).sum(axis=0)).max() > limit, "the last layer is free"


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_learns_something(name, digits):
    spec = change(SMALL, {"training.optimizer": name, "training.learning_rate": 0.01, "training.momentum": 0.5})
    optimizer = build_optimizer(spec.training, 7)
    assert type(optimizer).__name__.lower() == name and float(optimizer.learning_rate) == pytest.approx(0.01)
    assert name != "sgd" or optimizer.momentum == 0.5
    keras.utils.set_random_seed(0)
    model = build_model(spec)
    compile_model(model, spec, 7)
    history = model.fit(TrainingBatches(*digits, spec).dataset, epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0]


def epoch(batches: TrainingBatches, number: int) -> list[bytes]:
    """Every image of one epoch, in order."""
    batches.epoch.assign(number)
    return [np.round(image * 255).astype(np.uint8).tobytes() for images, _ in batches.dataset for image in images.numpy()]


def test_an_epoch_shows_every_image_once_in_a_new_order(digits):
    images, labels = digits
    expected = sorted(image.tobytes() for image in images)
    batches = TrainingBatches(images, labels, SMALL)
    first, second = epoch(batches, 0), epoch(batches, 1)
    assert sorted(first) == sorted(second) == expected
    assert first != second and first != [image.tobytes() for image in images]
    assert epoch(TrainingBatches(images, labels, SMALL), 1) == second, "an epoch does not hang on those before it"
    assert epoch(TrainingBatches(images, labels, change(SMALL, {"training.seed": 1})), 0) != first


def test_images_keep_their_labels_and_their_exact_values(digits):
    images, labels = digits
    known = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    sizes = []
    for pictures, answers in TrainingBatches(images, labels, SMALL).dataset:
        assert pictures.dtype == tf.float32
        sizes.append(len(answers))
        for picture, answer in zip(pictures.numpy(), answers.numpy(), strict=True):
            pixels = np.round(picture * 255).astype(np.uint8)
            np.testing.assert_array_equal(picture, pixels.astype(np.float32) / 255)
            assert known[pixels.tobytes()] == answer
    assert sizes == [32] * 6 + [8]


def test_evaluation_keeps_the_order(digits):
    batches = list(evaluation_batches(*digits, batch_size=64))
    np.testing.assert_array_equal(np.concatenate([images for images, _ in batches]), digits[0].astype(np.float32) / 255)
    np.testing.assert_array_equal(np.concatenate([labels for _, labels in batches]), digits[1])


def test_augmentation_draws_anew_each_epoch_and_repeats_with_the_seed(digits):
    images, labels = digits
    spec = change(SMALL, {"data.augmentation.rotation": 20, "data.augmentation.shift": 0.1})
    batches = TrainingBatches(images, labels, spec)
    first, second = epoch(batches, 0), epoch(batches, 1)
    originals = {image.tobytes() for image in images}
    assert len(set(first)) == 200 and not set(first) & set(second)
    assert len(set(first) & originals) < 5
    assert epoch(TrainingBatches(images, labels, spec), 1) == second


def test_no_strength_is_the_identity(digits):
    batch = tf.constant(digits[0] / np.float32(255))
    np.testing.assert_allclose(distort(batch, AugmentationSpec(), (3, 0)), batch, atol=1e-6)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", {0: 0.01, 10: 0.01, 40: 0.01}),
        ("cosine", {0: 0.01, 20: 0.005, 40: 0.0}),
        ("one-cycle", {0: 0.001, 5: 0.0055, 10: 0.01, 25: 0.005, 40: 0.0}),
    ],
)
def test_the_learning_rate_follows_its_schedule(schedule, expected):
    training = TrainingSpec(learning_rate=0.01, schedule=schedule, epochs=4)
    optimizer = build_optimizer(training, steps_per_epoch=10)
    for step, rate in expected.items():
        optimizer.iterations.assign(step)
        assert float(optimizer.learning_rate) == pytest.approx(rate, abs=1e-7), step


@pytest.mark.parametrize("schedule", get_args(ScheduleName))
def test_a_run_of_one_step_has_a_schedule_too(schedule):
    optimizer = build_optimizer(TrainingSpec(schedule=schedule, epochs=1), steps_per_epoch=1)
    assert float(optimizer.learning_rate) == pytest.approx(0.0001 if schedule == "warm-up" else 0.001)


SAME_IN_BOTH = st.builds(
    AugmentationSpec,
    rotation=st.sampled_from((0.0, 10.0, 45.0)),
    shift=st.sampled_from((0.0, 0.1, 0.3)),
    zoom=st.sampled_from((0.0, 0.2, 0.5)),
    shear=st.sampled_from((0.0, 0.3)),
    stretch=st.sampled_from((0.0, 0.2)),
    stroke=st.sampled_from((0.0, 0.6, 1.0)),
    elastic=st.sampled_from((0.0, 0.1)),
)


@settings(deadline=None, max_examples=40)
@given(SAME_IN_BOTH, st.integers(0, 1000))
def test_training_and_preview_change_an_image_alike(spec, seed):
    data = datasets.load("mnist-5k")
    images, labels = data.x_train[:8], data.y_train[:8]
    random = np.random.default_rng(seed)
    drawn = [random.uniform(-1, 1, shape) for shape in ((augmentation.DRAWS, 8), (8, 2, augmentation.FIELD, augmentation.FIELD))]
    numbers = {values.shape[1:]: values for values in drawn}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            tf.random, "stateless_uniform", lambda shape, *others: tf.constant(numbers[tuple(map(int, shape[1:]))], tf.float32)
        )
        trained = distort(tf.constant(images / np.float32(255)), spec, (0, 0)).numpy()
    shown = augmentation.preview(images, labels, spec, seed)
    assert shown.shape == images.shape and shown.dtype == np.uint8
    np.testing.assert_allclose(trained, shown / 255, atol=0.01)


def test_a_bent_image_repeats_with_its_seed_and_another_seed_bends_it_otherwise(digits):
    batch = tf.constant(digits[0][:20] / np.float32(255))
    spec = AugmentationSpec(elastic=0.1)
    first, again, other = (distort(batch, spec, seed).numpy() for seed in ((3, 0), (3, 0), (3, 1)))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1 and np.abs(first - batch).max() > 0.1
    assert first.sum() == pytest.approx(float(tf.reduce_sum(batch)), rel=0.2), "the ink is moved, not lost"


def test_the_last_part_of_the_epochs_is_calm():
    early, late = np.zeros((5, 28, 28, 1), np.uint8), np.full((5, 28, 28, 1), 255, np.uint8)
    settings = {"training.batch_size": 2, "training.epochs": 4, "data.augmentation.calm_after": 0.5}
    batches = TrainingBatches(early, np.arange(5), change(preset("tiny").spec, settings), late)
    for epoch, value in ((0, 0), (1, 0), (2, 1), (3, 1)):
        batches.epoch.assign(epoch)
        for images, _ in (*batches.dataset, *batches.rest(1)):
            assert (images.numpy() == value).all(), epoch


def test_calm_changes_are_half_as_large():
    line = np.zeros((64, 28, 28, 1), np.uint8)
    line[:, :, 14] = 255
    settings = {
        "training.batch_size": 64,
        "training.epochs": 2,
        "data.augmentation.calm_after": 0.5,
        "data.augmentation.shift": 0.25,
    }
    batches = TrainingBatches(line, np.zeros(64), change(preset("tiny").spec, settings))
    reach = []
    for epoch in (0, 1):
        batches.epoch.assign(epoch)
        (images,) = [images.numpy() for images, _ in batches.dataset]
        columns = images[..., 0].sum(axis=1).argmax(axis=1)
        reach.append(int(np.abs(columns - 14).max()))
    assert 5 <= reach[0] <= 7 and 2 <= reach[1] <= 4
