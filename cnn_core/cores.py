"""How a training shares out the cores of the computer."""

import os

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
