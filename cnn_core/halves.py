"""A model that computes each batch in two halves, side by side on two cores."""

from typing import Any

import keras
import tensorflow as tf


class HalvesModel(keras.Model):
    """A functional model whose training and test steps send the two halves of a batch through the network at the same time.

    One step is the same update as Keras' own, up to rounding: the loss is the mean over the whole batch, the weights move once.
    On a CPU it is faster, because a small convolution keeps one core busy but not two. Not for networks in which the images of
    a batch depend on each other (batch normalisation).
    """

    def train_step(self, data: tuple) -> dict:
        examples, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        before = self._head_losses(labels)
        losses, answers, gradients = [], [], []
        for part, part_labels, weight in _halves(examples, labels):
            with tf.GradientTape() as tape:
                answer = self(part, training=True)
                loss = weight * self.compute_loss(x=part, y=part_labels, y_pred=answer)
            gradients.append(tape.gradient(loss, self.trainable_weights))
            losses.append(loss)
            answers.append(answer)
        self.optimizer.apply_gradients(zip(map(tf.add_n, zip(*gradients, strict=True)), self.trainable_weights, strict=True))
        return self._measure(examples, labels, losses, answers, before)

    def test_step(self, data: tuple) -> dict:
        examples, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        before = self._head_losses(labels)
        losses, answers = [], []
        for part, part_labels, weight in _halves(examples, labels):
            answers.append(self(part, training=False))
            losses.append(weight * self.compute_loss(x=part, y=part_labels, y_pred=answers[-1], training=False))
        return self._measure(examples, labels, losses, answers, before)

    def _head_losses(self, labels: Any) -> list[tuple]:
        """The variables in which Keras adds up the losses of several heads, each with its value now."""
        if not isinstance(self.output, dict):
            return []  # the loss of the only head is that of the network
        if not self._compile_loss.built:
            self._compile_loss.build(labels, self.output)
        return [(variable, tf.identity(variable)) for metric in self._compile_loss.metrics for variable in metric.variables]

    def _measure(self, examples: tf.Tensor, labels: Any, losses: list, answers: list, before: list[tuple]) -> dict:
        count = tf.shape(examples)[0]
        self._loss_tracker.update_state(tf.add_n(losses), sample_weight=count)
        whole = tf.nest.map_structure(lambda *parts: tf.concat(parts, 0)[:count], *answers)
        if before:  # each half was added as if it were a batch
            for variable, value in before:
                variable.assign(value)
            self._compile_loss(labels, whole)
        return self.compute_metrics(examples, labels, whole, None)


def _halves(examples: tf.Tensor, labels: Any) -> list[tuple]:
    """(examples, labels, part of the batch) of each half. The second half of a single example is that one, and counts nothing."""
    count = tf.shape(examples)[0]
    middle = count - count // 2
    second = tf.minimum(middle, count - 1)
    parts = []
    for half, size in ((slice(None, middle), middle), (slice(second, None), count - middle)):
        part, wanted = tf.nest.map_structure(lambda values, half=half: values[half], (examples, labels))
        parts.append((part, wanted, tf.cast(size, tf.float32) / tf.cast(count, tf.float32)))
    return parts
