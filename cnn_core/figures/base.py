"""Colours and the frame that all figures share.

Okabe and Ito's palette, which colour-blind people can tell apart, chosen to read on white and on black.
"""

import plotly.graph_objects as go

TRAINING, VALIDATION, RIGHT, WRONG = "#2f8fcb", "#e07b1f", "#1b9e77", "#d1495b"
PALETTE = ("#2f8fcb", "#e07b1f", "#1b9e77", "#c061a9", "#8c7a2b", "#56b4e9", "#d1495b", "#7a7a7a")


def laid_out(figure: go.Figure, height: int, **layout) -> go.Figure:
    margin = {"l": 8, "r": 8, "t": 30, "b": 8}
    return figure.update_layout(
        height=height, margin=margin, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", **layout
    )
