"""Presets are what their names promise."""

import pytest

from cnn_core.errors import SpecError
from cnn_core.layer_kinds import Activation, Conv2D, Dense, Flatten, MaxPooling2D
from cnn_core.presets import PRESETS, origin, preset, recipe
from cnn_core.shapes import check
from cnn_core.spec import AugmentationSpec, change


def test_lenet5_exactly():
    spec = preset("lenet5").spec
    kinds = [type(layer) for layer in spec.model.layers]
    conv = [Conv2D, Activation]
    assert kinds == [*conv, MaxPooling2D, *conv, MaxPooling2D, *conv, Flatten, Dense, Activation, Dense, Activation]
    for layer in spec.model.layers:
        if isinstance(layer, Conv2D):
            assert (layer.filters, layer.kernel_size, layer.strides, layer.padding) == (6, 5, 1, "same")
        if isinstance(layer, MaxPooling2D):
            assert (layer.pool_size, layer.strides, layer.padding) == (2, 2, "valid")
    assert [layer.function for layer in spec.model.layers if isinstance(layer, Activation)] == ["relu"] * 4 + ["softmax"]
    assert [layer.units for layer in spec.model.layers if isinstance(layer, Dense)] == [84, 10]
    assert not any(layer.regularisation_arguments() for layer in spec.model.layers if isinstance(layer, (Conv2D, Dense)))
    training = spec.training
    assert (training.optimizer, training.learning_rate, training.batch_size, training.epochs) == ("adam", 0.001, 128, 30)
    assert spec.data.validation == "test" and spec.data.dataset == "mnist-5k" and not spec.data.augmentation.active
    assert spec.model.heads[0].loss == "categorical_crossentropy"
    assert check(spec.model, spec.data).parameters == 27_598


def test_dense_l2_l1_has_its_penalties_and_no_convolution():
    spec = preset("dense-l2-l1").spec
    assert [layer.kind for layer in spec.model.layers] == ["Flatten", "Dense", "Dense", "Activation"]
    hidden = spec.model.layer("dense_1")
    assert (hidden.units, hidden.kernel_l2, hidden.kernel_l1, hidden.activity_l1) == (64, 0.01, 0, 0.01)
    assert check(spec.model, spec.data).parameters == 785 * 64 + 65 * 10


def test_the_regularised_lenet_differs_by_its_regularisation_only():
    spec = preset("lenet5-regularised").spec
    assert spec.model.layer("dense_dropout_1").rate == 0.25 and spec.model.layer("conv_1").kernel_l2 == 0.0001
    assert spec.data.augmentation.active
    assert check(spec.model, spec.data).parameters == 27_598


@pytest.mark.parametrize("name", PRESETS)
def test_presets_can_be_trained_and_name_themselves(name):
    found = preset(name)
    check(found.spec.model, found.spec.data)
    assert found.name == name == found.spec.preset and found.title and found.about.endswith(".")
    assert name == "lenet5" or found.spec.data.validation != "test"


@pytest.mark.parametrize(
    ("name", "parameters"), [("lenet5", 27_598), ("lenet5-1998", 61_706), ("keras-convnet", 34_826), ("dense-l2-l1", 50_890)]
)
def test_known_numbers_of_parameters(name, parameters):
    """LeNet-5 with all maps connected, as it is usually counted, and what Keras' example prints; `test_shapes` counts all with Keras."""
    assert check(preset(name).spec.model, preset(name).spec.data).parameters == parameters


def test_the_presets_of_several_heads_and_of_series():
    heads = {
        name: [(head.name, head.target, head.loss, head.loss_weight) for head in found.spec.model.heads]
        for name, found in PRESETS.items()
    }
    assert heads["two-heads"] == [
        ("digit", "label", "categorical_crossentropy", 1),
        ("parity", "parity", "binary_crossentropy", 0.5),
    ]
    assert heads["mnist1d-forecast"] == [
        ("digit", "label", "categorical_crossentropy", 1),
        ("next", "forecast", "mean_squared_error", 1),
    ]
    assert {name for name, found in heads.items() if len(found) > 1} == {"two-heads", "mnist1d-forecast"}
    poolings = [preset(f"pooling-{kind}").spec.model.layer("pool_1").kind for kind in ("max", "average", "min")]
    assert poolings == ["MaxPooling2D", "AveragePooling2D", "MinPooling2D"]


def test_an_unknown_preset_lists_the_known():
    with pytest.raises(SpecError, match=r"There is no preset 'vgg'\. Expected one of: tiny, lenet5, lenet5-regularised"):
        preset("vgg")


def test_origin_in_words():
    spec = preset("lenet5").spec
    assert origin(spec) == "lenet5"
    assert origin(change(spec, {"training.epochs": 2})) == "lenet5", "the network is the same"
    assert origin(change(spec, {"model.layers.conv_1.filters": 7})) == "lenet5 (edited)"
    assert origin(spec.model_copy(update={"preset": None})) == origin(spec.model_copy(update={"preset": "gone"})) == "custom"


def test_the_presets_for_the_whole_of_mnist_hold_out_a_part_and_plan_their_learning_rate():
    for name in ("fast99", "best"):
        spec = preset(name).spec
        assert spec.data.validation == 0.05 and spec.training.schedule == "one-cycle" and spec.data.augmentation.active
    assert preset("best").spec.data.augmentation.hands == 0.3
    assert preset("fast99").spec.data.augmentation.hands == 0, "redrawing takes longer than it may train"


def test_a_recipe_names_every_change_and_nothing_that_is_off():
    assert recipe(preset("lenet5").spec) == "Adam, learning rate 0.001, batches of 128"
    spec = change(preset("tiny").spec, {"training.optimizer": "sgd", "training.schedule": "cosine"})
    assert recipe(spec) == "SGD, learning rate 0.002 (cosine), batches of 32"
    for name in AugmentationSpec.model_fields.keys() - {"calm_after"}:
        words = recipe(change(preset("tiny").spec, {f"data.augmentation.{name}": 0.2}))
        assert (words.count(";") == 1 and words.count(",") in (2, 4) and "0.2" in words) or "20%" in words, name
    calm = change(preset("tiny").spec, {"data.augmentation.calm_after": 0.75})
    assert recipe(calm) == recipe(preset("tiny").spec), "nothing changes, so nothing calms down"
    assert recipe(change(calm, {"data.augmentation.zoom": 0.1})).endswith("; half as much in the last 25% of the epochs")
