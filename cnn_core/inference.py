"""A trained run, ready to answer: model + arrays -> arrays."""

from functools import cached_property
from pathlib import Path

import numpy as np
import tensorflow as tf

from cnn_core import targets
from cnn_core.errors import LabError
from cnn_core.model import load_model, scaled
from cnn_core.scoring import by_head
from cnn_core.spec import RunSpec


class TrainedModel:
    """The network of a run with its weights, and one compiled function that gives the output of every layer at once.

    Examples are images, uint8 (28, 28), or series, float32 (points, 1), of which the network sees the first. Loading checks the
    weights against the spec; raises LabError when they do not fit or the file is damaged.
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
        return tf.function(lambda examples: network(examples, training=False), reduce_retracing=True)

    def activations(self, example: np.ndarray) -> dict[str, np.ndarray]:
        """Output of every layer, in order, for one example: {name: float32 without the batch}."""
        outputs = self._every_layer(self._fed(example[np.newaxis]))
        return {layer.name: outputs[layer.name].numpy()[0] for layer in self.spec.model.layers}

    def answers(self, examples: np.ndarray) -> dict[str, np.ndarray]:
        """What each head says of each example (n, ...), by its name: probabilities (n, classes) or numbers (n, values)."""
        if len(examples) == 1:
            outputs = self.activations(examples[0])
            raw = {head.name: outputs[head.layer][np.newaxis] for head in self.spec.model.heads}
        else:
            raw = by_head(self.spec, self.model.predict(self._fed(examples), batch_size=500, verbose=0))
        return {head.name: targets.readable(head, raw[head.name]) for head in self.spec.model.heads}

    def probabilities(self, examples: np.ndarray) -> np.ndarray:
        """Probability of each class for each example (n, ...), of the first head that names classes: float32 (n, classes)."""
        head = targets.main_head(self.spec)
        if head is None:
            raise LabError("This network names no classes: it has no head for them.")
        return self.answers(examples)[head.name]

    def weights(self, name: str) -> dict[str, np.ndarray]:
        """The weights of a layer by Keras' names for them, such as kernel and bias."""
        return {variable.name: variable.numpy() for variable in self.model.get_layer(name).weights}

    def _fed(self, examples: np.ndarray) -> tf.Tensor:
        shape = targets.input_shape(self.spec.data)
        return scaled(tf.constant(targets.inputs(self.spec.data, examples).reshape(len(examples), *shape)))
