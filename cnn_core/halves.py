"""A model that computes each batch in two halves, side by side on two cores."""

import keras
import tensorflow as tf


class HalvesModel(keras.Model):
    """A functional model whose training and test steps send the two halves of a batch through the network at the same time.

    One step is the same update as Keras' own, up to rounding: the loss is the mean over the whole batch, the weights move once.
    On a CPU it is faster, because a small convolution keeps one core busy but not two. Not for networks in which the images of
    a batch depend on each other (batch normalisation).
    """

    def train_step(self, data: tuple) -> dict:
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        losses, answers, gradients = [], [], []
        for part_images, part_labels, weight in _halves(images, labels):
            with tf.GradientTape() as tape:
                answer = self(part_images, training=True)
                loss = weight * self.compute_loss(x=part_images, y=part_labels, y_pred=answer)
            gradients.append(tape.gradient(loss, self.trainable_weights))
            losses.append(loss)
            answers.append(answer)
        self.optimizer.apply_gradients(zip(map(tf.add_n, zip(*gradients, strict=True)), self.trainable_weights, strict=True))
        return self._measure(images, labels, losses, answers)

    def test_step(self, data: tuple) -> dict:
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        losses, answers = [], []
        for part_images, part_labels, weight in _halves(images, labels):
            answers.append(self(part_images, training=False))
            losses.append(weight * self.compute_loss(x=part_images, y=part_labels, y_pred=answers[-1], training=False))
        return self._measure(images, labels, losses, answers)

    def _measure(self, images: tf.Tensor, labels: tf.Tensor, losses: list, answers: list) -> dict:
        count = tf.shape(images)[0]
        self._loss_tracker.update_state(tf.add_n(losses), sample_weight=count)
        return self.compute_metrics(images, labels, tf.concat(answers, 0)[:count], None)


def _halves(images: tf.Tensor, labels: tf.Tensor) -> list[tuple]:
    """(images, labels, part of the batch) of each half. The second half of a single image is that image, and counts nothing."""
    count = tf.shape(images)[0]
    middle = count - count // 2
    second = tf.minimum(middle, count - 1)
    weights = [tf.cast(size, tf.float32) / tf.cast(count, tf.float32) for size in (middle, count - middle)]
    return [(images[:middle], labels[:middle], weights[0]), (images[second:], labels[second:], weights[1])]
