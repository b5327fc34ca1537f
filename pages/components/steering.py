"""What a person can do to a run while it trains and when it rests: pause, stop, another learning rate, resume, train further."""

import streamlit as st

from cnn_core.errors import LabError
from cnn_core.jobs import LONGEST
from cnn_core.run import Run
from pages.components import state

ICONS = {"pause": ":material/pause:", "stop": ":material/stop:", "resume": ":material/play_arrow:"}


def steering(run: Run) -> None:
    """Buttons for a run, in the row that the caller has opened."""
    if run.is_over:
        _at_rest(run)
        return
    ending = state.lab().ending(run.run)
    if run.status == "running":
        words = "Keeps exactly where it stands and frees the computer; Resume goes on from there, today or next week."
        _button("Pause", "pause", run, words, disabled=bool(ending))
    label = "Pausing…" if ending == "pause" else "Stopping…" if ending else "Stop and keep"
    if run.status == "queued":
        label = "Take out of the queue"
    words = "Ends training within two seconds; what was learned so far is kept."
    _button(label, "stop", run, words, disabled=bool(ending))
    if run.status == "running" and not ending:
        with st.popover(
            "Learning rate",
            icon=":material/speed:",
            help="Change it while the network trains; the rest of its plan is scaled with it.",
        ):
            key = f"rate_{run.run}"
            st.number_input("From the next step on", 0.0, 10.0, run.spec.training.learning_rate, format="%g", key=key)
            st.button("Use it", key=f"use_{key}", on_click=_do_with, args=("set_learning_rate", run.run, key))


def _at_rest(run: Run) -> None:
    if not state.lab().can_go_on(run):
        return
    if run.status != "finished":
        _button("Resume", "resume", run, "Goes on from its last checkpoint to the end of its epochs.")
        return
    with st.popover("Train further", icon=":material/fast_forward:", help="More epochs, with the optimizer as it was."):
        most = max(1, LONGEST - run.epoch)
        key = f"more_{run.run}"
        st.number_input("More epochs", 1, most, min(10, most), key=key)
        st.button("Train them", key=f"further_{run.run}", on_click=_do_with, args=("resume", run.run, key))


def _do_with(action: str, run: str, key: str) -> None:
    """Do it with the number of a field as it is now: it may have been typed right before the click, which ended the run that read it."""
    do(action, run, st.session_state[key])


def _button(label: str, action: str, run: Run, words: str, disabled: bool = False) -> None:
    key = f"{action}_{run.run}"
    st.button(label, icon=ICONS[action], key=key, help=words, disabled=disabled, on_click=do, args=(action, run.run))


def weights_choice(run: Run) -> None:
    """Which weights answer, where those of the best epoch are not the last ones."""
    at_its_end = run.best_epoch == run.epoch and run.step == run.epoch * run.steps_per_epoch
    if not run.best_epoch or (at_its_end and run.uses == "last"):
        return
    titles = {"last": f"Last ({run.epoch} epochs)", "best": f"Best epoch ({run.best_epoch})"}
    by = "lowest loss" if run.spec.training.early_stopping == "loss" else "highest accuracy"
    tested = run.spec.data.validation == "test"
    part = "test images, which flatters its test score" if tested else "validation part (without one: the training images)"
    chosen = st.segmented_control(
        "Weights that answer",
        list(titles),
        format_func=titles.get,
        default=run.uses,
        key=f"uses_{run.run}_{run.uses}",  # another tab or a command may choose as well
        required=True,
        help=f"Both are kept. The best epoch, marked by a star, is the one of the {by} on the {part}.",
    )
    if chosen != run.uses:
        do("use", run.run, chosen)
        st.rerun()


def do(action: str, *arguments) -> None:
    """Call a method of the lab; what it refuses is said in a corner of the page, where the next look leaves it."""
    try:
        getattr(state.lab(), action)(*arguments)
    except LabError as error:
        st.toast(str(error), icon=":material/error:", duration="long")
