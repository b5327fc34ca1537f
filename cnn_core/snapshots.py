"""What a network looked like while it learned: kept with the run, for a slider afterwards and a live view.

A snapshot is one file, `snapshots/STEP.npz` in the folder of the run. Their number and size are bounded: when there are too many,
every second one goes, and from then on they are taken half as often. TensorFlow is imported when one is taken.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnn_core import insight, targets
from cnn_core.files import replacing
from cnn_core.spec import RunSpec

FOLDER = "snapshots"
MOST = 40  # snapshots of a run
CHANNELS = 12  # of each layer that are kept
BATCH = 64  # training examples whose gradient is looked at
BINS = 41
SHARE, FREE = 0.03, 1.0  # of the time a run has taken, and seconds beyond it, that snapshots may cost
LAYERS = 40  # whose maps are kept
MOST_UNTRAINED = 5_000_000  # weights of a network whose first ones are kept until they are looked at
LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class Histogram:
    """counts: (BINS,) of values between low and high, evenly; norm: Euclidean length of all of them."""

    counts: np.ndarray
    low: float
    high: float
    norm: float


@dataclass(frozen=True)
class Snapshot:
    """step: training steps done; epoch: the one it was taken in, from 1, 0 before the first step. maps: what layers gave for one fixed test example, kernels:
    pictures of them (both without all but the first CHANNELS channels); weights, gradients: of each layer with weights."""

    step: int
    epoch: int
    maps: Mapping[str, np.ndarray]
    kernels: Mapping[str, np.ndarray]
    weights: Mapping[str, Histogram]
    gradients: Mapping[str, Histogram]


class Recorder:
    """Takes snapshots of the network of a course, as often as its time allows.

    folder: of the run. Training is not changed by it: nothing random is drawn, and variables keep their values. start: the step that
    training goes on from. How the network was before its first step is looked at after some steps, so that nobody waits for it.
    """

    def __init__(self, spec: RunSpec, course: Any, folder: Path, start: int = 0) -> None:
        self.spec, self.course, self.folder = spec, course, folder / FOLDER
        self.began, self.spent, self.next = time.monotonic(), 0.0, 1
        self.every = _every(self.folder, course.batches.steps)  # epochs from one to the next
        data = course.data
        self.example = targets.inputs(spec.data, data.x_test[:1])
        rows = slice(0, max(1, min(BATCH, course.reading)))
        self.batch = targets.inputs(spec.data, data.x_train[rows])
        self.wanted = targets.answers(spec, data.x_train[rows], data.y_train[rows])
        is_small = course.model.count_params() <= MOST_UNTRAINED
        self.untrained = course.model.get_weights() if start == 0 and is_small else None

    def within(self, step: int, epoch: int) -> None:
        """Take one within the first epoch: after the first steps that are reported, and each time after twice as many."""
        if step >= self.next:
            self.next = 2 * step
            if self.untrained is not None:
                model, self.untrained, before = self.course.model, None, self.untrained
                now = model.get_weights()
                model.set_weights(before)
                self.take(0, 0)
                model.set_weights(now)
            self.take(step, epoch)

    def after(self, step: int, epoch: int) -> None:
        """Take one at the end of an epoch: of each, until there are too many, then of fewer; and of the last."""
        if epoch % self.every == 0 or epoch == self.spec.training.epochs:
            self.take(step, epoch)

    def take(self, step: int, epoch: int) -> None:
        """Take a snapshot unless those before have taken more than their share of the time, or the disk has no room for it."""
        now = time.monotonic()
        if self.spent > SHARE * (now - self.began) + FREE:
            return
        with suppress(Exception):  # a full disk, numbers that overflow: training does without
            if write(self.folder, self._look(step, epoch)):
                self.every *= 2
        self.spent += time.monotonic() - now

    def _look(self, step: int, epoch: int) -> Snapshot:
        import tensorflow as tf

        from cnn_core.model import scaled

        model, layers = self.course.model, self.spec.model.layers
        maps, kernels, weights, gradients = {}, {}, {}, {}
        tensors = {"input": scaled(tf.constant(self.example))}
        for layer in layers:
            reaching = [tensors[name] for name in layer.inputs]
            tensors[layer.name] = model.get_layer(layer.name)(reaching if len(reaching) > 1 else reaching[0])
            if layer.has_map and len(maps) < LAYERS and len(tensors[layer.name].shape) > 2:
                maps[layer.name] = _small(tensors[layer.name][0].numpy())
        # Where there are several heads, Keras adds their losses to its running means whenever it computes them.
        means = [(variable, variable.numpy()) for variable in self.course.trainer.metrics_variables]
        with tf.GradientTape() as tape:
            said = model(scaled(tf.constant(self.batch)), training=False)
            loss = self.course.trainer.compute_loss(
                y=tf.nest.map_structure(tf.constant, self.wanted), y_pred=said, training=False
            )
        for variable, value in means:
            variable.assign(value)
        variables = model.trainable_weights
        found = {variable.path: gradient for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True)}
        for layer in layers:
            own = model.get_layer(layer.name)
            if own.trainable_weights:
                values = {variable.name: variable.numpy() for variable in own.trainable_weights}
                if (pictures := insight.kernels(layer.kind, values)) is not None:
                    kernels[layer.name] = _small(pictures[0])
                weights[layer.name] = histogram(np.concatenate([value.ravel() for value in values.values()]))
                slopes = [found[variable.path].numpy().ravel() for variable in own.trainable_weights]
                gradients[layer.name] = histogram(np.concatenate(slopes))
        return Snapshot(step, epoch, maps, kernels, weights, gradients)


def histogram(values: np.ndarray) -> Histogram:
    """The distribution of the finite values among (n,), symmetric about 0.

    >>> found = histogram(np.array([-1.0, 0.0, 0.5, 1.0]))
    >>> (found.low, found.high, int(found.counts.sum()), found.norm)
    (-1.0, 1.0, 4, 1.5)
    """
    values = values[np.isfinite(values)].astype(np.float64)
    limit = float(np.abs(values).max(initial=0)) or 1e-9
    counts, _ = np.histogram(values, bins=BINS, range=(-limit, limit))
    return Histogram(counts, -limit, limit, float(np.linalg.norm(values)))


@dataclass(frozen=True)
class History:
    """How the values of a layer were spread over time. steps: (n,) of the snapshots; edges: (BINS + 1,) of the bins, the same for all;
    parts: (n, BINS), which part of the values lies in each bin, even within those of a snapshot; norms: (n,)."""

    steps: np.ndarray
    edges: np.ndarray
    parts: np.ndarray
    norms: np.ndarray


def history(snapshots: Sequence[Snapshot], layer: str, part: str) -> History | None:
    """The "weights" or "gradients" of a layer over the snapshots that have them; None when none has."""
    known = [(snapshot.step, getattr(snapshot, part)[layer]) for snapshot in snapshots if layer in getattr(snapshot, part)]
    if not known:
        return None
    edges = np.linspace(min(found.low for _, found in known), max(found.high for _, found in known), BINS + 1)
    parts = []
    for _, found in known:
        below = np.concatenate([[0], np.cumsum(found.counts)]) / max(1, found.counts.sum())
        parts.append(np.diff(np.interp(edges, np.linspace(found.low, found.high, len(below)), below)))
    return History(np.array([step for step, _ in known]), edges, np.array(parts), np.array([found.norm for _, found in known]))


def write(folder: Path, snapshot: Snapshot) -> bool:
    """Keep a snapshot; of too many every second one goes, but never the first. Whether some went."""
    folder.mkdir(exist_ok=True)
    arrays: dict[str, np.ndarray] = {"about": np.array([snapshot.step, snapshot.epoch])}
    for part in ("maps", "kernels"):
        arrays |= {f"{part}/{name}": values for name, values in getattr(snapshot, part).items()}
    for part in ("weights", "gradients"):
        for name, found in getattr(snapshot, part).items():
            arrays[f"{part}/{name}"] = np.array([found.low, found.high, found.norm, *found.counts])
    with replacing(folder / f"{snapshot.step:09}.npz") as new, new.open("wb") as file:
        np.savez_compressed(file, **arrays)
    kept = files(folder)
    if len(kept) <= MOST:
        return False
    for file in kept[1::2]:
        file.unlink(missing_ok=True)
    return True


def files(folder: Path) -> list[Path]:
    """The files of the snapshots in `folder`, the earliest first."""
    return sorted(folder.glob("[0-9]*.npz"))


def read(file: Path) -> Snapshot | None:
    """The snapshot of a file, None when it is damaged or gone."""
    parts: dict[str, dict] = {"maps": {}, "kernels": {}, "weights": {}, "gradients": {}}
    try:
        with np.load(file, allow_pickle=False) as arrays:
            step, epoch = map(int, arrays["about"])
            for key in arrays:
                part, _, name = key.partition("/")
                if name:
                    values = arrays[key]
                    pictures = part in ("maps", "kernels")
                    if values.dtype.kind not in "fiu" or not (
                        values.size and values.ndim > 1 if pictures else len(values) == BINS + 3
                    ):
                        return None
                    parts[part][name] = values if pictures else Histogram(values[3:], *map(float, values[:3]))
    except Exception:  # zipfile, zlib and numpy each raise errors of their own
        return None
    return Snapshot(step, epoch, **parts) if any(parts.values()) else None


def forget_after(folder: Path, step: int) -> None:
    """Remove what was kept of later steps, which the run takes anew."""
    for file in files(folder):
        if int(file.stem) > step:
            file.unlink(missing_ok=True)


def _every(folder: Path, steps_per_epoch: int) -> int:
    """Epochs between the last two snapshots of a run that goes on, 1 for a new one."""
    steps = [int(file.stem) for file in files(folder)[-2:]]
    return max(1, round((steps[-1] - steps[0]) / steps_per_epoch)) if steps else 1


def _small(values: np.ndarray) -> np.ndarray:
    """The first channels, as half floats, whose largest number stands for all that are larger."""
    return np.clip(np.nan_to_num(values[..., :CHANNELS]), -LARGEST, LARGEST).astype(np.float16)
