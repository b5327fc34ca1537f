"""Networks to start from, each with what it is for."""

from cnn_core.errors import SpecError
from cnn_core.presets import architectures, classics, digits, series
from cnn_core.presets.base import Preset
from cnn_core.presets.words import OPTIMIZERS, SCHEDULES, recipe
from cnn_core.spec import RunSpec

__all__ = ["OPTIMIZERS", "PRESETS", "SCHEDULES", "Preset", "origin", "preset", "recipe"]

PRESETS = {preset.name: preset for preset in (*digits.PRESETS, *classics.PRESETS, *architectures.PRESETS, *series.PRESETS)}


def preset(name: str) -> Preset:
    """The preset called `name`. Raises SpecError that lists the names."""
    if name not in PRESETS:
        raise SpecError(f"There is no preset {name!r}. Expected one of: {', '.join(PRESETS)}.")
    return PRESETS[name]


def origin(spec: RunSpec) -> str:
    """Where a spec comes from, in words: "lenet5", "lenet5 (edited)" or "custom"."""
    if spec.preset not in PRESETS:
        return "custom"
    return spec.preset if PRESETS[spec.preset].spec.model == spec.model else f"{spec.preset} (edited)"
