"""Small images, enlarged without blur."""

import numpy as np
import streamlit as st

from cnn_core import datasets
from cnn_core.errors import LabError
from pages.components import state


def enlarged(image: np.ndarray, times: int = 4) -> np.ndarray:
    """Each pixel of a uint8 image (28, 28[, 1]) as a square of `times` x `times`."""
    return np.kron(image.reshape(image.shape[:2]), np.ones((times, times), np.uint8))


def strip(images: np.ndarray, alt: str, columns: int = 10, width: int | str = "stretch") -> None:
    """Images (n, 28, 28, 1) side by side as one picture, `columns` in a row."""
    framed = np.pad(images[..., 0], ((0, 0), (1, 1), (1, 1)), constant_values=90)
    rows = [np.concatenate(framed[start : start + columns], axis=1) for start in range(0, len(framed), columns)]
    st.image(np.kron(np.concatenate(rows), np.ones((2, 2), np.uint8)), width=width, alt=alt)


def samples(name: str) -> None:
    """What a dataset looks like and where it comes from, or the way to get it."""
    info = datasets.info(name)
    if not datasets.is_here(name):
        st.info(f"{info.about} It is not on this computer yet: training downloads it first ({info.download_megabytes} MB).")
        if st.button("Download now", icon=":material/download:"):
            bar = st.progress(0.0, text="Downloading…")
            try:
                datasets.load(
                    name,
                    lambda done, total: bar.progress(done / total, text=f"Downloading: {done / 1e6:.1f} of {total / 1e6:.0f} MB"),
                )
            except LabError as error:
                st.error(str(error))
            else:
                st.rerun()
        return
    try:
        data = state.dataset(name)
    except LabError as error:
        st.error(str(error))
        return
    strip(data.x_train[:30], f"Thirty training images of {info.title}")
    st.caption(f"{info.about} Read from {data.source}.")
