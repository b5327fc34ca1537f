"""Commands that read a run, and those that keep the runs in order."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from cnn_core import datasets, targets
from cnn_core.commands.answers import result, say, summary
from cnn_core.commands.training import open_lab, read_spec
from cnn_core.errors import LabError
from cnn_core.export import export as write
from cnn_core.shapes import report


def runs(options: argparse.Namespace) -> int:
    runs = [summary(run) for run in open_lab().store.runs()]
    lines = [
        f"{run['run']}  {run['status']:<11}  {run['epoch']:>4}/{run['epochs']:<4}  "
        f"{'' if run['test_accuracy'] is None else format(run['test_accuracy'], '.4f'):<6}  {run['name']}"
        for run in runs
    ]
    say(options, runs, "\n".join(lines) or "There is no run yet. Train one: python -m cnn_core train --preset tiny")
    return 0


def show(options: argparse.Namespace) -> int:
    lab = open_lab()
    run = lab.store.get(options.run)
    data = summary(run) | result(lab.store, run) | {"epochs_planned": run.epochs, "events": lab.store.events(run.run)}
    say(options, data, json.dumps(data, indent=2))
    return 0


def evaluate(options: argparse.Namespace) -> int:
    from cnn_core.evaluation import Scores, score_run

    lab = open_lab()
    run = lab.store.get(options.run)
    scores, main = score_run(lab, run.run), targets.main_head(run.spec)
    heads, lines = {}, []
    for head in run.spec.model.heads:
        found, labels = scores[head.name], targets.labels(run.spec, head)
        title = f"{head.name}: " if len(scores) > 1 else ""
        if isinstance(found, Scores):
            each = dict(zip(labels, found.class_accuracy.tolist(), strict=True))
            heads[head.name] = {
                "accuracy": found.accuracy,
                "interval": found.interval,
                "confusion": found.confusion.tolist(),
                "class_accuracy": each,
                "precision": dict(zip(labels, found.precision.tolist(), strict=True)),
                "f1": dict(zip(labels, found.f1.tolist(), strict=True)),
                "mistakes": found.mistakes[:20].tolist(),
            }
            low, high = found.interval
            lines += [
                f"{title}Test accuracy: {found.accuracy:.4f}",
                f"95 % confidence interval: {low:.4f} to {high:.4f}",
                "class: recall, precision, F1",
                *(
                    f"{name}: {recall:.4f}, {precision:.4f}, {f1:.4f}"
                    for name, recall, precision, f1 in zip(labels, found.class_accuracy, found.precision, found.f1, strict=True)
                ),
            ]
        else:
            heads[head.name] = {
                "mean_squared_error": found.mean_squared_error,
                "mean_absolute_error": found.mean_absolute_error,
            }
            lines += [f"{title}{name.replace('_', ' ')}: {value:.4f}" for name, value in heads[head.name].items()]
    data = {"run": run.run, "test_accuracy": run.test_accuracy, "test_loss": run.test_loss, "heads": heads}
    if main:  # the first head that names classes stands for the run
        found = heads[main.name]
        data |= {"test_accuracy": found["accuracy"], **{name: value for name, value in found.items() if name != "accuracy"}}
    say(options, data, "\n".join(lines))
    return 0


def classify(options: argparse.Namespace) -> int:
    from cnn_core.drawing import prepare, read_image
    from cnn_core.errors import ImageError

    lab = open_lab()
    run = lab.store.get(options.run)
    weights = lab.weights(run.run)
    if datasets.info(run.spec.data.dataset).is_series:
        raise LabError(f"Run {run.run} reads series of points and no images. Name a run that was trained on images.")
    digits = []
    for file in options.images:
        try:
            digits.append(prepare(read_image(Path(file).read_bytes())))
        except ImageError as error:
            raise LabError(f"{file}: {error}") from None
        except OSError as error:
            raise LabError(f"{file} cannot be read ({error.strerror}). Check its name and try again.") from None
    from cnn_core.inference import TrainedModel

    model, main = TrainedModel(run.spec, weights), targets.main_head(run.spec)
    answers = []
    for file, digit in zip(options.images, digits, strict=True):
        if digit.empty:
            answers.append({"file": file, "label": None, "confidence": None, "probabilities": None, "empty": True})
            continue
        said = model.answers(digit.pixels[None])
        heads = {head.name: _said(targets.labels(run.spec, head), said[head.name][0]) for head in run.spec.model.heads}
        more = {"heads": heads} if len(heads) > 1 else {}
        answers.append({"file": file, **(heads[main.name] if main else {}), **more})
    say(options, answers, "\n".join(f"{answer['file']}: {_in_words(answer)}" for answer in answers))
    return 0


def _said(labels: tuple[str, ...], values: np.ndarray) -> dict:
    """The answer of one head as data."""
    best = int(values.argmax())
    return {"label": labels[best], "confidence": float(values[best]), "probabilities": values.tolist()}


def _in_words(answer: dict) -> str:
    if answer["label"] is None:
        return "nothing is drawn on it"
    heads = answer.get("heads", {"": answer})
    return ", ".join(f"{said['label']} ({said['confidence']:.1%})" for said in heads.values())


def shapes(options: argparse.Namespace) -> int:
    wanted = read_spec(options)
    network = report(wanted.model, wanted.data)
    layers = [
        {
            "name": layer.name,
            "kind": layer.kind,
            "inputs": layer.inputs,
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
    say(options, data, "\n".join([*lines, f"{'total':<37} {network.parameters:>12,} {network.multiply_adds:>14,}"]))
    if network.errors:
        print(" ".join(network.errors), file=sys.stderr)
    return 2 if network.errors else 0


def rename(options: argparse.Namespace) -> int:
    lab = open_lab()
    run = lab.store.get(options.run)
    lab.rename(run.run, options.name)
    say(options, {"run": run.run, "name": options.name.strip()}, f"{run.run}: now {options.name.strip()}")
    return 0


def delete(options: argparse.Namespace) -> int:
    lab = open_lab()
    run = lab.store.get(options.run)
    lab.delete(run.run)
    say(options, {"run": run.run, "deleted": True}, f"{run.run}: deleted")
    return 0


def export(options: argparse.Namespace) -> int:
    lab = open_lab()
    target = write(lab, options.run, options.out, options.format)
    say(options, {"run": lab.store.get(options.run).run, "file": str(target), "format": options.format}, str(target))
    return 0
