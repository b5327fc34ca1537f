"""The queue: its order, how many train at once, and with how many threads."""

import psutil
import pytest

from cnn_core.cores import THREADS, cores
from cnn_core.errors import LabError
from cnn_core.presets import preset
from cnn_core.scheduler import most_at_once
from cnn_core.spec import change

ENDLESS = change(preset("tiny").spec, {"training.epochs": 1000})
SHORT = change(preset("tiny").spec, {"training.epochs": 1})


def test_a_run_comes_earlier_or_later(lab):
    first, *waiting = [lab.submit(ENDLESS) for _ in range(4)]

    def order() -> list[int]:
        return [waiting.index(run.run) for run in lab.store.queue()]

    assert order() == [0, 1, 2]
    lab.move(waiting[2], 1)
    assert order() == [0, 2, 1]
    lab.move(waiting[2], 7)
    assert order() == [2, 0, 1]
    lab.move(waiting[0], -1)
    assert order() == [2, 1, 0]
    lab.move(waiting[0], -1)
    assert order() == [2, 1, 0], "there is nothing behind the last"
    with pytest.raises(LabError, match="is running: only a run that waits has a place"):
        lab.move(first, 1)
    another = lab.submit(ENDLESS)
    assert lab.store.queue()[-1].run == another, "who comes is the last"


def test_the_changed_order_is_the_order_of_training(lab, wait_until):
    first = lab.submit(ENDLESS)
    second, third = lab.submit(SHORT), lab.submit(SHORT)
    lab.move(third, 1)
    lab.stop(first)
    wait_until(lambda: all(lab.store.get(run).is_over for run in (second, third)))
    assert lab.store.get(third).started < lab.store.get(second).started


def test_two_at_once_share_the_cores(lab, wait_until):
    runs = [lab.submit(ENDLESS) for _ in range(3)]
    statuses = lambda: [lab.store.get(run).status for run in runs]  # noqa: E731
    assert statuses() == ["running", "queued", "queued"] and lab.threads == cores()
    lab.share(2)
    assert statuses() == ["running", "running", "queued"] and lab.threads == max(1, cores() // 2)
    given = [psutil.Process(lab._workers[run].pid).environ()[THREADS] for run in runs[:2]]
    assert given == [str(cores()), str(max(1, cores() // 2))]
    wait_until(lambda: all(lab.store.get(run).step for run in runs[:2]))
    assert lab.store.get(runs[0]).device == f"CPU ({cores()} thread{'s' * (cores() > 1)})"
    lab.stop(runs[0])
    wait_until(lambda: statuses() == ["stopped", "running", "running"])


def test_threads_as_asked_for(lab, wait_until):
    lab.share(1, threads=1)
    run = lab.submit(SHORT)
    wait_until(lambda: lab.store.get(run).is_over)
    row = lab.store.get(run)
    assert (row.status, row.device) == ("finished", "CPU (1 thread)"), row.message


def test_a_home_from_a_larger_computer(lab):
    lab.store.set("at_once", 1000)
    lab.store.set("threads", 1000)
    assert lab.at_once == most_at_once() and lab.threads == lab.threads_asked_for == cores()


def test_a_run_that_repeats_does_so_whatever_its_share_of_the_threads(lab, wait_until):
    exact, losses = change(SHORT, {"training.deterministic": True}), []
    for threads in (1, 2):
        lab.share(1, threads=min(threads, cores()))
        run = lab.submit(exact)
        wait_until(lambda run=run: lab.store.get(run).is_over)
        losses.append(lab.store.get(run).test_loss)
    assert losses[0] is not None and losses[0] == losses[1]


@pytest.mark.parametrize(("at_once", "threads"), [(0, 0), (1000, 0), (1, -1), (1, 1000)])
def test_what_the_computer_does_not_have(lab, at_once, threads):
    with pytest.raises(LabError, match="At least 1 and at most"):
        lab.share(at_once, threads)
    assert (lab.at_once, lab.threads) == (1, cores())
