"""Which layers are shown, in which order and with which words."""

import numpy as np

from cnn_core.blocks import Blocks, ConvBlock, DenseBlock, to_graph
from cnn_core.insight import kernels, views
from cnn_core.presets import preset
from cnn_core.shapes import report
from cnn_core.spec import DataSpec, ModelSpec, RunSpec

IMAGES = DataSpec()


def outputs(model: ModelSpec, value: float = 1.0, data: DataSpec = IMAGES) -> dict[str, np.ndarray]:
    """Activations of the right shapes."""
    layers = report(model, data).layers
    return {layer.name: np.full(layer.output_shape, value, np.float32) for layer in layers}


SPEC = RunSpec(
    model=to_graph(
        Blocks(
            conv=(
                ConvBlock(batch_normalization=True, pooling="max", dropout=0.1),
                ConvBlock(pooling="min"),
                ConvBlock(activation="tanh", pooling="average"),
            ),
            dense=(DenseBlock(units=5, dropout=0.5),),
        )
    )
)
MODEL = SPEC.model


def test_every_layer_worth_a_look_in_order():
    shown = views(SPEC, outputs(MODEL))
    expected = [layer.name for layer in MODEL.layers if layer.kind not in ("Dropout", "Flatten")]
    assert [view.name for view in shown] == expected
    assert {view.kind for view in shown} == {
        "Conv2D",
        "BatchNormalization",
        "Activation",
        "MaxPooling2D",
        "MinPooling2D",
        "AveragePooling2D",
        "Dense",
    }
    by_name = {view.name: view for view in shown}
    assert by_name["conv_1"].is_map and not by_name["dense_1"].is_map and not by_name["softmax"].is_map
    assert by_name["conv_1"].title == "conv_1: convolution, 28 × 28 × 8"
    assert by_name["activation_3"].title == "activation_3: tanh activation, 7 × 7 × 8"
    assert by_name["dense_1"].title == "dense_1: dense, 5"
    assert by_name["batch_normalization_1"].title.startswith("batch_normalization_1: batch normalisation")


def test_notes_say_what_to_know_when_looking():
    activations = outputs(MODEL)
    activations["conv_1"][:, :, 2:5] = 0
    activations["pool_1"][:] = 0
    notes = {view.name: view.note for view in views(SPEC, activations)}
    assert notes["conv_1"] == "3 of 8 maps are zero everywhere for this example."
    assert notes["pool_1"] == "Every value of this layer is zero for this example."
    assert "Min pooling after ReLU gives mostly zeros" in notes["pool_2"]
    assert notes["conv_2"] == notes["dense_1"] == ""


def test_min_pooling_of_something_else_has_no_warning():
    model = to_graph(Blocks(conv=(ConvBlock(activation="tanh", pooling="min"),)))
    assert {view.note for view in views(RunSpec(model=model), outputs(model))} == {""}


def test_layers_of_a_series_are_curves_and_merges_are_seen():
    spec = preset("mnist1d-forecast").spec
    shown = {view.name: view for view in views(spec, outputs(spec.model, data=spec.data))}
    assert shown["conv_1"].is_curves and shown["conv_1"].title == "conv_1: convolution (1-D), 32 × 32"
    assert not shown["next_points"].is_curves and "digit_dropout" not in shown and "flatten" not in shown
    inception = preset("inception").spec
    assert any(view.kind == "Concatenate" and view.is_map for view in views(inception, outputs(inception.model)))


def test_units_that_are_classes_have_their_names():
    spec = preset("two-heads").spec
    names = {view.name: view.classes for view in views(spec, outputs(spec.model)) if view.classes}
    digits = tuple("0123456789")
    assert names == {"digit": digits, "digit_softmax": digits}, "the one unit of parity stands for two classes"


def test_pictures_of_kernels():
    generator = np.random.default_rng(0)
    one = generator.normal(size=(5, 5, 1, 6))
    pictures, words = kernels("Conv2D", {"kernel": one, "bias": np.zeros(6)})
    np.testing.assert_array_equal(pictures, one[:, :, 0, :])
    assert words == "Each filter's kernel."
    four = generator.normal(size=(3, 3, 4, 6))
    pictures, words = kernels("Conv2D", {"kernel": four})
    np.testing.assert_allclose(pictures[1, 2, 3], four[1, 2, :, 3].mean())
    assert pictures.shape == (3, 3, 6) and "mean over its 4 input channels" in words
    pictures, words = kernels("Conv1D", {"kernel": four[0]})
    np.testing.assert_allclose(pictures, four[0].mean(axis=1))
    depthwise = generator.normal(size=(3, 3, 4, 2))
    pictures, words = kernels("SeparableConv2D", {"depthwise_kernel": depthwise, "pointwise_kernel": four})
    np.testing.assert_array_equal(pictures[..., 3], depthwise[:, :, 1, 1])
    assert "none sees another" in words
    assert kernels("Dense", {"kernel": four}) is None and kernels("BatchNormalization", {}) is None
