"""What each head of a network says of one example."""

import numpy as np
import streamlit as st

from cnn_core import figures, targets
from cnn_core.spec import HeadSpec, RunSpec

PLAIN = {"displayModeBar": False}


def answers(spec: RunSpec, example: np.ndarray, said: dict[str, np.ndarray], key: str = "answer") -> None:
    """Show the answers to `example`: of each head (1, classes) or (1, values). key: tells two networks on one page apart."""
    several = len(spec.model.heads) > 1
    for head in spec.model.heads:
        if several:
            st.markdown(f"**{head.name}**: {targets.of(spec.data)[head.target].title}")
        values = said[head.name][0]
        if labels := targets.labels(spec, head):
            _classes(f"{key}_{head.name}", labels, values)
        else:
            _numbers(spec, head, f"{key}_{head.name}", example, values)


def _classes(key: str, labels: tuple[str, ...], probabilities: np.ndarray) -> None:
    best = int(probabilities.argmax())
    st.markdown(f"### {labels[best]} &nbsp; :gray[{probabilities[best]:.1%}]")
    alt = f"Probability of each class; the answer is {labels[best]} with {probabilities[best]:.1%}"
    bars = figures.probability_bars(probabilities, labels, height=100 + 20 * len(labels))
    st.plotly_chart(bars, key=key, config=PLAIN, alt=alt)


def _numbers(spec: RunSpec, head: HeadSpec, key: str, example: np.ndarray, values: np.ndarray) -> None:
    error = targets.squared_error(spec, head, example, values)
    figure = figures.series(example[:, 0], targets.seen(spec.data), values)
    alt = f"Forecast of the last {len(values)} points beside the true ones; mean squared error {error:.3f}"
    st.plotly_chart(figure, key=key, config=PLAIN, alt=alt)
    st.caption(f"Mean squared error of this forecast: {error:.3f}.")
