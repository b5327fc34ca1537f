"""Runs: all of them, live and finished; open, rename, delete, take home, and their curves overlaid."""

from datetime import datetime

import streamlit as st

from cnn_core import presets
from pages.components import comparing, run_actions, state
from pages.components.live_panel import live_panel
from pages.components.queue_view import queue_view

state.open_session()
lab = state.lab()
lab.reconcile()
runs = lab.store.runs()
if strange := sorted(set(lab.store.ids()) - {run.run for run in runs}):
    st.warning(
        f"Not shown: {', '.join(strange)}. This version of CNN Lab cannot read the settings that were stored; the version that "
        "stored them can. Nothing was changed.",
        icon=":material/help:",
    )
if not runs:
    st.info("There is no run yet. Press Train on the Build page.", icon=":material/info:")
    st.page_link("pages/build.py", label="Build a network", icon=":material/construction:")
    st.stop()

queue_view()
rows = [
    {
        "Name": run.name,
        "Status": run.status,
        "Images": run.spec.data.dataset,
        "From": presets.origin(run.spec),
        "Epochs": f"{run.epoch} of {run.epochs}",
        "Test accuracy": run.test_accuracy,
        "Parameters": run.parameters,
        "Seconds": run.seconds,
        "Started": datetime.fromtimestamp(run.started) if run.started else None,
    }
    for run in runs
]
columns = {
    "Name": st.column_config.TextColumn(width="medium", pinned=True),
    "Test accuracy": st.column_config.NumberColumn(format="percent"),
    "Parameters": st.column_config.NumberColumn(format="localized"),
    "Seconds": st.column_config.NumberColumn(format="%.1f"),
    "Started": st.column_config.DatetimeColumn(format="D MMM, HH:mm:ss"),
}
st.caption("Choose runs with the boxes on the left: one to open, rename or delete it, several to compare their curves.")
table = st.dataframe(
    rows,
    hide_index=True,
    column_config=columns,
    key=f"runs_table_{len(runs)}_{runs[0].run}",  # boxes count rows: with another list none stays ticked
    placeholder="–",
    on_select="rerun",
    selection_mode="multi-row",
    height=min(420, 35 * (len(rows) + 1) + 3),
    alt="All runs with their settings and results",
)
chosen = [runs[row] for row in table.selection.rows if row < len(runs)]
if not chosen:
    chosen = runs[:1]
    st.caption("No box is ticked, so this is the newest run:")
if len(chosen) == 1:
    run_actions.actions(chosen[0])
    live_panel(chosen[0])
else:
    comparing.curves(chosen)
