"""A network to start from."""

from dataclasses import dataclass

from cnn_core.blocks import Blocks, to_graph
from cnn_core.spec import DataSpec, ModelSpec, RunSpec, TrainingSpec


@dataclass(frozen=True)
class Preset:
    """A named spec: `title` for menus, `about` for one sentence of why."""

    name: str
    title: str
    about: str
    spec: RunSpec


def make(name: str, title: str, about: str, network: Blocks | ModelSpec, data: DataSpec, training: TrainingSpec) -> Preset:
    """The preset of a network, given as blocks or as a graph."""
    model = to_graph(network) if isinstance(network, Blocks) else network
    return Preset(name, title, about, RunSpec(preset=name, model=model, data=data, training=training))
