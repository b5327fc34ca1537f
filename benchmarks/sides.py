"""What the benchmarks share: the training they measure, the computer they run on, and where the images are."""

import os
import platform
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
TRAIN = [sys.executable, "-m", "cnn_core", "train", "--preset", "lenet5", "--dataset", "mnist", "--json"]


def data_folder() -> Path:
    """The folder of `CNN_LAB_DATA`, made absolute for the processes that follow; ends the program when it holds no mnist.npz."""
    folder = Path(os.environ.get("CNN_LAB_DATA", "")).absolute()
    if not (folder / "mnist.npz").is_file():
        sys.exit("Set CNN_LAB_DATA to a folder that holds mnist.npz.")
    os.environ["CNN_LAB_DATA"] = str(folder)
    return folder


def cpu() -> str:
    """The model of this computer's CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown CPU"
