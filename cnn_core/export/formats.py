"""The formats in which a run can be taken home."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """name: on the command line. about: what it is for, in one sentence. needs_weights: whether only a trained run has it."""

    name: str
    title: str
    ending: str
    about: str
    needs_weights: bool = True


FORMATS = {
    each.name: each
    for each in (
        Format(
            "python",
            "Python script",
            ".py",
            "Plain Keras code that trains this network anew as the lab did; to read, to change, to hand in.",
            needs_weights=False,
        ),
        Format(
            "notebook",
            "Jupyter notebook",
            ".ipynb",
            "The same code in cells with a word on each; for Jupyter, VS Code or Colab.",
            needs_weights=False,
        ),
        Format("keras", "Keras file", ".keras", "The trained network for keras.saving.load_model, to use it or to train it on."),
        Format(
            "onnx", "ONNX file", ".onnx", "The trained network for ONNX Runtime: C++, C#, Java, a browser, without TensorFlow."
        ),
        Format(
            "litert", "LiteRT file", ".tflite", "The trained network for phones and small devices (formerly TensorFlow Lite)."
        ),
    )
}
