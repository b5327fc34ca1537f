"""Graphs drawn layer by layer."""

from cnn_core.layer_kinds import KINDS, Activation, BaseLayer, Conv2D, Dense
from cnn_core.spec import INPUT, HeadSpec, ModelSpec


class Sketch:
    """A graph that is drawn layer by layer; each is fed by the one before it unless told otherwise."""

    def __init__(self) -> None:
        self.layers: list[BaseLayer] = []

    @property
    def last(self) -> str:
        return self.layers[-1].name if self.layers else INPUT

    def add(self, kind: type[BaseLayer], name: str, *inputs: str, **settings) -> str:
        """Add a layer; its name."""
        assert kind.__name__ in KINDS
        self.layers.append(kind(name=name, inputs=inputs or (self.last,), **settings))
        return name

    def conv(self, name: str, filters: int, size: int, *inputs: str, **settings) -> str:
        """Add a convolution and its ReLU; the name of the ReLU."""
        self.add(Conv2D, name, *inputs, filters=filters, kernel_size=size, **settings)
        return self.add(Activation, f"{name}_relu")

    def network(self, *heads: HeadSpec) -> ModelSpec:
        return ModelSpec(layers=tuple(self.layers), heads=heads or (HeadSpec(layer=self.last),))


def classes(sketch: Sketch, units: int = 10, name: str = "output", source: str = "") -> str:
    """End in a dense layer with softmax; the name of the softmax."""
    sketch.add(Dense, name, *filter(None, (source,)), units=units)
    return sketch.add(Activation, f"{name}_softmax" if source else "softmax", function="softmax")
