"""The simple controls: a view of the draft as blocks. Each function shows its widgets and gives the edited part back."""

import streamlit as st

from cnn_core import datasets, figures
from cnn_core.blocks import Blocks, ConvBlock, DenseBlock, Weights
from cnn_core.presets import OPTIMIZERS, SCHEDULES
from cnn_core.schedules import planned_rates
from cnn_core.spec import AugmentationSpec, DataSpec, TrainingSpec

FILTERS = (1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256)
UNITS = (1, 2, 4, 8, 10, 16, 24, 32, 48, 64, 84, 96, 128, 192, 256, 384, 512, 768, 1024)
STRENGTHS = (0.0, 0.00001, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)
RATES = (0.00001, 0.0001, 0.0003, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.3, 1.0)
BATCHES = (8, 16, 32, 64, 128, 256, 512, 1024)
PERIODS = {  # what `period` means to a schedule: label, help
    "warm-up": ("Rise (epochs)", "Over so many epochs it rises from a tenth."),
    "step": ("Every (epochs)", "After so many epochs it falls by one stair."),
    "exponential": ("Every (epochs)", "Over so many epochs it falls by the factor, smoothly."),
    "plateau": (
        "Wait (epochs)",
        "It falls when the loss (of the validation part, where there is one) has stood still for so many epochs.",
    ),
}
DRAWN_STEPS = 100  # of an epoch: a plan looks the same with more
WATCHED = {"off": "Never", "loss": "Loss stops falling", "accuracy": "Accuracy stops rising"}
ACTIVATIONS = ("relu", "leaky_relu", "elu", "gelu", "tanh", "sigmoid", "linear")


def _keyed(key: str, value) -> str:
    """The key of a widget that starts from `value`."""
    st.session_state.setdefault(f"edit_{key}", value)
    return f"edit_{key}"


def synced(key: str, value) -> str:
    """The key of a widget that shows `value` whatever it showed before: its callback has already brought the draft up to date."""
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    return key


def _stops(label: str, stops: tuple, key: str, value, help: str, **options):
    """A slider over sensible stops; a value between them (of an opened run) gets a stop of its own."""
    key = _keyed(key, value)
    return st.select_slider(label, sorted({*stops, value, st.session_state[key]}), key=key, help=help, **options)


def _slider(label: str, low: float, high: float, step: float, key: str, value: float, help: str) -> float:
    """A slider over the sensible range, which reaches as far as the value of an opened run."""
    key = _keyed(key, value)
    now = st.session_state[key]
    return st.slider(label, min(low, now), max(high, now), step=step, key=key, help=help)


def _choice(label: str, options: tuple[str, ...], key: str, value: str, help: str, **more) -> str:
    return st.segmented_control(label, options, key=_keyed(key, value), help=help, required=True, **more)


def _activation(key: str, value: str) -> str:
    return st.selectbox(
        "Activation", ACTIVATIONS, key=_keyed(key, value), help="The function applied to every value; linear is none."
    )


def _dropout(key: str, value: float) -> float:
    help = "Share of the values set to zero at random in each training step, against overfitting."
    return _slider("Dropout", 0.0, 0.9, 0.05, key, value, help)


def layers(blocks: Blocks) -> Blocks:
    """Convolution blocks and dense blocks."""
    count = st.slider(
        "Convolution blocks",
        0,
        5,
        key=_keyed("conv_count", len(blocks.conv)),
        help="Convolution, activation, pooling: how many times.",
    )
    conv = [*blocks.conv, *[blocks.conv[-1] if blocks.conv else ConvBlock()] * 5][:count]
    conv = tuple(_conv_block(number, block) for number, block in enumerate(conv, 1))
    count = st.slider(
        "Dense blocks", 0, 3, key=_keyed("dense_count", len(blocks.dense)), help="Fully connected layers before the last one."
    )
    dense = [*blocks.dense, *[blocks.dense[-1] if blocks.dense else DenseBlock()] * 3][:count]
    dense = tuple(_dense_block(number, block) for number, block in enumerate(dense, 1))
    st.caption(f"The last layer is always a dense one of {blocks.classes} units with softmax: a probability for each class.")
    return blocks.model_copy(update={"conv": conv, "dense": dense})


def _conv_block(number: int, block: ConvBlock) -> ConvBlock:
    name = f"conv{number}"
    with st.expander(f"Convolution {number}", expanded=number == 1, key=f"open_{name}"):
        left, right = st.columns(2)
        with left:
            filters = _stops(
                "Filters", FILTERS, f"{name}_filters", block.filters, "How many feature maps this convolution makes."
            )
            padding = _choice(
                "Padding",
                ("same", "valid"),
                f"{name}_padding",
                block.padding,
                "same keeps the size with zeros around the map; valid has none, so the map shrinks.",
            )
        with right:
            size = st.slider(
                "Kernel size",
                1,
                11,
                key=_keyed(f"{name}_kernel", block.kernel_size),
                help="Side of the window that slides over the map.",
            )
            strides = st.slider(
                "Stride", 1, 4, key=_keyed(f"{name}_strides", block.strides), help="How far the window moves each time."
            )
        pooling = _choice(
            "Pooling",
            ("max", "average", "min", "none"),
            f"{name}_pooling",
            block.pooling,
            "What stands for each window: its largest, mean or smallest value. Min after ReLU gives mostly zeros.",
        )
        left, right = st.columns(2)
        off = pooling == "none"
        with left:
            pool_size = st.slider(
                "Pool size", 1, 8, key=_keyed(f"{name}_pool", block.pool_size), help="Side of the pooling window.", disabled=off
            )
            activation = _activation(f"{name}_activation", block.activation)
        with right:
            pool_strides = st.slider(
                "Pool stride",
                1,
                8,
                key=_keyed(f"{name}_pool_strides", block.pool_strides),
                help="How far the pooling window moves.",
                disabled=off,
            )
            dropout = _dropout(f"{name}_dropout", block.dropout)
        normalise = st.toggle(
            "Batch normalisation",
            key=_keyed(f"{name}_batch_normalization", block.batch_normalization),
            help="Brings each channel to mean 0 and variance 1 over the batch: often trains faster.",
        )
    return ConvBlock(
        filters=filters,
        kernel_size=size,
        strides=strides,
        padding=padding,
        batch_normalization=normalise,
        activation=activation,
        pooling=pooling,
        pool_size=pool_size,
        pool_strides=pool_strides,
        dropout=dropout,
    )


def _dense_block(number: int, block: DenseBlock) -> DenseBlock:
    name = f"dense{number}"
    with st.expander(f"Dense {number}", expanded=number == 1, key=f"open_{name}"):
        units = _stops("Units", UNITS, f"{name}_units", block.units, "How many values this layer gives; each sees all before it.")
        left, right = st.columns(2)
        with left:
            activation = _activation(f"{name}_activation", block.activation)
        with right:
            dropout = _dropout(f"{name}_dropout", block.dropout)
    return DenseBlock(units=units, activation=activation, dropout=dropout)


def weights(part: Weights) -> Weights:
    """Penalties and the constraint on the weights."""
    st.caption("On every convolution and dense layer but the last. They keep weights small, against overfitting.")
    return Weights(
        kernel_l2=_stops(
            "L2 (weight decay)", STRENGTHS, "kernel_l2", part.kernel_l2, "Adds this times the sum of squared weights to the loss."
        ),
        kernel_l1=_stops(
            "L1", STRENGTHS, "kernel_l1", part.kernel_l1, "Adds this times the sum of absolute weights: many become zero."
        ),
        activity_l1=_stops(
            "L1 on outputs",
            STRENGTHS,
            "activity_l1",
            part.activity_l1,
            "Adds this times the layer's absolute outputs: few stay active.",
        ),
        max_norm=_slider(
            "MaxNorm (0: off)", 0.0, 10.0, 0.5, "max_norm", part.max_norm, "Largest length of a filter's or unit's weights."
        ),
    )


def training(part: TrainingSpec) -> TrainingSpec:
    """Optimizer and the course of training."""
    help = "The rule that turns gradients into steps."
    optimizer = _choice("Optimizer", tuple(OPTIMIZERS), "optimizer", part.optimizer, help, format_func=OPTIMIZERS.get)
    momentum = part.momentum
    if optimizer == "sgd":
        help = "Share of the last step carried into the next."
        momentum = _slider("Momentum", 0.0, 0.99, 0.01, "momentum", part.momentum, help)
    left, right = st.columns(2)
    with left:
        rate = _stops(
            "Learning rate", RATES, "learning_rate", part.learning_rate, "Size of each step: too high diverges, too low crawls."
        )
        epochs = st.number_input(
            "Epochs", 1, 1000, key=_keyed("epochs", part.epochs), help="How often every training image is shown."
        )
    with right:
        batch = _stops("Batch size", BATCHES, "batch_size", part.batch_size, "Images looked at before each step.")
        seed = st.number_input(
            "Seed", 0, 2**31 - 1, key=_keyed("seed", part.seed), help="Start of all randomness: same seed, same run."
        )
    schedule, period, decay = _schedule(part)
    plan = st.empty()
    watched, patience = _early_stopping(part)
    exact = st.toggle(
        "Repeat to the bit",
        key=_keyed("deterministic", part.deterministic),
        help="The same weights each time on this computer, whatever else trains, for about a third more time.",
    )
    edited = TrainingSpec(
        optimizer=optimizer,
        learning_rate=rate,
        schedule=schedule,
        period=period,
        decay=decay,
        early_stopping=watched,
        patience=patience,
        momentum=momentum,
        batch_size=batch,
        epochs=epochs,
        seed=seed,
        deterministic=exact,
    )
    with plan:
        _planned_rate(edited)
    return edited


def _schedule(part: TrainingSpec) -> tuple[str, int, float]:
    """What becomes of the learning rate: schedule, period and decay."""
    schedule = st.selectbox(
        "Learning rate over time",
        list(SCHEDULES),
        format_func=SCHEDULES.get,
        key=_keyed("schedule", part.schedule),
        help="A rate that falls lets the network settle; one that rises first lets it start without jumping about.",
    )
    period, decay = part.period, part.decay
    left, right = st.columns(2)
    if schedule in PERIODS:
        label, help = PERIODS[schedule]
        period = left.number_input(label, 1, 1000, key=_keyed("period", part.period), help=help)
    if schedule in ("step", "exponential", "plateau"):
        with right:
            help = "What the learning rate is multiplied by each time."
            decay = _slider("Factor", 0.05, 0.95, 0.05, "decay", part.decay, help)
    return schedule, period, decay


def _planned_rate(training: TrainingSpec) -> None:
    """A picture of the learning rate that training will have."""
    epochs, rates = planned_rates(training, DRAWN_STEPS)
    name = SCHEDULES[training.schedule].lower()
    words = f"The learning rate over {training.epochs} epochs, {name}: from {rates[0]:.3g} to {rates[-1]:.3g}"
    st.plotly_chart(figures.learning_rate(epochs, rates), key="planned_rate", config={"displayModeBar": False}, alt=words)


def _early_stopping(part: TrainingSpec) -> tuple[str, int]:
    """What early stopping watches, and its patience."""
    left, right = st.columns(2)
    watched = left.selectbox(
        "Stop early",
        list(WATCHED),
        format_func=WATCHED.get,
        key=_keyed("early_stopping", part.early_stopping),
        help="Ends training when the validation part (without one: the training images) is read no better for some epochs. "
        "Where it is the test images that validate, the test score is flattered.",
    )
    if watched == "off":
        return watched, part.patience
    help = "Epochs to wait for something better. The weights of the best epoch are kept beside the last ones."
    return watched, right.number_input("Patience (epochs)", 1, 1000, key=_keyed("patience", part.patience), help=help)


def validation(part: DataSpec) -> float | str:
    """The part of the images that training is watched on."""
    on_test = st.toggle(
        "Validate on the test images",
        key=_keyed("validate_on_test", part.validation == "test"),
        help="As many course texts do. Choosing settings by this score flatters it; hold out training images instead.",
    )
    if on_test:
        return "test"
    start = 0.1 if part.validation == "test" else part.validation
    help = "Share of the training images kept out of training, to watch for overfitting."
    return st.slider("Validation part", 0.0, 0.5, step=0.05, key=_keyed("validation", start), help=help)


def points_seen(part: DataSpec) -> int | None:
    """How many points of a series the network sees; None: all of them."""
    points = datasets.info(part.dataset).input_shape[0]
    key = synced("edit_points_seen", part.points_seen or points)
    help = f"Of the {points} points, the network sees the first ones; a head can forecast the rest. {points}: it sees all."
    now = st.session_state[key]
    seen = st.slider(
        "Points the network sees", min(8, now), points, key=key, help=help, on_change=_see_points, args=(key, points)
    )
    return None if seen == points else seen


def _see_points(key: str, points: int) -> None:
    """Note it before the page is drawn: layers and heads show what it means to them."""
    draft = st.session_state.draft
    seen = st.session_state[key]
    data = draft.data.model_copy(update={"points_seen": None if seen >= points else max(seen, 1)})
    st.session_state.draft = draft.model_copy(update={"data": data})


def augmentation(part: AugmentationSpec, digits: bool) -> AugmentationSpec:
    """Random changes to the training images; `digits`: whether they are digits, which other hands write differently."""
    changes = (
        ("rotation", "Rotation (degrees)", 45.0, 1.0, "Turns each image up to this far, either way."),
        ("shift", "Shift (part of the side)", 0.3, 0.01, "Moves each image up to this far."),
        ("zoom", "Zoom (part of the size)", 0.5, 0.01, "Enlarges or shrinks up to this much."),
        ("shear", "Shear (slant)", 0.5, 0.01, "Slants each image up to this much, either way, as italic letters are."),
        ("stretch", "Stretch (part of the width)", 0.5, 0.01, "Makes each image wider and lower, or narrower and higher."),
        ("stroke", "Pen (pixels)", 1.0, 0.05, "Makes the strokes thicker or thinner by up to this much at each edge."),
        (
            "elastic",
            "Elastic (part of the side)",
            0.2,
            0.01,
            "Lets the parts of an image wander up to this far, each its own way.",
        ),
        (
            "hands",
            "Other hands (part of the images)",
            1.0,
            0.025,
            "Redraws this part of the zeros, ones, sevens and nines: slashed, with flag and foot, crossed, with a looped tail.",
        ),
    )
    values = {}
    columns = st.columns(2)
    for number, (name, label, high, step, help) in enumerate(changes):
        with columns[number % 2]:
            if name == "hands" and not digits:
                values[name] = part.hands
            else:
                values[name] = st.slider(
                    label, 0.0, high, step=step, key=_keyed(name, getattr(part, name)), help=help, format="%g"
                )
    help = (
        "After this part of the epochs all changes are half as large and few digits stay redrawn: the network settles. 1: never."
    )
    values["calm_after"] = _slider("Calm after (part of the epochs)", 0.0, 1.0, 0.05, "calm_after", part.calm_after, help)
    return AugmentationSpec(**values)
