"""What a person can do to a run while it trains and when it rests: pause, stop, another learning rate, resume, train further."""

import streamlit as st

from cnn_core.store import Run
from pages.components import state


def steering(run: Run) -> None:
    """Buttons for a run, in the row that the caller has opened."""
    if run.is_over:
        _at_rest(run)
        return
    ending = state.lab().ending(run.run)
    if run.status == "running":
        st.button(
            "Pause",
            icon=":material/pause:",
            key=f"pause_{run.run}",
            help="Keeps exactly where it stands and frees the computer; Resume goes on from there, today or next week.",
            disabled=bool(ending),
            on_click=_do,
            args=("pause", run.run),
        )
    label = (
        "Pausing…"
        if ending == "pause"
        else "Stopping…"
        if ending
        else "Take out of the queue"
        if run.status == "queued"
        else "Stop and keep"
    )
    st.button(
        label,
        icon=":material/stop:",
        key=f"stop_{run.run}",
        help="Ends training within two seconds; what was learned so far is kept.",
        disabled=bool(ending),
        on_click=_do,
        args=("stop", run.run),
    )
    if run.status == "running" and not ending:
        with st.popover("Learning rate", icon=":material/speed:", help="Change it while the network trains."):
            key = f"rate_{run.run}"
            rate = st.number_input("From now on", 1e-6, 10.0, run.spec.training.learning_rate, format="%g", key=key)
            st.button("Use it", key=f"use_{key}", on_click=_do, args=("set_learning_rate", run.run, rate))


def _at_rest(run: Run) -> None:
    if run.status != "finished":
        st.button(
            "Resume",
            icon=":material/play_arrow:",
            key=f"resume_{run.run}",
            help="Goes on from its last checkpoint to the end of its epochs.",
            on_click=_do,
            args=("resume", run.run),
        )
        return
    with st.popover("Train further", icon=":material/fast_forward:", help="More epochs, with the optimizer as it was."):
        more = st.number_input(
            "More epochs", 1, max(1, 1000 - run.epochs), min(10, max(1, 1000 - run.epochs)), key=f"more_{run.run}"
        )
        st.button("Train them", key=f"further_{run.run}", on_click=_do, args=("resume", run.run, more))


@state.in_sentences()
def _do(action: str, *arguments) -> None:
    """Call a method of the lab; a full rerun follows where the page has to look after a run again."""
    getattr(state.lab(), action)(*arguments)
