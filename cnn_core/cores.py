"""How a training shares out the cores of the computer."""

import os
from functools import cache

import numpy as np

from cnn_core.spec import RunSpec


def in_halves(spec: RunSpec) -> bool:
    """Whether the two halves of each batch are computed side by side: same updates, faster on a CPU, not to the bit the same.

    Not with batch normalisation, which looks at a batch as a whole.
    """
    whole = spec.training.deterministic or any(layer.kind == "BatchNormalization" for layer in spec.model.layers)
    return cores() > 1 and spec.training.batch_size > 1 and not whole


def share_cores(spec: RunSpec) -> None:
    """Tell TensorFlow how many threads a half, or a whole batch, gets. Before its first operation, and then for good."""
    import tensorflow as tf

    tf.config.threading.set_inter_op_parallelism_threads(2)
    tf.config.threading.set_intra_op_parallelism_threads(max(1, cores() // 2) if in_halves(spec) else cores())


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def lanes() -> int:
    """Numbers of 32 bits that one instruction of this computer's CPU works on: 16 with AVX-512, else 8."""
    known = np.show_config(mode="dicts")["SIMD Extensions"]
    return 16 if "X86_V4" in {*known["baseline"], *known["found"]} else 8
