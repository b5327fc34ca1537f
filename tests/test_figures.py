"""Figures hold the numbers they were given."""

import numpy as np
import pytest

from cnn_core import figures
from cnn_core.blocks import Blocks, ConvBlock, to_graph
from cnn_core.curves import Curve, Curves
from cnn_core.figures.base import WRONG
from cnn_core.presets import preset
from cnn_core.shapes import report
from cnn_core.spec import DataSpec, change

LABELS = tuple("0123456789")


def long_run(steps: int = 500) -> Curves:
    """A running value each step, and values of ten epochs."""
    made, each, ends = {}, np.arange(1, steps + 1), np.arange(1, 11)
    for name, value in (("loss", 2.0), ("accuracy", 0.5)):
        made["step", name] = Curve(each, value / each)
        for phase in ("train", "validation"):
            made[phase, name] = Curve(50 * ends, value / ends)
    return Curves({**made, ("seconds", "epoch"): Curve(np.array([500]), np.array([3.0]))}, 1)


@pytest.mark.parametrize(("name", "first", "title"), [("loss", 2.0, "Loss"), ("accuracy", 0.5, "Accuracy")])
def test_curves_keep_every_point(name, first, title):
    figure = figures.training_curves(long_run(), name, steps_per_epoch=50, epochs=30)
    running, train, validation = figure.data
    assert [trace.name for trace in figure.data] == ["within the epoch", "training", "validation"]
    assert len(running.x) == 500 and running.x[0] == pytest.approx(1 / 50) and running.y[0] == first
    assert list(train.x) == list(validation.x) == list(range(1, 11)) and list(train.y) == [
        first / epoch for epoch in range(1, 11)
    ]
    assert figure.layout.xaxis.range == (0, 30) and figure.layout.xaxis.title.text == "Epoch"
    assert figure.layout.yaxis.title.text == title and figure.layout.yaxis.tickformat == (".0%" if name == "accuracy" else None)
    assert train.line.color != validation.line.color and train.marker.symbol != validation.marker.symbol


def test_curves_of_nothing_yet():
    figure = figures.training_curves(Curves({}, 0), "loss", steps_per_epoch=0, epochs=5)
    assert [len(trace.x) for trace in figure.data] == [0, 0, 0] and figure.layout.xaxis.range == (0, 5)


def test_compared_runs():
    histories = {"one": {"loss": [3.0, 2.0], "val_loss": [4.0, 3.0]}, "two": {"loss": [1.0]}}
    figure = figures.compared_curves(histories, "loss")
    assert [trace.name for trace in figure.data] == ["one", "one, validation", "two", "two, validation"]
    assert list(figure.data[1].x) == [1, 2] and list(figure.data[1].y) == [4, 3] and len(figure.data[3].x) == 0
    assert figure.data[0].line.color == figure.data[1].line.color != figure.data[2].line.color
    assert (figure.data[0].line.dash, figure.data[1].line.dash) == ("solid", "dash")


def test_probabilities_mark_the_answer():
    figure = figures.probability_bars(np.array([0.1, 0.7, 0.2]), ["a", "b", "c"])
    colours = figure.data[0].marker.color
    assert colours[1] not in (colours[0], colours[2]) and colours[0] == colours[2]
    assert list(figure.data[0].y) == ["a", "b", "c"] and list(figure.data[0].text) == ["10.0%", "70.0%", "20.0%"]


def test_sixteen_of_sixty_four_maps():
    values = np.random.default_rng(0).normal(size=(7, 7, 64)).astype(np.float32)
    figure = figures.maps_grid(values, "map", (0, 0))
    assert len(figure.data) == 16
    for number, trace in enumerate(figure.data):
        np.testing.assert_allclose(trace.z, values[:, :, number], atol=1e-4)
        assert trace.zmin == pytest.approx(values[:, :, number].min()) and trace.zmax == pytest.approx(values[:, :, number].max())
    assert [note.text for note in figure.layout.annotations] == [str(number) for number in range(1, 17)]
    assert len(figures.maps_grid(values, "map", (0, 0), shown=64).data) == 64
    same = figures.maps_grid(values, "layer", (-2.0, 3.0))
    assert {(trace.zmin, trace.zmax) for trace in same.data} == {(-2.0, 3.0)}
    assert [trace.showscale for trace in same.data] == [True] + [False] * 15


def test_maps_without_contrast_and_a_single_map():
    figure = figures.maps_grid(np.zeros((1, 1, 1)), "map", (0, 0))
    assert len(figure.data) == 1 and figure.data[0].zmin < figure.data[0].zmax


def test_kernels_share_one_scale_around_zero():
    figure = figures.kernel_grid(np.array([[[0.5, -2.0]]]))
    assert [(trace.zmin, trace.zmax) for trace in figure.data] == [(-2, 2)] * 2
    assert figures.kernel_grid(np.zeros((3, 3, 2))).data[0].zmax == 1


def test_bars_and_confusion():
    values = np.linspace(-1, 1, 84)
    named = figures.value_bars(values, classes := [f"class {number}" for number in range(len(values))])
    assert list(named.data[0].x) == classes and named.layout.xaxis.type == "category"
    bars = figures.value_bars(values).data[0]
    assert list(bars.x) == list(range(1, 85)) and bars.y[-1] == 1
    matrix = np.diag(range(10)) + np.eye(10, k=1, dtype=int)
    figure = figures.confusion(matrix, LABELS)
    heat, said = figure.data[0], {(words.y, words.x): words.text for words in figure.layout.annotations}
    assert said == {(row, column): str(matrix[row, column]) for row, column in np.argwhere(matrix)}
    assert heat.z[1][1] == heat.z[1][2] == 0.5 and np.nanmax(heat.z) <= 1 and np.isnan(heat.z[0][0])


def test_the_drawing_marks_the_faulty_layer_and_those_behind_it():
    blocks = (ConvBlock(), ConvBlock(kernel_size=11, padding="valid", pool_size=8), ConvBlock())
    network = report(to_graph(Blocks(conv=blocks)), DataSpec())
    figure = figures.network_drawing(network)
    names = ["input", *(layer.name for layer in network.layers)]
    boxes = dict(zip(names, figure.layout.shapes, strict=True))
    words = dict(zip(names, figure.data[0].hovertext, strict=True))
    assert [name for name in names if boxes[name].fillcolor == WRONG] == ["pool_2"]
    assert "Pool 8x8 does not fit the 4x4 map" in words["pool_2"]
    assert boxes["conv_3"].fillcolor == "rgba(0,0,0,0)" and boxes["conv_3"].line.dash == "dot"
    assert "behind the fault" in words["conv_3"]
    assert boxes["conv_1"].line.dash == "solid" and "28 × 28 × 8" in words["conv_1"]
    tall = {name: box.y1 - box.y0 for name, box in boxes.items()}
    assert tall["conv_1"] == 1 and tall["pool_1"] == 0.5


@pytest.mark.parametrize(("name", "value", "highest"), [("accuracy", 0.4, 1.02), ("loss", 9.0, 9.9), ("loss", 1.0, 2.5)])
def test_the_first_point_of_a_run_can_be_seen(name, value, highest):
    figure = figures.training_curves(
        Curves({("step", name): Curve(np.array([4]), np.array([value]))}, 1), name, steps_per_epoch=8, epochs=2
    )
    running = figure.data[0]
    assert (list(running.x), list(running.y), running.mode) == ([0.5], [value], "markers")
    assert figure.layout.yaxis.range == pytest.approx((0, highest))


def test_what_happened_on_the_way_is_marked():
    curves = Curves({("train", "loss"): Curve(np.array([10, 20]), np.array([2.0, 1.0]))}, 1)
    figure = figures.training_curves(curves, "loss", 10, 4, marks=[(15, "learning rate 0.01")])
    (line,), (words,) = figure.layout.shapes, figure.layout.annotations
    assert line.x0 == line.x1 == words.x == 1.5 and words.text == "learning rate 0.01"


def test_words_of_marks_that_stand_close_do_not_overlap():
    curves = Curves({("train", "loss"): Curve(np.array([10, 20]), np.array([2.0, 1.0]))}, 1)
    marks = [(10, "a"), (11, "b"), (12, "c"), (30, "d")]
    figure = figures.training_curves(curves, "loss", 10, 4, marks=marks)
    assert [words.text for words in figure.layout.annotations] == ["a", "c", "d"] and len(figure.layout.shapes) == 4


@pytest.mark.parametrize(("best", "places"), [(2, [(2, 0.3)]), (0, []), (7, [])])
def test_the_best_epoch_is_marked(best, places):
    losses = Curve(np.array([10, 20, 30]), np.array([0.5, 0.3, 0.4]))
    figure = figures.training_curves(Curves({("validation", "loss"): losses}, 1), "loss", 10, 3, best_epoch=best)
    stars = [(line.x[0], line.y[0]) for line in figure.data if line.name == "best epoch"]
    assert stars == places


def test_a_planned_learning_rate_is_drawn_from_the_first_to_the_last_epoch():
    figure = figures.learning_rate(np.array([0.0, 1.0, 2.0]), np.array([0.1, 0.05, 0.0]))
    assert list(figure.data[0].y) == [0.1, 0.05, 0.0] and tuple(figure.layout.xaxis.range) == (0, 2)


def test_the_graph_has_a_box_a_layer_shapes_on_its_edges_and_the_faulty_layer_in_red():
    spec = preset("two-heads").spec
    network = report(spec.model, spec.data)
    drawn = figures.network_graph(network)
    for layer in network.layers:
        assert f'"{layer.name}" [label="{layer.name}' in drawn
        for source in layer.inputs:
            assert f'"{source}" -> "{layer.name}"' in drawn
    assert '"flatten" -> "digit_hidden" [label=" 784"]' in drawn and '"flatten" -> "parity_hidden" [label=" 784"]' in drawn
    assert '"digit_softmax" -> "head digit" [label=" 10"]' in drawn and "50,240 parameters, 50,176 multiply-adds" in drawn
    assert WRONG not in drawn
    faulty = change(
        spec, {"model.layers.conv_2.padding": "valid", "model.layers.conv_2.kernel_size": 11, "model.layers.pool_2.pool_size": 8}
    )
    drawn = figures.network_graph(report(faulty.model, faulty.data)).splitlines()
    (red,) = (line for line in drawn if WRONG in line)
    assert red.startswith('"pool_2" [label="pool_2\\nMaxPooling2D\\nPool 8x8 does not fit the 4x4 map')
    assert any(line.startswith('"digit_hidden"') and "dotted" in line for line in drawn)
    wrong = change(spec, {"model.layers.parity.units": 3})
    drawn = figures.network_graph(report(wrong.model, wrong.data))
    assert next(line for line in drawn.splitlines() if WRONG in line).startswith('"head parity"')


def test_curves_of_a_series_layer_keep_their_points():
    values = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)
    figure = figures.curves_grid(values, "layer", (-3.0, 3.0))
    assert len(figure.data) == 6
    for number, line in enumerate(figure.data):
        np.testing.assert_allclose(line.y, values[:, number], atol=1e-4)
    assert figure.layout.yaxis.range == pytest.approx((-3.3, 3.3))
    assert len(figures.curves_grid(values, "map", (0, 0), shown=2, titles=["a", "b"]).layout.annotations) == 2


def test_a_forecast_stands_beside_the_true_points():
    points, said = np.arange(10.0), np.array([70.0, 80.0])
    seen, true, forecast = figures.series(points, 8, said).data
    assert list(seen.x) == list(range(1, 9)) and list(true.x) == list(forecast.x) == [9, 10]
    assert list(true.y) == [8, 9] and list(forecast.y) == [70, 80]
    several = figures.forecasts(np.stack([points, points]), 8, np.stack([said, said]), ["one", "two"])
    assert [line.name for line in several.data] == ["seen", "true", "forecast"] * 2
