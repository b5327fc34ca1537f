"""Commands that train: start a run, steer it, and see what waits."""

import argparse
import json
import sys
import time

from cnn_core import datasets, presets, spec
from cnn_core.commands.answers import result, say, summary
from cnn_core.errors import LabError
from cnn_core.jobs import Lab
from cnn_core.run import ACTIVE, Run
from cnn_core.store import default_home


def train(options: argparse.Namespace) -> int:
    lab = Lab(default_home())
    run = _resumed(lab, options) if options.resume else _submitted(lab, options)
    known = wait_for(lab, run)
    answer = result(lab.store, known)
    accuracy = "no test score" if known.test_accuracy is None else f"test accuracy {known.test_accuracy:.4f}"
    say(options, answer, f"{known.run}: {known.status}, {known.epoch} epochs, {accuracy}")
    if known.status == "failed" or known.status == "interrupted":
        print(known.message, file=sys.stderr)
        return 1
    return 0


def _resumed(lab: Lab, options: argparse.Namespace) -> str:
    if options.set or options.dataset or options.name or options.seed is not None:
        raise LabError("A run goes on with its own settings: with --resume only --epochs can be given.")
    return lab.resume(options.resume, options.epochs or 0)


def _submitted(lab: Lab, options: argparse.Namespace) -> str:
    settings = {}
    for setting in options.set:
        path, sign, value = setting.partition("=")
        if not sign:
            raise LabError(f"--set expects PATH=VALUE, such as training.batch_size=64, and {setting!r} has no '='.")
        settings[path] = _value(value)
    for path, value in (("data.dataset", options.dataset), ("training.epochs", options.epochs), ("training.seed", options.seed)):
        if value is not None:
            settings[path] = value
    if options.dataset:
        datasets.info(options.dataset)
    return lab.submit(spec.change(read_spec(options), settings), options.name)


def _value(text: str):
    try:
        return json.loads(text)
    except ValueError:
        return text


def wait_for(lab: Lab, run: str, quiet: bool = False) -> Run:
    """Follow a run to its end, with a word on stderr whenever it has moved on. Ctrl-C stops the run and keeps what it learned."""
    said = None
    while True:
        try:
            lab.reconcile()
            known = lab.store.get(run)
            word = (
                f"{known.status}: {known.stage}" if known.stage != "Training" else f"epoch {known.epoch} of {known.epochs} done"
            )
            if word != said and not known.is_over and not quiet:
                print(f"[{known.run}] {word}", file=sys.stderr)
                said = word
            if known.is_over:
                return known
            time.sleep(0.1)
        except KeyboardInterrupt:
            print("Stopping; what was learned so far is kept.", file=sys.stderr)
            lab.stop(run)


def resume(options: argparse.Namespace) -> int:
    lab = open_lab()
    run = lab.resume(options.run, options.epochs)
    known = lab.store.get(run)
    say(options, {"run": run, "status": known.status, "epochs": known.epochs}, f"{run}: {known.status}")
    return 0


def stop(options: argparse.Namespace) -> int:
    lab = open_lab()
    run = lab.store.get(options.run)
    if run.is_over:
        raise LabError(f"Run {run.run} is {run.status} already.")
    lab.stop(run.run)
    say(options, {"run": run.run, "stopping": True}, f"{run.run}: asked to stop")
    return 0


def pause(options: argparse.Namespace) -> int:
    lab = open_lab()
    run = lab.store.get(options.run)
    lab.pause(run.run)
    say(options, {"run": run.run, "pausing": True}, f"{run.run}: asked to pause")
    return 0


def set_learning_rate(options: argparse.Namespace) -> int:
    lab = open_lab()
    run = lab.store.get(options.run)
    lab.set_learning_rate(run.run, options.rate)
    say(options, {"run": run.run, "learning_rate": options.rate}, f"{run.run}: learning rate {options.rate:g} from now on")
    return 0


def queue(options: argparse.Namespace) -> int:
    lab = open_lab()
    for name, places in ((options.earlier, 1), (options.later, -1)):
        if name:
            lab.move(lab.store.get(name).run, places)
    if options.at_once is not None or options.threads is not None:
        at_once = lab.at_once if options.at_once is None else options.at_once
        lab.share(at_once, lab.threads_asked_for if options.threads is None else options.threads)
    runs = [summary(run) for run in (*reversed(lab.store.runs(ACTIVE)), *lab.store.queue())]
    lines = [f"{run['run']}  {run['status']:<8}  {run['name']}" for run in runs]
    share = f"{lab.at_once} at once, threads for each: {lab.threads}"
    say(options, runs, "\n".join([*lines, share]) if runs else f"Nothing trains, and nothing waits ({share}).")
    return 0


def use(options: argparse.Namespace) -> int:
    lab = open_lab()
    run = lab.store.get(options.run)
    lab.use(run.run, options.epoch)
    words = f"{run.run}: the weights of its {options.epoch} epoch answer from now on"
    say(options, {"run": run.run, "uses": options.epoch, "best_epoch": run.best_epoch}, words)
    return 0


def open_lab() -> Lab:
    """The lab of this machine, with the state of its runs brought up to date."""
    lab = Lab(default_home())
    lab.reconcile()
    return lab


def read_spec(options: argparse.Namespace) -> spec.RunSpec:
    """The spec that --preset or --spec names."""
    return presets.preset(options.preset).spec if options.preset else spec.read(options.spec)
