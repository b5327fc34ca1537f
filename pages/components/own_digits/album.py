"""The drawings that are kept: pictures with their answers, mistakes marked, deleting, and the collection as a file."""

import numpy as np
import streamlit as st

from cnn_core import my_digits
from cnn_core.errors import DataError, LabError
from pages.components import pictures, state

SHOWN = 24  # on one page


def album(collection: my_digits.Collection, answers: np.ndarray | None, right: np.ndarray | None) -> None:
    """The newest first. answers: what the network in view read in each, and right: whether that is so; None where none reads them."""
    order = np.arange(len(collection))[::-1]
    with st.container(horizontal=True, vertical_alignment="center"):
        if right is not None and not right.all() and st.toggle("Mistakes only", key="own_mistakes"):
            order = order[~right[order]]
        pages = -(-len(order) // SHOWN)
        page = st.number_input("Page", 1, pages, key=f"own_page_{pages}", width=140) if pages > 1 else 1
    with st.grid("auto", min_column_width=96, gap="small", key="pictures_album") as grid:
        for index in map(int, order[(page - 1) * SHOWN : page * SHOWN]):
            label = collection.labels[index]
            words = f"{label}"
            if answers is not None:
                words = f"✓ {label}" if right[index] else f"✗ {label}, read as {answers[index]}"
            with grid.cell():
                st.image(
                    pictures.enlarged(collection.images[index], 3), caption=words, width=84, alt=f"Drawing {index + 1}: {words}"
                )
                _change(index, collection.images[index], int(label))


def _change(index: int, image: np.ndarray, label: int) -> None:
    """What can be done with a drawing: give it its right answer, or forget it."""
    with st.container(horizontal=True, gap="xsmall"):
        st.menu_button(
            "",
            [digit for digit in range(10) if digit != label],
            format_func=lambda digit: f"It is a {digit}",
            key=f"own_correct_{index}",
            icon=":material/edit:",
            type="tertiary",
            help=f"Correct the right answer of drawing {index + 1}.",
            on_click=_correct,
            args=(index, image),
        )
        st.button(
            "",
            key=f"own_delete_{index}",
            icon=":material/delete:",
            type="tertiary",
            help=f"Forget drawing {index + 1}.",
            on_click=_remove,
            args=(index, image),
        )


def damaged(error: DataError) -> None:
    """Say why the collection cannot be read, and offer a new one."""
    st.error(str(error), icon=":material/error:")
    if st.button("Set it aside and start a new collection", icon=":material/inventory_2:"):
        with state.in_sentences():
            aside = my_digits.set_aside(state.lab().home)
            st.toast(f"The damaged file is kept as {aside.name}.", duration="long")
            st.rerun()


def _correct(index: int, image: np.ndarray) -> None:
    """Give a drawing the chosen answer, if it is still the one that was shown."""
    home, label = state.lab().home, st.session_state[f"own_correct_{index}"]
    try:
        kept = my_digits.read(home)
        if label is not None and index < len(kept) and np.array_equal(kept.images[index], image):
            my_digits.relabel(home, index, label)
    except LabError as error:
        st.session_state.own_fault = str(error)


def _remove(index: int, image: np.ndarray) -> None:
    """Forget a drawing, if it is still the one that was shown: another tab may have deleted some."""
    home, deleted = state.lab().home, st.session_state.setdefault("own_deleted", [])
    try:
        kept = my_digits.read(home)
        if index < len(kept) and np.array_equal(kept.images[index], image):
            my_digits.remove(home, index)
            deleted.append((image, int(kept.labels[index])))
    except LabError as error:
        st.session_state.own_fault = str(error)


def put_back() -> None:
    """Offer the drawings that were deleted in this session, the last one first."""
    if deleted := st.session_state.get("own_deleted"):
        about = f"Keep the {deleted[-1][1]} that was deleted last after all."
        st.button("Put the last one back", icon=":material/undo:", key="own_put_back", help=about, on_click=_put_back)
    if fault := st.session_state.pop("own_fault", None):
        st.error(fault, icon=":material/error:")


def _put_back() -> None:
    deleted = st.session_state.own_deleted
    if not deleted:
        return  # a click that was on its way when the list became empty
    try:
        my_digits.add(state.lab().home, *deleted[-1])
        deleted.pop()
    except LabError as error:
        st.session_state.own_fault = str(error)


def to_and_from_a_file(collection: my_digits.Collection) -> None:
    """Take the collection home, or add one that was taken home."""
    number = st.session_state.setdefault("own_upload", 0)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if len(collection):
            label = f"Export {len(collection)} drawing{'s' * (len(collection) != 1)}"
            packed = my_digits.pack(collection)
            st.download_button(label, packed, "my_digits.npz", icon=":material/download:", on_click="ignore")
        file = st.file_uploader("Import a collection (.npz)", type="npz", key=f"own_import_{number}")
    if file is None:
        return
    with state.in_sentences():
        added = my_digits.merge(state.lab().home, file.getvalue())
        st.session_state.own_upload = number + 1  # an empty field: what is deleted later does not come back from it
        st.toast(f"{added} drawing{'s' * (added != 1)} added; those that were here already are not taken twice.")
        st.rerun()
