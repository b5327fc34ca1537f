"""The network of a spec as Keras code: the way a person would write it."""

import keyword
from typing import Any

from cnn_core import shapes, targets
from cnn_core.export import borrowed
from cnn_core.export.fusing import fused
from cnn_core.export.python_code import WIDTH, Code, Section, call, written
from cnn_core.layer_kinds import Activation, BaseLayer, Pooling
from cnn_core.spec import INPUT, RunSpec

POSITIONAL = ("filters", "units", "kernel_size", "pool_size", "rate", "stddev")  # written without their name, in this order
DEFAULTS = {"strides": 1, "padding": "valid", "depth_multiplier": 1}  # of Keras' convolutions
RESERVED = {"inputs", "keras", "layers", "regularizers", "constraints", "l"}  # no names for the variable of a layer

KERAS = "import keras"
LAYERS = "from keras import layers"


def network(spec: RunSpec) -> Section:
    """The code that makes `model`: `keras.Sequential` where each layer feeds the next, else Keras' functional model."""
    layers = fused(spec.model, exact=spec.training.deterministic)
    kinds = {layer.kind for layer, _ in layers}
    classes = [borrowed.keras_class(kind) for kind in ("MinPooling2D", "MinPooling1D") if kind in kinds]
    if shapes.report(spec.model, spec.data).is_chain:
        body, text = _sequential(spec, layers), "Each layer feeds the next."
    else:
        body, text = _functional(spec, layers), "Keras' functional way: each layer is called with what feeds it."
    start = "# The same seed gives the same weights at the start, and the same dropout.\nkeras.utils.set_random_seed(SEED)\n"
    imports = {KERAS, LAYERS}
    for name in ("regularizers", "constraints"):
        if f"{name}." in body:
            imports.add(f"from keras import {name}")
    definitions = "".join(f"{one}\n\n\n" for one in classes)
    return Section("The network", text, f"{definitions}{start}{body}\nmodel.summary()", frozenset(imports))


def constructor(layer: BaseLayer, arguments: dict[str, Any], indent: int, extra: int = 0) -> str:
    """The code that makes a layer, with the arguments that differ from Keras' defaults."""
    positional = [arguments[name] for name in POSITIONAL if name in arguments]
    named = {name: value for name, value in arguments.items() if name not in POSITIONAL}
    if isinstance(layer, Activation) or layer.kind.startswith("ZeroPadding"):
        first = next(iter(named))  # the function, or the number of zeros
        positional = [named.pop(first)]
    defaults = DEFAULTS | ({"strides": arguments["pool_size"]} if isinstance(layer, Pooling) else {})
    shown = {name: _resolve(name, value) for name, value in named.items() if name not in defaults or value != defaults[name]}
    if "activation" in shown:  # where a person looks for it
        activation = shown.pop("activation")
        before = {name: shown.pop(name) for name in tuple(shown) if name in defaults}
        shown = {**before, "activation": activation, **shown}
    own = layer.keras_layer.startswith("MinPooling")
    return call(layer.keras_layer if own else f"layers.{layer.keras_layer}", *positional, indent=indent, extra=extra, **shown)


def _resolve(name: str, value: Any) -> Any:
    if name.endswith("_regularizer"):
        used = {kind: amount for kind, amount in value.items() if amount}
        if len(used) == 1:
            ((kind, amount),) = used.items()
            return Code(f"regularizers.{kind.upper()}({amount!r})")
        return Code(call("regularizers.L1L2", **used))
    if name.endswith("_constraint"):
        axis = "" if value["axis"] == 0 else f", axis={value['axis']}"
        return Code(f"constraints.MaxNorm({value['max_value']!r}{axis})")
    return value


def _sequential(spec: RunSpec, layers: list) -> str:
    lines = [f"        {constructor(layer, arguments, indent=8, extra=1)}," for layer, arguments in layers]
    first = f"        keras.Input({targets.input_shape(spec.data)}),"
    return "\n".join(["model = keras.Sequential(", "    [", first, *lines, "    ]", ")"])


def _functional(spec: RunSpec, layers: list) -> str:
    names = {INPUT: "inputs"}
    for layer, _ in layers:
        name = layer.name
        while keyword.iskeyword(name) or name in RESERVED or name in names.values():
            name += "_"
        names[layer.name] = name
    lines, exact = [], spec.training.deterministic
    for layer, given in layers:
        arguments = {**given, "name": layer.name} if exact else given
        reaching = [names[name] for name in layer.inputs]
        fed = f"[{', '.join(reaching)}]" if len(reaching) > 1 else reaching[0]
        left = f"    {names[layer.name]} = "
        line = f"{left}{constructor(layer, arguments, indent=0, extra=len(left))}({fed})"
        if len(line) > WIDTH and "\n" not in line and len(reaching) > 1:
            line = f"{left}{constructor(layer, arguments, indent=0)}(\n        {fed}\n    )"
        elif len(line) > WIDTH:
            line = f"{left}{constructor(layer, arguments, indent=4, extra=len(left) + len(fed))}({fed})"
        lines.append(line)
    note = ["    # TensorFlow adds up the gradients of branches in an order that depends on the names."] if exact else []
    # An activation that was fused is read where its layer is.
    read = {head.name: spec.model.layer(head.layer) for head in spec.model.heads}
    outputs = {head: Code(names[layer.name if layer.name in names else layer.inputs[0]]) for head, layer in read.items()}
    answer = written(outputs) if len(outputs) > 1 else next(iter(outputs.values()))
    return "\n".join(
        [
            "",
            "",
            "def build_model():",
            *note,
            f"    inputs = keras.Input({targets.input_shape(spec.data)})",
            *lines,
            f"    return {call('keras.Model', Code('inputs'), Code(answer), indent=4, extra=7)}",
            "",
            "",
            "model = build_model()",
        ]
    )
