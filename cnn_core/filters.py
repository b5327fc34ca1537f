"""The filters and units of a network that can be looked at, and switched off, one by one. No TensorFlow."""

from cnn_core.layer_kinds import BaseLayer, Dense, Pooling
from cnn_core.layer_kinds.convolutions import Sliding
from cnn_core.spec import ModelSpec

NORMALISATIONS = ("BatchNormalization", "LayerNormalization")


def ends(model: ModelSpec) -> dict[str, str]:
    """The layers whose filters or units mean something, each with the layer where what they found can be seen.

    That is its activation, where one follows it, with a normalisation and a pooling between them or not. Layers whose values a
    head reads, their activation between them or not, are left out: switching their units off would be switching off answers.

    >>> from cnn_core.presets import preset
    >>> ends(preset("tiny").spec.model)
    {'conv_1': 'activation_1', 'dense_1': 'dense_activation_1'}
    """
    consumers: dict[str, list[BaseLayer]] = {layer.name: [] for layer in model.layers}
    for layer in model.layers:
        for name in layer.inputs:
            if name in consumers:
                consumers[name].append(layer)
    read = {head.layer for head in model.heads}
    found = {}
    for layer in model.layers:
        if not isinstance(layer, (Sliding, Dense)):
            continue
        end = _end(layer, consumers, read)
        if end not in read:
            found[layer.name] = end
    return found


def _end(layer: BaseLayer, consumers: dict[str, list[BaseLayer]], read: set[str]) -> str:
    """Behind a layer its activation, else its normalisation, else itself; what is beyond a split is not looked at."""
    end = now = layer.name
    while now not in read and len(consumers[now]) == 1:
        (following,) = consumers[now]
        if following.kind == "Activation":
            return following.name
        if following.kind in NORMALISATIONS:
            end = following.name
        elif not isinstance(following, Pooling):
            break
        now = following.name
    return end
