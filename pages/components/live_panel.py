"""A run as it is now: status, progress, curves, result. A pure read of the store, the same in every tab."""

import time
from math import ceil

import streamlit as st

from cnn_core import datasets, figures, targets
from cnn_core.curves import Curves
from cnn_core.run import ACTIVE, Run
from pages.components import audience, state
from pages.components.steering import steering, weights_choice

BADGES = {
    "queued": ("gray", ":material/schedule:"),
    "running": ("blue", ":material/play_arrow:"),
    "paused": ("gray", ":material/pause:"),
    "stopped": ("orange", ":material/stop:"),
    "finished": ("green", ":material/check:"),
    "failed": ("red", ":material/error:"),
    "interrupted": ("orange", ":material/power_off:"),
}


def live_panel(run: Run, chart_height: int = 260) -> None:
    """Show a run, and keep it fresh while it lives."""
    every = _every(run)
    st.fragment(_panel, run_every=every)(run.run, every, chart_height)


def _every(run: Run) -> float:
    """Seconds between two looks at a run: few while something is about to happen, more for a crowd and when it is over."""
    if run.is_over:
        return audience.stretched(8, each=0.2)  # another tab, or a command, may let it go on
    if run.status != "queued" and (run.step == 0 or state.lab().ending(run.run)):
        return audience.stretched(0.4, each=0.05)
    return audience.stretched(1 if run.status == "queued" or time.time() - run.started < 20 else 2, each=0.2)


@state.in_sentences()
def _panel(name: str, every: float, chart_height: int) -> None:
    if audience.has_turn(every):
        state.lab().reconcile()
    run = state.lab().store.get(name)
    curves = state.curves(run, every)
    if every != _every(run):
        if run.is_over:
            state.lab().warm(st.session_state.draft)
        st.rerun()  # with another timer; and the rest of the page learns of the end
    _header(run)
    _progress(run)
    if run.is_over and state.lab().has_weights(run):
        weights_choice(run)
    marks = tuple((event["step"], f"{event['kind']} {event['text']}") for event in state.lab().store.events(name))
    metrics = targets.metrics(run.spec)
    columns = st.columns(2)
    for number, (metric, title) in enumerate(metrics):
        version = (run.resumed, curves.version)
        best = run.best_epoch
        figure = _figure(name, version, metric, title, run.steps_per_epoch, run.epochs, best, marks, chart_height, curves)
        last = curves.last(metric)
        alt = f"{title} over the epochs of training and validation" + ("" if last is None else f"; now {last:.3f}")
        place = columns[number % 2] if number < 2 * (len(metrics) // 2) else st
        place.plotly_chart(figure, key=f"curve_{metric}", config={"displayModeBar": False}, alt=alt)


@st.cache_resource(show_spinner=False, max_entries=64)
def _figure(
    run: str,
    version: tuple,
    metric: str,
    title: str,
    steps: int,
    epochs: int,
    best: int,
    marks: tuple,
    height: int,
    _curves: Curves,
):
    """A chart of what is known now, drawn once for all viewers."""
    return figures.training_curves(_curves, metric, steps, epochs, best, marks, height, title)


def _header(run: Run) -> None:
    colour, icon = BADGES[run.status]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{run.name.replace('*', '')}**", width="content")
        st.badge(run.status, color=colour, icon=icon)
        steering(run)


def _progress(run: Run) -> None:
    if run.status == "queued":
        st.info(f"Waits for {_before(run)}, and starts by itself, even with this page closed.", icon=":material/schedule:")
    elif not run.is_over:
        st.progress(run.fraction, text=_course(run))
    elif run.status == "paused":
        words = run.message or "It stands exactly where it was: its weights, its optimizer and its place in the images are kept."
        st.info(f"Paused after {run.epoch} of {run.epochs} epochs, at step {run.step:,}. {words}", icon=":material/pause:")
    elif run.status in ("failed", "interrupted"):
        st.error(run.message, icon=":material/error:")
        if log := state.lab().log(run.run):
            with st.expander("Last lines of its log"):
                st.code(log, language=None)
    else:
        _result(run)


def _before(run: Run) -> str:
    """What a run that waits has to wait for, in words."""
    store = state.lab().store
    before = [*store.runs(ACTIVE), *(other for other in store.queue() if other.place < run.place)]
    names = [other.name for other in before[:2]] + ([f"{len(before) - 2} more"] if len(before) > 2 else [])
    return " and ".join(names) or "a free place"


def _course(run: Run) -> str:
    if run.stage != "Training" or not run.step or not run.seconds_per_step:
        return f"{run.stage or 'Starting'}…"
    step = (run.step - 1) % run.steps_per_epoch + 1
    speed = run.spec.training.batch_size / run.seconds_per_step
    epoch = min(ceil(run.step / run.steps_per_epoch), run.epochs)
    return (
        f"Epoch {epoch} of {run.epochs} · step {step} of {run.steps_per_epoch} · {speed:,.0f} {_examples(run)}/s · "
        f"{duration(run.seconds_left or 0)} left · {run.device}"
    )


def _examples(run: Run) -> str:
    return "series" if datasets.info(run.spec.data.dataset).is_series else "images"


def duration(seconds: float) -> str:
    """Seconds in words: 8 s, 2 min 5 s, 1 h 3 min."""
    whole = ceil(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _result(run: Run) -> None:
    has_weights = state.lab().has_weights(run)
    words = [f"{run.epoch} of {run.epochs} epochs"]
    if run.test_accuracy is not None:
        of = f" of {targets.main_head(run.spec).name}" if len(run.spec.model.heads) > 1 else ""
        words.insert(0, f"**Test accuracy{of} {run.test_accuracy:.2%}** · test loss {run.test_loss:.4f}")
    elif run.test_loss is not None:
        words.insert(0, f"**Test loss {run.test_loss:.4f}**")
    elif has_weights:
        words.insert(0, "Not tested yet: See its mistakes tests it")
    if run.seconds is not None:
        words.append(f"{duration(run.seconds)} on {run.device}" if run.device else duration(run.seconds))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(" · ".join(words), width="content")
        if has_weights:
            query = {"run": run.run}
            label = "Try a series" if _examples(run) == "series" else "Draw a digit"
            st.page_link("pages/draw.py", label=label, icon=":material/draw:", query_params=query)
            st.page_link("pages/look_inside.py", label="Look inside", icon=":material/visibility:", query_params=query)
            st.page_link("pages/evaluate.py", label="See its mistakes", icon=":material/analytics:", query_params=query)
        else:
            st.markdown(run.message or "It ended before it had learned anything.", width="content")
    if has_weights and run.message:
        st.caption(run.message)
