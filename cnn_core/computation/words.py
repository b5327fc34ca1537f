"""What the steps of a layer say in words."""

from math import prod

from cnn_core.computation.base import Steps
from cnn_core.layer_kinds import BaseLayer

SENTENCES = {
    "max": "Each output cell is the **largest** value of its window; padding cells never win.",
    "min": "Each output cell is the **smallest** value of its window, min(x) = −max(−x); padding cells never win.",
    "average": "Each output cell is the **mean** of its window; at the borders only real cells are counted.",
    "global_max": "Each map gives one value: its **largest**.",
    "global_average": "Each map gives one value: the **mean** of all its cells.",
    "dense": "Each unit multiplies **every** input by a weight of its own, adds all products up, and adds its bias.",
    "softmax": "e is raised to each value, and the result divided by the sum of all: what comes out is positive and adds up to 1.",
    "activation": "The function is applied to each value by itself.",
    "normalise": "Each value is shifted by a mean and divided by a spread, then scaled by gamma and shifted by beta, which were learned.",
    "add": "The inputs are added cell by cell.",
    "multiply": "The inputs are multiplied cell by cell.",
    "zeros": "Zeros are laid around the map; nothing else changes.",
    "flatten": "The maps are laid out in one row, cell by cell: no number changes, only its place.",
    "same": "Every value passes unchanged.",
}
FORMULAS = {
    "relu": "max(0, x)",
    "leaky_relu": "x if x > 0, else 0.2·x",
    "elu": "x if x > 0, else eˣ − 1",
    "gelu": "x·Φ(x), with Φ the normal distribution's",
    "silu": "x / (1 + e⁻ˣ)",
    "softplus": "ln(1 + eˣ)",
    "tanh": "(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)",
    "sigmoid": "1 / (1 + e⁻ˣ)",
}


def about(layer: BaseLayer, steps: Steps) -> Steps:
    """A sentence on what the layer does, and on what of it is left out."""
    said = {"about": steps.get("about") or _sentence(layer, steps), "left_out": _left_out(steps)}
    function = steps["activation"]["function"] if steps["activation"] else steps.get("function")
    return {**said, "formula": FORMULAS.get(function, "")}


def _sentence(layer: BaseLayer, steps: Steps) -> str:
    if steps["kind"] != "convolution":
        return SENTENCES[steps["kind"]]
    window = f"window of {steps['size'][1]} points" if steps["axes"] == 1 else "×".join(map(str, steps["size"])) + " window"
    count = steps["channels"]
    channels = f"summed over all **{count}** input channels, " if count > 1 else ""
    if not steps["reference"]:
        return f"First half: the kernel of one channel weighs a {window} of that channel alone; no bias yet."
    if layer.kind == "SeparableConv2D":
        return f"Second half: a {window} weighs the maps between the halves against each other, {channels}plus the bias."
    own = " of the one channel that this map comes from" if layer.kind == "DepthwiseConv2D" else ""
    return f"Each output cell is its {window}{own}, times the kernel, {channels}plus the bias."


def _left_out(steps: Steps) -> str:
    first, shown = steps.get("first", 0), len(steps["inputs"])
    if steps["kind"] == "convolution" and shown < steps["channels"]:
        return (
            f"Channels {first + 1}–{first + shown} of {steps['channels']} are shown; "
            "the others come as one sum for each cell, so the total is right."
        )
    if steps["kind"].startswith("global") and shown < steps["channels"]:
        return f"Maps {first + 1}–{first + shown} of {steps['channels']} are shown."
    if steps["kind"] == "dense":
        inputs = f"Of {steps['of']:,} inputs the {len(steps['index']):,} that weigh most are shown. " if steps["index"] else ""
        count = len(steps["kernel"])
        return inputs + (f"Units {first + 1}–{first + count} of {steps['units']} are shown." if count < steps["units"] else "")
    if steps["kind"] == "softmax" and (count := len(steps["output"]["values"])) < (places := prod(steps["places"])):
        return f"The first {count:,} of {places:,} places are shown."
    if "of" in steps and (count := len(steps["output"]["values"][0])) < steps["of"]:
        return f"Values {first + 1:,}–{first + count:,} of {steps['of']:,} are shown."
    return ""
