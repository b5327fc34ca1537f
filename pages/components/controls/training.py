"""How the network is trained: optimizer, learning rate and its schedule, early stopping."""

import streamlit as st

from cnn_core import figures
from cnn_core.presets import OPTIMIZERS, SCHEDULES
from cnn_core.schedules import planned_rates
from cnn_core.spec import TrainingSpec
from pages.components.controls.base import choice, keyed, slider, stops

RATES = (0.00001, 0.0001, 0.0003, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.3, 1.0)
BATCHES = (8, 16, 32, 64, 128, 256, 512, 1024)
PERIODS = {  # what `period` means to a schedule: label, help
    "warm-up": ("Rise (epochs)", "Over so many epochs it rises from a tenth."),
    "step": ("Every (epochs)", "After so many epochs it falls by one stair."),
    "exponential": ("Every (epochs)", "Over so many epochs it falls by the factor, smoothly."),
    "plateau": (
        "Wait (epochs)",
        "It falls when the loss (of the validation part, where there is one) has stood still for so many epochs.",
    ),
}
DRAWN_STEPS = 100  # of an epoch: a plan looks the same with more
WATCHED = {"off": "Never", "loss": "Loss stops falling", "accuracy": "Accuracy stops rising"}


def training(part: TrainingSpec) -> TrainingSpec:
    """Optimizer and the course of training."""
    help = "The rule that turns gradients into steps."
    optimizer = choice("Optimizer", tuple(OPTIMIZERS), "optimizer", part.optimizer, help, format_func=OPTIMIZERS.get)
    momentum = part.momentum
    if optimizer == "sgd":
        help = "Share of the last step carried into the next."
        momentum = slider("Momentum", 0.0, 0.99, 0.01, "momentum", part.momentum, help)
    left, right = st.columns(2)
    with left:
        rate = stops(
            "Learning rate", RATES, "learning_rate", part.learning_rate, "Size of each step: too high diverges, too low crawls."
        )
        epochs = st.number_input(
            "Epochs", 1, 1000, key=keyed("epochs", part.epochs), help="How often every training image is shown."
        )
    with right:
        batch = stops("Batch size", BATCHES, "batch_size", part.batch_size, "Images looked at before each step.")
        seed = st.number_input(
            "Seed", 0, 2**31 - 1, key=keyed("seed", part.seed), help="Start of all randomness: same seed, same run."
        )
    schedule, period, decay = _schedule(part)
    plan = st.empty()
    watched, patience = _early_stopping(part)
    exact = st.toggle(
        "Repeat to the bit",
        key=keyed("deterministic", part.deterministic),
        help="The same weights each time on this computer, whatever else trains, for about a third more time.",
    )
    edited = TrainingSpec(
        optimizer=optimizer,
        learning_rate=rate,
        schedule=schedule,
        period=period,
        decay=decay,
        early_stopping=watched,
        patience=patience,
        momentum=momentum,
        batch_size=batch,
        epochs=epochs,
        seed=seed,
        deterministic=exact,
    )
    with plan:
        _planned_rate(edited)
    return edited


def _schedule(part: TrainingSpec) -> tuple[str, int, float]:
    """What becomes of the learning rate: schedule, period and decay."""
    schedule = st.selectbox(
        "Learning rate over time",
        list(SCHEDULES),
        format_func=SCHEDULES.get,
        key=keyed("schedule", part.schedule),
        help="A rate that falls lets the network settle; one that rises first lets it start without jumping about.",
    )
    period, decay = part.period, part.decay
    left, right = st.columns(2)
    if schedule in PERIODS:
        label, help = PERIODS[schedule]
        period = left.number_input(label, 1, 1000, key=keyed("period", part.period), help=help)
    if schedule in ("step", "exponential", "plateau"):
        with right:
            help = "What the learning rate is multiplied by each time."
            decay = slider("Factor", 0.05, 0.95, 0.05, "decay", part.decay, help)
    return schedule, period, decay


def _planned_rate(training: TrainingSpec) -> None:
    """A picture of the learning rate that training will have."""
    epochs, rates = planned_rates(training, DRAWN_STEPS)
    name = SCHEDULES[training.schedule].lower()
    words = f"The learning rate over {training.epochs} epochs, {name}: from {rates[0]:.3g} to {rates[-1]:.3g}"
    st.plotly_chart(figures.learning_rate(epochs, rates), key="planned_rate", config={"displayModeBar": False}, alt=words)


def _early_stopping(part: TrainingSpec) -> tuple[str, int]:
    """What early stopping watches, and its patience."""
    left, right = st.columns(2)
    watched = left.selectbox(
        "Stop early",
        list(WATCHED),
        format_func=WATCHED.get,
        key=keyed("early_stopping", part.early_stopping),
        help="Ends training when the validation part (without one: the training images) is read no better for some epochs. "
        "Where it is the test images that validate, the test score is flattered.",
    )
    if watched == "off":
        return watched, part.patience
    help = "Epochs to wait for something better. The weights of the best epoch are kept beside the last ones."
    return watched, right.number_input("Patience (epochs)", 1, 1000, key=keyed("patience", part.patience), help=help)
