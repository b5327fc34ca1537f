"""What can be done with one run: open, rename, take home, delete."""

import re
from functools import partial

import streamlit as st

from cnn_core.export import FORMATS, departures, export_bytes, obstacle
from cnn_core.run import Run
from pages.components import state


def actions(run: Run) -> None:
    """A row of buttons for `run`."""
    with st.container(horizontal=True):
        if st.button(
            "Open its settings",
            icon=":material/construction:",
            help="Fills the controls of the Build page with this run's settings.",
        ):
            state.set_draft(run.spec)
            state.view_run(run.run)
            st.switch_page("pages/build.py")
        with st.popover("Rename", icon=":material/edit:"):
            name = st.text_input("New name", run.name, key=f"name_{run.run}", max_chars=80)
            if st.button("Save the name", key=f"rename_{run.run}"):
                with state.in_sentences():
                    state.lab().rename(run.run, name)
                    st.rerun()
        with st.popover("Take home", icon=":material/download:"):
            _take_home(run)
        if st.button(
            "Delete",
            icon=":material/delete:",
            disabled=not run.is_over,
            help="Removes the run for good; stop it first if it trains.",
        ):
            _confirm(run)


ICONS = {"python": "code", "notebook": "menu_book", "keras": "neurology", "onnx": "swap_horiz", "litert": "smartphone"}


def _take_home(run: Run) -> None:
    """An entry for each format; a file is made when it is asked for."""
    has_weights, departed = run.is_over and state.lab().has_weights(run), departures(state.lab(), run)
    for name, format in FORMATS.items():
        reason = obstacle(run.spec, name)
        if not reason and format.needs_weights and not has_weights:
            reason = "There are no weights to take home before the run is over."
        st.download_button(
            format.title,
            partial(export_bytes, state.lab(), run.run, name),
            file_name=f"{_file_stem(run)}{format.ending}",
            icon=f":material/{ICONS[name]}:",
            disabled=reason is not None,
            on_click="ignore",
            key=f"take_home_{name}_{run.run}",
            width="stretch",
        )
        told = "" if format.needs_weights or not departed else f" {departed}"
        st.caption(reason or f"{format.about}{told}")


def _file_stem(run: Run) -> str:
    """The name of a run as the start of a file name, and what tells it from others of that name."""
    words = re.sub(r"\W+", "_", run.name.lower()).strip("_") or "network"
    return f"{words}_{run.run.rpartition('-')[2]}"


@st.dialog("Delete this run?")
def _confirm(run: Run) -> None:
    st.write(f"{run.name!r} with its curves and weights will be removed for good.")
    with st.container(horizontal=True):
        if st.button("Delete for good", type="primary", icon=":material/delete:"):
            with state.in_sentences():
                state.lab().delete(run.run)
                if st.session_state.run == run.run:
                    state.view_run(None)
                st.rerun()
        if st.button("Keep it"):
            st.rerun()
