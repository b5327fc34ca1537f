"""What the command line answers: runs as data, printed as JSON or as words."""

import argparse
import json

from cnn_core.presets import origin
from cnn_core.run import Run
from cnn_core.store import Store


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
        "device": run.device,
        "best_epoch": run.best_epoch or None,
        "uses": run.uses,
        "parent": run.parent or None,
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
        "best_epoch": run.best_epoch or None,
        "uses": run.uses,
        "parent": run.parent or None,
        "device": run.device,
        "message": run.message,
        "spec": json.loads(run.spec.model_dump_json()),
    }


def say(options: argparse.Namespace, data, text: str) -> None:
    """Print an answer: `data` as JSON with --json, `text` without."""
    print(json.dumps(data) if options.json else text)
