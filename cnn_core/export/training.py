"""The training of a spec as code: optimizer, plan of the learning rate, losses, callbacks, fit and test."""

from math import ceil
from typing import Any

from cnn_core import datasets, shapes, targets
from cnn_core.course import steps_per_execution
from cnn_core.export.data import validates
from cnn_core.export.python_code import Code, Section, call
from cnn_core.patience import LEAST
from cnn_core.schedules import ONE_CYCLE_RISE, WARM_START
from cnn_core.spec import RunSpec

OPTIMIZERS = {"sgd": "SGD", "adam": "Adam", "adagrad": "Adagrad", "rmsprop": "RMSprop"}
# Labels are whole numbers in a script as they are in the lab.
LOSSES = {"categorical_crossentropy": "sparse_categorical_crossentropy"}
COUNT_EPOCHS = "keras.callbacks.LambdaCallback(on_epoch_begin=lambda number, logs: epoch.assign(number))"


def training(spec: RunSpec) -> Section:
    """The code that compiles and fits `model`; `history` is what was measured."""
    rate = schedule(spec)
    optimizer = {"learning_rate": Code("LEARNING_RATE" if rate is None else "learning_rate")}
    if spec.training.optimizer == "sgd" and spec.training.momentum:
        optimizer["momentum"] = spec.training.momentum
    goals = _goals(spec)
    execution = _execution(spec)
    if execution > 1:
        goals["steps_per_execution"] = execution
    compiled = call(
        "model.compile",
        tall=True,
        optimizer=Code(call(f"keras.optimizers.{OPTIMIZERS[spec.training.optimizer]}", **optimizer)),
        **goals,
    )
    fit: dict[str, Any] = {"epochs": Code("EPOCHS")}
    if validates(spec):
        part = "test" if spec.data.validation == "test" else "validation"
        fit["validation_data"] = Code(f"in_order(x_{part}, y_{part})")
    fitted = call("model.fit", Code("train"), **fit, callbacks=Code("callbacks"), verbose=2, tall=True)
    callbacks = "\n".join(f"    {one}," for one in (COUNT_EPOCHS, *_callbacks(spec)))
    code = "\n".join(
        [
            *([f"learning_rate = {rate}"] if rate else []),
            compiled,
            f"callbacks = [\n{callbacks}\n]",
            f"history = {fitted}",
        ]
    )
    several = len(spec.model.heads) > 1
    text = (
        "Each head has its own loss; their weighted sum is what training lowers."
        if several
        else "Batch by batch, the weights are moved so that the loss falls."
    )
    return Section("The training", text, code, frozenset({"import keras"}))


def test(spec: RunSpec) -> Section:
    """The code that measures the network on the test part."""
    head = targets.main_head(spec)
    name = "loss" if head is None else "accuracy" if len(spec.model.heads) == 1 else f"{head.name}_accuracy"
    said = "loss" if head is None else "accuracy"
    code = (
        "scores = model.evaluate(in_order(x_test, y_test), verbose=0, return_dict=True)\n"
        f"print(f\"Test {said}: {{scores['{name}']:.4f}}\")"
    )
    return Section("The test", "Examples that the network has never seen say how well it has learned.", code)


def schedule(spec: RunSpec) -> str | None:
    """The plan of the learning rate as code, None where it is constant; `cnn_core.model` gives Keras the same."""
    plan = "keras.optimizers.schedules"
    rate, rates = Code("LEARNING_RATE"), Code(f"{WARM_START} * LEARNING_RATE")
    steps, period = Code("EPOCHS * STEPS"), Code(f"{spec.training.period} * STEPS")
    extra = len("learning_rate = ")
    match spec.training.schedule:
        case "warm-up":  # a rise, and then a cosine that falls to where it began
            # A rise, and then a cosine that does not fall.
            return call(f"{plan}.CosineDecay", rates, 1, alpha=1.0, warmup_target=rate, warmup_steps=period, extra=extra)
        case "one-cycle" if spec.training.epochs * _steps(spec) // ONE_CYCLE_RISE:
            rise = Code(f"EPOCHS * STEPS // {ONE_CYCLE_RISE}")
            left = Code(f"EPOCHS * STEPS - {rise}")
            return call(f"{plan}.CosineDecay", rates, left, warmup_target=rate, warmup_steps=rise, extra=extra)
        case "cosine" | "one-cycle":
            return call(f"{plan}.CosineDecay", rate, steps, extra=extra)
        case "step":
            return call(f"{plan}.ExponentialDecay", rate, period, spec.training.decay, staircase=True, extra=extra)
        case "exponential":
            return call(f"{plan}.ExponentialDecay", rate, period, spec.training.decay, extra=extra)
        case _:
            return None


def _goals(spec: RunSpec) -> dict[str, Any]:
    """Losses, metrics and loss weights, as `cnn_core.model.goals` gives them to Keras."""
    heads = spec.model.heads
    losses = {head.name: LOSSES.get(head.loss, head.loss) for head in heads}
    metrics = {head.name: ["accuracy"] if targets.labels(spec, head) else ["mean_absolute_error"] for head in heads}
    weights = {head.name: head.loss_weight for head in heads}
    if len(heads) > 1:
        found: dict[str, Any] = {"loss": losses, "metrics": metrics}
        return found if set(weights.values()) == {1} else {**found, "loss_weights": weights}
    (head,) = heads
    found = {"loss": losses[head.name], "metrics": metrics[head.name]}
    return found if head.loss_weight == 1 else {**found, "loss_weights": head.loss_weight}


def _callbacks(spec: RunSpec) -> list[str]:
    """Early stopping and the plateau, as `cnn_core.patience` understands them."""
    training, found = spec.training, []
    part = "val_" if validates(spec) else ""
    if training.schedule == "plateau":
        settings = {"factor": training.decay, "patience": training.period, "min_delta": LEAST}
        found.append(call("keras.callbacks.ReduceLROnPlateau", f"{part}loss", **settings, indent=4, extra=1))
    if training.early_stopping == "loss":
        found.append(call("keras.callbacks.EarlyStopping", f"{part}loss", patience=training.patience, indent=4, extra=1))
    if training.early_stopping == "accuracy" and (head := targets.main_head(spec)):
        name = "accuracy" if len(spec.model.heads) == 1 else f"{head.name}_accuracy"
        settings = {"patience": training.patience, "mode": "max"}
        found.append(call("keras.callbacks.EarlyStopping", f"{part}{name}", **settings, indent=4, extra=1))
    return found


def _steps(spec: RunSpec) -> int:
    """Batches in an epoch."""
    count = datasets.info(spec.data.dataset).train
    kept = count if spec.data.validation == "test" else count - round(count * spec.data.validation)
    return ceil(kept / spec.training.batch_size)


def _execution(spec: RunSpec) -> int:
    network = shapes.report(spec.model, spec.data)
    return steps_per_execution(network.multiply_adds, spec.training.batch_size, _steps(spec))
