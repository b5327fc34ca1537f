"""Shapes, parameters and receptive fields, with Keras and perturbed inputs as the second opinion."""

import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnn_core import layer_kinds, shapes
from cnn_core.blocks import Blocks, ConvBlock, DenseBlock, to_graph
from cnn_core.errors import SpecError
from cnn_core.presets import PRESETS, preset
from cnn_core.spec import INPUT, AugmentationSpec, DataSpec, HeadSpec, ModelSpec, RunSpec
from tests import strategies

DATA = DataSpec()


def of(model: ModelSpec) -> shapes.NetworkReport:
    return shapes.report(model, DataSpec())


def agrees_with_keras(model: ModelSpec, data: DataSpec = DATA) -> shapes.NetworkReport:
    """Every shape and count is Keras' own; what is reported as faulty cannot be built."""
    import keras

    from cnn_core.model import _keras_layer, build_model

    network = shapes.report(model, data)
    tensors = {INPUT: keras.Input(network.input_shape)}
    for layer, found in zip(model.layers, network.layers, strict=True):
        reaching = [tensors[name] for name in layer.inputs]
        if any(tensor is None for tensor in reaching):
            assert (found.output_shape, found.error, found.parameters) == (None, None, 0), "one fault is said once"
            tensors[layer.name] = None
        elif found.output_shape is None:
            assert found.error
            tensors[layer.name] = None
            assert is_refused(layer, reaching), found
        else:
            twin = _keras_layer(layer)
            tensors[layer.name] = output = twin(reaching if len(reaching) > 1 else reaching[0])
            assert output.shape[1:] == found.output_shape, found
            assert found.input_shapes == tuple(tensor.shape[1:] for tensor in reaching), found
            assert twin.count_params() == found.parameters, found
            assert products(twin, layer, output) == found.multiply_adds, found
    spec = RunSpec(model=model, data=data)
    if network.errors:
        with pytest.raises(SpecError) as caught:
            build_model(spec)
        assert str(caught.value) == " ".join(network.errors)
    else:
        built = build_model(spec)
        assert len(built.layers) == 1 + len(network.layers)
        assert built.count_params() == network.parameters == sum(layer.parameters for layer in network.layers)
    return network


def is_refused(layer: layer_kinds.BaseLayer, reaching: list) -> bool:
    """Whether Keras refuses a layer or makes an empty map of it, or one of the lab's own rules does."""
    from cnn_core.model import _keras_layer

    found = [tensor.shape[1:] for tensor in reaching]
    least, most = (2, 8) if layer.kind in shapes.MERGES else (1, 1)
    if not least <= len(found) <= most:
        return True
    if layer.kind == "Dense" and len(found[0]) > 1:  # Keras would treat each place of a map apart
        return True
    if layer.kind in ("Add", "Multiply") and len(set(found)) > 1:  # Keras would repeat the smaller one
        return True
    try:
        output = _keras_layer(layer)(reaching if len(reaching) > 1 else reaching[0])
    except ValueError:
        return True
    return min(output.shape[1:]) <= 0 or np.prod(output.shape[1:]) > 4_000_000


def products(twin, layer: layer_kinds.BaseLayer, output) -> int:
    """Multiplications by Keras' own weights: each weight of a kernel is used once at each place of the output."""
    if layer.kind in ("Add", "Multiply"):
        return (len(layer.inputs) - 1) * int(np.prod(output.shape[1:]))
    if layer.kind in ("BatchNormalization", "LayerNormalization"):
        return int(np.prod(output.shape[1:]))  # once it is trained, a product and a sum
    places = int(np.prod(output.shape[1:-1]))
    return places * sum(int(np.prod(weight.shape)) for weight in twin.weights if weight.name.endswith("kernel"))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.ten_class_blocks.map(to_graph))
def test_block_shaped_networks_agree_with_keras(model):
    agrees_with_keras(model)


def test_any_graph_agrees_with_keras():
    """Over 200 of them; together they have every kind of layer, with and without faults, several heads and branches."""
    kinds, faulty, drawn = set(), set(), []

    @settings(deadline=None, max_examples=220, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(strategies.graphs())
    def compare(graph):
        network = agrees_with_keras(*graph)
        kinds.update(layer.kind for layer in network.layers if layer.output_shape)
        faulty.update(layer.kind for layer in network.layers if layer.error)
        drawn.append((not network.errors, len(network.heads) > 1, not network.is_chain, bool(network.head_errors)))

    compare()
    sound, several, branched, headless = np.array(drawn).sum(axis=0)
    assert len(drawn) >= 200 and kinds == set(layer_kinds.KINDS) and len(faulty) > 10
    assert min(sound, len(drawn) - sound, several, branched, headless) > 20, (sound, several, branched, headless)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.graphs())
def test_the_formula_gives_the_number_of_parameters(graph):
    for layer in shapes.report(*graph).layers:
        assert bool(layer.formula) == bool(layer.parameters)
        if layer.formula:
            expression = re.sub(r" \(half.*", "", layer.formula).replace("·", "*")
            assert eval(expression, {}) == layer.parameters


@pytest.mark.parametrize("name", PRESETS)
def test_presets_agree_with_keras(name):
    spec = PRESETS[name].spec
    assert agrees_with_keras(spec.model, spec.data).errors == ()


def test_lenet5_known_answers():
    network = of(preset("lenet5").spec.model)
    layers = {layer.name: layer for layer in network.layers}
    assert network.parameters == 27_598 and network.errors == ()
    assert {name: layers[name].parameters for name in ("conv_1", "conv_2", "conv_3", "dense_1", "output")} == {
        "conv_1": 156,
        "conv_2": 906,
        "conv_3": 906,
        "dense_1": 24_780,
        "output": 850,
    }
    assert layers["conv_1"].output_shape == (28, 28, 6) and layers["pool_2"].output_shape == (7, 7, 6)
    assert layers["conv_1"].formula == "(5·5·1 + 1)·6"
    # 28·28·6·25 + 14·14·6·25·6 + 7·7·6·25·6 + 294·84 + 84·10
    assert network.multiply_adds == 117_600 + 176_400 + 44_100 + 24_696 + 840
    fields = [layers[name].receptive_field for name in ("conv_1", "pool_1", "conv_2", "pool_2", "conv_3", "flatten", "softmax")]
    assert fields == [5, 6, 14, 16, 32, 32, None]


def test_two_convolutions_of_three_see_five():
    model = to_graph(Blocks(conv=(ConvBlock(pooling="none"), ConvBlock(pooling="none"))))
    fields = {layer.name: layer.receptive_field for layer in of(model).layers}
    assert (fields["conv_1"], fields["conv_2"]) == (3, 5)


WINDOWS = {  # in which a lit line of the input is never cancelled, when all weights are one
    axes: [
        kind
        for kind in layer_kinds.KINDS.values()
        if getattr(kind, "axes", axes) == axes and kind.has_map and kind.group in ("Convolution", "Pooling", "Merge")
        if "Min" not in kind.__name__ and kind is not layer_kinds.Multiply
    ]
    for axes in (1, 2)
}
SIDE = 48


@st.composite
def windows(draw: st.DrawFn) -> tuple[ModelSpec, tuple[int, ...]]:
    """Layers with windows, in chains and branches, and the shape of their input."""
    axes = draw(st.sampled_from((1, 1, 2)))
    found, made = {INPUT: (SIDE,) * axes + (1,)}, []
    for number in range(draw(st.integers(1, 6))):
        source = draw(st.sampled_from(list(found))) if draw(st.booleans()) else list(found)[-1]
        kind = draw(st.sampled_from(WINDOWS[axes]))
        inputs = [source]
        if kind in strategies.MERGES:
            inputs += draw(
                st.lists(st.sampled_from([name for name in found if found[name] == found[source]]), min_size=1, max_size=2)
            )
        layer = draw(strategies.layers(kind, f"layer_{number}", tuple(inputs)))
        try:
            found[layer.name] = layer.output_shape(*(found[name] for name in inputs))
        except layer_kinds.KindError:
            continue
        made.append(layer)
    return ModelSpec(layers=tuple(made), heads=()), found[INPUT]


def lines_seen(model: ModelSpec, input_shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Which lines of the input change the middle cell of each layer: found by lighting one after the other."""
    import keras

    from cnn_core.model import _keras_layer

    tensors = {INPUT: keras.Input(input_shape)}
    for layer in model.layers:
        reaching = [tensors[name] for name in layer.inputs]
        tensors[layer.name] = _keras_layer(layer)(reaching if len(reaching) > 1 else reaching[0])
    network = keras.Model(tensors.pop(INPUT), tensors)
    network.set_weights([np.ones(values.shape, np.float32) for values in network.get_weights()])
    lit = np.zeros((SIDE + 1, *input_shape), np.float32)
    lit[np.arange(SIDE), np.arange(SIDE)] = 1  # and the last stays dark
    outputs = network(lit)
    return {name: np.flatnonzero(_middle(map_)[:-1] != _middle(map_)[-1]) for name, map_ in outputs.items()}


def _middle(maps) -> np.ndarray:
    """The middle cell of a batch of maps, with all its channels added."""
    cells = maps.numpy()
    for side in cells.shape[1:-1]:
        cells = cells[:, side // 2]
    return cells.sum(axis=-1, dtype=np.float64)


def test_the_receptive_field_is_the_part_of_the_input_that_changes_a_cell():
    compared = []

    @settings(deadline=None, max_examples=100, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(windows())
    def compare(drawn):
        model, input_shape = drawn
        if not model.layers:
            return
        network = shapes.follow(model, input_shape, {})
        for layer, seen in zip(network.layers, lines_seen(model, input_shape).values(), strict=True):
            whole = seen.size and seen[0] > 0 and seen[-1] < SIDE - 1  # it does not hang over the border
            span = np.ptp(seen) + 1 if seen.size else 0
            assert span <= layer.receptive_field if not whole else span == layer.receptive_field, (layer, seen)
            compared.append((whole, len(layer.inputs) > 1))

    compare()
    whole, merged = np.array(compared, bool).T
    assert (whole & merged).sum() > 10 and whole.sum() > 100


def test_branches_that_lean_to_different_sides_see_more_than_the_widest():
    """Two windows of two reach two cells to the right, one of three a cell to either side: together four."""
    two = {"kind": "Conv1D", "kernel_size": 2}
    model = ModelSpec.model_validate(
        {
            "layers": [
                {**two, "name": "right_1"},
                {**two, "name": "right_2"},
                {"kind": "Conv1D", "kernel_size": 3, "name": "both", "inputs": ["input"]},
                {"kind": "Add", "name": "sum", "inputs": ["right_2", "both"]},
            ],
            "heads": [],
        }
    )
    fields = {layer.name: layer.receptive_field for layer in shapes.follow(model, (SIDE, 1), {}).layers}
    assert fields == {"right_1": 2, "right_2": 3, "both": 3, "sum": 4}
    assert lines_seen(model, (SIDE, 1))["sum"].tolist() == [23, 24, 25, 26]


def test_a_kernel_larger_than_its_map():
    small = ConvBlock(kernel_size=3, pool_size=4, pool_strides=4)
    model = to_graph(Blocks(conv=(small, small, ConvBlock(kernel_size=5, padding="valid"))))
    network = of(model)
    sentence = (
        "Kernel 5x5 does not fit the 1x1 map that reaches it. "
        "Lower its size, use padding 'same', or remove a pooling layer or a stride before it."
    )
    faulty = next(layer for layer in network.layers if layer.error)
    assert (faulty.name, faulty.error, faulty.output_shape) == ("conv_3", sentence, None)
    assert network.errors == (f"Layer conv_3: {sentence}",)
    behind = network.layers[network.layers.index(faulty) + 1 :]
    assert behind and all(layer.output_shape is None and layer.error is None for layer in behind)
    with pytest.raises(SpecError) as caught:
        shapes.check(model, DataSpec())
    assert str(caught.value) == f"Layer conv_3: {sentence}"


def chain(*layers: dict) -> ModelSpec:
    named = [{**layer, "name": f"layer_{number}"} for number, layer in enumerate(layers)]
    return ModelSpec.model_validate({"layers": named, "heads": [{"layer": named[-1]["name"]}]})


SOFTMAX = {"kind": "Activation", "function": "softmax"}


def test_layers_in_the_wrong_place():
    assert of(chain({"kind": "Dense"}, SOFTMAX)).errors == (
        "Layer layer_0: A dense layer needs one row of values, and feature maps reach it. Put Flatten before it.",
    )
    image, series = "an image or a map (height × width × channels)", "a series or a map of one (points × channels)"
    for kind, what in (("Conv2D", "A convolution"), ("MaxPooling2D", "Pooling"), ("GlobalMaxPooling2D", "Global pooling")):
        assert of(chain({"kind": "Flatten"}, {"kind": kind}, SOFTMAX)).errors == (
            f"Layer layer_1: {what} needs {image}, and one row of values reaches it. Move it before Flatten.",
        )
        one = kind.replace("2D", "1D")
        assert of(chain({"kind": one}, {"kind": "Flatten"}, SOFTMAX)).errors == (
            f"Layer layer_0: {what} needs {series}, and {image} reaches it. Use its 2-D kind.",
        )
        assert shapes.report(chain({"kind": kind}, SOFTMAX), DataSpec(dataset="mnist-1d")).errors == (
            f"Layer layer_0: {what} needs {image}, and {series} reaches it. Use its 1-D kind.",
        )


def test_wrong_numbers_of_inputs():
    model = ModelSpec.model_validate(
        {
            "layers": [
                {"kind": "Conv2D", "name": "conv", "inputs": ["input", "input"]},
                {"kind": "Add", "name": "sum", "inputs": ["input"]},
                {"kind": "Conv2D", "name": "behind", "inputs": ["sum"]},
            ],
            "heads": [{"layer": "conv"}, {"name": "other", "layer": "behind"}],
        }
    )
    network = of(model)
    assert network.errors == (
        "Layer conv: Conv2D takes one input, and 2 are named. Leave one, or let Add, Multiply or Concatenate bring them together.",
        "Layer sum: Add takes 2 to 8 inputs, and 1 is named. Name more of them.",
    )
    assert [layer.output_shape for layer in network.layers] == [None] * 3 and network.layers[2].error is None


def test_branches_that_do_not_meet():
    def met(kind: str, **second) -> tuple[str, ...]:
        convs = [{"kind": "Conv2D", "name": "a"}, {"kind": "Conv2D", "name": "b", "inputs": ["input"], **second}]
        end = [{"kind": kind, "name": "met", "inputs": ["a", "b"]}, {"kind": "Flatten", "name": "row"}]
        last = [{"kind": "Dense", "name": "out"}, {**SOFTMAX, "name": "softmax"}]
        return of(ModelSpec.model_validate({"layers": [*convs, *end, *last], "heads": [{"layer": "softmax"}]})).errors

    assert met("Add") == met("Multiply") == met("Concatenate", filters=9) == ()
    assert met("Multiply", filters=9) == (
        "Layer met: Multiply needs inputs of the same shape, and 28×28×6 and 28×28×9 reach it. "
        "Give the branches equal filters, strides and padding.",
    )
    assert met("Concatenate", strides=2) == (
        "Layer met: Concatenate needs maps of the same size, and 28×28×6 and 14×14×6 reach it. "
        "Give the branches equal strides and padding 'same', or flatten them first.",
    )


def test_a_layer_that_leads_nowhere_has_a_shape_and_a_fault():
    lenet = preset("lenet5").spec.model
    branch = layer_kinds.Conv2D(name="branch", inputs=("input",), filters=3)
    network = of(lenet.model_copy(update={"layers": (branch, *lenet.layers)}))
    assert network.errors == ("Layer branch: it feeds no other layer and no head. Connect it or remove it.",)
    assert network.layers[0].output_shape == (28, 28, 3) and network.parameters == 27_598 + 30


def test_a_network_that_is_not_there_yet():
    nothing = ModelSpec(layers=(), heads=())
    assert of(nothing).errors == ("There is no layer yet. Add one, or choose a network to start from.",)
    headless = preset("lenet5").spec.model.model_copy(update={"heads": ()})
    assert of(headless).errors == (
        "Layer softmax: it feeds no other layer and no head. Connect it or remove it.",
        "Nothing says what the network should learn. Add a head that reads its last layer.",
    )


def test_images_are_changed_at_random_and_series_are_not():
    spec = preset("mnist1d").spec
    for changes in ({"rotation": 5}, {"hands": 0.1}):
        data = spec.data.model_copy(update={"augmentation": AugmentationSpec(**changes)})
        assert shapes.report(spec.model, data).errors == (
            "The random changes are for images, and these data are series. Switch all of them off.",
        )
    assert shapes.report(spec.model, spec.data).errors == ()


def test_faults_of_the_whole_network():
    assert of(to_graph(Blocks(classes=7))).errors == (
        "Head label: layer softmax gives 7 values, and the class is one of 10 classes. End with a dense layer of 10 units.",
    )
    assert of(chain({"kind": "Flatten"}, {"kind": "Dense"})).errors == (
        "Head label: categorical_crossentropy needs probabilities. Make a softmax activation the last layer.",
    )
    wide = Blocks(conv=(ConvBlock(filters=256, pooling="none"),), dense=(DenseBlock(units=1024),))
    assert "205,534,730 parameters, more than the 100,000,000" in of(to_graph(wide)).errors[0]
    huge = shapes.follow(to_graph(Blocks(conv=(ConvBlock(filters=256),))), (280, 280, 1), {})
    assert "its output has 20,070,400 values for one example, more than 4,000,000. Lower its filters." in huge.errors[0]


def test_which_networks_are_chains():
    assert of(preset("lenet5").spec.model).is_chain and of(preset("all-convolutional").spec.model).is_chain
    assert not any(of(preset(name).spec.model).is_chain for name in ("inception", "residual", "two-heads"))
    tiny = preset("tiny").spec.model
    early = tiny.model_copy(update={"heads": (HeadSpec(layer="output"),)})
    assert not of(early).is_chain, "its head does not read the last layer"
