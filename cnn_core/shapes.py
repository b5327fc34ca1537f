"""Output shape, parameters, multiply-adds and receptive field of each layer, without TensorFlow.

Receptive field and jump (the distance between two neighbouring cells, on the input) follow Dumoulin and Visin, "A guide to
convolution arithmetic for deep learning" (2016), and Araujo et al., "Computing receptive fields of convolutional neural networks"
(Distill, 2019).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

from cnn_core import targets
from cnn_core.errors import SpecError
from cnn_core.layer_kinds import BaseLayer, KindError, Shape
from cnn_core.spec import INPUT, DataSpec, HeadSpec, ModelSpec
from cnn_core.targets import Target

MERGES = ("Add", "Multiply", "Concatenate")
MOST_PARAMETERS = 100_000_000  # 400 MB of weights, and Adam keeps three times as much
MOST_VALUES = 4_000_000  # values that one layer gives for one example


@dataclass(frozen=True)
class LayerReport:
    """What one layer does to its inputs. Shapes are without the batch and None behind a faulty layer.

    inputs: the names of the layers that feed it. receptive_field: side, in input pixels, of what one cell sees (None: it sees the
    whole input). error: why it cannot be.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape | None, ...]
    output_shape: Shape | None
    parameters: int = 0
    formula: str = ""
    multiply_adds: int = 0
    receptive_field: int | None = None
    error: str | None = None


@dataclass(frozen=True)
class NetworkReport:
    """All layers in order, their sums, and the faults: of a layer with it, of a head by its name, of the whole network apart."""

    input_shape: Shape
    layers: tuple[LayerReport, ...]
    heads: tuple[HeadSpec, ...] = ()
    head_errors: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None

    @property
    def parameters(self) -> int:
        return sum(layer.parameters for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        return sum(layer.multiply_adds for layer in self.layers)

    @property
    def is_chain(self) -> bool:
        """Whether each layer is fed by the one before it and the only head reads the last."""
        names = (INPUT, *(layer.name for layer in self.layers))
        fed = all(layer.inputs == (before,) for layer, before in zip(self.layers, names, strict=False))
        return fed and [head.layer for head in self.heads] == [names[-1]]

    @property
    def errors(self) -> tuple[str, ...]:
        """Every fault, each with the layer or the head that causes it."""
        layers = (f"Layer {layer.name}: {layer.error}" for layer in self.layers if layer.error)
        heads = (f"Head {name}: {error}" for name, error in self.head_errors.items())
        return (*layers, *heads, *((self.error,) if self.error else ()))


def report(model: ModelSpec, data: DataSpec) -> NetworkReport:
    """Follow an example of the data through the network. Faults are in the report, at the layer that causes them."""
    return follow(model, targets.input_shape(data), targets.of(data))


def check(model: ModelSpec, data: DataSpec) -> NetworkReport:
    """`report`, or SpecError with every fault in it."""
    network = report(model, data)
    if network.errors:
        raise SpecError(" ".join(network.errors))
    return network


def follow(model: ModelSpec, input_shape: Shape, known: Mapping[str, Target]) -> NetworkReport:
    """Follow an example of `input_shape` through the network, whose heads can have the targets of `known`."""
    shapes: dict[str, Shape | None] = {INPUT: tuple(input_shape)}
    fields: dict[str, tuple[int | None, int]] = {INPUT: (1, 1)}  # (receptive field, jump)
    used = {name for layer in model.layers for name in layer.inputs} | {head.layer for head in model.heads}
    layers = []
    for layer in model.layers:
        reaching = tuple(shapes[name] for name in layer.inputs)
        seen, fields[layer.name] = _sees(layer, [fields[name] for name in layer.inputs])
        found = _layer(layer, reaching, seen, layer.name in used)
        layers.append(found)
        # An unconnected layer has a shape all the same: whoever connects it wants to see it.
        shapes[layer.name] = found.output_shape
    head_errors = {}
    for head in model.heads:
        if (shape := shapes[head.layer]) is not None and (error := targets.fault(head, model.layer(head.layer), shape, known)):
            head_errors[head.name] = error
    return NetworkReport(tuple(input_shape), tuple(layers), model.heads, head_errors, _whole(model, layers))


def _layer(layer: BaseLayer, shapes: tuple[Shape | None, ...], seen: int | None, used: bool) -> LayerReport:
    about = (layer.name, layer.kind, layer.inputs, shapes)
    if any(shape is None for shape in shapes):
        return LayerReport(*about, None)
    try:
        _count_inputs(layer)
        output = layer.output_shape(*shapes)
        if prod(output) > MOST_VALUES:
            raise KindError(
                f"its output has {prod(output):,} values for one example, more than {MOST_VALUES:,}. Lower its filters."
            )
        parameters, formula = layer.parameters(*shapes)
        error = None if used else "it feeds no other layer and no head. Connect it or remove it."
        return LayerReport(*about, output, parameters, formula, layer.multiply_adds(*shapes), seen, error)
    except KindError as error:
        return LayerReport(*about, None, error=str(error))


def _count_inputs(layer: BaseLayer) -> None:
    least, most = layer.takes
    if not least <= len(layer.inputs) <= most:
        wanted = "one input" if most == 1 else f"{least} to {most} inputs"
        mend = f"Leave one, or let a {' or '.join(MERGES)} bring them together." if most == 1 else "Name more of them."
        raise KindError(
            f"{layer.kind} takes {wanted}, and {len(layer.inputs)} {'is' if len(layer.inputs) == 1 else 'are'} named. {mend}"
        )


def _sees(layer: BaseLayer, fields: list[tuple[int | None, int]]) -> tuple[int | None, tuple[int | None, int]]:
    """What one cell of a layer sees of the input, and (that, the distance between two cells). Of branches the widest counts."""
    widths = [field for field, _ in fields]
    jump = max(jump for _, jump in fields)
    size, strides = layer.window()
    seen = None if None in widths or size == 0 else max(widths) + (size - 1) * jump
    return seen, (seen, jump * max(strides, 1))


def _whole(model: ModelSpec, layers: list[LayerReport]) -> str | None:
    if not layers:
        return "There is no layer yet. Add one, or choose a network to start from."
    if not model.heads:
        return "Nothing says what the network should learn. Add a head that reads its last layer."
    if any(layer.error for layer in layers):
        return None
    parameters = sum(layer.parameters for layer in layers)
    if parameters > MOST_PARAMETERS:
        return (
            f"The network has {parameters:,} parameters, more than the {MOST_PARAMETERS:,} that the lab trains. "
            "Add pooling or a stride, or lower units or filters."
        )
    return None
