"""Pictures of pixels that travel with the page itself, so that the browser need not fetch them one by one."""

import base64
import io
from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st
from PIL import Image


def address(picture: np.ndarray) -> str:
    """A picture, uint8 (height, width[, 3 or 4]), as an address that holds all of it."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def show(picture: np.ndarray, alt: str, caption: str | None = None, width: int | str = "content") -> None:
    """One picture."""
    st.image(address(picture), caption=caption, alt=alt, width=width)


def rows(pictures: Sequence[tuple[str, str, np.ndarray]], title_width: str = "15rem") -> None:
    """Pictures one below the other, each (title, alternative text, picture), with the title beside it, above it on a phone."""
    lines = []
    for title, alt, picture in pictures:
        image = f'<img src="{address(picture)}" alt="{escape(alt)}" style="max-width:100%;display:block">'
        style = "display:flex;flex-wrap:wrap;gap:0.15rem 0.75rem;align-items:center"
        lines.append(
            f'<div style="{style}"><div style="width:{title_width};font-size:0.875rem">{escape(title)}</div>{image}</div>'
        )
    st.html(f'<div style="display:grid;gap:0.45rem">{"".join(lines)}</div>')
