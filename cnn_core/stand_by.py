"""A worker before it has a run: `python -m cnn_core.stand_by` loads TensorFlow, prepares the runs that may come, and waits for one.

An order is a line of JSON on standard input: {"prepare": SPEC} or {"run": FOLDER}. End of file means exit.
"""

import json
import queue
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path

from cnn_core.cores import share_cores
from cnn_core.course import Course, rehearse
from cnn_core.spec import RunSpec
from cnn_core.worker import run

QUIET = 0.4  # seconds without a newer spec after which one is prepared


def stand_by() -> None:
    """Do what the orders say, and train the run that one names.

    Of several specs only the newest counts, and only once no newer has come for a moment.
    """
    orders: queue.SimpleQueue[dict] = queue.SimpleQueue()
    threading.Thread(target=_hear, args=(orders,), daemon=True).start()
    order, course = orders.get(), None
    if "prepare" in order:
        share_cores(RunSpec.model_validate(order["prepare"]))
    while "prepare" in order:
        import cnn_core.callbacks
        import cnn_core.model  # noqa: F401

        with suppress(queue.Empty):
            while "prepare" in order:
                order = orders.get(timeout=QUIET)
        if "prepare" in order:
            course = _rehearsed(RunSpec.model_validate(order["prepare"]))
            order = orders.get()
    if "run" in order:
        run(Path(order["run"]), course)


def _hear(orders: queue.SimpleQueue) -> None:
    for line in sys.stdin:
        orders.put(json.loads(line))
    orders.put({})


def _rehearsed(spec: RunSpec) -> Course | None:
    """The course of a spec; None when it cannot be, which the run itself will say."""
    import keras

    keras.utils.clear_session()
    try:
        return rehearse(spec)
    except Exception:  # a rehearsal is a kindness: whatever is wrong with the spec, its run will say
        traceback.print_exc()
        return None


if __name__ == "__main__":
    stand_by()
