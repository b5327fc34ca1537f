"""The network as a drawing and a table, layer by layer."""

import streamlit as st

from cnn_core import figures
from cnn_core.shapes import LayerReport, NetworkReport

MANY, LARGE = 12, 640  # layers whose graph is a box of so many pixels to scroll in


def network_view(network: NetworkReport) -> None:
    """The drawing and the graph, then the table of shapes and costs."""
    if not network.layers:
        return
    if network.is_chain:
        drawing, graph = st.tabs(["Drawing", "Graph"])
        words = f"Network of {len(network.layers)} layers from {' × '.join(map(str, network.input_shape))} to the classes"
        figure = figures.network_drawing(network)
        drawing.plotly_chart(figure, key="network", config={"displayModeBar": False}, alt=words)
    else:
        graph = st.container()
    with graph.container(key="graph", height=LARGE if len(network.layers) > MANY else "content"):
        words = f"Graph of {len(network.layers)} layers from the input to {len(network.heads)} heads, with shapes and costs"
        st.graphviz_chart(figures.network_graph(network), width="content", alt=words)
    rows = [
        {
            "Layer": layer.name,
            "Kind": layer.kind,
            "From": ", ".join(layer.inputs),
            "Output": _output(layer),
            "Parameters": layer.parameters,
            "Formula": layer.formula,
            "Multiply-adds": layer.multiply_adds,
            "Receptive field": "–" if layer.output_shape is None else _field(layer.receptive_field, len(network.input_shape) - 1),
        }
        for layer in network.layers
    ]
    if network.is_chain:
        rows = [{name: value for name, value in row.items() if name != "From"} for row in rows]
    blank = dict.fromkeys(rows[0], "")
    rows.append(blank | {"Layer": "Total", "Parameters": network.parameters, "Multiply-adds": network.multiply_adds})
    numbers = {name: st.column_config.NumberColumn(format="localized") for name in ("Parameters", "Multiply-adds")}
    st.dataframe(
        rows,
        hide_index=True,
        column_config=numbers,
        placeholder="–",
        height=35 * (len(rows) + 1) + 3,
        alt="Shapes and costs of each layer",
    )


def _output(layer: LayerReport) -> str:
    if layer.output_shape is None:
        return "✗ does not fit" if layer.error else "–"
    return f"{'✗ ' if layer.error else ''}{' × '.join(map(str, layer.output_shape))}"


def _field(field: int | None, axes: int) -> str:
    return "the whole input" if field is None else " × ".join([str(field)] * axes)
