"""A network while it learned: a slider over the snapshots of its run, which also come while it trains."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import streamlit as st

from cnn_core import figures, snapshots, targets
from cnn_core.errors import LabError
from cnn_core.figures import painted
from cnn_core.run import Run
from cnn_core.snapshots import Snapshot
from pages.components import audience, pictures, pixels, state

PLAYS = 0.8  # seconds from one snapshot to the next
TILE = 84
PLAIN = {"displayModeBar": False}


def watch(run: Run) -> None:
    """Show what is kept of how a run learned, and keep up with it while it trains."""
    every = _every(run)
    st.fragment(_watch, run_every=every)(run.run, every)


def _every(run: Run) -> float | None:
    if st.session_state.get("playing"):
        return PLAYS
    return None if run.is_over else audience.stretched(2, each=0.2)


@state.in_sentences()
def _watch(name: str, every: float | None) -> None:
    run = state.lab().store.get(name)
    files = snapshots.files(state.lab().store.folder(name) / snapshots.FOLDER)
    shots = [shot for file in files if (shot := _snapshot(file, _changed(file))) is not None]
    if not shots:
        _nothing(run, damaged=bool(files))
    else:
        if len(shots) < len(files):
            st.caption(f":material/info: {len(files) - len(shots)} of its {len(files)} snapshots are damaged and left out.")
        now = _moment(run, shots)
        _show(run, shots, shots[now])
    if every != _every(run):
        st.rerun()  # with another timer


def _changed(file: Path) -> int:
    """When it was written; 0 when it is gone, as one of too many may be at any time."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


@st.cache_resource(show_spinner=False, max_entries=400)
def _snapshot(file: Path, changed: int) -> Snapshot | None:
    return snapshots.read(file)


def _nothing(run: Run, damaged: bool) -> None:
    """Why there is nothing to see, and the way on."""
    if not run.is_over:
        st.info(
            "The first snapshot is taken right after its first steps; it appears here by itself.", icon=":material/hourglass_top:"
        )
        return
    why = (
        "All its snapshots are damaged."
        if damaged
        else "It was trained before the lab kept them, or each of its steps takes very long."
    )
    st.info(f"This run has no snapshots of how it learned. {why} Train its settings again, and they are kept.")
    if st.button("Open its settings on the Build page", icon=":material/construction:"):
        state.set_draft(run.spec)
        st.switch_page("pages/build.py")


def _moment(run: Run, shots: list[Snapshot]) -> int:
    """The place of the snapshot that is looked at. It follows the newest one until the person goes back."""
    session, last = st.session_state, len(shots) - 1
    seen, newest, place = session.get("watched", (None, 0, 0))
    playing = session.get("playing", False) and seen == run.run
    if seen != run.run or place > last or (place >= newest and not playing):
        place = last
    elif playing:
        place = min(place + 1, last)
    session.playing = playing and (place < last or not run.is_over)
    session.watched, session.moment = (run.run, last, place), place
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words, icon = ("Pause", ":material/pause:") if session.playing else ("Play", ":material/play_arrow:")
        st.button(words, icon=icon, on_click=_play, args=(place == last,), disabled=last == 0, key="play")
        if last == 0:
            st.caption(_words(shots[0]))
        else:
            settings = {"format_func": lambda place: _words(shots[place]), "on_change": _move, "key": "moment"}
            st.select_slider("Training step", range(last + 1), **settings)
    return place


def _play(at_end: bool) -> None:
    """Begin to play, at the end from the start, or stop it."""
    session = st.session_state
    session.playing = not session.get("playing", False)
    if session.playing:
        run, last, place = session.watched
        session.watched = (run, last, -1 if at_end else place)


def _move() -> None:
    """The person has moved the slider; while it plays, not when only a place that it had just now comes late from the browser."""
    session = st.session_state
    if session.get("playing") and session.watched[2] - 1 <= session.moment <= session.watched[2]:
        return
    session.watched, session.playing = (*session.watched[:2], session.moment), False


def _words(shot: Snapshot) -> str:
    return f"step {shot.step:,} · epoch {shot.epoch}" if shot.step else "step 0 · untrained"


def _show(run: Run, shots: list[Snapshot], shot: Snapshot) -> None:
    last = shots[-1]
    names = [layer.name for layer in run.spec.model.layers if layer.name in {**last.maps, **last.kernels, **last.weights}]
    if not names:
        _nothing(run, damaged=True)
        return
    if st.session_state.get("watched_layer") not in names:
        st.session_state.watched_layer = names[0]
    layer = st.selectbox("Layer", names, key="watched_layer", persist_state="session")
    for part, title in (("kernels", "Kernels of {}"), ("maps", "Maps of {} for the first test example")):
        over_time = [getattr(one, part)[layer] for one in shots if layer in getattr(one, part)]
        if over_time and layer in getattr(shot, part):
            words = f"{title.format(layer)}, at {_words(shot)}"
            st.markdown(f"**{words}**")
            if part == "maps":
                _example(run)
            _pictures(getattr(shot, part)[layer], over_time, part, words)
    _distributions(shots, layer, shot.step)


def _example(run: Run) -> None:
    """The example whose maps are kept, where its dataset is here and sound."""
    with suppress(LabError):
        data = state.dataset(run.spec.data.dataset)
        words = f"The first test example: {data.info.labels[data.y_test[0]]}"
        if data.info.is_series:
            figure = figures.series(data.x_test[0][:, 0], targets.seen(run.spec.data), height=150)
            st.caption(words)
            st.plotly_chart(figure, key="watch_example", config=PLAIN, alt=words)
        else:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.image(pictures.enlarged(data.x_test[0], TILE // 28), width=TILE, alt=words)
                st.caption(words, width="content")


def _pictures(values: np.ndarray, over_time: list[np.ndarray], part: str, title: str) -> None:
    """Kernels or maps at a moment, in the same colours at each."""
    values = values.astype(np.float32)
    low, high = (float(np.nan_to_num(end)) for end in (min(one.min() for one in over_time), max(one.max() for one in over_time)))
    if values.ndim == 2:
        grid = figures.curves_grid(values, "all", (low, high))
        st.plotly_chart(grid, key=f"watch_{part}", config=PLAIN, alt=title)
        return
    strip = (
        painted.kernel_strip(values, max(-low, high), tile=TILE)
        if part == "kernels"
        else painted.strip(values, (low, high), tile=TILE)
    )
    pixels.show(strip, title)


def _distributions(shots: list[Snapshot], layer: str, step: int) -> None:
    st.caption(
        "How the values of this layer are spread, bright where many lie, and how long all values of each layer are as one vector "
        "(the norm). Gradients say how much training still wants to change: large at first, small when it settles."
    )
    columns = st.columns(2)
    for column, part in zip(columns, ("weights", "gradients"), strict=True):
        if (own := snapshots.history(shots, layer, part)) is not None:
            title = f"{part.capitalize()} of {layer} over time"
            alt = f"{title}: how their values are spread at each of {len(own.steps)} snapshots"
            column.plotly_chart(figures.spread(own, step, title), key=f"spread_{part}", config=PLAIN, alt=alt)
        known = {name: history for name in shots[-1].weights if (history := snapshots.history(shots, name, part)) is not None}
        if known:
            title = f"How large the {part} of each layer are"
            alt = f"{title}: their Euclidean norm at each snapshot"
            column.plotly_chart(figures.norms(known, step, title), key=f"norms_{part}", config=PLAIN, alt=alt)
