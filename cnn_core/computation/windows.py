"""Layers whose windows slide over a map: convolutions and poolings, and the global poolings, whose window is the whole map."""

import numpy as np

from cnn_core.computation.base import Case, Steps, rounded, rows
from cnn_core.layer_kinds import Pooling
from cnn_core.layer_kinds.convolutions import Sliding
from cnn_core.workbench import Slide

HALVES = {"depthwise": "1: each channel by itself", "pointwise": "2: all channels together"}


def convolution(case: Case) -> Steps:
    """One map of a convolution: the channels that it sees, its kernel, its bias, and the sum of the channels that are left out."""
    layer, number, weights = case.layer, case.choice.number, case.weights
    frame = _frame(layer, case.entering.shape)
    if case.choice.half == "depthwise":
        maps, title = between_halves(case, frame), f"{layer.name}, between its halves, map {number + 1}"
        channel, copy = divmod(number, layer.depth_multiplier)
        alone = _sum(case, [channel], weights["depthwise_kernel"][:, :, [channel], copy], frame)
        output = {"title": title, "values": rows(maps[..., number])}
        return {**alone, "bias": 0.0, "output": output, "activation": None, "reference": ""}
    if layer.kind == "DepthwiseConv2D":
        channel, copy = divmod(number, layer.depth_multiplier)
        found = _sum(case, [channel], weights["kernel"][:, :, [channel], copy], frame)
    elif layer.kind == "SeparableConv2D":
        still = {"size": [1, 1], "strides": [1, 1], "before": [0, 0], "after": [0, 0], "axes": 2}
        found = _sum(case, None, weights["pointwise_kernel"][..., number], still, between_halves(case, frame))
    else:
        found = _sum(case, None, weights["kernel"][..., number], frame)
    bias, output, activation = float(rounded(weights["bias"][number])), case.output_map(number), case.followed(number)
    return {**found, "bias": bias, "output": output, "activation": activation, "reference": "Keras"}


def between_halves(case: Case, frame: Steps) -> np.ndarray:
    """The maps that the first half of a separable convolution gives the second; Keras does not show them."""
    kernel = case.weights["depthwise_kernel"]
    channels, copies = kernel.shape[2:]
    return np.stack(
        [slid(case.entering[..., c], kernel[:, :, c, copy], frame) for c in range(channels) for copy in range(copies)], axis=-1
    )


def _sum(case: Case, only: list[int] | None, kernel: np.ndarray, frame: Steps, between: np.ndarray | None = None) -> Steps:
    """The sum over channels, each under its slice of the kernel (size, channels).

    only: the channels of the input that are seen (None: all). between: maps that are seen instead of the input.
    """
    maps = case.entering if between is None else between
    channels = range(maps.shape[-1]) if only is None else only
    first, last = case.block if only is None else (0, 1)
    outside = [channel for channel in channels if only is None and not first <= channel < last]
    rest = sum((slid(maps[..., channel], kernel[..., channel], frame) for channel in outside), start=0.0)
    inputs = [case.input_map(channel, between) for channel in channels[first:last]]
    if between is not None:
        inputs = [{**shown, "title": f"between the halves, map {first + place + 1}"} for place, shown in enumerate(inputs)]
    return {
        "kind": "convolution",
        **frame,
        "first": first,
        "channels": len(channels),
        "inputs": inputs,
        "kernel": [rows(kernel[..., channel]) for channel in range(first, last)],
        "rest": rows(rest) if outside else None,
    }


def pooling(case: Case) -> Steps:
    """One map of a pooling."""
    number = case.choice.number
    return {
        "kind": case.layer.kind.removesuffix("1D").removesuffix("2D").removesuffix("Pooling").lower(),
        **_frame(case.layer, case.entering.shape),
        "inputs": [case.input_map(number)],
        "output": case.output_map(number),
        "activation": case.followed(number),
        "reference": "Keras",
    }


def global_pooling(case: Case) -> Steps:
    """All maps of a block, each of which gives one value."""
    first, last = case.block
    title = f"{case.layer.name}: one value a map"
    return {
        "kind": "global_max" if "Max" in case.layer.kind else "global_average",
        "axes": case.layer.axes,
        "first": first,
        "channels": case.entering.shape[-1],
        "inputs": [case.input_map(channel) for channel in range(first, last)],
        "output": {"title": title, "values": rows(case.leaving[first:last]), "bars": True},
        "activation": case.followed(slice(first, last)),
        "reference": "Keras",
    }


def _frame(layer: Sliding | Pooling, shape: tuple[int, ...]) -> Steps:
    """Where the windows stand on a map: [rows, columns] of each; a series is a map of one row."""
    size, strides = layer.window()
    slides = [Slide(side, size, strides, layer.padding) for side in shape[:-1]]
    still = [] if len(slides) == 2 else [Slide(1, 1)]
    axes = [*still, *slides]
    return {
        "axes": len(slides),
        "size": [slide.size for slide in axes],
        "strides": [slide.stride for slide in axes],
        "before": [slide.before for slide in axes],
        "after": [slide.after for slide in axes],
    }


def slid(values: np.ndarray, kernel: np.ndarray, frame: Steps) -> np.ndarray:
    """One map under one kernel, in numpy: the sum of each window's products, (rows, columns)."""
    return sum(
        weight * window
        for weight, window in zip(
            np.atleast_2d(kernel).astype(np.float64).ravel(), shifted(np.atleast_2d(values), frame, 0.0), strict=True
        )
    )


def shifted(values: np.ndarray, frame: Steps, outside: float) -> list[np.ndarray]:
    """For each cell of the window, in reading order, what it reads in every window: maps of the output's size.

    outside: the value of the padding cells.
    """
    (high, wide), (down, across) = frame["size"], frame["strides"]
    border = list(zip(frame["before"], frame["after"], strict=True))
    padded = np.pad(np.asarray(values, np.float64), border, constant_values=outside)
    rows_out, columns_out = (padded.shape[0] - high) // down + 1, (padded.shape[1] - wide) // across + 1
    return [
        padded[row : row + (rows_out - 1) * down + 1 : down, column : column + (columns_out - 1) * across + 1 : across]
        for row in range(high)
        for column in range(wide)
    ]
