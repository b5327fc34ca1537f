"""What the lab trained, to take home."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from cnn_core.errors import LabError
from cnn_core.files import replacing
from cnn_core.jobs import Lab

FORMATS = ("keras",)


def keras_bytes(lab: Lab, run: str) -> bytes:
    """The Keras file of a run. Raises LabError when it has no weights."""
    with TemporaryDirectory() as folder:
        return export(lab, run, Path(folder)).read_bytes()


def export(lab: Lab, run: str, out: Path) -> Path:
    """Copy the Keras file of a run to `out`, or into it when it is a folder; where it is. Raises LabError.

    A run that ended before its Keras file was written has it made from its weights.
    """
    known = lab.store.get(run)
    source = lab.store.folder(known.run) / known.keras_file
    target = out / f"{known.run}.keras" if out.is_dir() else out
    if target.suffix != ".keras":
        raise LabError(f"A Keras file ends in .keras, and {target.name!r} does not. Name it {target.stem}.keras.")
    try:
        with replacing(target) as new:
            if source.is_file():
                shutil.copyfile(source, new)
            else:
                from cnn_core.model import load_model

                load_model(known.spec, lab.weights(known.run)).save(new)
    except OSError as error:
        raise LabError(
            f"{target} could not be written ({error.strerror or error}). Choose another place and try again."
        ) from None
    return target
