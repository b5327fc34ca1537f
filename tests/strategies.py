"""Random specs for hypothesis: block-shaped ones that the simple controls can make, and any chain of layers."""

from typing import get_args

from hypothesis import strategies as st

from cnn_core import layer_kinds
from cnn_core.blocks import BlockActivation, Blocks, ConvBlock, DenseBlock, PoolingName, Weights, to_graph
from cnn_core.spec import (
    INPUT,
    AugmentationSpec,
    DatasetName,
    DataSpec,
    HeadSpec,
    ModelSpec,
    OptimizerName,
    RunSpec,
    ScheduleName,
    TrainingSpec,
)

rates = st.sampled_from((0.0, 0.1, 0.5))
strengths = st.sampled_from((0.0, 0.001, 0.25))
paddings = st.sampled_from(get_args(layer_kinds.Padding))
activations = st.sampled_from(get_args(BlockActivation))

conv_blocks = st.builds(
    ConvBlock,
    filters=st.integers(1, 12),
    kernel_size=st.integers(1, 11),
    strides=st.integers(1, 4),
    padding=paddings,
    batch_normalization=st.booleans(),
    activation=activations,
    pooling=st.sampled_from(get_args(PoolingName)),
    pool_size=st.integers(1, 8),
    pool_strides=st.integers(1, 8),
    dropout=rates,
)
dense_blocks = st.builds(DenseBlock, units=st.integers(1, 40), activation=activations, dropout=rates)
blocks = st.builds(
    Blocks,
    conv=st.lists(conv_blocks, max_size=5).map(tuple),
    dense=st.lists(dense_blocks, max_size=3).map(tuple),
    weights=st.builds(
        Weights, kernel_l2=strengths, kernel_l1=strengths, activity_l1=strengths, max_norm=st.sampled_from((0.0, 1.0, 3.5))
    ),
    classes=st.integers(2, 12),
)
ten_class_blocks = blocks.map(lambda drawn: drawn.model_copy(update={"classes": 10}))


def _floats(low: float, high: float, **options) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False, **options)


data = st.builds(
    DataSpec,
    dataset=st.sampled_from(get_args(DatasetName)),
    validation=st.just("test") | _floats(0, 0.5),
    augmentation=st.builds(
        AugmentationSpec,
        rotation=_floats(0, 45),
        shift=_floats(0, 0.3),
        zoom=_floats(0, 0.5),
        shear=_floats(0, 0.5),
        stretch=_floats(0, 0.5),
        stroke=_floats(0, 1),
        elastic=_floats(0, 0.2),
        hands=_floats(0, 1),
        calm_after=_floats(0, 1),
    ),
)
training = st.builds(
    TrainingSpec,
    optimizer=st.sampled_from(get_args(OptimizerName)),
    learning_rate=_floats(0, 10, exclude_min=True),
    schedule=st.sampled_from(get_args(ScheduleName)),
    momentum=_floats(0, 1, exclude_max=True),
    batch_size=st.integers(1, 4096),
    epochs=st.integers(1, 1000),
    seed=st.integers(0, 2**31 - 1),
    deterministic=st.booleans(),
)
run_specs = st.builds(RunSpec, preset=st.none() | st.text(max_size=64), model=blocks.map(to_graph), data=data, training=training)


def _pooling(kind: type) -> st.SearchStrategy[dict]:
    return st.fixed_dictionaries(
        {"kind": st.just(kind.__name__), "pool_size": st.integers(1, 8), "strides": st.integers(1, 8), "padding": paddings}
    )


map_layers = st.one_of(
    st.fixed_dictionaries(
        {
            "kind": st.just("Conv2D"),
            "filters": st.integers(1, 8),
            "kernel_size": st.integers(1, 11),
            "strides": st.integers(1, 4),
            "padding": paddings,
        }
    ),
    _pooling(layer_kinds.MaxPooling2D),
    _pooling(layer_kinds.AveragePooling2D),
    _pooling(layer_kinds.MinPooling2D),
)
other_layers = st.one_of(
    st.just({"kind": "BatchNormalization"}),
    st.fixed_dictionaries({"kind": st.just("Activation"), "function": st.sampled_from(get_args(layer_kinds.ActivationName))}),
    st.fixed_dictionaries({"kind": st.just("Dropout"), "rate": rates}),
)
row_layers = st.one_of(
    st.just({"kind": "Flatten"}), st.fixed_dictionaries({"kind": st.just("Dense"), "units": st.integers(1, 20)})
)


@st.composite
def chains(draw: st.DrawFn) -> ModelSpec:
    """Layers of any kind, one after the other: mostly in a sensible order, now and then with a fault among them."""
    layers = draw(st.lists(map_layers | other_layers, max_size=5))
    layers += draw(st.lists(other_layers | row_layers | map_layers, max_size=1))
    layers += [{"kind": "Flatten"}, *draw(st.lists(other_layers | row_layers, max_size=2))]
    layers += [{"kind": "Dense", "units": draw(st.sampled_from((10, 10, 10, 9)))}, {"kind": "Activation", "function": "softmax"}]
    named = [{**layer, "name": f"layer_{number}"} for number, layer in enumerate(layers)]
    assert INPUT not in {layer["name"] for layer in named}
    return ModelSpec.model_validate({"layers": named, "heads": [HeadSpec(layer=named[-1]["name"])]})
