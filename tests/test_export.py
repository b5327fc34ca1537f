"""Files to take home."""

import numpy as np
import pytest

from cnn_core import datasets
from cnn_core.errors import LabError, UnknownRun
from cnn_core.export import export


def test_the_keras_file_gives_the_same_answers(trained, tmp_path):
    import keras

    target = export(trained.lab, trained.run, tmp_path)
    assert target == tmp_path / f"{trained.run}.keras"
    assert export(trained.lab, "latest", tmp_path / "mine.keras") == tmp_path / "mine.keras"
    answers = keras.saving.load_model(target).predict(datasets.load("mnist-5k").x_test / np.float32(255), verbose=0)
    np.testing.assert_allclose(answers, np.load(trained.folder / "test_probabilities.npy"), atol=1e-5)


def test_a_run_without_a_keras_file_has_it_made_from_its_weights(trained, lab, tmp_path):
    import keras

    lab.store.add("copy", "copy", trained.spec)
    lab.store.folder("copy").mkdir()
    with pytest.raises(LabError, match="has no weights yet"):
        export(lab, "copy", tmp_path / "made.keras")
    (lab.store.folder("copy") / "model.weights.h5").write_bytes((trained.folder / "model.weights.h5").read_bytes())
    made = keras.saving.load_model(export(lab, "copy", tmp_path / "made.keras"))
    kept = keras.saving.load_model(trained.folder / "model.keras")
    for one, other in zip(made.get_weights(), kept.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_cannot_be_written(trained, tmp_path):
    with pytest.raises(LabError, match=r"A Keras file ends in \.keras, and 'model\.h5' does not\. Name it model\.keras\."):
        export(trained.lab, trained.run, tmp_path / "model.h5")
    with pytest.raises(LabError, match="could not be written"):
        export(trained.lab, trained.run, tmp_path / "nowhere" / "model.keras")
    with pytest.raises(UnknownRun):
        export(trained.lab, "nothing", tmp_path)
