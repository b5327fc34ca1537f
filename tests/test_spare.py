"""The worker that waits: it prepares, takes the next run, and is no loss when it dies."""

import pytest

from cnn_core import spare
from cnn_core.presets import preset
from cnn_core.spare import Spare
from cnn_core.spec import change

ONE_EPOCH = change(preset("tiny").spec, {"training.epochs": 1, "training.batch_size": 128})
OTHER = change(ONE_EPOCH, {"model.layers.conv_1.filters": 3})
REPEATABLE = preset("tiny").spec.model_copy(update={"training": ONE_EPOCH.training.model_copy(update={"deterministic": True})})
SLOW = change(ONE_EPOCH, {"data.augmentation.hands": 0.5})


def finished(lab, run, wait_until) -> None:
    wait_until(lambda: lab.store.get(run).is_over)
    assert lab.store.get(run).status == "finished", lab.store.get(run).message


def test_a_spare_takes_the_next_run_and_leaves_when_it_is_let_go(new_lab, wait_until):
    lab = new_lab(spare=True)
    lab.warm(ONE_EPOCH)
    ready = lab._spare
    lab.warm(ONE_EPOCH)
    assert lab._spare is ready, "one spare is enough"
    run = lab.submit(ONE_EPOCH)
    assert lab._workers[run] is ready.process and lab._spare is None
    lab.warm(ONE_EPOCH)
    assert lab._spare is None, "none is made while a run trains"
    finished(lab, run, wait_until)
    assert ready.process.wait(timeout=30) == 0

    lab.warm(ONE_EPOCH)
    idle = lab._spare.process
    assert idle.poll() is None
    lab.close()
    assert idle.returncode is not None and lab._spare is None


@pytest.mark.parametrize("trained", [ONE_EPOCH, OTHER, SLOW])
def test_a_spare_trains_what_is_asked_for_whatever_it_has_prepared(new_lab, wait_until, trained):
    lab = new_lab(spare=True)
    lab.warm(ONE_EPOCH)
    process = lab._spare.process
    for _ in range(3):
        lab.warm(OTHER)
        lab.warm(ONE_EPOCH)
    assert lab._spare.process is process
    run = lab.submit(trained)
    assert lab._workers[run] is process
    finished(lab, run, wait_until)
    assert lab.store.get(run).parameters == sum(weights.size for weights in _built(trained).get_weights())


def _built(spec):
    from cnn_core.model import build_model

    return build_model(spec)


def test_a_run_that_needs_another_kind_of_process_gets_one(new_lab, wait_until):
    lab = new_lab(spare=True)
    lab.warm(ONE_EPOCH)
    first = lab._spare.process
    lab.warm(REPEATABLE)
    second = lab._spare.process
    assert first.poll() is not None and second.poll() is None
    run = lab.submit(ONE_EPOCH)
    assert second.poll() is not None and lab._spare is None and lab._workers[run] is not second
    finished(lab, run, wait_until)


def test_a_spare_that_cannot_prepare_a_run_has_tensorflow_loaded_all_the_same(new_lab):
    lab = new_lab(spare=True)
    lab.warm(SLOW)
    process = lab._spare.process
    assert lab._spare._prepared == preset("tiny").spec
    lab.warm(SLOW)
    assert lab._spare.process is process


def test_the_process_that_waits_prepares_the_newest_spec_only():
    waiting = Spare(OTHER, threads=2)
    try:
        waiting.prepare(ONE_EPOCH)
        assert waiting._prepared == ONE_EPOCH and waiting.is_ready
        waiting.prepare(REPEATABLE)
        assert waiting._prepared == ONE_EPOCH, "it cannot be told to work in another way"
        assert waiting.suits(OTHER, 2) and not waiting.suits(OTHER, 1), "nor with other threads"
    finally:
        waiting.let_go()
    assert not waiting.is_ready and not waiting.suits(ONE_EPOCH, 2)


def test_a_spare_that_died_is_not_used(new_lab):
    lab = new_lab(spare=True)
    lab.warm(ONE_EPOCH)
    dead = lab._spare.process
    dead.kill()
    dead.wait()
    run = lab.submit(change(ONE_EPOCH, {"training.epochs": 1000}))
    assert lab.store.get(run).status == "running" and lab._workers[run] is not dead


@pytest.mark.parametrize("code", ["input()", "input(); input()"])
def test_a_spare_that_dies_with_the_run_in_hand_is_replaced(new_lab, wait_until, monkeypatch, code):
    import subprocess
    import sys

    monkeypatch.setattr(spare, "worker", lambda *_, **options: subprocess.Popen([sys.executable, "-c", code], **options))
    lab = new_lab(spare=True)
    lab.warm(ONE_EPOCH)
    run = lab.submit(ONE_EPOCH)
    finished(lab, run, wait_until)


def test_an_order_to_a_process_that_is_gone_is_no_error():
    waiting = Spare(ONE_EPOCH, threads=2)
    waiting.process.kill()
    waiting.process.wait()
    assert waiting.hand_over("run").returncode is not None
