"""How far an exported script is from the lab in fast mode, beside how far two runs of the lab are from each other.

    python -m benchmarks.take_home [PRESET ...] [--epochs N] [--seeds 3]

Trains each preset with several seeds in the lab and by its script, alternating, each in a process of its own, and prints how much the
accuracies and losses of the last epoch differ: between lab runs of different seeds, and between the lab and the script of one seed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from itertools import combinations
from pathlib import Path
from statistics import mean

from benchmarks.sides import ROOT
from cnn_core.export.script import script
from cnn_core.presets import PRESETS, preset
from cnn_core.spec import RunSpec, change

SCRIPT = "import json, runpy, sys; print(json.dumps(runpy.run_path(sys.argv[1])['history'].history))"


def answered(command: list[str], home: str) -> dict:
    """The document that a process prints as its last line."""
    environment = {**os.environ, "CNN_LAB_HOME": home, "TF_ENABLE_ONEDNN_OPTS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.strip().splitlines()[-1])


def histories(spec: RunSpec, seeds: int, home: str) -> tuple[list[dict], list[dict]]:
    """The histories of the lab's runs and of the script's, by their seeds."""
    settings, text = Path(home) / "spec.json", Path(home) / "script.py"
    lab, scripts = [], []
    for seed in range(seeds):
        seeded = change(spec, {"training.seed": seed})
        settings.write_text(seeded.model_dump_json(), encoding="utf-8")
        text.write_text(script(seeded), encoding="utf-8")
        lab.append(answered([sys.executable, "-m", "cnn_core", "train", "--spec", str(settings), "--json"], home)["history"])
        scripts.append(answered([sys.executable, "-c", SCRIPT, str(text)], home))
    return lab, scripts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", metavar="PRESET", nargs="*", default=list(PRESETS))
    parser.add_argument("--epochs", type=int, help="instead of each preset's own")
    parser.add_argument("--seeds", type=int, default=3, help="how many, from 0")
    asked = parser.parse_args()
    print(f"differences of the last epoch, mean and largest; {asked.seeds} seeds")
    for name in asked.presets:
        spec = change(preset(name).spec, {"training.epochs": asked.epochs} if asked.epochs else {})
        with tempfile.TemporaryDirectory() as home:
            lab, scripts = histories(spec, asked.seeds, home)
        for value in sorted(lab[0].keys() & scripts[0].keys() - {"learning_rate"}):
            sides = {"lab, other seed": combinations(lab, 2), "lab and script": zip(lab, scripts, strict=True)}
            words = []
            for side, both in sides.items():
                apart = [abs(one[value][-1] - other[value][-1]) for one, other in both]
                words.append(f"{side} {mean(apart):.5f}, {max(apart):.5f}")
            print(f"{name:20} {value:22} {'   '.join(words)}", flush=True)


if __name__ == "__main__":
    main()
