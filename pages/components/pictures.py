"""Small images, enlarged without blur, and small curves."""

import numpy as np
import streamlit as st

from cnn_core import datasets, figures
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


def curves(data: datasets.Dataset, labels: tuple[str, ...], seen: int) -> None:
    """One training series of each class, as far as the network sees it and on."""
    first = [int(np.argmax(data.y_train == label)) for label in range(len(labels))]
    figure = figures.sample_curves(data.x_train[first, :, 0], list(labels), seen)
    alt = f"A training series of each of {len(labels)} classes; the network sees the first {seen} points"
    st.plotly_chart(figure, key="samples", config={"displayModeBar": False}, alt=alt)


def samples(name: str, seen: int | None = None) -> None:
    """What a dataset looks like and where it comes from, or the way to get it. `seen`: how far the network sees a series."""
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
    if info.is_series:
        curves(data, info.labels, seen or info.input_shape[0])
    else:
        strip(data.x_train[:30], f"Thirty training images of {info.title}")
    st.caption(f"{info.about} Read from {data.source}.")
