"""The command for long work on a trained run."""

import argparse
import sys
import time

from cnn_core import study as studies
from cnn_core.commands.answers import say
from cnn_core.commands.training import open_lab
from cnn_core.jobs import Lab

FEW = 1000  # values that are printed


def study(options: argparse.Namespace) -> int:
    """Do a study of a run, wait for its end and say what it found; or ask the one that is under way to end."""
    lab = open_lab()
    run = lab.store.get(options.run).run
    if options.cancel:
        studies.cancel(lab, run, options.kind)
        say(options, {"run": run, "kind": options.kind, "cancelling": True}, f"{run}: {options.kind} is asked to end")
        return 0
    if studies.result(lab, run, options.kind) is None:
        studies.start(lab, run, options.kind)
    state = _followed(lab, run, options.kind)
    found = studies.result(lab, run, options.kind) or {}
    values = {name: array.tolist() if array.size <= FEW else f"array of {array.shape}" for name, array in found.items()}
    data = {"run": run, "kind": options.kind, "status": state.status, "message": state.message, "result": values}
    say(
        options,
        data,
        "\n".join([f"{run}: {options.kind} is {state.status}", *(f"{name}: {value}" for name, value in values.items())]),
    )
    if state.status != "done":
        print(state.message, file=sys.stderr)
    return 0 if state.status == "done" else 1


def _followed(lab: Lab, run: str, kind: str) -> studies.State:
    """The last state of a study, with a word on stderr whenever it has moved on. Ctrl-C cancels it."""
    said = ""
    while True:
        try:
            state = studies.state(lab, run, kind)
            if state.status != "running":
                return state
            if state.message != said:
                said = state.message
                print(f"[{run}] {state.part:.0%} {said}", file=sys.stderr)
            time.sleep(0.2)
        except KeyboardInterrupt:
            print("Cancelling; nothing of it is kept.", file=sys.stderr)
            studies.cancel(lab, run, kind)
