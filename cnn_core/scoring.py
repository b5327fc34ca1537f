"""The test of a run: its scores and answers on the test part of its data, of its last weights and of its best.

TensorFlow is imported when something is scored, not before.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnn_core import checkpoint, targets
from cnn_core.course import Course
from cnn_core.files import replacing
from cnn_core.run import ANSWERS
from cnn_core.sink import Sink, StopRequested
from cnn_core.spec import RunSpec


@dataclass(frozen=True)
class Tested:
    """loss: with all penalties. accuracy: of the first head that names classes, None where none does. outputs: of each head."""

    loss: float
    accuracy: float | None
    outputs: dict[str, np.ndarray]


def score_all(spec: RunSpec, course: Course, sink: Sink) -> None:
    """Test the last weights and, where they are others, the best. Raises StopRequested and Diverged."""
    from cnn_core.model import goals, planned_optimizer

    step = course.step
    tested = score(spec, course, sink)
    _keep(sink, ANSWERS["last"], tested, test_accuracy=tested.accuracy, test_loss=tested.loss)
    best = checkpoint.read_best(sink.path(""))
    if best is None or not best.fits(course.model.weights):
        return
    if best.step != step:
        course.model.set_weights(best.variables)
        tested = score(spec, course, sink)
    _keep(sink, ANSWERS["best"], tested, best_test_accuracy=tested.accuracy, best_test_loss=tested.loss)
    optimizer = planned_optimizer(spec.training, course.batches.steps)  # fresh: its state at that epoch is not kept
    course.model.compile(optimizer=optimizer, **goals(spec))
    with replacing(sink.path("best.keras")) as new:
        course.model.save(new)


def score(spec: RunSpec, course: Course, sink: Sink) -> Tested:
    """Test the weights as they are.

    Raises StopRequested when someone asks to stop now, not before, and Diverged when the loss is not a number.
    """
    import keras

    from cnn_core.callbacks import Diverged
    from cnn_core.model import evaluation_batches, goals

    stopped_before = sink.stop_requested()

    def listen(batch: int, logs: dict | None) -> None:
        if not stopped_before and sink.stop_requested():
            raise StopRequested

    model, data = course.model, course.data
    # A fresh compile: the metrics of training count in executions of several batches.
    model.compile(**goals(spec))
    shown = targets.inputs(spec.data, data.x_test)
    batches = evaluation_batches(shown, targets.answers(spec, data.x_test, data.y_test), course.reading)
    ears = [keras.callbacks.LambdaCallback(on_test_batch_end=listen, on_predict_batch_end=listen)]
    measured = model.evaluate(batches, verbose=0, callbacks=ears, return_dict=True)
    if not math.isfinite(measured["loss"]):
        raise Diverged(f"The loss on the test part is {measured['loss']}.")
    outputs = model.predict(batches.map(lambda examples, wanted: examples), verbose=0, callbacks=ears)
    return Tested(measured["loss"], with_accuracy(spec, measured).get("accuracy"), by_head(spec, outputs))


def with_accuracy(spec: RunSpec, measured: dict[str, float]) -> dict[str, float]:
    """What Keras measured, and as "accuracy" that of the first head that names classes.

    >>> from cnn_core.presets import preset
    >>> with_accuracy(preset("two-heads").spec, {"loss": 0.5, "digit_accuracy": 0.9, "parity_accuracy": 0.95})["accuracy"]
    0.9
    """
    found, head = dict(measured), targets.main_head(spec)
    for part in ("", "val_"):
        if head is not None and (name := f"{part}{head.name}_accuracy") in found:
            found[f"{part}accuracy"] = found[name]
    return found


def by_head(spec: RunSpec, outputs: Any) -> dict[str, np.ndarray]:
    """What a model gave, by the names of its heads; with one head it gives the array alone."""
    return outputs if isinstance(outputs, dict) else {spec.model.heads[0].name: outputs}


def _keep(sink: Sink, file: str, tested: Tested, **scores: float | None) -> None:
    with replacing(sink.path(file)) as new, new.open("wb") as opened:
        np.savez(opened, **tested.outputs)
    sink.append([], **scores)
