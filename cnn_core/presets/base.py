"""A network to start from."""

from dataclasses import dataclass

from cnn_core.blocks import Blocks, to_graph
from cnn_core.spec import DatasetName, DataSpec, ModelSpec, RunSpec, TrainingSpec


@dataclass(frozen=True)
class Preset:
    """A named spec: `title` for menus, `about` for one sentence of why. meant_for: the dataset that its figures are of."""

    name: str
    title: str
    about: str
    spec: RunSpec
    meant_for: DatasetName


def make(
    name: str,
    title: str,
    about: str,
    network: Blocks | ModelSpec,
    data: DataSpec,
    training: TrainingSpec,
    meant_for: DatasetName | None = None,
) -> Preset:
    """The preset of a network, given as blocks or as a graph. meant_for: that of `data` where none is given."""
    model = to_graph(network) if isinstance(network, Blocks) else network
    spec = RunSpec(preset=name, model=model, data=data, training=training)
    return Preset(name, title, about, spec, meant_for or data.dataset)
