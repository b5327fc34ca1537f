"""Random specs for hypothesis: block-shaped ones that the simple controls can make, and any graph of layers."""

from typing import get_args

from hypothesis import strategies as st

from cnn_core import layer_kinds, targets
from cnn_core.blocks import BlockActivation, Blocks, ConvBlock, DenseBlock, PoolingName, Weights, to_graph
from cnn_core.spec import (
    INPUT,
    AugmentationSpec,
    DatasetName,
    DataSpec,
    HeadSpec,
    LossName,
    ModelSpec,
    OptimizerName,
    RunSpec,
    ScheduleName,
    TargetName,
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
    points_seen=st.none() | st.integers(1, 1000),
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


sizes = st.integers(1, 5) | st.integers(1, 11)
functions = st.sampled_from(get_args(layer_kinds.ActivationName))
SETTINGS = {  # of every field that a kind of layer may have, but for its name, its inputs and its penalties
    "filters": st.integers(1, 8),
    "depth_multiplier": st.integers(1, 3),
    "kernel_size": sizes,
    "pool_size": st.integers(1, 3) | st.integers(1, 8),
    "strides": st.integers(1, 2) | st.integers(1, 4),
    "padding": paddings,
    "units": st.integers(1, 20),
    "function": functions,
    "rate": rates,
    "stddev": rates,
}
PENALTIES = {
    **dict.fromkeys(("kernel_l1", "kernel_l2", "activity_l1", "activity_l2"), strengths),
    "max_norm": st.sampled_from((0.0, 1.0, 3.5)),
}
MERGES = [kind for kind in layer_kinds.KINDS.values() if issubclass(kind, layer_kinds.Merge)]
OTHERS = [kind for kind in layer_kinds.KINDS.values() if kind not in MERGES]


@st.composite
def layers(draw: st.DrawFn, kind: type[layer_kinds.BaseLayer], name: str, inputs: tuple[str, ...]) -> layer_kinds.BaseLayer:
    """A layer of this kind with any settings."""
    known = {**SETTINGS, **PENALTIES}
    if issubclass(kind, (layer_kinds.ZeroPadding1D, layer_kinds.ZeroPadding2D)):
        known["padding"] = st.integers(1, 4)
    own = kind.model_fields.keys() - {"name", "inputs", "kind"}
    return kind(name=name, inputs=inputs, **{field: draw(known[field]) for field in sorted(own)})


def fits(kind: type[layer_kinds.BaseLayer], shape: tuple[int, ...] | None) -> bool:
    """Whether a layer of this kind can follow an output of this shape, whatever its settings are."""
    if shape is None or kind is layer_kinds.Dense:
        return shape is None or len(shape) == 1
    return not hasattr(kind, "axes") or kind.axes == len(shape) - 1


@st.composite
def graphs(draw: st.DrawFn, most: int = 8) -> tuple[ModelSpec, DataSpec]:
    """A network of up to `most` layers with branches and merges, one to three heads behind it, and data for it.

    Mostly it can be trained; now and then there is a layer in the wrong place, one that leads nowhere, or a wrong head.
    """
    data = draw(st.sampled_from((DataSpec(), DataSpec(dataset="mnist-1d"), DataSpec(dataset="mnist-1d", points_seen=32))))
    made: list[layer_kinds.BaseLayer] = []
    found = {INPUT: targets.input_shape(data)}
    any_fault = draw(st.integers(0, 3)) == 0

    def add(kind: type, *inputs: str, **settings) -> str:
        name = f"layer_{len(made)}"
        made.append(kind(name=name, inputs=inputs, **settings) if settings else draw(layers(kind, name, inputs)))
        try:
            found[name] = made[-1].output_shape(*(found[source] for source in inputs))
        except (layer_kinds.KindError, TypeError):  # it does not fit, or nothing reaches it, or too much
            found[name] = None
        return name

    for _ in range(draw(st.integers(0, most))):
        names = [name for name in found if found[name] is not None]
        source = names[-1] if draw(st.integers(0, 2)) else draw(st.sampled_from(names))
        astray = any_fault and draw(st.integers(0, 4)) == 0
        if draw(st.integers(0, 3)) == 0:
            alike = [name for name in names if astray or found[name] == found[source]]
            meeting = [*draw(st.lists(st.sampled_from(alike), min_size=1, max_size=2)), source]
            add(draw(st.sampled_from(MERGES)), *meeting)
        else:
            kinds = [kind for kind in OTHERS if astray or fits(kind, found[source])]
            add(draw(st.sampled_from(kinds)), *([source, names[0]] if astray and draw(st.booleans()) else [source]))
    heads, known = [], targets.of(data)
    for number in range(draw(st.integers(1, 3))):
        names = [name for name in found if found[name] is not None]
        last = names[-1] if number == 0 else draw(st.sampled_from(names))
        if len(found[last]) > 1:
            last = add(layer_kinds.Flatten, last)
        target = known[draw(st.sampled_from(sorted(known)))]
        loss = draw(st.sampled_from(target.losses))
        units = 1 if loss == "binary_crossentropy" else target.size
        last = add(layer_kinds.Dense, last, units=units + (any_fault and draw(st.booleans())))
        if target.labels and not (any_fault and draw(st.booleans())):
            last = add(layer_kinds.Activation, last, function="sigmoid" if units == 1 else "softmax")
        wrong = any_fault and draw(st.booleans())
        heads.append(
            HeadSpec(
                name=f"head_{number}",
                layer=last,
                target=draw(st.sampled_from(get_args(TargetName))) if wrong else target.name,
                loss=draw(st.sampled_from(get_args(LossName))) if wrong else loss,
            )
        )
    if not any_fault:
        made = _connected(made, heads)
    return ModelSpec(layers=tuple(made), heads=tuple(heads)), data


def _connected(made: list[layer_kinds.BaseLayer], heads: list[HeadSpec]) -> list[layer_kinds.BaseLayer]:
    """The layers that a head hangs on."""
    used, kept = {head.layer for head in heads}, []
    for layer in reversed(made):
        if layer.name in used:
            used |= set(layer.inputs)
            kept.insert(0, layer)
    return kept


run_specs = st.builds(
    RunSpec,
    preset=st.none() | st.text(max_size=64),
    model=blocks.map(to_graph) | graphs().map(lambda drawn: drawn[0]),
    data=data,
    training=training,
)
