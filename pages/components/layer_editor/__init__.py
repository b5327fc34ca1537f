"""The layer editor: any graph, layer by layer. The simple controls show the same network while it is made of blocks."""

from pages.components.layer_editor.rows import layer_editor

__all__ = ["layer_editor"]
