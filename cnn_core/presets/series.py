"""Networks for time series."""

from cnn_core.layer_kinds import Activation, Conv1D, Dense, Dropout, Flatten, MaxPooling1D
from cnn_core.presets.base import make
from cnn_core.presets.sketch import Sketch
from cnn_core.spec import DataSpec, HeadSpec, ModelSpec, TrainingSpec

SEEN = 32  # of the 40 points of a series; the rest is forecast


def _trunk(sketch: Sketch, blocks: tuple[tuple[int, int], ...]) -> str:
    """Convolutions of (filters, kernel size), each with ReLU and max pooling; the name of the flattened end."""
    for number, (filters, size) in enumerate(blocks, 1):
        sketch.add(Conv1D, f"conv_{number}", filters=filters, kernel_size=size)
        sketch.add(Activation, f"relu_{number}")
        sketch.add(MaxPooling1D, f"pool_{number}")
    return sketch.add(Flatten, "flatten")


def _classifier() -> ModelSpec:
    sketch = Sketch()
    _trunk(sketch, ((32, 5), (64, 5), (96, 3)))
    sketch.add(Dropout, "dropout", rate=0.4)
    sketch.add(Dense, "hidden", units=96)
    sketch.add(Activation, "hidden_relu")
    sketch.add(Dropout, "hidden_dropout", rate=0.4)
    sketch.add(Dense, "output", units=10)
    sketch.add(Activation, "softmax", function="softmax")
    return sketch.network()


def _forecaster() -> ModelSpec:
    sketch = Sketch()
    trunk = _trunk(sketch, ((32, 5), (64, 5), (64, 3)))
    sketch.add(Dropout, "digit_dropout", trunk, rate=0.4)
    sketch.add(Dense, "digit_hidden", units=64)
    sketch.add(Activation, "digit_relu")
    sketch.add(Dense, "digit", units=10)
    digit = sketch.add(Activation, "digit_softmax", function="softmax")
    sketch.add(Dense, "next_hidden", trunk, units=64)
    sketch.add(Activation, "next_relu")
    points = sketch.add(Dense, "next_points", units=8)
    return sketch.network(
        HeadSpec(name="digit", layer=digit),
        HeadSpec(name="next", layer=points, target="forecast", loss="mean_squared_error"),
    )


PRESETS = (
    make(
        "mnist1d",
        "Time series: MNIST-1D",
        "A network for series: its windows slide along 40 points instead of over an image. It tells ten shapes apart that are moved, "
        "stretched and hidden in noise; the CNN of those who published them reads 94 %.",
        _classifier(),
        DataSpec(dataset="mnist-1d"),
        TrainingSpec(epochs=40, batch_size=64, learning_rate=0.003, schedule="one-cycle"),
    ),
    make(
        "mnist1d-forecast",
        "Time series: class and forecast",
        f"The functional model of a course: it sees the first {SEEN} of 40 points, splits, and has two outputs: the class, and the 8 "
        "points that come next, by their mean squared error.",
        _forecaster(),
        DataSpec(dataset="mnist-1d", points_seen=SEEN),
        TrainingSpec(epochs=30, batch_size=64, learning_rate=0.002, schedule="one-cycle"),
    ),
)
