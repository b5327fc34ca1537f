"""Networks with several heads, and with heads that say numbers: measured, kept, resumed and scored head by head."""

import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss

from cnn_core import checkpoint, datasets, evaluation, targets, worker
from cnn_core.errors import SpecError
from cnn_core.inference import TrainedModel
from cnn_core.model import build_model, compile_model, goals, in_halves
from cnn_core.presets import preset
from cnn_core.shapes import check
from cnn_core.spec import ModelSpec, RunSpec, change
from tests.sinks import QuietSink
from tests.test_resume import Interrupted, epochs
from tests.test_worker import weights

# Its heads come in another order than their names do.
SMALL = RunSpec.model_validate(
    {
        "model": {
            "layers": [
                {"kind": "AveragePooling2D", "name": "pool", "pool_size": 4, "strides": 4},
                {"kind": "Conv2D", "name": "conv", "filters": 4},
                {"kind": "Activation", "name": "relu"},
                {"kind": "Flatten", "name": "row"},
                {"kind": "Dropout", "name": "dropout", "rate": 0.2},
                {"kind": "Dense", "name": "units", "units": 10, "kernel_l2": 0.01, "activity_l1": 0.001},
                {"kind": "Activation", "name": "softmax", "function": "softmax"},
                {"kind": "Dense", "name": "odd_unit", "inputs": ["row"], "units": 1},
                {"kind": "Activation", "name": "sigmoid", "function": "sigmoid"},
            ],
            "heads": [
                {"name": "odd", "layer": "sigmoid", "target": "parity", "loss": "binary_crossentropy", "loss_weight": 0.25},
                {"name": "digit", "layer": "softmax", "loss_weight": 2},
            ],
        },
        "data": {"validation": 0.5},
        "training": {"epochs": 2, "batch_size": 125, "learning_rate": 0.01},
    }
)


def measured(sink: QuietSink, phase: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for row in sink.rows:
        if row.phase == phase:
            found.setdefault(row.name, []).append(row.value)
    return found


class TrainedHeads:
    """A run of one epoch, in a sink and in a lab."""

    def __init__(self, name: str, folder, lab) -> None:
        self.spec = change(preset(name).spec, {"training.epochs": 1, "data.validation": 0.25})
        self.sink, self.lab, self.name = QuietSink(folder), lab, name
        assert worker.train(self.spec, self.sink) == "finished"
        lab.store.add(name, name, self.spec)
        shutil.copytree(folder, lab.store.folder(name))
        self.data = datasets.load(self.spec.data.dataset)
        with np.load(folder / "test_answers.npz") as kept:
            self.kept = dict(kept)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    from cnn_core.jobs import Lab

    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def two(tmp_path_factory, home) -> TrainedHeads:
    return TrainedHeads("two-heads", tmp_path_factory.mktemp("run") / "two", home)


@pytest.fixture(scope="module")
def forecast(tmp_path_factory, home) -> TrainedHeads:
    return TrainedHeads("mnist1d-forecast", tmp_path_factory.mktemp("run") / "forecast", home)


def test_every_head_has_its_metrics_and_the_accuracy_is_that_of_the_first_with_classes(two, forecast):
    of_each = {"digit_loss", "digit_accuracy", "loss", "accuracy"}
    for run, more in ((two, {"parity_loss", "parity_accuracy"}), (forecast, {"next_loss", "next_mean_absolute_error"})):
        for phase in ("train", "validation", "step"):
            found = measured(run.sink, phase)
            assert set(found) == of_each | more, phase
            assert found["accuracy"] == found["digit_accuracy"]
        assert run.sink.values["best_epoch"] == 1


def test_what_the_heads_said_of_the_test_part_is_kept(two, forecast):
    assert {name: said.shape for name, said in two.kept.items()} == {"digit": (1000, 10), "parity": (1000, 1)}
    assert {name: said.shape for name, said in forecast.kept.items()} == {"digit": (1000, 10), "next": (1000, 8)}
    for run in (two, forecast):
        np.testing.assert_allclose(run.kept["digit"].sum(axis=1), 1, atol=1e-5)
        right = run.kept["digit"].argmax(axis=1) == run.data.y_test
        assert run.sink.values["test_accuracy"] == run.sink.values["best_test_accuracy"] == pytest.approx(right.mean(), abs=1e-6)
        with np.load(run.sink.path("best_answers.npz")) as best:
            for name, said in run.kept.items():
                np.testing.assert_array_equal(best[name], said)


def test_the_test_loss_is_the_sum_of_the_losses_each_with_its_weight(two, forecast):
    digit = log_loss(two.data.y_test, two.kept["digit"].astype(np.float64))
    parity = log_loss(two.data.y_test % 2, two.kept["parity"].astype(np.float64)[:, 0])
    assert two.sink.values["test_loss"] == pytest.approx(digit + 0.5 * parity, rel=1e-3)
    digit = log_loss(forecast.data.y_test, forecast.kept["digit"].astype(np.float64))
    squares = ((forecast.kept["next"] - forecast.data.x_test[:, 32:, 0]) ** 2).mean()
    assert forecast.sink.values["test_loss"] == pytest.approx(digit + squares, rel=1e-3)


def test_scores_of_each_head(two, forecast):
    scores = evaluation.score_run(two.lab, two.name)
    assert list(scores) == ["digit", "parity"]
    labels, odd = two.data.y_test, two.kept["parity"][:, 0] > 0.5
    assert scores["digit"].accuracy == pytest.approx(accuracy_score(labels, two.kept["digit"].argmax(axis=1)))
    assert scores["parity"].accuracy == pytest.approx((odd == labels % 2).mean()) and scores["parity"].accuracy > 0.6
    np.testing.assert_array_equal(scores["parity"].confusion, confusion_matrix(labels % 2, odd))
    assert set(scores["parity"].mistakes) == set(np.flatnonzero(odd != labels % 2))

    scores = evaluation.score_run(forecast.lab, forecast.name)
    off = forecast.kept["next"] - forecast.data.x_test[:, 32:, 0]
    assert scores["next"].mean_squared_error == pytest.approx((off**2).mean(), rel=1e-5)
    assert scores["next"].mean_absolute_error == pytest.approx(np.abs(off).mean(), rel=1e-5)
    np.testing.assert_allclose(scores["next"].each, (off**2).mean(axis=1), rtol=1e-5)
    assert scores["digit"].confusion.sum() == 1000


@pytest.mark.parametrize("run", ["two", "forecast"])
def test_a_loaded_network_answers_as_the_run_did(run, request):
    run = request.getfixturevalue(run)
    model = TrainedModel(run.spec, run.lab.weights(run.name))
    said, kept = model.answers(run.data.x_test[:60]), evaluation.read_answers(run.lab, run.name)
    assert list(said) == list(kept) == [head.name for head in run.spec.model.heads]
    for head in run.spec.model.heads:
        np.testing.assert_allclose(said[head.name], kept[head.name][:60], atol=1e-5)
        np.testing.assert_allclose(said[head.name], targets.readable(head, run.kept[head.name][:60]), atol=1e-5)
        np.testing.assert_allclose(model.answers(run.data.x_test[7:8])[head.name][0], said[head.name][7], atol=1e-5)
    np.testing.assert_array_equal(model.probabilities(run.data.x_test[:60]), said["digit"])


def test_the_saved_network_has_a_dictionary_of_answers_and_can_be_trained_on(two):
    loaded = keras.saving.load_model(two.sink.path("model.keras"))
    images = two.data.x_test[:20] / np.float32(255)
    said = loaded.predict(images, verbose=0)
    np.testing.assert_allclose(said["parity"], two.kept["parity"][:20], atol=1e-5)
    labels = two.data.y_test[:20]
    found = loaded.train_on_batch(images, {"digit": labels, "parity": labels % 2}, return_dict=True)
    assert {"loss", "digit_loss", "parity_loss", "digit_accuracy", "parity_accuracy"} == set(found)


def examples(count: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    data = datasets.load("mnist-5k")
    return data.x_train[:count] / np.float32(255), targets.answers(SMALL, data.x_train[:count], data.y_train[:count])


@pytest.mark.parametrize("batch_size", [7, 1])  # odd with a last batch of two, nothing to halve; others in test_halves
def test_halves_of_a_batch_give_the_same_updates_and_the_same_losses_of_each_head(batch_size):
    images, answers = examples(30)
    spec = change(SMALL, {"training.optimizer": "sgd", "training.momentum": 0.9, "model.layers.dropout.rate": 0})
    batches = tf.data.Dataset.from_tensor_slices((images, answers)).batch(batch_size)
    found = []
    for wrap in (lambda model: model, lambda model: in_halves(model, spec)):
        keras.utils.set_random_seed(0)
        model = build_model(spec)
        trainer = wrap(model)
        compile_model(trainer, spec, 3, steps_per_execution=2)
        history = trainer.fit(batches, epochs=2, verbose=0, validation_data=batches).history
        found.append((history, model.get_weights()))
    (whole_history, whole), (halves_history, halves) = found
    assert set(whole_history) == set(halves_history) >= {"odd_loss", "digit_loss", "val_odd_accuracy"}
    for name, values in whole_history.items():
        np.testing.assert_allclose(halves_history[name], values, rtol=1e-4, err_msg=name)
    for one, other in zip(whole, halves, strict=True):
        np.testing.assert_allclose(other, one, atol=2e-5)


def test_losses_of_each_head_by_their_definitions():
    images, answers = examples(100)
    model = build_model(SMALL)
    model.compile(**goals(SMALL))
    found = model.evaluate(images, answers, batch_size=100, verbose=0, return_dict=True)
    said = {name: values.astype(np.float64) for name, values in model.predict(images, verbose=0).items()}
    assert found["digit_loss"] == pytest.approx(log_loss(answers["digit"], said["digit"], labels=range(10)), rel=1e-4)
    assert found["odd_loss"] == pytest.approx(log_loss(answers["odd"], said["odd"][:, 0]), rel=1e-4)
    assert found["odd_accuracy"] == pytest.approx(np.mean((said["odd"][:, 0] > 0.5) == answers["odd"]))
    kernel = model.get_layer("units").get_weights()[0]
    units = keras.Model(model.inputs, model.get_layer("units").output).predict(images, verbose=0)
    penalties = 0.01 * (kernel**2).sum() + 0.001 * np.abs(units).sum() / 100
    assert found["loss"] == pytest.approx(2 * found["digit_loss"] + 0.25 * found["odd_loss"] + penalties, rel=1e-4)


def test_the_weight_of_the_only_loss_counts_too():
    images, answers = examples(50)
    spec = preset("tiny").spec
    (head,) = spec.model.heads
    heavy = spec.model_copy(
        update={"model": spec.model.model_copy(update={"heads": (head.model_copy(update={"loss_weight": 3.0}),)})}
    )
    model = build_model(spec)
    losses = []
    for asked in (spec, heavy):
        model.compile(**goals(asked))
        losses.append(model.evaluate(images, answers["digit"], verbose=0)[0])
    assert losses[1] == pytest.approx(3 * losses[0], rel=1e-5)


def test_two_heads_may_read_one_layer():
    first, second = SMALL.model.heads
    model = SMALL.model.model_copy(
        update={"heads": (first, second, second.model_copy(update={"name": "again", "loss_weight": 1.0}))}
    )
    spec = SMALL.model_copy(update={"model": model})
    check(model, spec.data)
    images, answers = examples(60)
    both = {**answers, "again": answers["digit"]}
    for trainer in (built := build_model(spec), in_halves(built, spec)):
        compile_model(trainer, spec, 1)
        found = trainer.evaluate(images, both, batch_size=60, verbose=0, return_dict=True)
        assert found["again_loss"] == pytest.approx(found["digit_loss"], rel=1e-5)


@pytest.fixture
def each_step_is_looked_at(monkeypatch):
    monkeypatch.setattr("cnn_core.course.SECONDS_PER_EXECUTION", 0.001)
    monkeypatch.setattr("cnn_core.callbacks.EVERY", 0)
    monkeypatch.setattr("cnn_core.callbacks.LISTEN", 0)


@pytest.mark.parametrize(("exact", "steps"), [(True, [5, 16, 25]), (False, [20])])  # within an epoch, at its end, in the last
def test_an_interrupted_run_ends_as_an_uninterrupted(tmp_path, each_step_is_looked_at, exact, steps):
    spec = change(SMALL, {"training.deterministic": exact})
    whole, parts = QuietSink(tmp_path / "whole"), QuietSink(tmp_path / "parts")
    assert worker.train(spec, whole) == "finished"
    for step in steps:
        paused = Interrupted(parts.folder, step)
        paused.rows = parts.rows
        assert worker.train(spec, paused) == "paused" and checkpoint.read(parts.folder).step == step
        parts.rows = paused.rows
    assert worker.train(spec, parts) == "finished"
    one, other = epochs(whole), epochs(parts)
    assert [row[:3] for row in one] == [row[:3] for row in other] and len(one) == 2 * 2 * 6
    pairs = list(zip(weights(whole.path("model.weights.h5")), weights(parts.path("model.weights.h5")), strict=True))
    if exact:
        assert one == other and all(np.array_equal(*pair) for pair in pairs)
        assert whole.values["test_loss"] == parts.values["test_loss"]
    else:
        np.testing.assert_allclose([row[3] for row in other], [row[3] for row in one], rtol=2e-3)
        assert all(np.allclose(*pair, atol=2e-3) for pair in pairs)


def test_a_look_at_the_network_while_it_learns_is_not_measured(tmp_path, each_step_is_looked_at):
    """Keras adds the losses of several heads to its running means whenever it computes them."""
    sink, course, found = QuietSink(tmp_path), worker.Course(), []
    spec = change(SMALL, {"training.epochs": 1, "training.deterministic": True})

    def seen(metrics, **values):
        metrics = list(metrics)
        sink.rows += metrics
        sink.values |= values
        if course.spec:
            counts = {
                v.path.rpartition("/")[0]: float(v.numpy()) for v in course.trainer.metrics_variables if v.path.endswith("count")
            }
            found.append((values.get("step"), counts))

    sink.append = seen
    assert worker.train(spec, sink, course) == "finished"
    assert len(list((tmp_path / "snapshots").iterdir())) > 2
    for step, counts in found:
        if step and step < 16:
            heads = {name: count for name, count in counts.items() if name.endswith(("odd_loss", "digit_loss"))}
            assert len(heads) == 2 and set(heads.values()) == {step}, "one for each batch"


def test_early_stopping_watches_the_accuracy_of_the_first_head_with_classes(tmp_path):
    changes = {
        "training.epochs": 60,
        "training.learning_rate": 0.03,
        "training.early_stopping": "accuracy",
        "training.patience": 2,
    }
    sink, course = QuietSink(tmp_path), worker.Course()
    assert worker.train(change(SMALL, changes), sink, course) == "finished"
    found = measured(sink, "validation")
    assert found["accuracy"] == found["odd_accuracy"] != found["digit_accuracy"]
    best = int(np.argmax(found["accuracy"])) + 1
    assert len(found["accuracy"]) == best + 2 < 60 and sink.values["best_epoch"] == best
    assert f"validation accuracy had not become better than in epoch {best}" in course.message
    assert checkpoint.read_best(tmp_path).epochs == best


def test_a_network_that_only_forecasts_has_no_accuracy_and_is_watched_by_its_loss(tmp_path):
    layers = [{"kind": "Flatten", "name": "row"}, {"kind": "Dense", "name": "next_points", "units": 20}]
    spec = RunSpec.model_validate(
        {
            "model": {"layers": layers, "heads": [{"layer": "next_points", "target": "forecast", "loss": "mean_absolute_error"}]},
            "data": {"dataset": "mnist-1d", "points_seen": 20, "validation": 0.5},
            "training": {"epochs": 4, "early_stopping": "accuracy", "patience": 1, "learning_rate": 0.003},
        }
    )
    sink = QuietSink(tmp_path)
    assert worker.train(spec, sink) == "finished"
    found = measured(sink, "validation")
    assert set(found) == {"loss", "mean_absolute_error"} and len(found["loss"]) == 4, "it had become better in every epoch"
    assert found["loss"] == pytest.approx(found["mean_absolute_error"]) and sorted(found["loss"], reverse=True) == found["loss"]
    assert sink.values["test_accuracy"] is None and sink.values["best_epoch"] == 4
    data = datasets.load("mnist-1d")
    said = TrainedModel(spec, sink.path("model.weights.h5")).answers(data.x_test)["label"]
    assert sink.values["test_loss"] == pytest.approx(np.abs(said - data.x_test[:, 20:, 0]).mean(), rel=1e-4)


def test_early_stopping_by_accuracy_needs_a_head_that_names_classes(lab):
    spec = change(preset("mnist1d-forecast").spec, {"training.early_stopping": "accuracy"})
    (head,) = (head for head in spec.model.heads if head.target == "forecast")
    kept, wanted = [], {head.layer}
    for layer in reversed(spec.model.layers):
        if layer.name in wanted:
            kept.insert(0, layer)
            wanted |= set(layer.inputs)
    forecast = spec.model_copy(update={"model": ModelSpec(layers=tuple(kept), heads=(head,))})
    with pytest.raises(SpecError, match=r"no head of this network names classes\. Let it watch the loss"):
        lab.submit(forecast)
    assert lab.store.runs() == []
