"""A trained run, ready to answer: model + arrays -> arrays."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import tensorflow as tf

from cnn_core import targets
from cnn_core.errors import LabError
from cnn_core.model import load_model, scaled
from cnn_core.spec import INPUT, RunSpec

AT_ONCE = 500  # examples that are read together


class TrainedModel:
    """The network of a run with its weights, and one compiled function that gives the output of every layer at once.

    Examples are images, uint8 (28, 28), or series, float32 (points, 1), of which the network sees the first. Loading checks the
    weights against the spec; raises LabError when they do not fit, the file is damaged, or they are no finite numbers.
    """

    def __init__(self, spec: RunSpec, weights: Path) -> None:
        self.spec = spec
        try:
            self.model = load_model(spec, weights)
        except (OSError, ValueError, KeyError) as error:
            raise LabError(
                f"The weights {weights} cannot be used: the file is damaged, missing or of another network. Train the run again "
                "('Open its settings' on the Runs page, then 'Train'), or choose another network."
            ) from error
        if not all(np.isfinite(values).all() for values in self.model.get_weights()):
            raise LabError(
                "Weights of this network are infinite or no numbers (NaN): its training went astray. Train it again with a lower "
                "learning rate, or choose another network."
            )

    @cached_property
    def _every_layer(self):
        return tf.function(self.tensors, reduce_retracing=True)

    @cached_property
    def _heads(self):
        heads = {head.name: head.layer for head in self.spec.model.heads}

        def said(fed: tf.Tensor, off: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            tensors = self.tensors(fed, off)
            return {name: tensors[layer] for name, layer in heads.items()}

        return tf.function(said, reduce_retracing=True)

    def tensors(
        self, fed: tf.Tensor, keeps: Mapping[str, tf.Tensor] | None = None, watch: tuple[tf.GradientTape, str] | None = None
    ) -> dict[str, tf.Tensor]:
        """The output of every layer, in order, for what the network is fed, with the batch.

        keeps: by the names of layers, 1 for each channel that is kept and 0 for each that is switched off. watch: a tape that
        watches the output of a layer, and its name.
        """
        found = {INPUT: fed}
        for layer in self.spec.model.layers:
            reaching = [found[name] for name in layer.inputs]
            output = self.model.get_layer(layer.name)(reaching if len(reaching) > 1 else reaching[0])
            if keeps and layer.name in keeps:
                output = output * keeps[layer.name]
            if watch and watch[1] == layer.name:
                watch[0].watch(output)
            found[layer.name] = output
        del found[INPUT]
        return found

    def activations(self, example: np.ndarray, keeps: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
        """Output of every layer, in order, for one example: {name: float32 without the batch}. keeps: as for `tensors`."""
        outputs = self._every_layer(self.fed(example[np.newaxis]), _constants(keeps))
        return {layer.name: outputs[layer.name].numpy()[0] for layer in self.spec.model.layers}

    def answers(self, examples: np.ndarray, keeps: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
        """What each head says of each example (n, ...), by its name: probabilities (n, classes) or numbers (n, values)."""
        return self.said(self.fed(examples), keeps)

    def said(self, fed: np.ndarray | tf.Tensor, keeps: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
        """The same for what the network is fed: float32 (n, ...), images from 0 to 1."""
        parts = [
            self._heads(tf.constant(fed[start : start + AT_ONCE]), _constants(keeps)) for start in range(0, len(fed), AT_ONCE)
        ]
        heads = self.spec.model.heads
        return {head.name: targets.readable(head, np.concatenate([part[head.name] for part in parts])) for head in heads}

    def probabilities(self, examples: np.ndarray, keeps: Mapping[str, np.ndarray] | None = None) -> np.ndarray:
        """Probability of each class for each example (n, ...), of the first head that names classes: float32 (n, classes)."""
        head = targets.main_head(self.spec)
        if head is None:
            raise LabError("This network names no classes: it has no head for them.")
        return self.answers(examples, keeps)[head.name]

    def outputs(self, examples: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
        """Output of some layers for many examples (n, ...): {name: float32 (n, ...)}."""
        network = tf.keras.Model(self.model.inputs, {name: self.model.get_layer(name).output for name in layers})
        return network.predict(self.fed(examples), batch_size=AT_ONCE, verbose=0)

    def weights(self, name: str) -> dict[str, np.ndarray]:
        """The weights of a layer by Keras' names for them, such as kernel and bias."""
        return {variable.name: variable.numpy() for variable in self.model.get_layer(name).weights}

    def fed(self, examples: np.ndarray) -> tf.Tensor:
        """Examples (n, ...) as the network is fed them."""
        shape = targets.input_shape(self.spec.data)
        return scaled(tf.constant(targets.inputs(self.spec.data, examples).reshape(len(examples), *shape)))


def _constants(keeps: Mapping[str, np.ndarray] | None) -> dict[str, tf.Tensor]:
    return {name: tf.constant(values, tf.float32) for name, values in (keeps or {}).items()}
