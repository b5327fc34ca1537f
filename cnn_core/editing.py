"""Changes to a network, step by step: each function gives a new ModelSpec or raises SpecError with one clear sentence.

What comes out is always a graph that a spec may hold, though perhaps none that can be trained yet: `cnn_core.shapes.report`
says what is missing, at the layer that causes it.

    >>> from cnn_core import editing
    >>> model = editing.add(editing.add(editing.EMPTY, "Conv2D"), "Flatten")
    >>> [(layer.name, layer.inputs) for layer in model.layers]
    [('conv2d_1', ('input',)), ('flatten_1', ('conv2d_1',))]
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from pydantic import BaseModel, ValidationError

from cnn_core.errors import SpecError, explain
from cnn_core.layer_kinds import KINDS, BaseLayer
from cnn_core.layer_kinds.base import MOST_INPUTS
from cnn_core.spec import INPUT, HeadSpec, ModelSpec
from cnn_core.targets import Target

EMPTY = ModelSpec(layers=(), heads=())
MOST_LETTERS = 48  # of a name
NAME = re.compile(rf"[a-z][a-z0-9_]{{0,{MOST_LETTERS - 1}}}")


def fresh_name(model: ModelSpec, wish: str) -> str:
    """A name that no layer has, for a kind or like another layer's name.

    >>> fresh_name(EMPTY, "MaxPooling2D"), fresh_name(add(EMPTY, "Dense"), "dense_1")
    ('max_pooling2d_1', 'dense_2')
    """
    return _fresh(wish, {INPUT, *(layer.name for layer in model.layers)})


def add(model: ModelSpec, kind: str, after: str | None = None, branch: bool = False) -> ModelSpec:
    """Add a layer of a kind behind layer `after` ("input" for the front; None: behind the last layer).

    It comes in between: the layers and heads that read `after` read the new layer instead. With `branch` they stay, and the new
    layer stands at the end as the start of a branch. A merge starts with a second input where there is one.
    """
    if kind not in KINDS:
        raise SpecError(f"There is no kind of layer {kind!r}. Expected one of: {', '.join(KINDS)}.")
    after = _last(model) if after is None else after
    place = len(model.layers) if branch else _place(model, after) + 1
    name, inputs = fresh_name(model, kind), (after,)
    if KINDS[kind].takes[0] > 1 and (second := _second_input(model, after, place)) is not None:
        inputs = (after, second)
    new = _layer(KINDS[kind], {"name": name, "inputs": inputs})
    return _insert(model, new, place, () if branch else (after,))


def remove(model: ModelSpec, name: str) -> ModelSpec:
    """Take a layer away. What it fed is fed by its inputs instead; a head that read the network's input by this goes too."""
    place = _place(model, name)
    gone = _find(model, name)
    layers = []
    for layer in (*model.layers[:place], *model.layers[place + 1 :]):
        if name in layer.inputs:
            fed = [source for before in layer.inputs for source in (gone.inputs if before == name else (before,))]
            layer = _fed(layer, dict.fromkeys(fed))
        layers.append(layer)
    heads = [_reads(head, gone.inputs[0]) if head.layer == name else head for head in model.heads]
    return _network(layers, [head for head in heads if head.layer != INPUT])


def duplicate(model: ModelSpec, name: str) -> ModelSpec:
    """Put a copy of a layer behind it: it is fed by the layer, and feeds what the layer fed."""
    layer = _find(model, name)
    copy = layer.model_copy(update={"name": fresh_name(model, name), "inputs": (name, *layer.inputs[1:])})
    return _insert(model, copy, _place(model, name) + 1, (name,))


def move_up(model: ModelSpec, name: str) -> ModelSpec:
    """Let a layer and the one before it in the list change places; see `move_down`."""
    place = model.layers.index(_find(model, name))
    if place == 0:
        raise SpecError(f"Layer {name!r} is the first: none stands before it. Move another one.")
    return move_down(model, model.layers[place - 1].name)


def move_down(model: ModelSpec, name: str) -> ModelSpec:
    """Let a layer and the next one in the list change places. Moving B of A→B→C gives A→C→B.

    Where the first feeds the second they change places in the wiring too: whatever read one reads the other. The further
    inputs of a merge go with it. Otherwise only their order changes.
    """
    place = model.layers.index(_find(model, name))
    if place == len(model.layers) - 1:
        raise SpecError(f"Layer {name!r} is the last: none stands behind it. Move another one.")
    first, second = model.layers[place : place + 2]
    layers = list(model.layers)
    if first.name not in second.inputs:
        layers[place : place + 2] = second, first
        return _network(layers, model.heads)
    changed = {first.name: second.name, second.name: first.name}
    before = [first.inputs[0] if source == first.name else source for source in second.inputs]
    layers[place : place + 2] = _fed(second, before), _fed(first, (second.name, *first.inputs[1:]))
    layers[place + 2 :] = [_rewired(layer, changed) for layer in layers[place + 2 :]]
    return _network(layers, [_reads(head, changed.get(head.layer, head.layer)) for head in model.heads])


def rename(model: ModelSpec, name: str, new: str) -> ModelSpec:
    """Give a layer another name; all that read it follow."""
    place = model.layers.index(_find(model, name))
    _check_name(new, "layer", [INPUT, *(layer.name for layer in model.layers if layer.name != name)])
    layers = [_rewired(layer, {name: new}) for layer in model.layers]
    layers[place] = layers[place].model_copy(update={"name": new})
    return _network(layers, [_reads(head, new) if head.layer == name else head for head in model.heads])


def set_inputs(model: ModelSpec, name: str, inputs: Iterable[str]) -> ModelSpec:
    """Say what feeds a layer: "input" or layers that stand before it."""
    place, inputs = _place(model, name), tuple(inputs)
    before = [INPUT, *(layer.name for layer in model.layers[:place])]
    if not inputs:
        raise SpecError(f"Layer {name!r} needs at least one input. Choose what feeds it before taking the last one away.")
    if len(inputs) > MOST_INPUTS:
        raise SpecError(f"Layer {name!r} can have {MOST_INPUTS} inputs at most, and {len(inputs)} are named. Leave some out.")
    for source in inputs:
        if source not in before:
            raise SpecError(f"{source!r} cannot feed layer {name!r}: it does not stand before it. Move {name!r} down first.")
    return _replace(model, _fed(_find(model, name), inputs))


def configure(model: ModelSpec, name: str, /, **settings: Any) -> ModelSpec:
    """Change settings of a layer. Name and inputs have functions of their own."""
    layer = _find(model, name)
    for setting in settings:
        if setting not in type(layer).model_fields or setting in ("kind", "name", "inputs"):
            raise SpecError(f"A {layer.kind} has no setting {setting!r}. It has: {', '.join(settings_of(layer)) or 'none'}.")
    return _replace(model, _layer(type(layer), {**layer.model_dump(), **settings}))


def change_kind(model: ModelSpec, name: str, kind: str) -> ModelSpec:
    """Put a layer of another kind in a layer's place: its inputs, what reads it and the settings that the new kind takes as well stay.

    Its name is what `name_as` says.
    """
    if kind not in KINDS:
        raise SpecError(f"There is no kind of layer {kind!r}. Expected one of: {', '.join(KINDS)}.")
    old = _find(model, name)
    fields = {"name": name, "inputs": old.inputs}
    for setting in settings_of(old):
        with suppress(ValidationError):
            fields = KINDS[kind].model_validate({**fields, setting: getattr(old, setting)}).model_dump()
    return rename(_replace(model, _layer(KINDS[kind], fields)), name, name_as(model, name, kind))


def name_as(model: ModelSpec, name: str, kind: str) -> str:
    """The name of a layer that becomes one of another kind: its own, unless that only says the old kind, as dense_1 does."""
    old = _find(model, name).kind
    return fresh_name(model, kind) if kind != old and re.fullmatch(rf"{_base(old)}_\d+", name) else name


def settings_of(layer: BaseLayer) -> list[str]:
    """The names of a layer's settings.

    >>> settings_of(KINDS["Dropout"](name="dropout", inputs=("input",)))
    ['rate']
    """
    return [name for name in type(layer).model_fields if name not in ("kind", "name", "inputs")]


def add_head(model: ModelSpec, target: Target, layer: str | None = None) -> ModelSpec:
    """Add a head with a name of its own and a loss that suits its target, on `layer` or on the end that no head reads yet."""
    if not model.layers:
        raise SpecError("A head reads a layer, and there is none yet. Add a layer first.")
    read = {head.layer for head in model.heads}
    layer = layer or next((name for name in reversed(loose_ends(model)) if name not in read), model.layers[-1].name)
    names = {head.name for head in model.heads}
    name = target.name if target.name not in names else _fresh(target.name, names, start=2)
    return _network(model.layers, [*model.heads, _head(name, layer, target.name, _suiting(target, _find(model, layer)))])


def remove_head(model: ModelSpec, name: str) -> ModelSpec:
    """Take a head away; the layers stay."""
    gone = _find_head(model, name)
    return _network(model.layers, [head for head in model.heads if head is not gone])


def change_head(model: ModelSpec, name: str, known: Mapping[str, Target], /, **settings: Any) -> ModelSpec:
    """Change name, layer, target, loss or loss_weight of a head. A new target brings a loss that suits it.

    known: the targets of the data, `cnn_core.targets.of(data)`.
    """
    head = _find_head(model, name)
    for setting in settings:
        if setting not in HeadSpec.model_fields:
            raise SpecError(f"A head has no setting {setting!r}. It has: {', '.join(HeadSpec.model_fields)}.")
    if "name" in settings:
        _check_name(settings["name"], "head", [other.name for other in model.heads if other is not head])
    layer = _find(model, settings.get("layer", head.layer))
    target = known.get(settings.get("target", head.target))
    loss = settings.get("loss", head.loss)
    if "target" in settings and target and loss not in target.losses:
        settings["loss"] = _suiting(target, layer)
    try:
        changed = HeadSpec.model_validate({**head.model_dump(), **settings})
    except ValidationError as error:
        raise SpecError(explain(error, f"Head {name!r}")) from None
    return _network(model.layers, [changed if other is head else other for other in model.heads])


def loose_ends(model: ModelSpec) -> list[str]:
    """The layers that feed no other layer, in order."""
    used = {name for layer in model.layers for name in layer.inputs}
    return [layer.name for layer in model.layers if layer.name not in used]


def _suiting(target: Target, layer: BaseLayer) -> str:
    """The loss for a target: the usual one, or the one of a single probability where a sigmoid gives that."""
    binary = "binary_crossentropy"
    return binary if binary in target.losses and getattr(layer, "function", "") == "sigmoid" else target.losses[0]


def _last(model: ModelSpec) -> str:
    return model.layers[-1].name if model.layers else INPUT


def _second_input(model: ModelSpec, first: str, place: int) -> str | None:
    """What a merge at `place` brings together with `first`: an end that leads nowhere yet, or what stands just before it."""
    before = [INPUT, *(layer.name for layer in model.layers[:place])]
    loose = set(loose_ends(model)) - {head.layer for head in model.heads}
    others = [name for name in reversed(before) if name != first]
    return next((name for name in others if name in loose), others[0] if others else None)


def _insert(model: ModelSpec, new: BaseLayer, place: int, taken_over: Iterable[str]) -> ModelSpec:
    """Put a layer at a place; what read the layers `taken_over` reads it."""
    changed = dict.fromkeys(taken_over, new.name)
    layers = [*model.layers[:place], new, *(_rewired(layer, changed) for layer in model.layers[place:])]
    return _network(layers, [_reads(head, changed.get(head.layer, head.layer)) for head in model.heads])


def _fresh(wish: str, taken: Iterable[str], start: int = 1) -> str:
    base = re.sub(r"_\d+$", "", _base(wish))[: MOST_LETTERS - 4]
    numbers = range(start, start + len(set(taken)) + 1)
    return next(f"{base}_{number}" for number in numbers if f"{base}_{number}" not in taken)


def _base(kind: str) -> str:
    """A kind as names of layers say it: MaxPooling2D is max_pooling2d."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind).lower()


def _check_name(name: str, what: str, taken: list[str]) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise SpecError(
            f"{name!r} cannot name a {what}: a name has lower-case letters, digits and underscores, begins with a letter and has "
            f"{MOST_LETTERS} characters at most, as conv_2 has. Choose another."
        )
    if name in taken:
        own = "what is fed in" if name == INPUT else f"another {what}"
        raise SpecError(f"{name!r} is the name of {own}. Choose a name that is still free.")


def _place(model: ModelSpec, name: str) -> int:
    """Where a layer stands in the list; the input stands at -1."""
    names = [layer.name for layer in model.layers]
    if name != INPUT and name not in names:
        raise SpecError(f"There is no layer {name!r}. Choose one of: {', '.join(names) or 'none yet, add one'}.")
    return names.index(name) if name in names else -1


def _find(model: ModelSpec, name: str) -> BaseLayer:
    place = _place(model, name)
    if place < 0:
        raise SpecError("'input' is what is fed in and no layer: it cannot be changed. Choose a layer.")
    return model.layers[place]


def _find_head(model: ModelSpec, name: str) -> HeadSpec:
    for head in model.heads:
        if head.name == name:
            return head
    raise SpecError(f"There is no head {name!r}. Choose one of: {', '.join(head.name for head in model.heads) or 'none yet'}.")


def _fed(layer: BaseLayer, inputs: Iterable[str]) -> BaseLayer:
    return _layer(type(layer), {**layer.model_dump(), "inputs": tuple(inputs)})


def _rewired(layer: BaseLayer, changed: Mapping[str, str]) -> BaseLayer:
    """The layer, fed by others where `changed` says so."""
    if changed.keys().isdisjoint(layer.inputs):
        return layer
    return layer.model_copy(update={"inputs": tuple(changed.get(name, name) for name in layer.inputs)})


def _reads(head: HeadSpec, layer: str) -> HeadSpec:
    return head.model_copy(update={"layer": layer})


def _head(name: str, layer: str, target: str, loss: str) -> HeadSpec:
    return HeadSpec(name=name, layer=layer, target=target, loss=loss)


def _layer(kind: type[BaseLayer], fields: dict[str, Any]) -> BaseLayer:
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise SpecError(explain(error, f"Layer {fields['name']!r}")) from None


def _replace(model: ModelSpec, changed: BaseLayer) -> ModelSpec:
    return _network([changed if layer.name == changed.name else layer for layer in model.layers], model.heads)


def _network(layers: Iterable[BaseModel], heads: Iterable[HeadSpec]) -> ModelSpec:
    try:
        return ModelSpec(layers=tuple(layers), heads=tuple(heads))
    except ValidationError as error:
        raise SpecError(_too_many(tuple(layers), tuple(heads)) or explain(error, "The network")) from None


def _too_many(layers: tuple, heads: tuple) -> str | None:
    for found, what in ((layers, "layers"), (heads, "heads")):
        most = next(rule.max_length for rule in ModelSpec.model_fields[what].metadata if hasattr(rule, "max_length"))
        if len(found) > most:
            return f"A network has {most} {what} at most. Remove one before adding another."
    return None
