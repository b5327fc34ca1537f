"""The network as a drawing: a row of boxes where each layer feeds the next, and a graph for any network."""

import textwrap

import numpy as np
import plotly.graph_objects as go

from cnn_core.figures.base import WRONG, laid_out
from cnn_core.layer_kinds import KINDS
from cnn_core.shapes import LayerReport, NetworkReport
from cnn_core.spec import INPUT

SAID_BY_HOVER = ("Activation", "Dropout", "BatchNormalization")  # in a long network their names would overlap the others
LONG_NETWORK = 12
GREY = "#8a8f98"
COLOURS = {  # of the groups of kinds; white words can be read on them
    "Convolution": "#1f77b4",
    "Pooling": "#b85f0e",
    "Merge": "#8a4fb0",
    "Dense": "#147a5b",
}
OTHER = "#5f6672"


def network_drawing(network: NetworkReport, height: int = 230) -> go.Figure:
    """The network from left to right: a box a layer, its height by the side of its map, its width by its channels.

    A faulty layer is red, and the layers behind it are grey outlines.
    """
    # Collected as plain values: added to a figure one by one, they would take a tenth of a second.
    shapes, spots, annotations = [], [], []
    boxes = [("input", "input", network.input_shape, None)]
    boxes += [(layer.name, layer.kind, layer.output_shape, layer.error) for layer in network.layers]
    side = network.input_shape[0]
    x, gap, last_label = 0.0, 0.32, ""
    for name, kind, shape, error in boxes:
        if shape is None:
            tall, wide = 0.5, 0.5
        elif len(shape) > 1:
            tall, wide = max(0.06, shape[0] / side), 0.25 + 0.12 * np.log2(1 + shape[-1])
        else:
            tall, wide = min(1.0, 0.2 + 0.08 * np.log2(1 + shape[0])), 0.25
        colour = WRONG if error else _colour(kind)
        known = shape is not None or error
        shapes.append(
            {
                "type": "rect",
                "x0": x,
                "x1": x + wide,
                "y0": 0.5 - tall / 2,
                "y1": 0.5 + tall / 2,
                "line": {"color": colour if known else "#9aa0a6", "width": 1.5, "dash": "solid" if known else "dot"},
                "fillcolor": colour if known else "rgba(0,0,0,0)",
                "opacity": 0.85 if known else 0.6,
            }
        )
        words = error or ("behind the fault" if shape is None else " × ".join(map(str, shape)))
        spots.append((x + wide / 2, f"<b>{name}</b> ({kind})<br>{words}"))
        label = "✗" if error else ("" if shape is None else "×".join(map(str, shape)))
        middle = x + wide / 2
        shown = "" if len(boxes) > LONG_NETWORK and kind in SAID_BY_HOVER and not error else name
        if not shown and label == last_label:
            label = ""  # these layers keep the shape that reaches them
        else:
            last_label = label
        for text, y, anchor, side_anchor in ((shown, 1.06, "bottom", "left"), (label, -0.06, "top", "right")):
            place = {"x": middle, "y": y, "xanchor": side_anchor, "yanchor": anchor}
            annotations.append({**place, "text": text, "showarrow": False, "textangle": -35, "font": {"size": 11}})
        x += max(wide + gap, 0.85)
    places, words = zip(*spots, strict=True)
    hover = {"hovertext": words, "hovertemplate": "%{hovertext}<extra></extra>"}
    figure = go.Figure(
        go.Scatter(x=places, y=[0.5] * len(places), mode="markers", marker={"size": 22, "opacity": 0}, showlegend=False, **hover),
        {"shapes": shapes, "annotations": annotations},
    )
    figure.update_xaxes(visible=False, range=[-max(0.9, 0.11 * x), x + 0.7], fixedrange=True)
    figure.update_yaxes(visible=False, range=[-0.6, 1.75], fixedrange=True)
    return laid_out(figure, height).update_layout(margin={"l": 0, "r": 0, "t": 4, "b": 0})


def network_graph(network: NetworkReport) -> str:
    """The network as a graph in Graphviz' language: a box a layer with its cost, shapes on the edges, heads at the end.

    A faulty layer or head is red and says why; what lies behind it is dotted.
    """
    lines = [
        "digraph network {",
        'graph [bgcolor="transparent", rankdir=TB, nodesep=0.25, ranksep=0.35];',
        'node [shape=box, style="rounded,filled", fontname="sans-serif", fontsize=11, fontcolor="white", color="transparent", '
        'margin="0.14,0.06", height=0.3];',
        'edge [color="#8a8f98", fontname="sans-serif", fontsize=10, fontcolor="#7a7f88", arrowsize=0.6];',
        f'"{INPUT}" [label="input", fillcolor="{OTHER}"];',
    ]
    given = {INPUT: network.input_shape}
    for layer in network.layers:
        lines.append(_node(layer))
        for source in layer.inputs:
            lines.append(_edge(source, layer.name, given[source]))
        given[layer.name] = layer.output_shape
    for head in network.heads:
        error = network.head_errors.get(head.name)
        words = [f"head {head.name}", f"{head.target}, {head.loss.replace('_', ' ')}", *_wrapped(error or "")]
        look = (
            f'fillcolor="{WRONG}"' if error else 'fillcolor="transparent", color="#8a8f98", fontcolor="#7a7f88", style="rounded"'
        )
        lines.append(f'"head {head.name}" [label="{_text(words)}", {look}];')
        lines.append(_edge(head.layer, f"head {head.name}", given[head.layer]))
    return "\n".join([*lines, "}"])


def _node(layer: LayerReport) -> str:
    words = [layer.name, layer.kind]
    if layer.error:
        words += _wrapped(layer.error)
    elif layer.parameters or layer.multiply_adds:
        costs = [f"{layer.parameters:,} parameters" if layer.parameters else "", f"{layer.multiply_adds:,} multiply-adds"]
        words += [", ".join(filter(None, costs))]
    if layer.name.lower() == layer.kind.lower():
        words = words[:1] + words[2:]
    if layer.error:
        look = f'fillcolor="{WRONG}"'
    elif layer.output_shape is None:
        look = 'fillcolor="transparent", color="#8a8f98", fontcolor="#7a7f88", style="rounded,dotted"'
    else:
        look = f'fillcolor="{_colour(layer.kind)}"'
    return f'"{layer.name}" [label="{_text(words)}", {look}];'


def _edge(source: str, end: str, shape: tuple[int, ...] | None) -> str:
    label = f' [label=" {"×".join(map(str, shape))}"]' if shape else " [style=dotted]"
    return f'"{source}" -> "{end}"{label};'


def _colour(kind: str) -> str:
    return COLOURS.get(KINDS[kind].group, OTHER) if kind in KINDS else GREY


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 44)


def _text(lines: list[str]) -> str:
    escaped = [line.replace("\\", "\\\\").replace('"', '\\"') for line in lines]
    return "\\n".join(escaped)
