"""Which filters and units can be looked at and switched off, and what switching off does."""

import numpy as np
import pytest

from cnn_core import datasets, switching
from cnn_core.errors import LabError
from cnn_core.filters import ends
from cnn_core.presets import preset
from tests.networks import network, with_weights

NORMALISED = (
    {"kind": "Conv2D", "name": "conv_1", "filters": 4, "strides": 4},
    {"kind": "BatchNormalization", "name": "norm"},
    {"kind": "Activation", "name": "relu", "function": "relu"},
    {"kind": "Flatten", "name": "flat"},
)


def test_what_a_filter_found_is_seen_behind_its_activation():
    assert ends(network(*NORMALISED).model) == {"conv_1": "relu"}
    assert ends(network(NORMALISED[0], NORMALISED[3]).model) == {"conv_1": "conv_1"}


def test_a_pooling_may_come_before_the_activation():
    assert ends(preset("best").spec.model) == {
        "conv_1": "activation_1",
        "conv_2": "activation_2",
        "conv_3": "activation_3",
        "dense": "dense_activation",
    }
    pooled = ({"kind": "MaxPooling2D", "name": "pool"}, {"kind": "Flatten", "name": "flat"})
    assert ends(network(NORMALISED[0], *pooled).model) == {"conv_1": "conv_1"}
    assert ends(network(*NORMALISED[:2], *pooled).model) == {"conv_1": "norm"}


def test_an_output_that_two_layers_read_is_seen_itself():
    layers = (
        NORMALISED[0],
        {"kind": "Activation", "name": "relu", "function": "relu"},
        {"kind": "Add", "name": "sum", "inputs": ["conv_1", "relu"]},
        {"kind": "Flatten", "name": "flat"},
    )
    assert ends(network(*layers).model) == {"conv_1": "conv_1"}


def test_what_heads_read_is_left_out():
    assert set(ends(preset("mnist1d-forecast").spec.model)) == {"conv_1", "conv_2", "conv_3", "digit_hidden", "next_hidden"}


def test_switched_off_is_as_if_its_weights_were_zero(trained):
    from cnn_core.inference import TrainedModel

    model, data = TrainedModel(trained.spec, trained.lab.weights(trained.run)), datasets.load("mnist-5k")
    assert switching.counts(model) == {"conv_1": 8, "dense_1": 64}
    kept = switching.keeps(model, {"conv_1": [1, 4], "dense_1": []})
    assert {name: mask.tolist() for name, mask in kept.items()} == {"activation_1": [1, 0, 1, 1, 0, 1, 1, 1]}
    found = switching.accuracy(model, data, kept)
    assert not model.activations(data.x_test[0, ..., 0], kept)["pool_1"][..., [1, 4]].any()
    whole = switching.accuracy(model, data)
    kernel, bias = model.model.get_layer("conv_1").get_weights()
    kernel[..., [1, 4]], bias[[1, 4]] = 0, 0
    model.model.get_layer("conv_1").set_weights([kernel, bias])
    by_hand = (model.probabilities(data.x_test[:1000]).argmax(axis=1) == data.y_test[:1000]).mean()
    assert found == pytest.approx(by_hand) and found != whole == pytest.approx(trained.row.test_accuracy)


def test_a_network_without_classes_has_no_accuracy(tmp_path):
    layers = ({"kind": "Flatten", "name": "flat"}, {"kind": "Dense", "name": "next", "units": 8})
    heads = ({"name": "next", "layer": "next", "target": "forecast", "loss": "mean_squared_error"},)
    model = with_weights(network(*layers, heads=heads, data={"dataset": "mnist-1d", "points_seen": 32}), tmp_path)
    with pytest.raises(LabError, match="names no classes"):
        switching.accuracy(model, datasets.load("mnist-1d"))
    assert np.isfinite(model.answers(datasets.load("mnist-1d").x_test[:2])["next"]).all()
