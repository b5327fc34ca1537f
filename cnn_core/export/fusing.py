"""Which activations are written as an argument of the layer that they follow, as a person would write them."""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from cnn_core.layer_kinds import Activation, BaseLayer
from cnn_core.spec import HeadSpec, ModelSpec

TAKE_ACTIVATION = ("Conv2D", "SeparableConv2D", "DepthwiseConv2D", "Conv1D", "Dense")

Graph = Mapping[str, tuple[str, ...]]  # the names of the layers that feed each layer


def fused(model: ModelSpec, exact: bool) -> list[tuple[BaseLayer, dict[str, Any]]]:
    """The layers to write, each with its Keras arguments; one with an activation has `activation` among them.

    An activation stays a layer where something else reads the layer before it as it is, and where both have penalties on what they
    pass on. exact: it also stays one where Keras would else add up the penalties of branches in another order, which changes the
    last bits of their sum.
    """
    layers = {layer.name: layer for layer in model.layers}
    chosen: set[str] = set()
    for layer in model.layers:
        if _fits(layer, layers, model) and not (exact and _disturbs(model, chosen | {layer.name})):
            chosen.add(layer.name)
    found: dict[str, tuple[BaseLayer, dict[str, Any]]] = {}
    for layer in model.layers:
        arguments = layer.keras_arguments()
        if layer.name in chosen:
            found[layer.inputs[0]][1].update(arguments)
        else:
            inputs = tuple(layers[name].inputs[0] if name in chosen else name for name in layer.inputs)
            found[layer.name] = (layer.model_copy(update={"inputs": inputs}), arguments)
    return list(found.values())


def _fits(layer: BaseLayer, layers: Mapping[str, BaseLayer], model: ModelSpec) -> bool:
    """Whether an activation can be an argument of the layer before it."""
    before = layers.get(layer.inputs[0])
    if not isinstance(layer, Activation) or before is None or before.kind not in TAKE_ACTIVATION:
        return False
    readers = sum(one.inputs.count(before.name) for one in model.layers) + sum(head.layer == before.name for head in model.heads)
    return readers == 1 and not (layer.keras_arguments().keys() & before.keras_arguments().keys())


def _disturbs(model: ModelSpec, chosen: Collection[str]) -> bool:
    """Whether Keras adds up penalties in another order when these activations are no layers of their own."""
    before: Graph = {layer.name: layer.inputs for layer in model.layers}
    stands_for = {name: before[name][0] for name in chosen}
    after = {name: tuple(stands_for.get(one, one) for one in before[name]) for name in before if name not in stands_for}
    penalised = {layer.name for layer in model.layers if any("regularizer" in name for name in layer.keras_arguments())}
    kept = {stands_for.get(name, name) for name in penalised}
    was = [stands_for.get(name, name) for name in _listed(before, model.heads) if name in penalised]
    return list(dict.fromkeys(was)) != [name for name in _listed(after, model.heads, stands_for) if name in kept]


def _listed(graph: Graph, heads: Iterable[HeadSpec], stands_for: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    """The order in which Keras' functional model lists its layers (`map_graph` in its ops/function.py): by their distance from the
    end, and at the same distance as they are met on the way back from there."""
    finished: dict[str, None] = {}  # from the input to the ends
    seen: dict[str, int] = {}

    def visit(name: str) -> None:
        if name in finished:
            return
        seen.setdefault(name, len(seen))
        for source in graph.get(name, ()):
            visit(source)
        finished[name] = None

    for head in sorted(heads, key=lambda head: head.name):
        visit(stands_for.get(head.layer, head.layer))
    depths: dict[str, int] = {}
    for name in reversed(finished):
        depth = depths.setdefault(name, 0)
        for source in graph.get(name, ()):
            depths[source] = max(depth + 1, depths.get(source, 0))
    return sorted(depths, key=lambda name: (-depths[name], seen[name]))
