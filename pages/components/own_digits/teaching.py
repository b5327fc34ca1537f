"""A network is taught the person's handwriting, and how well networks read it before and after."""

import numpy as np
import streamlit as st

from cnn_core import my_digits
from cnn_core.errors import LabError
from cnn_core.run import ACTIVE, Run
from pages.components import state
from pages.components.live_panel import live_panel
from pages.components.own_digits.reading import can_read, score, taught_with
from pages.components.run_picker import titles

MOST_BESIDE = 6
PERCENT = st.column_config.NumberColumn(format="%.1f %%")


def teach(run: Run, collection: my_digits.Collection) -> None:
    """Continue the training of a run on a mix of its images and the drawings; what it does meanwhile."""
    live = next((other for other in state.lab().store.runs((*ACTIVE, "queued")) if other.spec.data.own_digits), None)
    if live:
        live_panel(live)
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        help = "The part of the images in each epoch that are your drawings; the others keep it from forgetting."
        share = st.slider("Your drawings among its images", 0.05, 0.8, 0.2, 0.05, format="percent", help=help)
        epochs = st.number_input("Epochs", 1, 50, 3, help="How often it sees all of its training images again.")
        pressed = st.button("Teach it my handwriting", type="primary", icon=":material/school:")
    st.caption(
        f"Makes a new run that goes on from {run.name}, which stays as it is. Ten drawings of each digit are a good beginning."
    )
    if pressed:
        with state.in_sentences():
            state.lab().teach(run.run, share, epochs)
            st.rerun()


def scoreboard(run: Run, collection: my_digits.Collection) -> None:
    """The run in view beside others, on the test part and on the drawings."""
    runs = {other.run: other for other in state.lab().answering() if can_read(other)}
    pupil = next((other for other in runs.values() if other.parent == run.run), None)  # the newest
    before, after = (run, pupil) if pupil else (runs.get(run.parent), run)
    if before:
        with state.in_sentences():
            _before_and_after(before, after, collection)
    others = [name for name in runs if name != run.run]
    taught = next((name for name in others if runs[name].spec.data.own_digits), None)
    first = [name for name in (taught, before and before.run, after.run) if name in others]
    beside = []
    if others:
        beside = st.multiselect(
            "Beside it",
            others,
            default=list(dict.fromkeys(first)),
            format_func=titles({name: run.name for name, run in runs.items()}).get,
            key=f"own_beside_{run.run}_{taught}",
            max_selections=MOST_BESIDE,
        )
    rows = []
    for name in (run.run, *beside):
        try:
            rows.append(_row(runs[name], collection))
        except LabError as error:
            st.warning(f"{runs[name].name} is left out. {error}")
    columns = {"Test part": PERCENT, "My digits": PERCENT, "Never seen by it": PERCENT}
    st.dataframe(rows, hide_index=True, column_config=columns, placeholder="–", alt="Accuracy of each network on both sets")
    if any(row["Taught with"] for row in rows):
        st.caption(
            "A network that was taught with drawings knows these very ones: only those never seen by it tell how well it reads "
            "your handwriting. Draw some more to find out."
        )


def _before_and_after(before: Run, after: Run, collection: my_digits.Collection) -> None:
    st.markdown(f"**{after.name}**: what teaching has changed")
    old, new = (score(run, collection).accuracy for run in (before, after))
    pairs = (("Test part", before.test_accuracy, after.test_accuracy), ("My digits", old, new))
    with st.container(horizontal=True):
        for label, then, now in pairs:
            if then is not None and now is not None:
                change = round(100 * (now - then), 1)
                words = f"{change:+.1f} points, from {then:.1%}" if change else f"as before: {then:.1%}"
                st.metric(
                    label,
                    f"{now:.1%}",
                    words,
                    delta_color="normal" if change else "off",
                    delta_arrow="auto" if change else "off",
                    border=True,
                )
    with st.container(horizontal=True):
        query = {"run": after.run}
        st.page_link("pages/draw.py", label="Draw with the taught one", icon=":material/draw:", query_params=query)
        st.page_link("pages/compare.py", label="Compare two networks", icon=":material/compare:", query_params=query)


def _row(run: Run, collection: my_digits.Collection) -> dict:
    """A run in the table."""
    known = {image.tobytes() for image in taught_with(run).images}
    new = np.array([image.tobytes() not in known for image in collection.images])
    unseen = my_digits.Collection(collection.images[new], collection.labels[new])
    return {
        "Network": run.name,
        "Test part": None if run.test_accuracy is None else 100 * run.test_accuracy,
        "My digits": 100 * score(run, collection).accuracy,
        "Taught with": len(known) or None,
        "Never seen by it": 100 * score(run, unseen).accuracy if len(unseen) else None,
    }
