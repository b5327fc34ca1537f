"""How a run is ended in time when someone asks, whatever its process is doing."""

import os
import sys
import threading
import traceback
from pathlib import Path

from cnn_core import checkpoint
from cnn_core.course import Course
from cnn_core.errors import StoreError
from cnn_core.sink import Sink

PATIENCE = 1.2  # seconds that another thread may take to notice that it should stop
NOTHING_LEARNED = "It was stopped before it had learned anything."


def insist(sink: Sink, course: Course, over: threading.Event, ending: threading.Lock) -> None:
    """Stop or pause in time even when nothing else looks: keep the state of the last finished step and end the process.

    Loading TensorFlow takes seconds, and Keras looks up only between executions, of which one of a very large network takes
    minutes. Of this thread and the one that trains, the first to hold `ending` ends the run.
    """
    while not _is_asked(sink):
        if over.wait(0.2):
            return
    folder = sink.path("")
    rarely = course.reporter is not None and course.reporter.looks_rarely
    if over.wait(0 if rarely else PATIENCE) or not ending.acquire(blocking=False):
        return
    try:
        if course.has_learned():
            course.reporter.is_over = True
            # The weights, for answers, may be of two steps; what a resumed run goes on from is of one.
            from cnn_core.callbacks import save_weights

            save_weights(course.model, sink)
            kept, snapshot = checkpoint.read(folder), course.snapshot
            if snapshot and (kept is None or kept.step < snapshot.step):
                checkpoint.write(folder, snapshot)
            sink.end(asked_for(sink), "")
        else:
            sink.end(asked_for(sink), nothing_learned(folder))
    except Exception:  # the other thread waits for this one, which has to end the process whatever happens
        give_up()


def asked_for(sink: Sink) -> str:
    """What becomes of a run that someone asked to end: "paused" or "stopped"."""
    return "paused" if sink.pause_requested() else "stopped"


def nothing_learned(folder: Path) -> str:
    """What to say of a run that was ended before it had taken a step: nothing, when it had before it was resumed."""
    return NOTHING_LEARNED if checkpoint.read(folder) is None else ""


def give_up() -> None:
    """End the process at once, with the error in its log; whoever looks next finds the run without a process."""
    traceback.print_exc()
    sys.stderr.flush()
    os._exit(1)


def _is_asked(sink: Sink) -> bool:
    """Whether someone asks to stop, as far as can be known: while the disk is full, the store cannot even be read."""
    try:
        return sink.stop_requested()
    except StoreError:
        return False
