"""Exact receptive fields, with gradients of Keras networks as the second opinion."""

import numpy as np
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnn_core import layer_kinds, shapes, targets
from cnn_core.layer_kinds import Activation, Conv2D, Dense, Flatten, MaxPooling2D, ZeroPadding2D
from cnn_core.model import build_model
from cnn_core.receptive_field import receptive_fields
from cnn_core.spec import INPUT, DataSpec, HeadSpec, ModelSpec, RunSpec
from tests import strategies


def fields_of(model: ModelSpec, data: DataSpec) -> dict[str, np.ndarray]:
    layers = shapes.report(model, data).layers
    return receptive_fields(model, {INPUT: targets.input_shape(data), **{layer.name: layer.output_shape for layer in layers}})


def linearised(model: ModelSpec) -> ModelSpec:
    """The same windows with nothing that could hide a cell: every pooling an average, and no activation but softmax."""
    changed = []
    for layer in model.layers:
        fields = layer.model_dump()
        fields["kind"] = layer.kind.replace("MaxPooling", "AveragePooling").replace("MinPooling", "AveragePooling")
        if layer.kind == "Activation" and layer.function not in ("softmax", "sigmoid"):
            fields["function"] = "softplus"
        changed.append(layer_kinds.KINDS[fields["kind"]](**fields))
    return ModelSpec(layers=tuple(changed), heads=model.heads)


def seen_by_gradient(model: ModelSpec, data: DataSpec, choose) -> None:
    """Compare the rectangle of some cells with the input cells whose gradient is not zero."""
    fields = fields_of(model, data)
    network = build_model(RunSpec(model=linearised(model), data=data))
    random = np.random.default_rng(0)
    network.set_weights(
        [random.uniform(0.1, 1, weight.shape) / max(1, weight[..., 0].numpy().size) for weight in network.weights]
    )
    example = tf.constant(random.uniform(0.2, 1, (1, *targets.input_shape(data))).astype(np.float32))
    every = tf.keras.Model(network.inputs, {layer.name: network.get_layer(layer.name).output for layer in model.layers})
    chosen = {layer.name: choose(fields[layer.name].shape[:-2]) for layer in model.layers}
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(example)
        outputs = every(example, training=False)
        # random factors, or the channels of softmax would add up to 1 whatever the input is
        cells = {
            name: tf.reduce_sum(
                outputs[name][(0, *place)] * random.uniform(1, 2, outputs[name][(0, *place)].shape).astype(np.float32)
            )
            for name, place in chosen.items()
        }
    for name, place in chosen.items():
        gradient = tape.gradient(cells[name], example)
        found = np.zeros(example.shape[1:-1]) if gradient is None else np.abs(gradient.numpy()[0]).sum(axis=-1)
        first, last = fields[name][place]
        touched = np.argwhere(found > 0)
        if len(touched) == 0:
            assert (first > last).any(), name
        else:
            assert touched.min(axis=0).tolist() == first.tolist() and touched.max(axis=0).tolist() == last.tolist(), name


@settings(deadline=None, max_examples=12, suppress_health_check=list(HealthCheck))
@given(strategies.graphs(most=6), st.data())
def test_rectangles_are_where_the_gradient_is_not_zero(drawn, more):
    model, data = drawn
    report = shapes.report(model, data)
    flat = [
        layer.name
        for layer, found in zip(model.layers, report.layers, strict=True)
        if found.output_shape
        and (layer.kind == "LayerNormalization" or (getattr(layer, "function", "") == "softmax" and found.output_shape[-1] == 1))
    ]
    if report.errors or flat:
        return  # what is normalised over one channel has no gradient at all
    seen_by_gradient(model, data, lambda places: tuple(more.draw(st.integers(0, side - 1)) for side in places))


def test_corners_and_the_middle_of_a_deep_network():
    layers = (
        Conv2D(name="a", inputs=("input",), filters=2, kernel_size=5, strides=2, padding="same"),
        MaxPooling2D(name="b", inputs=("a",), pool_size=3, strides=2, padding="same"),
        Activation(name="c", inputs=("b",)),
        Conv2D(name="d", inputs=("c",), filters=2, kernel_size=4, padding="same"),
        MaxPooling2D(name="e", inputs=("d",), pool_size=2, strides=2),
        Flatten(name="f", inputs=("e",)),
        Dense(name="g", inputs=("f",), units=10),
        Activation(name="h", inputs=("g",), function="softmax"),
    )
    model = ModelSpec(layers=layers, heads=(HeadSpec(layer="h"),))
    for part in (0.0, 0.5, 1.0):
        seen_by_gradient(model, DataSpec(), lambda places, part=part: tuple(round(part * (side - 1)) for side in places))
    fields = fields_of(model, DataSpec())
    assert fields["a"].shape == (14, 14, 2, 2)
    assert fields["a"][1, 13].tolist() == [[1, 25], [5, 27]]  # one zero before, two behind: cut off at the right border
    assert (fields["g"] == fields["g"][0]).all(), "every unit of a dense layer sees the same"


def test_a_cell_that_sees_only_padding_sees_nothing():
    layers = (
        ZeroPadding2D(name="zeros", inputs=("input",), padding=4),
        Conv2D(name="conv", inputs=("zeros",), filters=1, kernel_size=3, padding="valid"),
        Flatten(name="flatten", inputs=("conv",)),
        Dense(name="dense", inputs=("flatten",), units=10),
        Activation(name="softmax", inputs=("dense",), function="softmax"),
    )
    fields = fields_of(ModelSpec(layers=layers, heads=(HeadSpec(layer="softmax"),)), DataSpec())
    first, last = fields["conv"][0, 5]
    assert (first > last).all()
    assert fields["conv"][2, 5].tolist() == [[0, 1], [0, 3]]
    assert fields["dense"][0].tolist() == [[0, 0], [27, 27]]
