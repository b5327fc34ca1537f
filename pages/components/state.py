"""The draft, the run in view, and the handles. The draft and the run are mirrored in the address, so a refresh keeps both."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from cnn_core import datasets, links, presets
from cnn_core.curves import Curves, Reader
from cnn_core.errors import DataError, LabError, SpecError, UnknownRun
from cnn_core.jobs import Lab
from cnn_core.run import ACTIVE, Run
from cnn_core.spec import RunSpec
from cnn_core.store import default_home
from pages.components.router import insist_on_router
from pages.components.warm import stay_compiled

DOUBLE_CLICK = 1.0  # seconds within which a second click was not meant


@contextmanager
def in_sentences() -> Iterator[None]:
    """Show an error that was written for the person as a sentence, here on the page."""
    try:
        yield
    except LabError as error:
        st.error(str(error), icon=":material/error:")


@st.cache_resource(show_spinner=False)
def _lab(home: str) -> Lab:
    return Lab(default_home(), spare=os.environ.get("CNN_LAB_SPARE") != "0")


def lab() -> Lab:
    """The lab of the home folder. Raises StoreError when the folder cannot be used."""
    return _lab(str(default_home()))


@st.cache_resource(show_spinner=False)
def _reader(home: str) -> Reader:
    return Reader(lab().store)


def curves(run: Run, every: float) -> Curves:
    """The curves of a run, read once for all viewers, each of whom looks `every` so many seconds."""
    return _reader(str(default_home())).curves(run.run, run.resumed, fresh=0.0 if run.is_over else every / 4)


@st.cache_resource(show_spinner="Reading the images…", max_entries=3)
def _dataset(name: str) -> datasets.Dataset:
    return datasets.load(name)


def dataset(name: str) -> datasets.Dataset:
    """The images of a dataset. Raises DataError when it is not on this computer: a page downloads nothing that it was not asked for."""
    if not datasets.is_here(name):
        raise DataError("The images of this network's dataset are not on this computer. Download them on the Build page.")
    return _dataset(name)


@st.cache_resource(show_spinner="Loading TensorFlow and the network…", max_entries=4)
def _model(weights: Path, changed: float):
    from cnn_core.inference import TrainedModel  # brings TensorFlow, so only when a page needs a model

    stay_compiled()
    return TrainedModel(lab().store.get(weights.parent.name).spec, weights)


def model(run: str):
    """The trained network of a run. Raises LabError when it has no weights."""
    weights = lab().weights(run)
    return _model(weights, weights.stat().st_mtime)


def open_session() -> None:
    """Take the draft and the run from the address when the session is new, and write them there when it is not."""
    insist_on_router()
    state = st.session_state
    if "draft" not in state:
        state.draft = presets.preset("tiny").spec
        if "spec" in st.query_params:
            try:
                state.draft = links.decode(st.query_params["spec"])
            except SpecError as error:
                st.warning(f"{error} The settings below are the lab's own.")
        state.run = st.query_params.get("run")
    _mirror()


def set_draft(spec: RunSpec) -> None:
    """Make `spec` the draft; the controls show it from the next run of the page on.

    The draft is the last use of the session: when a newer event cuts this short, the old draft is still there.
    """
    for key in [key for key in st.session_state if str(key).startswith("edit_")]:
        del st.session_state[key]
    st.session_state.draft = spec


def edit_draft(spec: RunSpec) -> None:
    """Note what the controls say."""
    if spec != st.session_state.draft:
        st.session_state.draft = spec
        _mirror()


def train(spec: RunSpec) -> None:
    """Queue a run and make it the run in view; the second click of a double one is told so and does nothing."""
    last = st.session_state.setdefault("trained", {})
    if spec == last.get("spec") and time.monotonic() - last["when"] < DOUBLE_CLICK:
        st.toast("That was a double click: these settings are trained once. Press Train again for another run.")
        view_run(last["run"])
        return
    run = lab().submit(spec)
    # A second click ends this run of the page as soon as it touches the session, so this does not; and that click comes at once.
    last.update(spec=spec, when=time.monotonic(), run=run)
    view_run(run)


def view_run(run: str | None) -> None:
    """Make `run` the run in view."""
    st.session_state.run = run
    _mirror()


def run_in_view() -> Run | None:
    """The run in view: the chosen one, else one that trains, else None."""
    if st.session_state.run:
        try:
            return lab().store.get(st.session_state.run)
        except UnknownRun as error:
            st.warning(str(error))
            view_run(None)
    live = lab().store.runs(ACTIVE)
    if not live:
        return None
    view_run(live[0].run)  # so that its result is still here when it has ended
    return live[0]


def _mirror() -> None:
    wanted = {"spec": links.encode(st.session_state.draft)}
    if st.session_state.run:
        wanted["run"] = st.session_state.run
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)
