"""Output shape, parameters, multiply-adds and receptive field of each layer, without TensorFlow.

Receptive field and jump (the distance between two neighbouring cells, on the input) follow Dumoulin and Visin, "A guide to
convolution arithmetic for deep learning" (2016), and Araujo et al., "Computing receptive fields of convolutional neural networks"
(Distill, 2019).
"""

from dataclasses import dataclass

from cnn_core.errors import SpecError
from cnn_core.layer_kinds import KindError, Shape
from cnn_core.spec import INPUT, ModelSpec

MOST_PARAMETERS = 100_000_000  # 400 MB of weights, and Adam keeps three times as much
MOST_VALUES = 4_000_000  # values in one map of one image


@dataclass(frozen=True)
class LayerReport:
    """What one layer does to its input. Shapes are without the batch and None behind a faulty layer.

    receptive_field: side, in input pixels, of what one cell sees (None: it sees the whole input). error: why it cannot be.
    """

    name: str
    kind: str
    input_shape: Shape | None
    output_shape: Shape | None
    parameters: int = 0
    formula: str = ""
    multiply_adds: int = 0
    receptive_field: int | None = None
    error: str | None = None


@dataclass(frozen=True)
class NetworkReport:
    """All layers in order, and their sums."""

    input_shape: Shape
    layers: tuple[LayerReport, ...]
    error: str | None = None  # of the network as a whole

    @property
    def parameters(self) -> int:
        return sum(layer.parameters for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        return sum(layer.multiply_adds for layer in self.layers)

    @property
    def errors(self) -> tuple[str, ...]:
        """Every fault, each with the layer that causes it."""
        own = (self.error,) if self.error else ()
        return tuple(f"Layer {layer.name}: {layer.error}" for layer in self.layers if layer.error) + own


def report(model: ModelSpec, input_shape: Shape, classes: int) -> NetworkReport:
    """Follow an image of `input_shape` through the network. Faults are in the report, at the layer that causes them."""
    shapes: dict[str, Shape | None] = {INPUT: tuple(input_shape)}
    fields: dict[str, tuple[int | None, int]] = {INPUT: (1, 1)}  # (receptive field, jump)
    layers = []
    for layer in model.layers:
        source = layer.inputs[0]
        shape, (field, jump) = shapes[source], fields[source]
        if shape is None:
            layers.append(LayerReport(layer.name, layer.kind, None, None))
            shapes[layer.name], fields[layer.name] = None, (None, 1)
            continue
        size, strides = layer.window()
        seen = None if field is None or size == 0 else field + (size - 1) * jump
        try:
            output = layer.output_shape(shape)
            if _count(output) > MOST_VALUES:
                raise KindError(
                    f"its output has {_count(output):,} values for one image, more than {MOST_VALUES:,}. Lower its filters."
                )
            parameters, formula = layer.parameters(shape)
            layers.append(
                LayerReport(layer.name, layer.kind, shape, output, parameters, formula, layer.multiply_adds(shape), seen)
            )
        except KindError as error:
            output = None
            layers.append(LayerReport(layer.name, layer.kind, shape, None, error=str(error)))
        shapes[layer.name], fields[layer.name] = output, (seen, jump * max(strides, 1))
    return NetworkReport(tuple(input_shape), tuple(layers), _whole(model, shapes, layers, classes))


def check(model: ModelSpec, input_shape: Shape, classes: int) -> NetworkReport:
    """`report`, or SpecError with every fault in it."""
    network = report(model, input_shape, classes)
    if network.errors:
        raise SpecError(" ".join(network.errors))
    return network


def _count(shape: Shape) -> int:
    values = 1
    for side in shape:
        values *= side
    return values


def _whole(model: ModelSpec, shapes: dict, layers: list[LayerReport], classes: int) -> str | None:
    if any(layer.error for layer in layers):
        return None
    parameters = sum(layer.parameters for layer in layers)
    if parameters > MOST_PARAMETERS:
        return (
            f"The network has {parameters:,} parameters, more than the {MOST_PARAMETERS:,} that the lab trains. "
            "Add pooling or a stride, or lower units or filters."
        )
    for head in model.heads:
        if shapes[head.layer] != (classes,):
            return (
                f"Head {head.name}: layer {head.layer} gives {shapes[head.layer]}, and the data has {classes} classes. "
                f"End with a dense layer of {classes} units."
            )
        last = model.layer(head.layer)
        if not (last.kind == "Activation" and last.function == "softmax"):
            return f"Head {head.name}: {head.loss} needs probabilities. Make a softmax activation the last layer."
    return None
