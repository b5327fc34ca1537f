"""The lab without a browser: `python -m cnn_core COMMAND`. Exit 0: done; 1: the run failed; 2: something given was wrong."""

import argparse
import json
import sys
import time
from pathlib import Path

from cnn_core import datasets, presets, shapes, spec
from cnn_core.answers import result, summary
from cnn_core.errors import LabError
from cnn_core.export import FORMATS, export
from cnn_core.jobs import Lab
from cnn_core.store import Run, default_home


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> None:
        self.exit(2, f"{self.prog}: {message}. See {self.prog} --help.\n")


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except LabError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output has left
        return 0


def _parser() -> Parser:
    parser = Parser("python -m cnn_core", description="CNN Lab without a browser. RUN is a run id, or 'latest'.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)

    def add(name: str, command, about: str) -> Parser:
        added = commands.add_parser(name, help=about, description=about)
        added.set_defaults(command=command)
        added.add_argument("--json", action="store_true", help="print one JSON document on stdout and nothing else there")
        return added

    train = add("train", _train, "Train a network and wait for its end.")
    _add_spec(train).add_argument("--resume", metavar="RUN", help="go on with a run; --epochs N then means N more")
    train.add_argument("--dataset", help=f"one of {', '.join(datasets.DATASETS)}")
    train.add_argument("--epochs", type=int)
    train.add_argument("--seed", type=int)
    train.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="a setting, such as training.batch_size=64; may be repeated",
    )
    train.add_argument("--name", help="name of the run")
    add("runs", _runs, "List all runs.")
    for name, command, about in (
        ("show", _show, "Show a run: its settings, result and history."),
        ("stop", _stop, "Stop a run and keep what it has learned."),
        (
            "pause",
            _act("pause", "pausing", "asked to pause"),
            "Pause a run: it keeps exactly where it stands and ends its process.",
        ),
        ("delete", _act("delete", "deleted", "deleted"), "Remove a run and its folder for good."),
        ("evaluate", _evaluate, "Score a run on its test images."),
    ):
        add(name, command, about).add_argument("run", metavar="RUN")
    resume = add("resume", _resume, "Let a run go on from its last checkpoint, in the background.")
    resume.add_argument("run", metavar="RUN")
    resume.add_argument("--epochs", type=int, default=0, help="train this many epochs more than were planned")
    rate = add("set-learning-rate", _set_learning_rate, "Give a run that trains another learning rate.")
    rate.add_argument("run", metavar="RUN")
    rate.add_argument("rate", metavar="RATE", type=float)
    add("queue", _queue, "List what trains and what waits, in the order in which it will run.")
    rename = add("rename", _rename, "Give a run another name.")
    rename.add_argument("run", metavar="RUN")
    rename.add_argument("name", metavar="NAME")
    classify = add("classify", _classify, "Read drawn or photographed digits, prepared as the Draw page does.")
    classify.add_argument("run", metavar="RUN")
    classify.add_argument("images", metavar="IMAGE", nargs="+")
    _add_spec(add("shapes", _shapes, "Shapes and costs of each layer."))
    to_file = add("export", _export, "Write a run as a file to take home.")
    to_file.add_argument("run", metavar="RUN")
    to_file.add_argument("--format", choices=FORMATS, required=True)
    to_file.add_argument("out", metavar="OUT", type=Path, help="a file, or a folder to put it in")
    return parser


def _add_spec(parser: Parser) -> argparse._MutuallyExclusiveGroup:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--preset", help=f"one of {', '.join(presets.PRESETS)}")
    source.add_argument("--spec", metavar="FILE", help="a spec as JSON, such as the spec.json of a run")
    return source


def _read_spec(options: argparse.Namespace) -> spec.RunSpec:
    return presets.preset(options.preset).spec if options.preset else spec.read(options.spec)


def _print(options: argparse.Namespace, data, text: str) -> None:
    print(json.dumps(data) if options.json else text)


def _train(options: argparse.Namespace) -> int:
    lab = Lab(default_home())
    run = _resumed(lab, options) if options.resume else _submitted(lab, options)
    known = _wait(lab, run)
    answer = result(lab.store, known)
    accuracy = "no test score" if known.test_accuracy is None else f"test accuracy {known.test_accuracy:.4f}"
    _print(options, answer, f"{known.run}: {known.status}, {known.epoch} epochs, {accuracy}")
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
    return lab.submit(spec.change(_read_spec(options), settings), options.name)


def _value(text: str):
    try:
        return json.loads(text)
    except ValueError:
        return text


def _wait(lab: Lab, run: str) -> Run:
    """Follow a run to its end, with a word on stderr whenever it has moved on. Ctrl-C stops the run and keeps what it learned."""
    said = None
    while True:
        try:
            lab.reconcile()
            known = lab.store.get(run)
            word = (
                f"{known.status}: {known.stage}" if known.stage != "Training" else f"epoch {known.epoch} of {known.epochs} done"
            )
            if word != said and not known.is_over:
                print(f"[{known.run}] {word}", file=sys.stderr)
                said = word
            if known.is_over:
                return known
            time.sleep(0.1)
        except KeyboardInterrupt:
            print("Stopping; what was learned so far is kept.", file=sys.stderr)
            lab.stop(run)


def _lab() -> Lab:
    lab = Lab(default_home())
    lab.reconcile()
    return lab


def _runs(options: argparse.Namespace) -> int:
    runs = [summary(run) for run in _lab().store.runs()]
    lines = [
        f"{run['run']}  {run['status']:<11}  {run['epoch']:>4}/{run['epochs']:<4}  "
        f"{'' if run['test_accuracy'] is None else format(run['test_accuracy'], '.4f'):<6}  {run['name']}"
        for run in runs
    ]
    _print(options, runs, "\n".join(lines) or "There is no run yet. Train one: python -m cnn_core train --preset tiny")
    return 0


def _show(options: argparse.Namespace) -> int:
    lab = _lab()
    run = lab.store.get(options.run)
    data = summary(run) | result(lab.store, run) | {"epochs_planned": run.epochs, "events": lab.store.events(run.run)}
    _print(options, data, json.dumps(data, indent=2))
    return 0


def _stop(options: argparse.Namespace) -> int:
    lab = _lab()
    run = lab.store.get(options.run)
    if run.is_over:
        raise LabError(f"Run {run.run} is {run.status} already.")
    lab.stop(run.run)
    _print(options, {"run": run.run, "stopping": True}, f"{run.run}: asked to stop")
    return 0


def _act(action: str, done: str, words: str):
    """The command that does `action` of the lab to a run, and says so."""

    def command(options: argparse.Namespace) -> int:
        lab = _lab()
        run = lab.store.get(options.run)
        getattr(lab, action)(run.run)
        _print(options, {"run": run.run, done: True}, f"{run.run}: {words}")
        return 0

    return command


def _resume(options: argparse.Namespace) -> int:
    lab = _lab()
    run = lab.resume(options.run, options.epochs)
    known = lab.store.get(run)
    _print(options, {"run": run, "status": known.status, "epochs": known.epochs}, f"{run}: {known.status}")
    return 0


def _set_learning_rate(options: argparse.Namespace) -> int:
    lab = _lab()
    run = lab.store.get(options.run)
    lab.set_learning_rate(run.run, options.rate)
    _print(options, {"run": run.run, "learning_rate": options.rate}, f"{run.run}: learning rate {options.rate:g} from now on")
    return 0


def _queue(options: argparse.Namespace) -> int:
    runs = [summary(run) for run in reversed(_lab().store.runs(("running", "queued")))]
    runs.sort(key=lambda run: run["status"] == "queued")
    lines = [f"{run['run']}  {run['status']:<8}  {run['name']}" for run in runs]
    _print(options, runs, "\n".join(lines) or "Nothing trains, and nothing waits.")
    return 0


def _rename(options: argparse.Namespace) -> int:
    lab = _lab()
    run = lab.store.get(options.run)
    lab.rename(run.run, options.name)
    _print(options, {"run": run.run, "name": options.name.strip()}, f"{run.run}: now {options.name.strip()}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from cnn_core.evaluation import score_run

    lab = _lab()
    run = lab.store.get(options.run)
    scores, labels = score_run(lab, run.run)
    data = {
        "run": run.run,
        "test_accuracy": scores.accuracy,
        "test_loss": run.test_loss,
        "confusion": scores.confusion.tolist(),
        "class_accuracy": dict(zip(labels, scores.class_accuracy.tolist(), strict=True)),
        "mistakes": scores.mistakes[:20].tolist(),
    }
    lines = [f"Test accuracy: {scores.accuracy:.4f}", *(f"{name}: {value:.4f}" for name, value in data["class_accuracy"].items())]
    _print(options, data, "\n".join(lines))
    return 0


def _classify(options: argparse.Namespace) -> int:
    from cnn_core.drawing import prepare, read_image
    from cnn_core.errors import ImageError

    lab = _lab()
    run = lab.store.get(options.run)
    weights = lab.weights(run.run)
    digits = []
    for file in options.images:
        try:
            digits.append(prepare(read_image(Path(file).read_bytes())))
        except ImageError as error:
            raise LabError(f"{file}: {error}") from None
        except OSError as error:
            raise LabError(f"{file} cannot be read ({error.strerror}). Check its name and try again.") from None
    from cnn_core.inference import TrainedModel

    model = TrainedModel(run.spec, weights)
    labels = datasets.info(run.spec.data.dataset).labels
    answers = []
    for file, digit in zip(options.images, digits, strict=True):
        if digit.empty:
            answers.append({"file": file, "label": None, "confidence": None, "probabilities": None, "empty": True})
            continue
        probabilities = model.probabilities(digit.pixels[None])[0]
        best = int(probabilities.argmax())
        answers.append(
            {
                "file": file,
                "label": labels[best],
                "confidence": float(probabilities[best]),
                "probabilities": probabilities.tolist(),
            }
        )
    lines = [
        f"{answer['file']}: "
        + ("nothing is drawn on it" if answer["label"] is None else f"{answer['label']} ({answer['confidence']:.1%})")
        for answer in answers
    ]
    _print(options, answers, "\n".join(lines))
    return 0


def _shapes(options: argparse.Namespace) -> int:
    wanted = _read_spec(options)
    info = datasets.info(wanted.data.dataset)
    network = shapes.report(wanted.model, info.input_shape, len(info.labels))
    layers = [
        {
            "name": layer.name,
            "kind": layer.kind,
            "output_shape": layer.output_shape,
            "parameters": layer.parameters,
            "multiply_adds": layer.multiply_adds,
            "receptive_field": layer.receptive_field,
            "error": layer.error,
        }
        for layer in network.layers
    ]
    data = {
        "input_shape": network.input_shape,
        "layers": layers,
        "parameters": network.parameters,
        "multiply_adds": network.multiply_adds,
        "errors": network.errors,
    }
    lines = [
        f"{layer['name']:<24} {'x'.join(map(str, layer['output_shape'] or ())) or '-':<12} {layer['parameters']:>12,} {layer['multiply_adds']:>14,}"
        for layer in layers
    ]
    _print(options, data, "\n".join([*lines, f"{'total':<37} {network.parameters:>12,} {network.multiply_adds:>14,}"]))
    if network.errors:
        print(" ".join(network.errors), file=sys.stderr)
    return 2 if network.errors else 0


def _export(options: argparse.Namespace) -> int:
    lab = _lab()
    target = export(lab, options.run, options.out)
    _print(options, {"run": lab.store.get(options.run).run, "file": str(target), "format": options.format}, str(target))
    return 0


if __name__ == "__main__":
    sys.exit(main())
