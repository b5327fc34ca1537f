"""Small networks for tests, with weights as they begin or set by hand."""

from pathlib import Path

import numpy as np

from cnn_core.inference import TrainedModel
from cnn_core.jobs import Lab
from cnn_core.model import build_model
from cnn_core.spec import ModelSpec, RunSpec


def network(*layers: dict, heads: tuple[dict, ...] = (), **spec) -> RunSpec:
    """A spec whose last layers are a dense layer of ten units and a softmax, unless heads are given."""
    if not heads:
        layers = (
            *layers,
            {"kind": "Dense", "name": "scores", "units": 10},
            {"kind": "Activation", "name": "end", "function": "softmax"},
        )
        heads = ({"name": "label", "layer": "end"},)
    return RunSpec(model=ModelSpec(layers=layers, heads=heads), **spec)


def with_weights(spec: RunSpec, folder: Path, **weights: list[np.ndarray]) -> TrainedModel:
    """The network of a spec, in `folder` as a run keeps it. weights: of layers by their names; the others are as they begin."""
    model = build_model(spec)
    for name, values in weights.items():
        model.get_layer(name).set_weights([np.asarray(value, np.float32) for value in values])
    folder.mkdir(parents=True, exist_ok=True)
    model.save_weights(folder / "model.weights.h5")
    return TrainedModel(spec, folder / "model.weights.h5")


def finished_run(lab: Lab, spec: RunSpec, run: str = "20260101-000000-aaaa") -> str:
    """A run that is over and has weights, those that a network begins with."""
    lab.store.add(run, f"a run of {spec.data.dataset}", spec)
    with_weights(spec, lab.store.folder(run))
    lab.store.update(run, status="finished", epoch=1, test_accuracy=0.1, test_loss=2.3)
    return run
