"""A run whose process is killed again and again, beside one that nothing happens to: do they end with the same bits?

    python -m benchmarks.kills [--kills 50] [--epochs 120] [--seed 0]

Both train a small network with dropout, augmented images and a planned learning rate on the images that come with the lab, in
deterministic mode. Each kill (signal 9) comes at a random moment: while TensorFlow loads, while it trains, validates or writes.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

from cnn_core import checkpoint
from cnn_core.blocks import Blocks, ConvBlock, DenseBlock, to_graph
from cnn_core.jobs import Lab
from cnn_core.spec import RunSpec, change

SPEC = change(
    RunSpec(model=to_graph(Blocks(conv=(ConvBlock(filters=3, dropout=0.3),), dense=(DenseBlock(units=8, dropout=0.5),)))),
    {
        "training.deterministic": True,
        "training.schedule": "one-cycle",
        "data.augmentation.rotation": 20,
        "data.augmentation.elastic": 0.02,
        "data.validation": 0.5,
    },
)


def weights(file: Path) -> list[np.ndarray]:
    """Every array of a file of weights."""
    found: list[np.ndarray] = []
    with h5py.File(file) as opened:
        opened.visititems(lambda name, item: found.append(item[()]) if isinstance(item, h5py.Dataset) else None)
    return found


def end(lab: Lab, run: str) -> None:
    """Wait for the end of a run."""
    while not lab.store.get(run).is_over:
        time.sleep(0.1)
        lab.reconcile()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    spec, chance = change(SPEC, {"training.epochs": options.epochs}), random.Random(options.seed)
    lab = Lab(Path(tempfile.mkdtemp(prefix="cnn-lab-benchmark-")))
    whole = lab.submit(spec)
    end(lab, whole)
    run, kills, lost = lab.submit(spec), 0, []
    while kills < options.kills and not lab.store.get(run).is_over:
        moment = time.monotonic() + chance.uniform(0, 10)
        while time.monotonic() < moment and not lab.store.get(run).is_over:
            time.sleep(0.01)
        process = lab._workers.get(run)
        if lab.store.get(run).is_over or process is None:
            break
        process.kill()
        process.wait()
        lab.reconcile()
        kills += 1
        row, kept = lab.store.get(run), checkpoint.read(lab.store.folder(run))
        lost.append(row.step - (kept.step if kept else 0))
        print(f"kill {kills}: {row.status} at step {row.step}, goes on from {row.step - lost[-1]}", flush=True)
        lab.resume(run)
    end(lab, run)
    one, other = lab.store.get(whole), lab.store.get(run)
    rows = [
        [(row.step, row.phase, row.name, row.value) for row in lab.store.metrics(name, ("train", "validation"))]
        for name in (whole, run)
    ]
    same = all(np.array_equal(a, b) for a, b in zip(weights(lab.weights(whole)), weights(lab.weights(run)), strict=True))
    print(
        f"\n{kills} kills of a run of {one.epochs} epochs of {one.steps_per_epoch} steps; most steps lost at once: {max(lost, default=0)}"
    )
    print(f"ended: {one.status} and {other.status} after {one.epoch} and {other.epoch} epochs")
    print(f"weights equal to the bit: {same}; rows of the epochs equal: {rows[0] == rows[1]} ({len(rows[0])} rows)")


if __name__ == "__main__":
    main()
