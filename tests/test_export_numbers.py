"""Exported scripts give the numbers of the lab, to the bit."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cnn_core.presets import PRESETS, preset
from cnn_core.spec import RunSpec, change

ROOT = Path(__file__).parent.parent
SHORT = {"training.deterministic": True, "training.seed": 5, "training.epochs": 2, "training.batch_size": 256}


def short(name: str, **settings) -> RunSpec:
    """A preset, made to train for seconds."""
    spec = change(preset(name).spec, SHORT | settings)
    return spec if spec.data.validation == "test" else change(spec, {"data.validation": 0.5})


SPECS = {
    **{name: short(name) for name in PRESETS},
    "callbacks": short(
        "tiny",
        **{
            "training.epochs": 6,
            "training.optimizer": "sgd",
            "training.learning_rate": 1.5,
            "training.schedule": "plateau",
            "training.period": 1,
            "training.early_stopping": "loss",
            "training.patience": 2,
        },
    ),
}


@pytest.fixture(scope="module")
def compared(tmp_path_factory) -> dict[str, dict]:
    """What the lab and the script measured of each spec."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.exported_runs", tmp_path_factory.mktemp("runs")],
        input=json.dumps([spec.model_dump(mode="json") for spec in SPECS.values()]),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(SPECS, json.loads(done.stdout.splitlines()[-1]), strict=True))


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
