"""Arrays become Plotly figures. Pure: the same arrays give the same figure, and no page is known here.

The colours are of Okabe and Ito's palette, which colour-blind people can tell apart, chosen to read on white and on black.
"""

from collections.abc import Sequence
from math import ceil

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cnn_core.curves import Curve, Curves
from cnn_core.insight import LayerView
from cnn_core.shapes import NetworkReport

TRAINING, VALIDATION, RIGHT, WRONG = "#2f8fcb", "#e07b1f", "#1b9e77", "#d1495b"
PALETTE = ("#2f8fcb", "#e07b1f", "#1b9e77", "#c061a9", "#8c7a2b", "#56b4e9", "#d1495b", "#7a7a7a")
MAP_SCALE = "Viridis"
SIGNED_SCALE = "RdBu_r"
MAPS_SHOWN = 16
SAID_BY_HOVER = ("Activation", "Dropout", "BatchNormalization")  # in a long network their names would overlap the others
LONG_NETWORK = 12
NOTHING = Curve(np.empty(0, np.int64), np.empty(0))
MARK = {"color": "#7a7a7a", "width": 1, "dash": "dash"}
MARK_WORDS = {"showarrow": False, "font": {"size": 10, "color": "#7a7a7a"}}
MARKS_APART = 0.05  # of the width of a chart: two upright words closer than that would overlap
TITLES = {"accuracy": "Accuracy", "loss": "Loss"}
KIND_COLOURS = {
    "input": "#8a8f98",
    "Conv2D": "#2f8fcb",
    "MaxPooling2D": "#e07b1f",
    "AveragePooling2D": "#e07b1f",
    "MinPooling2D": "#e07b1f",
    "Dense": "#1b9e77",
    "Flatten": "#8c7a2b",
}


def _layout(figure: go.Figure, height: int, **layout) -> go.Figure:
    margin = {"l": 8, "r": 8, "t": 30, "b": 8}
    return figure.update_layout(
        height=height, margin=margin, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", **layout
    )


def training_curves(
    curves: Curves,
    name: str,
    steps_per_epoch: int,
    epochs: int,
    best_epoch: int = 0,
    marks: Sequence[tuple[int, str]] = (),
    height: int = 260,
) -> go.Figure:
    """Curve of one metric over the epochs: the running value of training, and training and validation per epoch.

    best_epoch: the one that is marked as the best, 0 for none. marks: (step, words) of what happened on the way, drawn as upright
    lines.
    """
    steps = max(1, steps_per_epoch)
    figure = go.Figure()
    for phase, title, line, mode in (
        ("step", "training, running", {"color": TRAINING, "width": 1, "dash": "dot"}, "lines"),
        ("train", "training", {"color": TRAINING, "width": 2.5}, "lines+markers"),
        ("validation", "validation", {"color": VALIDATION, "width": 2.5}, "lines+markers"),
    ):
        curve = curves.by_name.get((phase, name), NOTHING)
        symbol = "diamond" if phase == "validation" else "circle"
        figure.add_scatter(
            x=(curve.steps / steps).tolist(),
            y=curve.values.tolist(),
            name=title,
            mode=mode if len(curve.steps) > 1 else "markers",  # a line of one point is invisible
            line=line,
            marker={"size": 6, "symbol": symbol},
            hovertemplate="epoch %{x:.2f}: %{y:.4f}",
        )
    last = next((curves.by_name[phase, name] for phase in ("validation", "train") if (phase, name) in curves.by_name), NOTHING)
    if len(place := np.flatnonzero(last.steps == best_epoch * steps)):
        figure.add_scatter(
            x=[best_epoch],
            y=[float(last.values[place[0]])],
            name="best epoch",
            mode="markers",
            marker={"size": 14, "symbol": "star", "color": RIGHT, "line": {"color": "#ffffff", "width": 1}},
            hovertemplate="epoch %{x}: %{y:.4f}",
        )
    figure.update_xaxes(title="Epoch", range=[0, max(1, epochs)], zeroline=False)
    figure.update_yaxes(
        title=TITLES[name], tickformat=".0%" if name == "accuracy" else None, rangemode="tozero" if name == "loss" else None
    )
    values = [value for line in figure.data for value in line.y]
    if len(values) < 2:  # a range of its own would put one point anywhere
        figure.update_yaxes(range=[0, 1.02] if name == "accuracy" else [0, max([2.5, *(1.1 * value for value in values)])])
    lines = [
        {"type": "line", "x0": step / steps, "x1": step / steps, "y0": 0, "y1": 1, "yref": "paper", "line": MARK}
        for step, _ in marks
    ]
    words = [
        {
            "x": step / steps,
            "y": 1,
            "yref": "paper",
            "yanchor": "top",
            "xanchor": "left",
            "textangle": 90,
            "text": text,
            **MARK_WORDS,
        }
        for step, text in _apart(marks, MARKS_APART * steps * max(1, epochs))
    ]
    legend = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 11}}
    return _layout(figure, height, legend=legend, hovermode="x unified", shapes=lines, annotations=words)


def _apart(marks: Sequence[tuple[int, str]], steps: float) -> list[tuple[int, str]]:
    """The marks whose words have room: each at least so many steps behind the last one that has."""
    shown: list[tuple[int, str]] = []
    for step, text in marks:
        if not shown or step - shown[-1][0] >= steps:
            shown.append((step, text))
    return shown


def learning_rate(epochs: np.ndarray, rates: np.ndarray, height: int = 130) -> go.Figure:
    """A planned learning rate over the epochs: both (n,)."""
    figure = go.Figure(
        go.Scatter(
            x=np.round(epochs, 3).tolist(),
            y=rates.tolist(),
            mode="lines",
            line={"color": TRAINING, "width": 2},
            hovertemplate="epoch %{x:.1f}: %{y:.3g}<extra></extra>",
        )
    )
    figure.update_xaxes(title="Epoch", range=[0, float(epochs[-1])], zeroline=False, fixedrange=True)
    figure.update_yaxes(title="Rate", range=[0, 1.1 * float(rates.max())], tickformat="~g", nticks=3, fixedrange=True)
    return _layout(figure, height).update_layout(margin={"l": 8, "r": 8, "t": 6, "b": 8})


def compared_curves(histories: dict[str, dict[str, list[float]]], name: str, height: int = 320) -> go.Figure:
    """One metric of several runs over the epochs: training solid, validation dashed, a colour a run."""
    figure = go.Figure()
    for number, (run, history) in enumerate(histories.items()):
        colour = PALETTE[number % len(PALETTE)]
        for key, dash, title in ((name, "solid", run), (f"val_{name}", "dash", f"{run}, validation")):
            values = history.get(key, [])
            figure.add_scatter(
                x=list(range(1, len(values) + 1)),
                y=values,
                name=title,
                mode="lines+markers",
                line={"color": colour, "dash": dash},
                marker={"size": 5},
            )
    figure.update_xaxes(title="Epoch", rangemode="tozero")
    figure.update_yaxes(title=TITLES[name], tickformat=".0%" if name == "accuracy" else None)
    return _layout(figure, height + 22 * len(histories) * 2, legend={"orientation": "h", "y": -0.25, "yanchor": "top"})


def probability_bars(probabilities: np.ndarray, labels: Sequence[str], height: int = 300) -> go.Figure:
    """A bar for each class, the answer in another colour."""
    best = int(np.argmax(probabilities))
    colours = [VALIDATION if number == best else TRAINING for number in range(len(labels))]
    figure = go.Figure(
        go.Bar(
            x=probabilities,
            y=list(labels),
            orientation="h",
            marker_color=colours,
            text=[f"{value:.1%}" for value in probabilities],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.2%}<extra></extra>",
        )
    )
    figure.update_xaxes(title="Probability", range=[0, 1.12], tickformat=".0%", tickvals=[0, 0.25, 0.5, 0.75, 1])
    figure.update_yaxes(autorange="reversed", type="category")
    return _layout(figure, height)


def maps_grid(view: LayerView, mode: str, limits: tuple[float, float], shown: int = MAPS_SHOWN) -> go.Figure:
    """The first `shown` feature maps of a layer, each titled. mode: "map" scales each on its own, else all by `limits`."""
    count = min(shown, view.values.shape[2])
    columns = min(8, count)
    rows = ceil(count / columns)
    figure = make_subplots(
        rows,
        columns,
        subplot_titles=[f"{number + 1}" for number in range(count)],
        horizontal_spacing=0.008,
        vertical_spacing=0.16 / rows,
    )
    low, high = limits
    for number in range(count):
        values = view.values[:, :, number]
        scale = {"zmin": float(values.min()), "zmax": max(float(values.max()), float(values.min()) + 1e-9)}
        figure.add_heatmap(
            z=np.round(values, 4),
            colorscale=MAP_SCALE,
            showscale=mode != "map" and number == 0,
            colorbar={"thickness": 10, "len": 1.0, "tickfont": {"size": 10}},
            hovertemplate=f"map {number + 1}, row %{{y}}, column %{{x}}: %{{z}}<extra></extra>",
            row=number // columns + 1,
            col=number % columns + 1,
            **(scale if mode == "map" else {"zmin": low, "zmax": max(high, low + 1e-9)}),
        )
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, autorange="reversed", constrain="domain")
    for number in range(count):
        axis = "" if number == 0 else str(number + 1)
        figure.layout[f"yaxis{axis}"].update(scaleanchor=f"x{axis}")
    figure.update_annotations(font_size=11)
    return _layout(figure, 40 + rows * 118)


def kernel_grid(pictures: np.ndarray, shown: int = MAPS_SHOWN) -> go.Figure:
    """Kernels (height, width, filters) as pictures: red raises the output, blue lowers it, one scale around zero for all."""
    limit = float(np.abs(pictures).max()) or 1.0
    view = LayerView("kernels", "Conv2D", "", pictures)
    figure = maps_grid(view, "layer", (-limit, limit), shown)
    return figure.update_traces(colorscale=SIGNED_SCALE, hovertemplate="row %{y}, column %{x}: %{z}<extra></extra>")


def value_bars(values: np.ndarray, height: int = 170) -> go.Figure:
    """The values of a dense layer, one bar a unit."""
    figure = go.Figure(
        go.Bar(
            x=list(range(1, len(values) + 1)),
            y=np.round(values, 4),
            marker_color=TRAINING,
            marker_line_width=0,
            hovertemplate="unit %{x}: %{y}<extra></extra>",
        )
    )
    figure.update_xaxes(title="Unit")
    figure.update_yaxes(title="Value")
    return _layout(figure, height, bargap=0.15)


def confusion(matrix: np.ndarray, labels: Sequence[str], height: int = 460) -> go.Figure:
    """Confusion matrix: true class down, answer across, counts in the cells, the colour by the part of the true class."""
    parts = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure = go.Figure(
        go.Heatmap(
            z=parts,
            x=list(labels),
            y=list(labels),
            text=matrix,
            texttemplate="%{text}",
            colorscale="Blues",
            zmin=0,
            zmax=1,
            colorbar={"tickformat": ".0%", "thickness": 12, "title": {"text": "of class"}},
            hovertemplate="true %{y}, read as %{x}: %{text} images (%{z:.1%})<extra></extra>",
        )
    )
    figure.update_xaxes(title="Answer", type="category", constrain="domain")
    figure.update_yaxes(title="True class", type="category", autorange="reversed")
    return _layout(figure, height)


def class_bars(accuracy: np.ndarray, labels: Sequence[str], height: int = 460) -> go.Figure:
    """Accuracy of each class."""
    figure = go.Figure(
        go.Bar(
            x=accuracy,
            y=list(labels),
            orientation="h",
            marker_color=TRAINING,
            text=[f"{value:.1%}" for value in accuracy],
            textposition="inside",
            hovertemplate="%{y}: %{x:.2%}<extra></extra>",
        )
    )
    figure.update_xaxes(title="Read right", range=[0, 1.02], tickformat=".0%")
    figure.update_yaxes(title="True class", autorange="reversed", type="category")
    return _layout(figure, height)


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
        elif len(shape) == 3:
            tall, wide = max(0.06, shape[0] / side), 0.25 + 0.12 * np.log2(1 + shape[2])
        else:
            tall, wide = min(1.0, 0.2 + 0.08 * np.log2(1 + shape[0])), 0.25
        colour = WRONG if error else KIND_COLOURS.get(kind, "#7d6fb0")
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
    return _layout(figure, height).update_layout(margin={"l": 0, "r": 0, "t": 4, "b": 0})
