"""What heads can say of each dataset, what they should have said, and why one cannot learn."""

from itertools import product
from typing import get_args

import numpy as np
import pytest

from cnn_core import datasets, shapes, targets
from cnn_core.presets import preset
from cnn_core.spec import DatasetName, DataSpec, HeadSpec, LossName, ModelSpec, TargetName, change

SERIES = DataSpec(dataset="mnist-1d", points_seen=32)


def test_the_targets_of_each_dataset():
    found = {name: set(targets.of(DataSpec(dataset=name))) for name in get_args(DatasetName)}
    digits = {"label", "parity"}
    assert found == {"mnist-5k": digits, "mnist": digits, "fashion-mnist": {"label"}, "mnist-1d": digits}
    assert set(targets.of(SERIES)) == {*digits, "forecast"} == set(get_args(TargetName))
    assert targets.of(DataSpec(dataset="fashion-mnist"))["label"].labels[9] == "Ankle boot"


@pytest.mark.parametrize(("asked", "points"), [(None, 40), (1, 1), (32, 32), (39, 39), (40, 40), (1000, 40)])
def test_what_is_not_seen_can_be_forecast(asked, points):
    data = DataSpec(dataset="mnist-1d", points_seen=asked)
    known = targets.of(data)
    assert targets.seen(data) == points and targets.input_shape(data) == (points, 1)
    assert ("forecast" in known) == (points < 40)
    if points < 40:
        assert known["forecast"].size == 40 - points and known["forecast"].labels == ()


def test_images_are_seen_whole():
    data = DataSpec(points_seen=3)
    images = np.zeros((2, 28, 28, 1), np.uint8)
    assert targets.input_shape(data) == (28, 28, 1) and targets.inputs(data, images) is images
    assert "forecast" not in targets.of(data)


def test_what_the_heads_should_say():
    series = np.arange(3 * 40, dtype=np.float32).reshape(3, 40, 1)
    labels = np.array([7, 2, 9], np.uint8)
    np.testing.assert_array_equal(targets.inputs(SERIES, series)[1, :, 0], np.arange(40, 72))
    np.testing.assert_array_equal(targets.values("forecast", SERIES, series, labels)[1], np.arange(72, 80))
    assert targets.values("forecast", SERIES, series, labels).shape == (3, 8)
    assert targets.values("parity", SERIES, series, labels).tolist() == [1, 0, 1]
    assert [targets.PARITY[value] for value in targets.values("parity", SERIES, series, labels)] == ["odd", "even", "odd"]
    assert targets.values("label", SERIES, series, labels).tolist() == [7, 2, 9]


def test_answers_have_the_form_of_the_heads():
    series, labels = np.zeros((3, 40, 1), np.float32), np.array([7, 2, 9], np.uint8)
    one = targets.answers(preset("mnist1d").spec, series, labels)
    assert isinstance(one, np.ndarray) and one.tolist() == [7, 2, 9]
    two = targets.answers(preset("mnist1d-forecast").spec, series, labels)
    assert {name: values.shape for name, values in two.items()} == {"digit": (3,), "next": (3, 8)}


def test_the_first_head_that_names_classes_is_the_main_one():
    spec = preset("mnist1d-forecast").spec
    assert targets.main_head(spec).name == "digit"
    digit, following = spec.model.heads
    assert (
        targets.main_head(spec.model_copy(update={"model": spec.model.model_copy(update={"heads": (following, digit)})})).name
        == "digit"
    )
    assert targets.main_head(spec.model_copy(update={"model": spec.model.model_copy(update={"heads": (following,)})})) is None
    assert targets.labels(spec, digit) == datasets.DIGITS and targets.labels(spec, following) == ()


def test_a_probability_of_odd_becomes_one_of_each_class():
    odd = np.array([[0.25], [1.0]], np.float32)
    binary = HeadSpec(layer="a", target="parity", loss="binary_crossentropy")
    np.testing.assert_array_equal(targets.readable(binary, odd), [[0.75, 0.25], [0, 1]])
    numbers = np.array([[3.0, -2.0]])
    for head in (HeadSpec(layer="a"), HeadSpec(layer="a", target="forecast", loss="mean_squared_error")):
        np.testing.assert_array_equal(targets.readable(head, numbers), numbers)


# What suits what: the loss and the target, how many units, and the function behind them (None: any will do).
SUITS = {
    ("label", "categorical_crossentropy"): (10, "softmax"),
    ("parity", "categorical_crossentropy"): (2, "softmax"),
    ("parity", "binary_crossentropy"): (1, "sigmoid"),
    ("forecast", "mean_squared_error"): (8, None),
    ("forecast", "mean_absolute_error"): (8, None),
}


@pytest.mark.parametrize(("target", "loss"), list(product(get_args(TargetName), get_args(LossName))))
def test_which_head_can_learn_from_what(target, loss):
    for units, function in product((1, 2, 8, 10, 3), ("softmax", "sigmoid", None)):
        layers = [{"kind": "Flatten", "name": "row"}, {"kind": "Dense", "name": "units", "units": units}]
        layers += [{"kind": "Activation", "name": "end", "function": function}] if function else []
        head = {"name": "answer", "layer": layers[-1]["name"], "target": target, "loss": loss}
        errors = shapes.report(ModelSpec.model_validate({"layers": layers, "heads": [head]}), SERIES).errors
        wanted = SUITS.get((target, loss))
        assert (not errors) == (wanted is not None and units == wanted[0] and wanted[1] in (None, function)), errors
        assert all(error.startswith("Head answer: ") and error.endswith(".") for error in errors)


def test_faults_in_words():
    def of(name: str, data: dict, **head) -> str:
        spec = change(preset(name).spec, {f"data.{path}": value for path, value in data.items()})
        first, *others = spec.model.heads
        model = spec.model.model_copy(update={"heads": (first.model_copy(update=head), *others)})
        (error,) = shapes.report(model, spec.data).errors
        return error.removeprefix(f"Head {first.name}: ")

    assert of("lenet5", {}, target="parity") == (
        "layer softmax gives 10 values, and even or odd is one of 2 classes. End with a dense layer of 2 units."
    )
    assert of("lenet5", {}, target="parity", loss="binary_crossentropy") == (
        "layer softmax gives 10 values, and even or odd is one of 2 classes. End with a dense layer of 1 unit."
    )
    assert of("lenet5", {}, loss="mean_squared_error") == (
        "mean_squared_error does not suit the class. Choose categorical_crossentropy."
    )
    assert of("lenet5", {}, target="parity", loss="mean_absolute_error") == (
        "mean_absolute_error does not suit even or odd. Choose categorical_crossentropy or binary_crossentropy."
    )
    assert of("lenet5", {}, target="forecast") == (
        "there is nothing to forecast. Choose a series, and let the network see fewer points than it has."
    )
    assert of("lenet5", {"dataset": "fashion-mnist"}, target="parity") == (
        "these data have no target 'parity'. Choose one of: label."
    )
    assert of("mnist1d", {"points_seen": 32}, target="forecast", loss="mean_squared_error") == (
        "layer softmax gives 10 values, and the last 8 points are 8 numbers. End with a dense layer of 8 units."
    )


def test_a_head_behind_a_fault_has_none_of_its_own():
    spec = change(preset("lenet5").spec, {"model.layers.pool_2.pool_size": 8, "model.layers.conv_1.strides": 4})
    network = shapes.report(spec.model, spec.data)
    assert len(network.errors) == 1 and network.errors[0].startswith("Layer pool_2: ") and not network.head_errors
