"""Every page shows every network: all presets, poolings, paddings and activations, all datasets that are here, few and many layers.

`make test-thorough` opens each; the usual tests those of USUAL.
"""

import os
from itertools import cycle
from typing import get_args

import pytest

from cnn_core import datasets
from cnn_core.blocks import BlockActivation, Blocks, ConvBlock, DenseBlock, PoolingName, to_graph
from cnn_core.layer_kinds import Padding
from cnn_core.presets import PRESETS
from cnn_core.spec import DataSpec, RunSpec
from tests.networks import finished_run
from tests.pages.opened import charts, opened, rows, said

VIEWS = (
    ("draw", {}),
    ("look_inside", {}),
    ("learned", {"learned_view": "watch"}),
    ("learned", {"learned_view": "filters"}),
    ("learned", {"learned_view": "edit"}),
    ("explain", {"explain_view": "why"}),
    ("explain", {"explain_view": "map"}),
    ("evaluate", {"scores_view": "Scores"}),
    ("evaluate", {"scores_view": "Mistakes"}),
    ("evaluate", {"scores_view": "Confidence"}),
    ("evaluate", {"scores_view": "Robustness"}),
    ("my_digits", {}),
    ("compare", {"compare_view": "On the same digit"}),
    ("compare", {"compare_view": "Curves"}),
    ("compare", {"compare_view": "Settings"}),
    ("runs", {}),
    ("build", {}),
)


def of_blocks(*conv: ConvBlock, dataset: str = "mnist-5k") -> RunSpec:
    """A network of these convolution blocks on a dataset."""
    return RunSpec(model=to_graph(Blocks(conv=conv, dense=(DenseBlock(units=12),))), data=DataSpec(dataset=dataset))


def networks() -> dict[str, RunSpec]:
    found = {name: one.spec for name, one in PRESETS.items()}
    poolings, paddings = cycle(get_args(PoolingName)), cycle(get_args(Padding))
    for activation in get_args(BlockActivation):
        pooling, padding = next(poolings), next(paddings)
        block = ConvBlock(filters=3, activation=activation, pooling=pooling, padding=padding)
        found[f"{activation}, {pooling}, {padding}"] = of_blocks(block)
    found["five blocks"] = of_blocks(*5 * [ConvBlock(filters=4, pool_size=3, pool_strides=1, batch_normalization=True)])
    found |= {f"on {name}": of_blocks(ConvBlock(filters=2), dataset=name) for name in ("mnist", "fashion-mnist")}
    return found


NETWORKS = networks()
USUAL = ("five blocks", "gelu, none, valid")


@pytest.mark.parametrize("name", NETWORKS if os.environ.get("CNN_LAB_THOROUGH") else USUAL)
def test_every_view(page_lab, name):
    spec = NETWORKS[name]
    if not datasets.is_here(spec.data.dataset):
        pytest.skip(f"{spec.data.dataset} is not on this computer")
    run = finished_run(page_lab, spec)
    for page, view in VIEWS:
        app = opened(page, run, route="test", **view)
        assert not app.error, (page, view, said(app))
        charts(app), rows(app)  # each has an alternative text
    for layer in spec.model.layers:
        app = opened("compute", run, route="test", computed_layer=layer.name)
        assert not app.error, (layer.name, said(app))
        assert f"**{layer.name}.**" in said(app)


def test_the_networks_are_as_they_are_called():
    assert set(USUAL) <= NETWORKS.keys()
    made_of_blocks = " ".join(name for name in NETWORKS if name not in PRESETS)
    assert all(word in made_of_blocks for kind in (BlockActivation, PoolingName, Padding) for word in get_args(kind))
