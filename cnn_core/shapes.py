"""Output shape, parameters, multiply-adds and receptive field of each layer, without TensorFlow.

Receptive field and jump (the distance between two neighbouring cells, on the input) follow Dumoulin and Visin, "A guide to
convolution arithmetic for deep learning" (2016), and Araujo et al., "Computing receptive fields of convolutional neural networks"
(Distill, 2019).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod

from cnn_core import datasets, targets
from cnn_core.errors import SpecError
from cnn_core.layer_kinds import BaseLayer, KindError, Shape
from cnn_core.receptive_field import mixes
from cnn_core.spec import INPUT, DataSpec, HeadSpec, ModelSpec
from cnn_core.targets import Target

Field = dict[int, tuple[int, int]]  # cell i of a layer sees first + i·jump to last + i·jump: {jump: (first, last)}

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
    network = follow(model, targets.input_shape(data), targets.of(data))
    if datasets.info(data.dataset).is_series and (data.augmentation.active or data.augmentation.hands) and not network.error:
        return replace(network, error="The random changes are for images, and these data are series. Switch all of them off.")
    return network


def check(model: ModelSpec, data: DataSpec) -> NetworkReport:
    """`report`, or SpecError with every fault in it."""
    network = report(model, data)
    if network.errors:
        raise SpecError(" ".join(network.errors))
    return network


def follow(model: ModelSpec, input_shape: Shape, known: Mapping[str, Target]) -> NetworkReport:
    """Follow an example of `input_shape` through the network, whose heads can have the targets of `known`."""
    shapes: dict[str, Shape | None] = {INPUT: tuple(input_shape)}
    fields: dict[str, Field | None] = {INPUT: {1: (0, 0)}}
    used = {name for layer in model.layers for name in layer.inputs} | {head.layer for head in model.heads}
    layers = []
    for layer in model.layers:
        reaching = tuple(shapes[name] for name in layer.inputs)
        found = _layer(layer, reaching, layer.name in used)
        # An unconnected layer has a shape all the same: whoever connects it wants to see it.
        shapes[layer.name] = output = found.output_shape
        fields[layer.name] = seen = _sees(layer, [fields[name] for name in layer.inputs], reaching[0], output)
        layers.append(replace(found, receptive_field=_side(seen, output)))
    head_errors = {}
    for head in model.heads:
        if (shape := shapes[head.layer]) is not None and (error := targets.fault(head, model.layer(head.layer), shape, known)):
            head_errors[head.name] = error
    return NetworkReport(tuple(input_shape), tuple(layers), model.heads, head_errors, _whole(model, layers))


def _layer(layer: BaseLayer, shapes: tuple[Shape | None, ...], used: bool) -> LayerReport:
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
        return LayerReport(*about, output, parameters, formula, layer.multiply_adds(*shapes), error=error)
    except KindError as error:
        return LayerReport(*about, None, error=str(error))


def _count_inputs(layer: BaseLayer) -> None:
    least, most = layer.takes
    if not least <= len(layer.inputs) <= most:
        wanted = "one input" if most == 1 else f"{least} to {most} inputs"
        mend = (
            f"Leave one, or let {', '.join(MERGES[:-1])} or {MERGES[-1]} bring them together."
            if most == 1
            else "Name more of them."
        )
        raise KindError(
            f"{layer.kind} takes {wanted}, and {len(layer.inputs)} {'is' if len(layer.inputs) == 1 else 'are'} named. {mend}"
        )


def _sees(layer: BaseLayer, fields: list[Field | None], entering: Shape | None, output: Shape | None) -> Field | None:
    """What the cells of a layer see of the input, by way of all its inputs."""
    size, strides = layer.window()
    if output is None or size == 0 or None in fields or (len(entering) == 1 and mixes(layer)):
        return None
    padding = getattr(layer, "padding", "valid")
    if padding == "same":
        before = max(0, (output[0] - 1) * strides + size - entering[0]) // 2
    else:
        before = 0 if padding == "valid" else padding
    seen: Field = {}
    for reaching in fields:
        for jump, (first, last) in reaching.items():
            reach = first - before * jump, last + (size - 1 - before) * jump
            known = seen.get(jump * strides, reach)
            seen[jump * strides] = min(reach[0], known[0]), max(reach[1], known[1])
    return seen


def _side(seen: Field | None, output: Shape | None) -> int | None:
    """Side of what the middle cell sees; every other cell sees as much, unless branches with different strides meet."""
    if seen is None:
        return None
    places = [output[0] // 2 * jump + end for jump, ends in seen.items() for end in ends]
    return max(places) - min(places) + 1


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
