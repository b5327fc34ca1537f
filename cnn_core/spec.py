"""What to train, as plain data: frozen, checked, and the same after a round trip through JSON.

A model is a graph: named layers, each with the names of the layers that feed it ("input" is the image or series), and named heads.
A spec may hold a network that cannot be trained, since one is edited step by step: `cnn_core.shapes` says what is wrong with it.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cnn_core.errors import SpecError, explain
from cnn_core.layer_kinds import Layer

DatasetName = Literal["mnist-5k", "mnist", "fashion-mnist", "mnist-1d"]
TargetName = Literal["label", "parity", "forecast"]
LossName = Literal["categorical_crossentropy", "binary_crossentropy", "mean_squared_error", "mean_absolute_error"]
OptimizerName = Literal["sgd", "adam", "adagrad", "rmsprop"]
ScheduleName = Literal["constant", "warm-up", "cosine", "one-cycle", "step", "exponential", "plateau"]
WatchedName = Literal["off", "loss", "accuracy"]
INPUT = "input"
CHANGES = ("rotation", "shift", "zoom", "shear", "stretch", "stroke", "elastic")  # to an image each time it is shown


class Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HeadSpec(Spec):
    """An output: the layer that gives it, what it should say, its loss and the weight of that loss in the sum.

    target: label (the class), parity (whether the digit is even or odd) or forecast (the points of a series that are not seen).
    """

    name: str = Field("label", pattern=r"^[a-z][a-z0-9_]{0,47}$")
    layer: str
    target: TargetName = "label"
    loss: LossName = "categorical_crossentropy"
    loss_weight: float = Field(1.0, gt=0, le=1000, allow_inf_nan=False)


class ModelSpec(Spec):
    """A network. Layers stand after the layers that feed them; `inputs` left out means the layer before."""

    layers: tuple[Layer, ...] = Field(max_length=128)
    heads: tuple[HeadSpec, ...] = Field(max_length=8)

    @model_validator(mode="before")
    @classmethod
    def _fill_inputs(cls, data: Any) -> Any:
        """A layer without `inputs` is fed by the layer before it."""
        if not isinstance(data, dict) or not isinstance(data.get("layers"), (list, tuple)):
            return data
        before, layers = INPUT, []
        for layer in data["layers"]:
            if isinstance(layer, dict):
                layer = {"inputs": (before,), **layer}
                before = layer.get("name", before)
            else:
                before = getattr(layer, "name", before)
            layers.append(layer)
        return {**data, "layers": layers}

    @model_validator(mode="after")
    def _check_graph(self) -> "ModelSpec":
        known = {INPUT}
        for layer in self.layers:
            if layer.name in known:
                raise ValueError(f"two layers are called {layer.name!r}: give each its own name ('input' is what is fed in)")
            for name in layer.inputs:
                if name not in known:
                    raise ValueError(f"layer {layer.name!r} is fed by {name!r}, which is not a layer before it")
            known.add(layer.name)
        heads = set()
        for head in self.heads:
            if head.layer not in known - {INPUT}:
                raise ValueError(f"head {head.name!r} reads layer {head.layer!r}, which does not exist")
            if head.name.startswith("val_"):
                raise ValueError(f"head {head.name!r} begins with 'val_', as Keras names what it measures in validation")
            if head.name in heads:
                raise ValueError(f"two heads are called {head.name!r}: give each its own name")
            heads.add(head.name)
        return self

    def layer(self, name: str) -> Layer:
        """The layer called `name`. Raises KeyError."""
        return {layer.name: layer for layer in self.layers}[name]


class AugmentationSpec(Spec):
    """Random changes to every training image, drawn anew each time it is shown. 0 switches one off.

    rotation: up to this many degrees either way. shift: up to this fraction of the side. zoom: up to this fraction in or out.
    shear: up to this much to the side for each step down. stretch: up to this fraction wider and as much lower, or the reverse.
    stroke: a pen up to this many pixels thicker or thinner at each edge. elastic: points of the image wander apart by up to this
    fraction of the side. hands: this part of the zeros, ones, sevens and nines is redrawn, once before training, as other hands
    write them (slash, flag and foot, crossbar, looped tail); only where the images are digits. calm_after: after this part of the
    epochs all changes are half as large and one in ten of the redrawn digits stays so: the network settles on images as they are.
    """

    rotation: float = Field(0.0, ge=0, le=45, allow_inf_nan=False)
    shift: float = Field(0.0, ge=0, le=0.3, allow_inf_nan=False)
    zoom: float = Field(0.0, ge=0, le=0.5, allow_inf_nan=False)
    shear: float = Field(0.0, ge=0, le=0.5, allow_inf_nan=False)
    stretch: float = Field(0.0, ge=0, le=0.5, allow_inf_nan=False)
    stroke: float = Field(0.0, ge=0, le=1, allow_inf_nan=False)
    elastic: float = Field(0.0, ge=0, le=0.2, allow_inf_nan=False)
    hands: float = Field(0.0, ge=0, le=1, allow_inf_nan=False)
    calm_after: float = Field(1.0, ge=0, le=1, allow_inf_nan=False)

    @property
    def active(self) -> bool:
        """Whether images change each time they are shown."""
        return any(getattr(self, name) for name in CHANGES)

    @property
    def calm(self) -> "AugmentationSpec":
        """The changes of the calm last part of the epochs."""
        return self.model_copy(update={name: getattr(self, name) / 2 for name in CHANGES})


class DataSpec(Spec):
    """Which images or series. `validation` is the part of the training part held out, or "test" for the test part itself.

    points_seen: of a series, how many of its first points the network sees; the rest can be forecast. None: all of them.
    own_digits: this part of the images of each epoch are drawings of the person's own (`cnn_core.my_digits`), each as often as it
    takes; they are kept with the run.
    """

    dataset: DatasetName = "mnist-5k"
    points_seen: int | None = Field(None, ge=1, le=1000)
    own_digits: float = Field(0.0, ge=0, le=0.9, allow_inf_nan=False)
    validation: Literal["test"] | Annotated[float, Field(ge=0, le=0.5, allow_inf_nan=False)] = 0.1
    augmentation: AugmentationSpec = AugmentationSpec()


class TrainingSpec(Spec):
    """How it is trained. `momentum` is used by SGD alone; `deterministic` repeats a run to the bit, a little slower.

    schedule: what becomes of the learning rate. constant; warm-up: it rises from a tenth over `period` epochs and stays; cosine: it falls
    to 0 along half a cosine; one-cycle: it first rises from a tenth over a quarter of the steps (Smith and Topin,
    Super-Convergence, 2018); step: it is multiplied by `decay` every `period` epochs; exponential: the same without stairs;
    plateau: it is multiplied by `decay` when the loss has not fallen for `period` epochs.
    early_stopping: ends the run when this has not become better for `patience` epochs. This and plateau watch the validation part,
    or the training images where none are held out.
    """

    optimizer: OptimizerName = "adam"
    learning_rate: float = Field(0.001, gt=0, le=10, allow_inf_nan=False)
    schedule: ScheduleName = "constant"
    period: int = Field(5, ge=1, le=1000)
    decay: float = Field(0.5, gt=0, lt=1, allow_inf_nan=False)
    early_stopping: WatchedName = "off"
    patience: int = Field(5, ge=1, le=1000)
    momentum: float = Field(0.9, ge=0, lt=1, allow_inf_nan=False)
    batch_size: int = Field(128, ge=1, le=4096)
    epochs: int = Field(10, ge=1, le=1000)
    seed: int = Field(0, ge=0, le=2**31 - 1)
    deterministic: bool = False


class RunSpec(Spec):
    """One run: the model, its data and its training, and the preset it started from (None for none)."""

    preset: str | None = Field(None, max_length=64)
    model: ModelSpec
    data: DataSpec = DataSpec()
    training: TrainingSpec = TrainingSpec()


def from_json(text: str | bytes, what: str = "The spec") -> RunSpec:
    """Read a spec. Raises SpecError with one clear line."""
    try:
        return RunSpec.model_validate_json(text)
    except ValidationError as error:
        raise SpecError(explain(error, what)) from None


def read(path: str | Path) -> RunSpec:
    """Read a spec file. Raises SpecError with one clear line."""
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        raise SpecError(f"The spec file {path} cannot be read ({error.strerror}). Check its name and try again.") from None
    return from_json(text, f"The spec file {path}")


def change(spec: RunSpec, settings: dict[str, Any]) -> RunSpec:
    """A copy of `spec` with the values at dotted paths changed; a layer is addressed by its name.

    Example: `change(spec, {"training.epochs": 3, "model.layers.conv_1.filters": 8})`. Raises SpecError.
    """
    data = spec.model_dump(mode="json")
    for path, value in settings.items():
        place: Any = data
        *parents, last = path.split(".")
        for part in parents:
            place = _step(place, part, path)
        if not isinstance(place, dict) or last not in place:
            raise SpecError(
                f"There is no setting {path!r}. Expected a path such as training.epochs or data.augmentation.rotation."
            )
        place[last] = value
    try:
        return RunSpec.model_validate(data)
    except ValidationError as error:
        raise SpecError(explain(error, "The spec")) from None


def _step(place: Any, part: str, path: str) -> Any:
    if isinstance(place, dict) and part in place:
        return place[part]
    if isinstance(place, list):
        for item in place:
            if isinstance(item, dict) and item.get("name") == part:
                return item
    raise SpecError(f"There is no setting {path!r}: {part!r} is not in the spec.")
