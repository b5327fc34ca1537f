"""What the lab trained, to take home: a Keras, ONNX or LiteRT file, a Python script or a notebook."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from cnn_core import shapes
from cnn_core.errors import LabError
from cnn_core.export import script
from cnn_core.export.conversion import convert, missing
from cnn_core.export.formats import FORMATS, Format
from cnn_core.files import replacing
from cnn_core.jobs import Lab
from cnn_core.run import FURTHER_EVENT, RATE_EVENT, Run
from cnn_core.spec import RunSpec

__all__ = ["FORMATS", "Format", "departures", "export", "export_bytes", "obstacle"]


def obstacle(spec: RunSpec, format: str) -> str | None:
    """Why a network with this spec cannot be had in a format, in words; None when it can. Every kind of layer can.

    >>> from cnn_core.presets import preset
    >>> obstacle(preset("pooling-min").spec, "onnx")
    """
    if faults := shapes.report(spec.model, spec.data).errors:
        return faults[0]
    if not FORMATS[format].needs_weights and (reason := script.obstacle(spec)):
        return reason
    if lacking := missing(format):
        return f"The package {lacking} is not installed. Run `pip install -r requirements.txt`."
    return None


def departures(lab: Lab, run: Run) -> str | None:
    """How the training of a run departed from what its spec plans, in words; None when it did not. A script trains as planned."""
    kinds, planned = {event["kind"] for event in lab.store.events(run.run)}, run.spec.training
    found = []
    if RATE_EVENT in kinds:
        found.append("its learning rate was changed on the way")
    if FURTHER_EVENT in kinds and (planned.schedule not in ("constant", "plateau") or run.spec.data.augmentation.calm_after < 1):
        found.append("it was trained further than it was first planned")
    if run.is_over and run.status != "finished" and run.epoch < run.epochs:
        found.append(f"it ended after {run.epoch} of {run.epochs} epochs")
    return f"The run in the lab departed from its plan ({'; '.join(found)}), so its numbers are others." if found else None


def export(lab: Lab, run: str, out: Path, format: str = "keras") -> Path:
    """Write a run to `out`, or into it when it is a folder; where it is. Raises LabError."""
    known, wanted = lab.store.get(run), FORMATS[format]
    target = out / f"{known.run}{wanted.ending}" if out.is_dir() else out
    if target.suffix != wanted.ending:
        one = "An" if wanted.title[0] in "AEIOU" else "A"
        raise LabError(
            f"{one} {wanted.title} ends in {wanted.ending}, and {target.name!r} does not. Name it {target.stem}{wanted.ending}."
        )
    if reason := obstacle(known.spec, format):
        raise LabError(reason)
    try:
        with replacing(target) as new:
            _write(lab, known, format, new)
    except OSError as error:
        raise LabError(
            f"{target} could not be written ({error.strerror or error}). Choose another place and try again."
        ) from None
    return target


def export_bytes(lab: Lab, run: str, format: str) -> bytes:
    """The file of a run. Raises LabError.

    Converters run in a process of their own: TensorFlow's can end the process that they run in, and keep memory.
    """
    with TemporaryDirectory() as folder:
        if not FORMATS[format].needs_weights or format == "keras":
            return export(lab, run, Path(folder), format).read_bytes()
        file = Path(folder) / f"{lab.store.get(run).run}{FORMATS[format].ending}"
        command = [sys.executable, "-m", "cnn_core", "export", run, "--format", format, str(file)]
        done = subprocess.run(
            command,
            cwd=Path(__file__).parent.parent.parent,
            env={**os.environ, "CNN_LAB_HOME": str(lab.store.home)},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["no word on why"]
            raise LabError(lines[-1] if done.returncode == 2 else f"The conversion failed: {lines[-1][:300]}.")
        return file.read_bytes()


def _write(lab: Lab, run: Run, format: str, new: Path) -> None:
    if format == "python":
        new.write_text(script.script(run.spec, departures(lab, run)), encoding="utf-8")
    elif format == "notebook":
        from cnn_core.export.notebook import notebook

        new.write_text(notebook(run.spec, departures(lab, run)), encoding="utf-8")
    elif format != "keras":
        convert(run.spec, lab.weights(run.run), format, new)
    elif _is_sound(source := lab.store.folder(run.run) / run.keras_file):
        shutil.copyfile(source, new)
    else:  # a run that ended before its Keras file was written, or whose file is damaged, has it made from its weights
        from cnn_core.inference import TrainedModel

        TrainedModel(run.spec, lab.weights(run.run)).model.save(new)


def _is_sound(file: Path) -> bool:
    """Whether a Keras file is there, whole."""
    try:
        with zipfile.ZipFile(file) as parts:
            return parts.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False
