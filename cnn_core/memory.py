"""Whether a network can be trained in the memory of this computer, before it is tried."""

from math import prod
from pathlib import Path

import psutil

from cnn_core import datasets, shapes
from cnn_core.errors import SpecError
from cnn_core.spec import RunSpec

COPIES = {
    "sgd": 4,
    "adagrad": 4,
    "rmsprop": 4,
    "adam": 5,
}  # of each weight: itself, its gradient, the optimizer's, a checkpoint's
LIBRARIES = 500_000_000  # TensorFlow and Keras, loaded
VALUE = 4  # bytes
# Their results may take the place of what they were given, or are recomputed from it.
IN_PLACE = ("Flatten", "Activation", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise")
LIMIT = Path("/sys/fs/cgroup/memory.max")  # of the container, where there is one


def needed(spec: RunSpec) -> int:
    """Bytes that training a spec takes at least: what the way back needs of every layer, and what is kept for every weight.

    The layers' outputs for one batch, the largest of them once more for its gradient, the weights with all their copies, and the
    libraries.
    """
    info = datasets.info(spec.data.dataset)
    network = shapes.report(spec.model, spec.data)
    outputs = [prod(layer.output_shape) for layer in network.layers if layer.output_shape and layer.kind not in IN_PLACE]
    activations = (sum(outputs) + max(outputs, default=0)) * min(spec.training.batch_size, info.train)
    examples = prod(info.input_shape) * (info.train + info.test) * (VALUE if info.is_series else 1)
    return LIBRARIES + examples + VALUE * (activations + COPIES[spec.training.optimizer] * network.parameters)


def there_is() -> int:
    """Bytes of memory that this computer, or the container that we are in, has."""
    total = psutil.virtual_memory().total
    try:
        return min(total, int(LIMIT.read_text()))
    except (OSError, ValueError):  # no container, or one without a limit, which says "max"
        return total


def check(spec: RunSpec) -> None:
    """Raises SpecError when training it takes more memory than there is."""
    wanted, total = needed(spec), there_is()
    if wanted > total:
        raise SpecError(
            f"Training this network in batches of {spec.training.batch_size} takes at least {wanted / 1e9:.1f} GB of memory, and this "
            f"computer has {total / 1e9:.1f} GB. Lower the batch size, filters or units, or add pooling or a stride."
        )
