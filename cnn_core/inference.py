"""A trained run, ready to answer: model + arrays -> arrays."""

from functools import cached_property
from pathlib import Path

import numpy as np
import tensorflow as tf

from cnn_core.errors import LabError
from cnn_core.model import load_model
from cnn_core.spec import RunSpec


class TrainedModel:
    """The network of a run with its weights, and one compiled function that gives the output of every layer at once.

    Loading checks the weights against the spec; raises LabError when they do not fit or the file is damaged.
    """

    def __init__(self, spec: RunSpec, weights: Path) -> None:
        self.spec = spec
        try:
            self.model = load_model(spec, weights)
        except (OSError, ValueError, KeyError) as error:
            reason = (str(error).strip().splitlines() or ["unreadable"])[0]
            raise LabError(
                f"The weights {weights} cannot be used ({reason[:200]}). The file is damaged: train the run again."
            ) from None

    @cached_property
    def _every_layer(self):
        outputs = {layer.name: self.model.get_layer(layer.name).output for layer in self.spec.model.layers}
        network = tf.keras.Model(self.model.inputs, outputs)
        return tf.function(lambda images: network(images, training=False), reduce_retracing=True)

    def activations(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        """Output of every layer, in order, for one image: uint8 (28, 28) -> {name: float32 without the batch}."""
        outputs = self._every_layer(tf.constant(scale(pixels[np.newaxis])))
        return {layer.name: outputs[layer.name].numpy()[0] for layer in self.spec.model.layers}

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Probability of each class for each image: uint8 (n, 28, 28) -> float32 (n, classes)."""
        if len(images) == 1:
            return self.activations(images[0])[self.spec.model.heads[0].layer][np.newaxis]
        return self.model.predict(scale(images), batch_size=500, verbose=0)

    def kernels(self, name: str) -> np.ndarray:
        """Kernel of a convolution or dense layer: (height, width, input channels, filters) or (inputs, units)."""
        return self.model.get_layer(name).get_weights()[0]


def scale(images: np.ndarray) -> np.ndarray:
    """What the network is fed: uint8 (n, 28, 28) or (n, 28, 28, 1), 0 to 255 -> float32 (n, 28, 28, 1), 0 to 1."""
    return images.reshape(len(images), 28, 28, 1).astype(np.float32) / 255
