"""My digits as a person uses it, without a browser."""

import shutil

import numpy as np
import pytest

from cnn_core import datasets, evaluation, my_digits
from cnn_core.inference import TrainedModel
from cnn_core.jobs import Lab
from cnn_core.presets import preset
from cnn_core.spec import change
from tests.networks import finished_run
from tests.pages.test_pages import errors, open_page, png, widget


@pytest.fixture
def own(home, trained):
    """A home folder with the run of the session and thirty drawings."""
    shutil.copytree(trained.lab.home, home, ignore=shutil.ignore_patterns("*.lock"))
    data = datasets.load("mnist-5k")
    for image, label in zip(data.x_train[::133, ..., 0][:30], data.y_train[::133][:30], strict=True):
        my_digits.add(home, image, int(label))
    return home


def metrics(app) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def test_a_drawing_is_kept_without_a_network(home):
    app = open_page("my_digits")
    assert any("There are none yet" in info.value for info in app.info)
    app.session_state["route"] = "upload"
    app.run()
    picture = np.zeros((280, 280), np.uint8)
    picture[40:240, 130:150] = 255
    uploader = next(field for field in app.file_uploader if field.label == "A picture of one digit")
    uploader.upload("one.png", png(picture), "image/png").run()
    for count in (1, 1):  # the second time it is known already
        app.button(key="keep_1").click().run()
        assert not app.exception and not app.error
        kept = my_digits.read(home)
        assert len(kept) == count and kept.labels.tolist() == [1] and kept.images[0].max() == 255


def test_test_images_are_not_kept(own):
    app = open_page("my_digits")
    app.session_state["route"] = "test"
    app.run()
    assert any("could no longer be tested" in info.value for info in app.info)
    assert not [button for button in app.button if button.key and button.key.startswith("keep_")]


def test_scores_mistakes_and_deleting(own, trained):
    app = open_page("my_digits", run=trained.run)
    kept = my_digits.read(own)
    found = evaluation.score(TrainedModel(trained.spec, trained.lab.weights(trained.run)).probabilities(kept.images), kept.labels)
    assert metrics(app)["Read right"] == f"{found.accuracy:.1%}"
    assert metrics(app)["Mistakes"] == f"{len(found.mistakes)} of 30"
    assert "own_confusion" in {chart.key for chart in app.get("plotly_chart")}
    table = app.dataframe[0].value
    assert table["My digits"][0] == pytest.approx(100 * found.accuracy)
    if len(found.mistakes):
        widget(app, "toggle", "Mistakes only").set_value(True).run()
        assert len([button for button in app.button if (button.key or "").startswith("own_delete_")]) == min(
            24, len(found.mistakes)
        )
        widget(app, "toggle", "Mistakes only").set_value(False).run()
    right = int(kept.labels[20])
    for label in (9 - right, right):
        app.menu_button(key="own_correct_20").click(label).run()
        assert not app.exception and not app.error and my_digits.read(own).labels[20] == label
    app.button(key="own_delete_29").click().run()
    assert not app.exception and len(my_digits.read(own)) == 29
    np.testing.assert_array_equal(my_digits.read(own).images, kept.images[:29])
    app.button(key="own_put_back").click().run()
    assert not app.exception and not [button for button in app.button if button.key == "own_put_back"]
    np.testing.assert_array_equal(my_digits.read(own).images, kept.images)
    np.testing.assert_array_equal(my_digits.read(own).labels, kept.labels)


def test_a_bad_file_loses_nothing_and_a_good_one_is_added(own, trained):
    app = open_page("my_digits", run=trained.run)
    importer = next(field for field in app.file_uploader if field.label.startswith("Import"))
    importer.upload("bad.npz", b"this is no collection", "application/zip").run()
    assert "cannot be read as a collection" in errors(app) and len(my_digits.read(own)) == 30
    more = my_digits.Collection(
        np.full((2, 28, 28), 9, np.uint8) * np.array([[[1]], [[2]]], np.uint8), np.array([4, 5], np.uint8)
    )
    importer = next(field for field in app.file_uploader if field.label.startswith("Import"))
    importer.upload("good.npz", my_digits.pack(more), "application/zip").run()
    assert not app.exception and not app.error
    assert my_digits.read(own).labels.tolist()[-2:] == [4, 5]


def test_teaching_shows_before_and_after(own, trained, wait_until):
    lab = Lab(own)
    app = open_page("my_digits", run=trained.run)
    widget(app, "number_input", "Epochs").set_value(1)
    widget(app, "button", "Teach it my handwriting").click().run()
    assert not app.exception and not app.error
    taught = next(run for run in lab.store.runs() if run.spec.data.own_digits)
    assert taught.epochs == 1 and taught.spec.data.own_digits == 0.2
    wait_until(lambda: lab.store.get(taught.run).is_over)
    app.run()
    assert not app.exception and not app.error
    assert {"Test part", "My digits"} <= set(metrics(app))
    assert any(f"**{taught.name}**: what teaching has changed" in text.value for text in app.markdown)
    table = app.dataframe[0].value.set_index("Network")
    again = open_page("my_digits", run=taught.run)  # another day
    assert {"Test part", "My digits"} <= set(metrics(again))
    assert table["Taught with"][taught.name] == 30 and np.isnan(table["Never seen by it"][taught.name])


def test_damaged_networks_leave_the_drawings_and_the_others(own, trained):
    lab = Lab(own)
    taught = finished_run(lab, change(trained.spec, {"data.own_digits": 0.2}), "20990101-000000-aaaa")
    (lab.store.folder(taught) / my_digits.FILE).write_bytes(b"damaged")
    app = open_page("my_digits", run=trained.run)
    assert not app.exception and not app.error and metrics(app)["Read right"] and len(app.dataframe[0].value) == 1
    assert any("is left out. The drawings that it was taught with" in warning.value for warning in app.warning)
    weights = own / trained.run / "model.weights.h5"
    weights.write_bytes(weights.read_bytes()[:-500])
    app = open_page("my_digits", run=trained.run)
    assert not app.exception and "the file is damaged, missing or of another network. Train the run again" in errors(app)
    assert len([button for button in app.button if (button.key or "").startswith("own_delete_")]) == 24


def test_a_damaged_collection_and_a_network_of_series(own):
    lab, spec = Lab(own), preset("mnist1d-forecast").spec
    run = "20200101-000000-dddd"
    lab.store.add(run, "series", spec)
    lab.store.folder(run).mkdir()
    (lab.store.folder(run) / "model.weights.h5").write_bytes(b"never read")
    lab.store.update(run, status="finished")
    app = open_page("my_digits", run=run)
    assert not app.error and any("not made for pictures of digits" in info.value for info in app.info)
    (own / my_digits.FILE).write_bytes(b"damaged")
    app = open_page("my_digits", run=run)
    assert my_digits.FILE in errors(app)
    widget(app, "button", "Set it aside and start a new collection").click().run()
    assert not app.exception and not app.error and any("There are none yet" in info.value for info in app.info)
    assert [file.read_bytes() for file in own.glob("my_digits.*.npz")] == [b"damaged"]
