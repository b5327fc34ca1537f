"""Arrays become Plotly figures. Pure: the same arrays give the same figure, and no page is known here."""

from cnn_core.figures.answers import confusion, probability_bars
from cnn_core.figures.curves import compared_curves, learning_rate, training_curves
from cnn_core.figures.explanations import over_image, over_series
from cnn_core.figures.favourites import favourites_row, favourites_series
from cnn_core.figures.learning import carried, norms, spread
from cnn_core.figures.maps import MAPS_SHOWN, curves_grid, kernel_grid, maps_grid, value_bars
from cnn_core.figures.network import network_drawing, network_graph
from cnn_core.figures.plane import plane
from cnn_core.figures.samples import sample_curves
from cnn_core.figures.scores import (
    accuracy_coverage,
    class_scores,
    confidence_histogram,
    confusion_cells,
    reliability,
    robustness,
)
from cnn_core.figures.series import forecasts, series

__all__ = [
    "MAPS_SHOWN",
    "accuracy_coverage",
    "carried",
    "class_scores",
    "compared_curves",
    "confidence_histogram",
    "confusion",
    "confusion_cells",
    "curves_grid",
    "favourites_row",
    "favourites_series",
    "forecasts",
    "kernel_grid",
    "learning_rate",
    "maps_grid",
    "network_drawing",
    "network_graph",
    "norms",
    "over_image",
    "over_series",
    "plane",
    "probability_bars",
    "reliability",
    "robustness",
    "sample_curves",
    "series",
    "spread",
    "training_curves",
    "value_bars",
]
