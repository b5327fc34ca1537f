"""Choose the run that answers; with none yet, the way to the first one."""

from collections import Counter
from collections.abc import Mapping

import streamlit as st

from cnn_core import presets
from cnn_core.errors import LabError, UnknownRun
from cnn_core.run import ACTIVE, Run
from pages.components import state
from pages.components.live_panel import live_panel


def run_picker(training: bool = False) -> Run | None:
    """The run chosen among those that can answer (the newest is the default), or None after showing how to get one.

    training: offer those that train as well.
    """
    live = state.lab().store.runs(("running",)) if training else []
    runs = {run.run: run for run in (*live, *state.lab().answering())}
    if not runs:
        _first_run()
        return None
    # Said anew at every run of a page: on another page the list is another widget, which would begin with its first entry.
    viewed = st.session_state.run
    st.session_state.picked = viewed if viewed in runs else next(iter(runs))
    if viewed and viewed not in runs:
        _instead(viewed, runs[st.session_state.picked])
    chosen = st.selectbox(
        "Network",
        list(runs),
        format_func=titles({name: _title(run) for name, run in runs.items()}).get,
        key="picked",
        help="The trained network that answers; the newest is the default.",
        on_change=lambda: state.view_run(st.session_state.picked),
    )
    return runs[chosen]


def _instead(viewed: str, shown: Run) -> None:
    """Say why another network than the one in view answers."""
    try:
        known = state.lab().store.get(viewed)
    except UnknownRun:
        why = f"There is no run {viewed}: it was deleted, or the address is of another lab."
    except LabError as error:  # what is stored of it is damaged
        why = str(error)
    else:
        if known.is_over:
            why = f"{known.name!r} has no weights."
        else:
            now = "is in training" if known.status in ACTIVE else "waits for its turn"
            why = f"{known.name!r} {now}; it can be asked here when it is done."
    st.info(f"{why} This is **{shown.name}**.", icon=":material/info:")


def titles(of: Mapping[str, str]) -> dict[str, str]:
    """Titles of runs by their ids, each different from the others: Streamlit finds a choice again by its title alone.

    >>> titles({"20260101-000000-aaaa": "same", "20260101-000000-bbbb": "same", "20260101-000000-cccc": "other"})["20260101-000000-bbbb"]
    'same · bbbb'
    """
    counts = Counter(of.values())
    return {run: title if counts[title] == 1 else f"{title} · {run[-4:]}" for run, title in of.items()}


def _title(run: Run) -> str:
    accuracy = f"{run.test_accuracy:.1%}" if run.test_accuracy is not None else "no test score"
    if run.test_accuracy is None and run.test_loss is not None:
        accuracy = f"loss {run.test_loss:.3f}"
    if not run.is_over:
        accuracy = "in training"
    return f"{run.name} · {accuracy} · {run.run[9:11]}:{run.run[11:13]}"


def _first_run() -> None:
    """One button that trains the quickest preset, then its live panel; the page goes on when it ends."""
    live = state.lab().store.runs((*ACTIVE, "queued"))
    if live:
        st.info(
            "The first network is being trained; this page goes on by itself when it is done.", icon=":material/hourglass_top:"
        )
        live_panel(live[-1])
        return
    st.info("There is no trained network yet. Train the small one: it takes about fifteen seconds.", icon=":material/info:")
    if st.button("Train the small network", type="primary", icon=":material/play_arrow:"):
        with state.in_sentences():
            state.view_run(state.lab().submit(presets.preset("tiny").spec))
            st.rerun()
