"""The scores of a head that says numbers: its errors, and forecasts beside what came."""

import numpy as np
import streamlit as st

from cnn_core import evaluation, figures, targets
from cnn_core.datasets import Dataset
from cnn_core.run import Run
from pages.components.scores.said import PLAIN, SHOWN_SERIES, loss


def numbers(run: Run, data: Dataset, said: np.ndarray, true: np.ndarray) -> None:
    """said and true: (n, values)."""
    found = evaluation.errors(said, true)
    flat = float(((true - true.mean(axis=0)) ** 2).mean())
    with st.container(horizontal=True):
        help = "Mean over all test series and points; lower is better."
        st.metric("Mean squared error", f"{found.mean_squared_error:.4f}", border=True, help=help)
        st.metric("Mean absolute error", f"{found.mean_absolute_error:.4f}", border=True, help=help)
        help = "Mean squared error of one who always says the mean of each point: what a forecast has to beat."
        st.metric("Always the mean", f"{flat:.4f}", border=True, help=help)
        loss(run)
    seen, order = targets.seen(run.spec.data), np.argsort(found.each, kind="stable")
    middle = len(order) // 2 - SHOWN_SERIES // 2
    for title, rows in (
        ("Forecasts as they mostly are", order[middle : middle + SHOWN_SERIES]),
        ("The worst forecasts", order[::-1][:SHOWN_SERIES]),
    ):
        st.subheader(title, anchor=False)
        titles = [f"error {found.each[row]:.2f}" for row in rows]
        grid = figures.forecasts(data.x_test[rows, :, 0], seen, said[rows], titles)
        alt = f"{title}: {len(rows)} test series, the points that were seen, the true rest and the forecast"
        st.plotly_chart(grid, key=title, config=PLAIN, alt=alt)
