"""How far an exported script is from the lab in fast mode, beside how far two runs of the lab are from each other.

    python -m benchmarks.take_home [PRESET ...] [--epochs N] [--pairs 3]

Trains each preset in the lab and by its script with the same seed, alternating, each in a process of its own, and prints how much the
accuracies and losses of the last epoch differ: between all pairs of lab runs, and between all pairs of a lab run and a script's.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from itertools import combinations, product
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


def histories(spec: RunSpec, pairs: int, home: str) -> tuple[list[dict], list[dict]]:
    """The histories of so many runs of the lab and of the script."""
    settings, text = Path(home) / "spec.json", Path(home) / "script.py"
    settings.write_text(spec.model_dump_json(), encoding="utf-8")
    text.write_text(script(spec), encoding="utf-8")
    lab, scripts = [], []
    for _ in range(pairs):
        lab.append(answered([sys.executable, "-m", "cnn_core", "train", "--spec", str(settings), "--json"], home)["history"])
        scripts.append(answered([sys.executable, "-c", SCRIPT, str(text)], home))
    return lab, scripts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", metavar="PRESET", nargs="*", default=list(PRESETS))
    parser.add_argument("--epochs", type=int, help="instead of each preset's own")
    parser.add_argument("--pairs", type=int, default=3, help="runs of either side")
    asked = parser.parse_args()
    print(f"differences of the last epoch, mean and largest over all pairs of {asked.pairs} runs of either side")
    for name in asked.presets:
        spec = change(preset(name).spec, {"training.epochs": asked.epochs} if asked.epochs else {})
        with tempfile.TemporaryDirectory() as home:
            lab, scripts = histories(spec, asked.pairs, home)
        for value in sorted(lab[0].keys() & scripts[0].keys() - {"learning_rate"}):
            sides = {"lab and lab": combinations(lab, 2), "lab and script": product(lab, scripts)}
            words = []
            for side, both in sides.items():
                apart = [abs(one[value][-1] - other[value][-1]) for one, other in both]
                words.append(f"{side} {mean(apart):.5f}, {max(apart):.5f}")
            print(f"{name:20} {value:22} {'   '.join(words)}", flush=True)


if __name__ == "__main__":
    main()
