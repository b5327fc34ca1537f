"""The simple controls: a view of the draft as blocks. Each function shows its widgets and gives the edited part back."""

from pages.components.controls.base import catch_up, synced
from pages.components.controls.blocks import layers, weights
from pages.components.controls.images import augmentation, points_seen, validation
from pages.components.controls.training import training

__all__ = ["augmentation", "catch_up", "layers", "points_seen", "synced", "training", "validation", "weights"]
