"""Early stopping, the plateau and the best epoch; Keras' own callbacks as the second opinion."""

import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_core.patience import best_epoch, has_waited, should_slow_down, should_stop, watched_name
from cnn_core.spec import TrainingSpec

# Few different values, so that equal ones and long waits are common.
LOSSES = st.lists(st.integers(0, 6).map(lambda value: value / 4), min_size=1, max_size=20)


class Stopped(Exception):
    """What a Keras callback does by setting a flag of the model."""


@settings(deadline=None)
@given(values=LOSSES, patience=st.integers(1, 4), name=st.sampled_from(["loss", "accuracy"]))
def test_a_run_stops_in_the_epoch_in_which_keras_would_stop_it(values, patience, name):
    training = TrainingSpec(early_stopping=name, patience=patience)
    mode = "min" if name == "loss" else "max"
    callback = keras.callbacks.EarlyStopping(f"val_{name}", patience=patience, mode=mode, restore_best_weights=False)
    callback.set_model(keras.Sequential())
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {f"val_{name}": value})
        history = [{f"val_{name}": value} for value in values[: epoch + 1]]
        assert should_stop(training, history) == bool(callback.stopped_epoch)
        assert best_epoch(training, history) == callback.best_epoch + 1
        if callback.stopped_epoch:
            return


@settings(deadline=None)
@given(values=LOSSES, patience=st.integers(1, 4))
def test_the_rate_falls_in_the_epochs_in_which_keras_would_lower_it(values, patience):
    training = TrainingSpec(schedule="plateau", period=patience)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    callback = keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=patience)
    callback.set_model(model)
    callback.on_train_begin()
    before = 1.0
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {"val_loss": value})
        now = float(model.optimizer.learning_rate)
        assert should_slow_down(training, [{"val_loss": value} for value in values[: epoch + 1]]) == (now < before)
        before = now


def test_without_a_validation_part_the_training_images_are_watched():
    history = [{"loss": 2.0, "accuracy": 0.5}, {"loss": 1.0, "accuracy": 0.4}, {"loss": 1.5, "accuracy": 0.3}]
    by_loss, by_accuracy = (TrainingSpec(early_stopping=name, patience=2) for name in ("loss", "accuracy"))
    assert (best_epoch(by_loss, history), best_epoch(by_accuracy, history), best_epoch(by_loss, [])) == (2, 1, 0)
    assert should_stop(by_accuracy, history) and not should_stop(by_loss, history)
    assert {watched_name(by_accuracy, found) for found in (history, [])} == {"training accuracy"}
    assert watched_name(by_loss, [{"val_loss": 1}]) == "validation loss"


def test_a_network_that_names_no_classes_is_watched_by_its_loss():
    history = [{"loss": 9, "val_loss": value, "mean_absolute_error": 1} for value in (5.0, 4.0, 3.0, 3.5, 3.5)]
    by_accuracy = TrainingSpec(early_stopping="accuracy", patience=2)
    assert [should_stop(by_accuracy, history[:count]) for count in range(1, 6)] == [False] * 4 + [True]
    assert {best_epoch(training, history) for training in (by_accuracy, TrainingSpec())} == {3}
    assert {watched_name(training, history) for training in (by_accuracy, TrainingSpec())} == {"validation loss"}


def test_without_early_stopping_the_best_epoch_is_the_most_accurate_and_of_those_the_surest():
    epochs = [(0.9, 0.5), (0.95, 0.4), (0.95, 0.3), (0.95, 0.35), (0.94, 0.1)]
    history = [{"val_accuracy": accuracy, "val_loss": loss} for accuracy, loss in epochs]
    assert [best_epoch(TrainingSpec(), history[:count]) for count in range(6)] == [0, 1, 2, 3, 3, 3]


def test_what_is_off_waits_for_nothing():
    history = [{"val_loss": 1.0}] * 50
    assert not should_stop(TrainingSpec(patience=1), history) and not should_slow_down(TrainingSpec(period=1), history)
    assert not has_waited([], patience=1)


@pytest.mark.parametrize("fall", [0.0, 0.00009, 0.0002])
def test_a_fall_of_less_than_a_ten_thousandth_is_a_plateau(fall):
    history = [{"val_loss": 1.0}, {"val_loss": 1.0 - fall}]
    assert should_slow_down(TrainingSpec(schedule="plateau", period=1), history) == (fall < 0.0001)
