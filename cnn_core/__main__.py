"""The lab without a browser: `python -m cnn_core COMMAND`. Exit 0: done; 1: the run failed; 2: something given was wrong."""

import argparse
import sys
from pathlib import Path

from cnn_core import datasets, presets, study
from cnn_core.commands import benchmarking, digits, reading, studies, training
from cnn_core.errors import LabError
from cnn_core.export import FORMATS


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

    train = add("train", training.train, "Train a network and wait for its end.")
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
    add("runs", reading.runs, "List all runs.")
    for name, command, about in (
        ("show", reading.show, "Show a run: its settings, result and history."),
        ("stop", training.stop, "Stop a run and keep what it has learned."),
        ("pause", training.pause, "Pause a run: it keeps exactly where it stands and ends its process."),
        ("delete", reading.delete, "Remove a run and its folder for good."),
        ("evaluate", reading.evaluate, "Score a run on its test images."),
    ):
        add(name, command, about).add_argument("run", metavar="RUN")
    resume = add("resume", training.resume, "Let a run go on from its last checkpoint, in the background.")
    resume.add_argument("run", metavar="RUN")
    resume.add_argument(
        "--epochs", type=int, default=0, help="train this many epochs more: than were planned, or than a finished run has done"
    )
    rate = add("set-learning-rate", training.set_learning_rate, "Give a run that trains another learning rate.")
    rate.add_argument("run", metavar="RUN")
    rate.add_argument("rate", metavar="RATE", type=float)
    queue = add("queue", training.queue, "List what trains and what waits, in the order in which it will run, or change it.")
    queue.add_argument("--earlier", metavar="RUN", help="let a run that waits change places with the one before it")
    queue.add_argument("--later", metavar="RUN", help="let a run that waits change places with the one behind it")
    queue.add_argument("--at-once", metavar="N", type=int, help="runs that may train at the same time; 1 unless told")
    queue.add_argument(
        "--threads", metavar="N", type=int, help="threads that each run gets; 0, unless told: an equal share of the cores"
    )
    use = add("use", training.use, "Choose whose weights answer: the last epoch's or the best one's.")
    use.add_argument("run", metavar="RUN")
    use.add_argument("epoch", choices=("last", "best"))
    rename = add("rename", reading.rename, "Give a run another name.")
    rename.add_argument("run", metavar="RUN")
    rename.add_argument("name", metavar="NAME")
    classify = add("classify", reading.classify, "Read drawn or photographed digits, prepared as the Draw page does.")
    classify.add_argument("run", metavar="RUN")
    classify.add_argument("images", metavar="IMAGE", nargs="+")
    _add_spec(add("shapes", reading.shapes, "Shapes and costs of each layer."))
    benchmark = add(
        "benchmark-presets", benchmarking.benchmark_presets, "Train every preset with several seeds: a table of what they reach."
    )
    benchmark.add_argument("presets", metavar="PRESET", nargs="*", help="all of them unless named")
    benchmark.add_argument("--dataset", help="instead of each preset's own; one of " + ", ".join(datasets.DATASETS))
    benchmark.add_argument(
        "--seeds", metavar="N", type=int, choices=range(1, 101), default=3, help="seeds of each, from 0; 3 unless told"
    )
    _add_own_digits(add)
    long_work = add("study", studies.study, "Do long work on a run, such as its robustness; what it finds is kept with the run.")
    long_work.add_argument("run", metavar="RUN")
    long_work.add_argument("kind", metavar="KIND", choices=study.KINDS, help=f"one of {', '.join(study.KINDS)}")
    long_work.add_argument("--cancel", action="store_true", help="ask the one that is under way to end")
    to_file = add("export", reading.export, "Write a run as a file to take home.")
    to_file.add_argument("run", metavar="RUN")
    to_file.add_argument("--format", choices=FORMATS, required=True)
    to_file.add_argument("out", metavar="OUT", type=Path, help="a file, or a folder to put it in")
    return parser


def _add_own_digits(add) -> None:
    """The commands for the person's own drawings."""
    own = add("my-digits", None, "Your own drawings: add IMAGE LABEL, list, export FILE, import FILE, remove NUMBER.")
    actions = own.add_subparsers(required=True, metavar="ACTION", parser_class=Parser)

    def act(name: str, command, about: str) -> Parser:
        action = actions.add_parser(name, help=about, description=about)
        action.set_defaults(command=command)
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON document on stdout")
        return action

    keep = act("add", digits.add, "Keep a picture of a digit with its right answer, prepared as the Draw page does.")
    keep.add_argument("image", metavar="IMAGE")
    keep.add_argument("label", metavar="LABEL", type=int, choices=range(10))
    act("list", digits.list_all, "List them by number, the oldest first.")
    act("export", digits.export, "Write them to a .npz file.").add_argument("file", metavar="FILE", type=Path)
    act("import", digits.import_from, "Add those of an exported file.").add_argument("file", metavar="FILE", type=Path)
    act("remove", digits.remove, "Forget one by its number.").add_argument("number", metavar="NUMBER", type=int)
    taught = add("teach", digits.teach, "Train a run further on a mix of its images and your own drawings, as a new run.")
    taught.add_argument("run", metavar="RUN")
    taught.add_argument("--share", type=float, default=0.2, help="the part of the images that are your drawings; 0.2 unless told")
    taught.add_argument("--epochs", type=int, default=3, help="3 unless told")


def _add_spec(parser: Parser) -> argparse._MutuallyExclusiveGroup:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--preset", help=f"one of {', '.join(presets.PRESETS)}")
    source.add_argument("--spec", metavar="FILE", help="a spec as JSON, such as the spec.json of a run")
    return source


if __name__ == "__main__":
    sys.exit(main())
