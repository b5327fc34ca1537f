"""How soon pause, stop and a new learning rate act, for a small network and for the largest ones that can be trained.

    python -m benchmarks.steering [--tries 5]

A run is asked while its steps are computed, at a random moment. stop and pause: seconds until it is stored as stopped (the test of a cheap
network included) or paused. learning rate: seconds until the event of the change is stored, which is between two steps.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cnn_core.blocks import Blocks, ConvBlock, DenseBlock, to_graph
from cnn_core.jobs import Lab
from cnn_core.presets import preset
from cnn_core.spec import RunSpec, change

WIDEST = ConvBlock(filters=256, kernel_size=11, pooling="none")
NETWORKS = {
    "lenet5": change(preset("lenet5").spec, {"training.epochs": 1000}),
    "steps of seconds (2 x 64 filters of 7x7, batch 512)": change(
        RunSpec(model=to_graph(Blocks(conv=(ConvBlock(filters=64, kernel_size=7, pooling="none"),) * 2, dense=(DenseBlock(),)))),
        {"training.batch_size": 512, "training.epochs": 1000},
    ),
    "the largest (5 x 256 filters of 11x11, dense 256, batch 512)": change(
        RunSpec(model=to_graph(Blocks(conv=(WIDEST,) * 5, dense=(DenseBlock(units=256),)))), {"training.batch_size": 512}
    ),
}
FIRST_STEPS = 60  # seconds to wait for the first step


def waited(condition: Callable[[], bool], most: float) -> float | None:
    """Seconds until `condition` holds, None when it does not within `most`."""
    start = time.monotonic()
    while time.monotonic() - start < most:
        if condition():
            return time.monotonic() - start
        time.sleep(0.01)
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=5)
    options = parser.parse_args()
    lab, chance = Lab(Path(tempfile.mkdtemp(prefix="cnn-lab-benchmark-"))), random.Random(0)
    for title, spec in NETWORKS.items():
        found: dict[str, list[float | None]] = {"learning rate": [], "pause": [], "stop": []}
        for _ in range(options.tries):
            for action in ("pause", "stop"):
                run = lab.submit(spec)
                waited(lambda run=run: lab.store.get(run).stage == "Training", 120)
                first = waited(lambda run=run: lab.store.get(run).step > 0, FIRST_STEPS)
                time.sleep(chance.uniform(1, 4))
                if first is not None and action == "pause":
                    lab.set_learning_rate(run, 0.0005)
                    found["learning rate"].append(waited(lambda run=run: bool(lab.store.events(run)), 60))
                    time.sleep(chance.uniform(0, 2))
                getattr(lab, action)(run)
                found[action].append(waited(lambda run=run: lab.store.get(run).is_over, 60))
                lab.reconcile()
        print(title)
        for action, seconds in found.items():
            known = sorted(value for value in seconds if value is not None)
            words = (
                f"median {known[len(known) // 2]:.2f} s, worst {known[-1]:.2f} s" if known else "no step was over to measure it"
            )
            print(f"  {action:<14} {words}, {len(known)} of {len(seconds)} acted", flush=True)


if __name__ == "__main__":
    main()
