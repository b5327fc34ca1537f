"""The queue: what trains, what waits and in what order, and how many train at once."""

import streamlit as st

from cnn_core.cores import cores
from cnn_core.run import ACTIVE, Run
from cnn_core.scheduler import most_at_once
from pages.components import audience, controls, state
from pages.components.steering import do


def queue_view() -> None:
    """Show the queue and keep it fresh, while there is one."""
    store = state.lab().store
    count = len(store.runs((*ACTIVE, "queued")))
    with st.expander(f"Queue: {_words(count)}", icon=":material/format_list_numbered:", expanded=count > 1):
        st.fragment(_queue, run_every=audience.stretched(2, each=0.2) if count else None)(count)


def _words(count: int) -> str:
    return "nothing trains, and nothing waits" if not count else f"{count} run{'s' * (count > 1)}"


@state.in_sentences()
def _queue(count: int) -> None:
    lab = state.lab()
    lab.reconcile()
    controls.catch_up()
    training, waiting = lab.store.runs(ACTIVE), lab.store.queue()
    if len(training) + len(waiting) != count:
        st.rerun()
    for run in reversed(training):
        _row(run, f"{run.status} · epoch {min(run.epoch + 1, run.epochs)} of {run.epochs}", 0, 0)
    for number, run in enumerate(waiting, 1):
        _row(run, f"waits, number {number}", number, len(waiting))
    if not count:
        st.caption(
            "Press Train on the Build page as often as you like: one run after another is trained, even with no page open."
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        help = "Runs that train at the same time, from the next that starts on. They share the cores, so each is slower."
        options = controls.synced("queue_at_once", lab.at_once, _train_at_once)
        st.number_input("Train at once", 1, most_at_once(), help=help, width=150, **options)
        help = f"Threads that each run gets. 0: an equal share of the {cores()} cores."
        options = controls.synced("queue_threads", lab.threads_asked_for, _give_threads)
        st.number_input("Threads for each", 0, cores(), help=help, width=150, **options)


def _train_at_once(count: int) -> None:
    do("share", count, state.lab().threads_asked_for)


def _give_threads(count: int) -> None:
    do("share", state.lab().at_once, count)


def _row(run: Run, words: str, number: int, count: int) -> None:
    """One run: its name, what it does, and the buttons of one that waits."""
    end = ("stop", ":material/close:", "Take out of the queue") if number else ("stop", ":material/stop:", "Stop and keep")
    moves = [
        ("move", ":material/arrow_upward:", "Earlier", (run.run, 1), number > 1),
        ("move", ":material/arrow_downward:", "Later", (run.run, -1), number < count),
    ]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{run.name.replace('*', '')}**  :gray[{words}]", width="stretch")
        with st.container(horizontal=True, gap="small", width="content"):
            for action, icon, help, arguments, possible in (*(moves if number else ()), (*end, (run.run,), True)):
                key = f"queue_{help}_{run.run}"
                st.button("", icon=icon, help=help, key=key, disabled=not possible, on_click=do, args=(action, *arguments))
