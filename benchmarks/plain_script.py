"""The twenty-line Keras script that a course text gives for this network, with Keras' and TensorFlow's own defaults.

Only the number of epochs, the place of the data and a stop-watch were added: python benchmarks/plain_script.py EPOCHS MNIST_NPZ
"""

import json
import sys
import time

import numpy as np
import tensorflow as tf
from keras.callbacks import Callback
from keras.layers import Conv2D, Dense, Flatten, MaxPooling2D
from keras.models import Sequential
from keras.optimizers import Adam


class StopWatch(Callback):
    """Seconds of each epoch, validation included."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.monotonic() - self.started)


with np.load(sys.argv[2]) as file:
    x_train, y_train, x_test, y_test = (file[name] for name in ("x_train", "y_train", "x_test", "y_test"))
x_train = x_train.reshape(60000, 28, 28, 1)
x_test = x_test.reshape(10000, 28, 28, 1)
x_train = x_train.astype(np.float32) / 255.0
x_test = x_test.astype(np.float32) / 255.0
y_train = tf.keras.utils.to_categorical(y_train, 10)
y_test = tf.keras.utils.to_categorical(y_test, 10)

cnn = Sequential()
cnn.add(Conv2D(6, (5, 5), padding="same", activation="relu", input_shape=(28, 28, 1)))
cnn.add(MaxPooling2D(pool_size=(2, 2)))
cnn.add(Conv2D(6, (5, 5), padding="same", activation="relu"))
cnn.add(MaxPooling2D(pool_size=(2, 2)))
cnn.add(Conv2D(6, (5, 5), padding="same", activation="relu"))
cnn.add(Flatten())
cnn.add(Dense(84, activation="relu"))
cnn.add(Dense(10, activation="softmax"))

watch = StopWatch()
cnn.compile(loss="categorical_crossentropy", optimizer=Adam(), metrics=["accuracy"])
cnn.fit(x_train, y_train, batch_size=128, epochs=int(sys.argv[1]), validation_data=(x_test, y_test), verbose=2, callbacks=[watch])
res = cnn.evaluate(x_test, y_test, verbose=0)
print(json.dumps({"seconds_per_epoch": watch.seconds, "test_accuracy": res[1]}))
