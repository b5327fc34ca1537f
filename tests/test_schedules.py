"""The planned learning rate, with Keras' own schedules as the second opinion."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_core.model import build_optimizer
from cnn_core.presets import SCHEDULES
from cnn_core.schedules import planned_rates, rates
from cnn_core.spec import TrainingSpec


@settings(max_examples=60, deadline=None)
@given(
    schedule=st.sampled_from(list(SCHEDULES)),
    epochs=st.integers(1, 40),
    period=st.integers(1, 20),
    decay=st.floats(0.1, 0.95),
    steps_per_epoch=st.integers(1, 500),
)
def test_the_drawn_rate_is_the_rate_that_keras_trains_with(schedule, epochs, period, decay, steps_per_epoch):
    training = TrainingSpec(schedule=schedule, epochs=epochs, period=period, decay=decay, learning_rate=0.01)
    plan = build_optimizer(training, steps_per_epoch).steering
    steps = np.unique(np.linspace(0, epochs * steps_per_epoch, 9).astype(int))
    keras_rates = [float(plan(step)) for step in steps]
    np.testing.assert_allclose(rates(training, steps_per_epoch, steps), keras_rates, rtol=2e-4, atol=1e-8)


def test_each_schedule_in_known_numbers():
    def at(schedule: str, *epochs: float, **more) -> list[float]:
        training = TrainingSpec(schedule=schedule, epochs=10, learning_rate=1.0, period=2, decay=0.5, **more)
        return rates(training, 100, np.array(epochs) * 100).round(4).tolist()

    assert at("constant", 0, 5, 10) == [1, 1, 1]
    assert at("plateau", 0, 5, 10) == [1, 1, 1]
    assert at("warm-up", 0, 1, 2, 10) == [0.1, 0.55, 1, 1]
    assert at("cosine", 0, 5, 10) == [1, 0.5, 0]
    assert at("one-cycle", 0, 2.5, 10) == [0.1, 1, 0]
    assert at("step", 0, 1.99, 2, 4) == [1, 1, 0.5, 0.25]
    assert at("exponential", 0, 1, 2, 4) == [1, pytest.approx(0.7071), 0.5, 0.25]


def test_the_plan_reaches_from_the_first_to_the_last_epoch():
    epochs, planned = planned_rates(TrainingSpec(schedule="cosine", epochs=7), steps_per_epoch=36)
    assert (epochs[0], epochs[-1], len(epochs)) == (0, 7, len(planned))
    assert planned.max() == planned[0] == 0.001
