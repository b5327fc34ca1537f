"""A trained network in the formats of other programs: ONNX and LiteRT."""

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cnn_core.errors import LabError
from cnn_core.spec import INPUT, RunSpec

PACKAGES = {"onnx": ("onnx", "tf2onnx"), "litert": ()}  # that a conversion needs beside TensorFlow
BATCH = "batch"  # the name of the first axis


def missing(format: str) -> str | None:
    """The package that a conversion lacks, None when there are all."""
    return next((name for name in PACKAGES.get(format, ()) if find_spec(name) is None), None)


def convert(spec: RunSpec, weights: Path, format: str, target: Path) -> None:
    """Write the network with these weights to `target`. format: "onnx" or "litert".

    Its input is called "input": float32 (n, height, width, channels), 0 to 1, or (n, points, channels); its outputs are called as its
    heads are. Raises LabError when the weights are damaged or the network cannot be converted.
    """
    import keras

    from cnn_core.inference import TrainedModel

    trained = TrainedModel(spec, weights).model
    for layer in trained.layers:
        if format == "onnx" and getattr(layer, "activation", None) is keras.activations.gelu:
            layer.activation = _gelu
    outputs = {head.name: trained.get_layer(head.layer).output for head in spec.model.heads}
    network = keras.Model(trained.input, outputs)
    network(keras.ops.zeros((1, *trained.input.shape[1:])))  # Keras exports what was called
    for name in ("tf2onnx", "tensorflow", "absl"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        network.export(target, format=format, verbose=False)
        if format == "onnx":
            _name(target, spec)
    except OSError:
        raise
    except Exception as error:  # three converters raise errors of their own
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise LabError(
            f"This network could not be converted ({first[:200]}). Take it home as a Keras file or as a script."
        ) from None


def _gelu(values: Any) -> Any:
    """Keras' gelu in operations that ONNX has: it lacks the complementary error function."""
    import tensorflow as tf

    return 0.5 * values * (1 + tf.math.erf(values / 2**0.5))


def _name(file: Path, spec: RunSpec) -> None:
    """Give the axes that may have any length a name, and say in the file what its heads mean."""
    import onnx

    from cnn_core import targets

    model = onnx.load(file)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = BATCH
    model.producer_name = "CNN Lab"
    shape = " x ".join(map(str, targets.input_shape(spec.data)))
    said = {INPUT: f"float32, batch x {shape}"}
    said |= {head.name: ", ".join(targets.labels(spec, head)) or "numbers" for head in spec.model.heads}
    onnx.helper.set_model_props(model, said)
    onnx.save(model, file)
