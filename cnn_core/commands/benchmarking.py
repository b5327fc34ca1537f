"""The command that trains every preset with several seeds and prints what they reach."""

import argparse
import sys
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

from cnn_core import presets, shapes, spec
from cnn_core.commands.answers import say
from cnn_core.commands.training import wait_for
from cnn_core.jobs import Lab
from cnn_core.run import Run

HEAD = "| Preset | Data | Parameters | Test accuracy | lowest to highest | Training |\n| --- | --- | ---: | ---: | ---: | ---: |"


def benchmark_presets(options: argparse.Namespace) -> int:
    names = options.presets or list(presets.PRESETS)
    for name in names:
        shapes.check((wanted := _spec(name, options.dataset)).model, wanted.data)
    rows = []
    with TemporaryDirectory() as home:  # these runs are not the person's
        lab = Lab(Path(home))
        for name in names:
            wanted = _spec(name, options.dataset)
            rows.append(_row(name, wanted, [_trained(lab, wanted, seed) for seed in range(options.seeds)]))
            print(_line(rows[-1]), file=sys.stderr)
        lab.close()
    say(options, rows, "\n".join([HEAD, *map(_line, rows)]))
    return 0 if all(row["failed"] == 0 for row in rows) else 1


def _spec(name: str, dataset: str | None) -> spec.RunSpec:
    """A preset, on its own data unless told otherwise."""
    return spec.change(presets.preset(name).spec, {"data.dataset": dataset} if dataset else {})


def _trained(lab: Lab, wanted: spec.RunSpec, seed: int) -> Run:
    run = lab.submit(spec.change(wanted, {"training.seed": seed}))
    return wait_for(lab, run, quiet=True)


def _row(name: str, found: spec.RunSpec, runs: list[Run]) -> dict:
    """What a preset reached, as data; accuracies of the runs that finished."""
    done = [run for run in runs if run.status == "finished"]
    return {
        "preset": name,
        "dataset": found.data.dataset,
        "epochs": found.training.epochs,
        "parameters": done[0].parameters if done else None,
        "test_accuracy": [run.test_accuracy for run in done],
        "test_loss": [run.test_loss for run in done],
        "seconds": [run.seconds for run in done],
        "failed": len(runs) - len(done),
    }


def _line(row: dict) -> str:
    """A row of the table, in Markdown."""
    if row["failed"]:
        return f"| `{row['preset']}` | {row['dataset']} | | {row['failed']} failed | | |"
    reached = row["test_accuracy"]
    spread = f"{min(reached):.2%} to {max(reached):.2%}"
    return (
        f"| `{row['preset']}` | {row['dataset']} | {row['parameters']:,} | {mean(reached):.2%} | {spread} | "
        f"{mean(row['seconds']):.0f} s, {row['epochs']} epochs |"
    )
