"""Exported scripts give the numbers of the lab, to the bit."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cnn_core.presets import PRESETS, preset
from cnn_core.spec import RunSpec, change

ROOT = Path(__file__).parent.parent
SHORT = {"training.deterministic": True, "training.seed": 5, "training.batch_size": 256}
TWICE = ("tiny", "lenet5-regularised", "best", "inception", "two-heads", "mnist1d-forecast")  # trained for two epochs

# Each way that a script can be written in once; `make test-thorough` compares every preset.
USUAL = ("tiny", "lenet5-regularised", "best", "inception", "residual", "two-heads", "mnist1d-forecast", "pooling-min")


def short(name: str, **settings) -> RunSpec:
    """A preset, made to train for seconds."""
    spec = change(preset(name).spec, SHORT | {"training.epochs": 1 + (name in TWICE)} | settings)
    return spec if spec.data.validation == "test" else change(spec, {"data.validation": 0.5})


SPECS = {
    **{name: short(name) for name in (PRESETS if os.environ.get("CNN_LAB_THOROUGH") else USUAL)},
    "callbacks": short(
        "tiny",
        **{
            "training.epochs": 6,
            "training.optimizer": "sgd",
            "training.learning_rate": 1.5,
            "training.schedule": "plateau",
            "training.period": 1,
            "training.early_stopping": "accuracy",
            "training.patience": 2,
        },
    ),
}


@pytest.fixture(scope="module")
def compared(tmp_path_factory) -> dict[str, dict]:
    """What the lab and the script measured of each spec. Two processes share them, since each keeps one core busy."""
    halves = [dict(list(SPECS.items())[part::2]) for part in range(2)]
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda specs: exported_runs(specs, tmp_path_factory.mktemp("runs")), halves)
        return {name: each for half in found for name, each in half.items()}


def exported_runs(specs: dict[str, RunSpec], folder: Path) -> dict[str, dict]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.exported_runs", folder],
        input=json.dumps([spec.model_dump(mode="json") for spec in specs.values()]),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(specs, json.loads(done.stdout.splitlines()[-1]), strict=True))


@pytest.mark.parametrize("name", SPECS)
def test_every_epoch_is_the_same(compared, name):
    found = compared[name]
    assert found["outcome"] == "finished" and len(found["lab"]) == len(found["script"])
    for lab, script in zip(found["lab"], found["script"], strict=True):
        assert {"loss", "val_loss"} <= script.keys()
        assert {key: lab[key] for key in script.keys() - {"learning_rate"}} == {
            key: script[key] for key in script.keys() - {"learning_rate"}
        }
    assert found["last_line"] == f"Test accuracy: {found['test_accuracy']:.4f}"


def test_it_stops_as_early_as_the_lab(compared):
    assert 2 < len(compared["callbacks"]["script"]) < 6
