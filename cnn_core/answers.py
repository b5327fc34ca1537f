"""Runs as the command line answers them with --json."""

import json

from cnn_core.presets import origin
from cnn_core.store import Run, Store


def summary(run: Run) -> dict:
    """A run as the command line lists it."""
    return {
        "run": run.run,
        "name": run.name,
        "status": run.status,
        "dataset": run.spec.data.dataset,
        "preset": run.spec.preset,
        "from": origin(run.spec),
        "epoch": run.epoch,
        "epochs": run.epochs,
        "test_accuracy": run.test_accuracy,
        "test_loss": run.test_loss,
        "parameters": run.parameters,
        "seconds": run.seconds,
        "started": run.started,
        "message": run.message,
    }


def result(store: Store, run: Run) -> dict:
    """A run as `train --json` answers: its result and its history."""
    return {
        "run": run.run,
        "name": run.name,
        "status": run.status,
        "epochs": run.epoch,
        "parameters": run.parameters,
        "seconds": run.seconds,
        "seconds_per_epoch": store.seconds_per_epoch(run.run),
        "test_accuracy": run.test_accuracy,
        "test_loss": run.test_loss,
        "history": store.history(run.run),
        "message": run.message,
        "spec": json.loads(run.spec.model_dump_json()),
    }
