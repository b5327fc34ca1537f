"""How a training shares out the cores of the computer."""

import os
from functools import cache

import numpy as np

from cnn_core.spec import RunSpec

THREADS = "CNN_LAB_THREADS"  # of the environment of a training process
THREADS_TO_REPEAT = 2  # of a deterministic run, whatever else trains: another number gives other bits


def splits_batches(spec: RunSpec, threads: int) -> bool:
    """Whether the two halves of each batch are computed side by side: same updates, faster on a CPU, not to the bit the same.

    Not with batch normalisation, which looks at a batch as a whole.
    """
    whole = spec.training.deterministic or any(layer.kind == "BatchNormalization" for layer in spec.model.layers)
    return threads > 1 and spec.training.batch_size > 1 and not whole


def share_cores(spec: RunSpec) -> None:
    """Tell TensorFlow how many threads a half, or a whole batch, gets. Before its first operation, and then for good."""
    import tensorflow as tf

    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)  # it may have to serve several processes
    count = threads_for(spec, threads())
    tf.config.threading.set_inter_op_parallelism_threads(2)
    tf.config.threading.set_intra_op_parallelism_threads(max(1, count // 2) if splits_batches(spec, count) else count)


def threads_for(spec: RunSpec, given: int) -> int:
    """Threads that a training of `spec` uses where it is given so many."""
    return THREADS_TO_REPEAT if spec.training.deterministic else given


def threads() -> int:
    """Threads that a training in this process may use."""
    return int(os.environ.get(THREADS, 0)) or cores()


def gpu() -> str | None:
    """The name of the GPU that TensorFlow has found, None for none."""
    import tensorflow as tf

    found = tf.config.list_physical_devices("GPU")
    return tf.config.experimental.get_device_details(found[0]).get("device_name", found[0].name) if found else None


def device(spec: RunSpec) -> str:
    """What trains a spec in this process, in words."""
    count = threads_for(spec, threads())
    return f"GPU ({gpu()})" if gpu() else f"CPU ({count} thread{'s' * (count > 1)})"


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def lanes() -> int:
    """Numbers of 32 bits that one instruction of this computer's CPU works on: 16 with AVX-512, else 8."""
    known = np.show_config(mode="dicts")["SIMD Extensions"]
    return 16 if "X86_V4" in {*known["baseline"], *known["found"]} else 8
