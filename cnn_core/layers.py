"""Keras layers that Keras lacks."""

import keras


@keras.saving.register_keras_serializable("cnn_lab")
class MinPooling2D(keras.layers.MaxPooling2D):
    """The smallest value of each window: -max_pool(-x), which is right at 'same' borders too. Same arguments as MaxPooling2D."""

    def call(self, inputs):
        return -super().call(-inputs)


@keras.saving.register_keras_serializable("cnn_lab")
class MinPooling1D(keras.layers.MaxPooling1D):
    """The smallest value of each stretch of a series. Same arguments as MaxPooling1D."""

    def call(self, inputs):
        return -super().call(-inputs)
