"""Layers that treat every value by itself, or a row of values together."""

import numpy as np

from cnn_core.computation.base import MOST_INPUTS, MOST_VALUES, Case, Steps, rounded, rows

EPSILON = 1e-3  # Keras' own, of both normalisations
PASSING = ("Dropout", "SpatialDropout2D", "SpatialDropout1D", "GaussianNoise")


def dense(case: Case, labels: tuple[str, ...]) -> Steps:
    """The units of a block: the inputs, and the weights and the bias of each unit.

    labels: of the classes that the units stand for, none where they stand for none. index: which inputs are shown, where there are too many for all; rest: what the others add to each unit.
    """
    first, last = case.block
    units = slice(first, last)
    entering, kernel = case.entering.astype(np.float64), case.weights["kernel"][:, units].astype(np.float64)
    index, rest = None, [0.0] * (last - first)
    if len(entering) > MOST_INPUTS:
        weight = np.abs(entering) * np.abs(kernel).max(axis=1)
        index = np.sort(np.argsort(-weight, kind="stable")[:MOST_INPUTS])
        others = np.setdiff1d(np.arange(len(entering)), index)
        rest = rounded(entering[others] @ kernel[others]).tolist()
        entering, kernel = entering[index], kernel[index]
    return {
        "kind": "dense",
        "axes": 1,
        "first": first,
        "units": case.layer.units,
        "labels": list(labels[units]),
        "inputs": [{"title": case.layer.inputs[0], "values": rows(entering), "picture": False}],
        "shape": _flattened(case),
        "index": None if index is None else index.tolist(),
        "rest": rest,
        "of": len(case.entering),
        "kernel": rows(kernel.T),
        "bias": rounded(case.weights["bias"][units]).tolist(),
        "output": {"title": f"{case.layer.name}: one value a unit", "values": rows(case.leaving[units]), "bars": True},
        "activation": case.followed(units),
        "softmax": case.softmax,
        "reference": "Keras",
    }


def _flattened(case: Case) -> list[int] | None:
    """The shape of the maps whose values the inputs of a dense layer are; None where they were a row all along."""
    name = case.layer.inputs[0]
    while name != "input":
        layer = case.model.layer(name)
        if layer.kind == "Flatten":
            shape = case.values[layer.inputs[0]].shape
            return [*([1] if len(shape) == 2 else []), *shape] if len(shape) > 1 else None
        if layer.kind not in (*PASSING, "Activation", "BatchNormalization"):
            return None
        name = layer.inputs[0]
    return None


def softmax(case: Case, labels: tuple[str, ...]) -> Steps:
    """A row of values, or the channels at each place of a map, as probabilities."""
    channels = case.entering.shape[-1]
    fits = max(1, MOST_VALUES // 2 // channels)
    return {
        "kind": "softmax",
        "axes": max(1, case.entering.ndim - 1),
        "inputs": [{"title": case.layer.inputs[0], "values": rows(case.entering.reshape(-1, channels)[:fits]), "picture": False}],
        "labels": list(labels),
        "places": list(case.entering.shape[:-1]),
        "output": {"title": case.layer.name, "values": rows(case.leaving.reshape(-1, channels)[:fits])},
        "activation": None,
        "reference": "Keras",
    }


def one_by_one(case: Case) -> Steps:
    """Every value by itself: what goes in, what comes out, and the numbers between. A row of values is a map of one row."""
    channel = case.choice.number
    steps = {"axes": 1 if case.leaving.ndim < 3 else 2, "activation": case.followed(channel), "reference": "Keras"}
    if case.layer.kind == "Flatten" and case.entering.ndim > 1:
        return steps | _laid_out(case)
    if case.leaving.ndim == 1:
        return steps | _of_a_row(case)
    steps["output"] = case.output_map(channel)
    if case.layer.kind == "Concatenate":
        source, place = _source(case, channel)
        maps = case.values[source]
        shown = {"title": f"{source}, map {place + 1}", "values": rows(maps[..., place]), "picture": source == "input"}
        return steps | {
            "kind": "same",
            "inputs": [shown],
            "about": f"Map {channel + 1} is map {place + 1} of {source}, unchanged.",
        }
    if case.layer.kind in ("Add", "Multiply"):
        inputs = [{"title": name, "values": rows(case.values[name][..., channel])} for name in case.layer.inputs]
        return steps | {"kind": case.layer.kind.lower(), "inputs": inputs}
    return steps | {"inputs": [case.input_map(channel)]} | _numbers(case, channel)


def _laid_out(case: Case) -> Steps:
    """Where the values of one map go in the row."""
    channel, channels = case.choice.number, case.entering.shape[-1]
    output = {
        "title": f"{case.layer.name}: the values of this map",
        "values": rows(case.leaving[channel::channels]),
        "bars": True,
    }
    axes = case.entering.ndim - 1
    about = {"kind": "flatten", "axes": axes, "number": channel, "channels": channels, "activation": None}
    return {**about, "inputs": [case.input_map(channel)], "output": output}


def _of_a_row(case: Case) -> Steps:
    """The same for a row of values, or a block of it."""
    first, last = case.block if case.layer.kind != "Concatenate" else (0, len(case.leaving))
    shown = slice(first, last)
    steps = {
        "first": first,
        "of": len(case.leaving),
        "inputs": [{"title": name, "values": rows(case.values[name][shown])} for name in case.layer.inputs],
        "output": {"title": case.layer.name, "values": rows(case.leaving[shown]), "bars": True},
        "activation": case.followed(shown),
    }
    if case.layer.kind in ("Add", "Multiply"):
        return steps | {"kind": case.layer.kind.lower()}
    if case.layer.kind == "Concatenate":
        laid = np.concatenate([case.values[name] for name in case.layer.inputs])
        together = {"title": ", then ".join(case.layer.inputs), "values": rows(laid)}
        return steps | {"kind": "same", "inputs": [together], "about": "The rows are laid behind each other, unchanged."}
    return steps | _numbers(case, shown)


def _numbers(case: Case, channel: int | slice) -> Steps:
    """The kind of arithmetic, and the numbers that it needs, for a channel of a map or for all values of a row."""
    layer, weights = case.layer, case.weights
    if layer.kind == "Activation":
        return {"kind": "activation", "function": layer.function}
    if layer.kind == "BatchNormalization":
        names = {"gamma": "gamma", "beta": "beta", "mean": "moving_mean", "variance": "moving_variance"}
        return {"kind": "normalise", "epsilon": EPSILON, **{name: rows(weights[key][channel]) for name, key in names.items()}}
    if layer.kind == "LayerNormalization":
        mean, variance = (
            rows(np.asarray(found, np.float64)) for found in (case.entering.mean(axis=-1), case.entering.var(axis=-1))
        )
        own = {"gamma": rows(weights["gamma"][channel]), "beta": rows(weights["beta"][channel])}
        return {"kind": "normalise", "epsilon": EPSILON, **own, "mean": mean, "variance": variance}
    if layer.kind.startswith("ZeroPadding"):
        zeros = [layer.padding] * layer.axes
        return {"kind": "zeros", "before": [*([0] if layer.axes == 1 else []), *zeros]}
    about = {"Dropout": "dropped", "SpatialDropout2D": "dropped", "SpatialDropout1D": "dropped", "GaussianNoise": "changed"}
    words = f"While it trains, values are {about.get(layer.kind)} at random; when it answers, as here, all pass unchanged."
    return {"kind": "same", "about": words if layer.kind in about else ""}


def _source(case: Case, channel: int) -> tuple[str, int]:
    """The input of a concatenation that a channel comes from, and its number there."""
    for name in case.layer.inputs:
        count = case.values[name].shape[-1]
        if channel < count:
            return name, channel
        channel -= count
    raise IndexError(channel)
