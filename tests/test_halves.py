"""Batches in halves against Keras' own step on whole batches."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnn_core.blocks import Blocks, ConvBlock, DenseBlock, Weights, to_graph
from cnn_core.halves import HalvesModel
from cnn_core.model import build_model, compile_model
from cnn_core.spec import RunSpec, TrainingSpec

WEIGHTS = Weights(kernel_l1=0.001, kernel_l2=0.01, activity_l1=0.01, max_norm=0.8)
SPEC = RunSpec(
    model=to_graph(Blocks(conv=(ConvBlock(filters=3),), dense=(DenseBlock(units=6),), weights=WEIGHTS)),
    training=TrainingSpec(optimizer="sgd", learning_rate=0.01, momentum=0.9),
)


@pytest.mark.parametrize("batch_size", [10, 7, 30, 1])  # even, odd with a last batch of two, all in one, nothing to halve
def test_the_same_updates_and_the_same_scores(batch_size):
    random = np.random.default_rng(0)
    images, labels = random.random((30, 28, 28, 1), dtype=np.float32), random.integers(0, 10, 30).astype(np.uint8)
    batches = tf.data.Dataset.from_tensor_slices((images, labels)).batch(batch_size)
    found = []
    for wrap in (lambda model: model, lambda model: HalvesModel(model.inputs, model.outputs)):
        keras.utils.set_random_seed(0)
        model = build_model(SPEC)
        trainer = wrap(model)
        compile_model(trainer, SPEC, 3, steps_per_execution=2)
        history = trainer.fit(batches, epochs=2, verbose=0, validation_data=batches).history
        found.append((history, model.get_weights()))
    (whole_history, whole), (halves_history, halves) = found
    for name, values in whole_history.items():
        np.testing.assert_allclose(halves_history[name], values, rtol=1e-4, err_msg=name)
    for one, other in zip(whole, halves, strict=True):
        np.testing.assert_allclose(other, one, atol=2e-5)


def test_the_halves_see_different_dropout(monkeypatch):
    spec = RunSpec(model=to_graph(Blocks(conv=(ConvBlock(filters=3, dropout=0.5),))))
    keras.utils.set_random_seed(0)
    model = build_model(spec)
    trainer, seen = HalvesModel(model.inputs, model.outputs), []
    dropout = model.get_layer("dropout_1")
    call = dropout.call

    def watched(*values, **options):
        seen.append(call(*values, **options))
        return seen[-1]

    monkeypatch.setattr(dropout, "call", watched)
    trainer.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", run_eagerly=True)
    trainer.train_on_batch(np.ones((8, 28, 28, 1), np.float32), np.zeros(8))
    first, second = ((answer == 0).numpy() for answer in seen[-2:])
    assert first.shape == second.shape and (first != second).any()
