"""What a checkpoint's ``config.json`` holds, and the sentences that refuse what no model can be."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from diml_core.embedding.pooling import GLOBAL_POOLINGS, GRID_POOLINGS
from diml_core.errors import InputError
from diml_core.network.preprocessing import INTERPOLATIONS

FINAL = "final"
"""As a layer: the map that a CNN's own classifier averages, behind all that comes after the last stage
(1280 channels of an EfficientNet)."""

Layer = int | str

_FORMAT = 1
_LARGEST_INPUT = 4096  # px per side: beyond it a mistake, and more memory than there is
_LARGEST_HEAD = 65_536


@dataclass(frozen=True)
class InputConfig:
    """How pixels become network input: ``size`` per side of a square, channel statistics, filter."""

    size: int = 224
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    interpolation: str = "bicubic"

    def __post_init__(self) -> None:
        _whole(self.size, "input size", 1, _LARGEST_INPUT)
        for name, values, above in (("mean", self.mean, -math.inf), ("std", self.std, 0)):
            three = isinstance(values, tuple | list) and len(values) == 3
            if not three or not all(_is_number(v) and v > above for v in values):
                least = " above 0" if name == "std" else ""
                _refuse(f"'{name}' must be three numbers{least}", values)
        _one_of(self.interpolation, "interpolation", tuple(INTERPOLATIONS))


@dataclass(frozen=True)
class ModelConfig:
    """What ``config.json`` of a checkpoint holds.

    Attributes:
        name: identifier, as in ``checkpoints/<name>``.
        architecture: timm model name.
        title: for people.
        architecture_options: further arguments of ``timm.create_model``.
        input: how pixels become network input.
        layer: which intermediate of the backbone is the feature map, or a list of those that are joined
            (:func:`diml_core.network.backbones.joined`); negative counts from the last, and ``final``
            (:data:`FINAL`) is what a CNN's classifier sees.
        pooling: where the global embedding comes from: ``mean`` of the map, mean of the ``grid``
            cells (the DIML authors' models), or ``rollout``-weighted mean of the map.
        grid_pooling: how the map is pooled to a grid: by ``area``, or ``resampled`` as the authors do.
        head: None for the identity, else the dimension of a linear head.
        trained_with_diml: whether the structural similarity was in the training loss.
        defaults: default options of :class:`diml_core.comparison.options.ExplainOptions` for this model.

    Raises:
        InputError: a value of the wrong kind or out of range; the sentence names both.
    """

    name: str
    architecture: str
    title: str = ""
    architecture_options: dict[str, Any] = field(default_factory=dict)
    input: InputConfig = field(default_factory=InputConfig)
    layer: Layer | list[Layer] = -1
    pooling: str = "mean"
    grid_pooling: str = "area"
    head: int | None = None
    trained_with_diml: bool = False
    defaults: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, kind, described in (
            ("name", str, "a text"),
            ("architecture", str, "the name of a timm model"),
            ("title", str, "a text"),
            ("architecture_options", dict, "an object"),
            ("trained_with_diml", bool, "true or false"),
            ("defaults", dict, "an object"),
        ):
            if not isinstance(getattr(self, name), kind):
                _refuse(f"'{name}' must be {described}", getattr(self, name))
        # timm would read, and may unpickle, that file: a config may be a stranger's.
        if "checkpoint_path" in self.architecture_options:
            rule = "'architecture_options' must not have a checkpoint_path, for the weights lie beside the config"
            _refuse(rule, self.architecture_options)
        several = isinstance(self.layer, list) and self.layer
        for layer in self.layer if several else [self.layer]:
            if layer != FINAL:
                _whole(layer, "layer", -1000, 1000)
        if self.head is not None:
            _whole(self.head, "head", 1, _LARGEST_HEAD)
        _one_of(self.pooling, "pooling", GLOBAL_POOLINGS)
        _one_of(self.grid_pooling, "grid_pooling", tuple(GRID_POOLINGS))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ModelConfig:
        """Read the content of a ``config.json``.

        Raises:
            InputError: keys that are missing or unknown, or values that are not possible.
        """
        if not isinstance(values, dict):
            _refuse("it must be an object with a name and an architecture", values)
        values = dict(values)
        if (version := values.pop("format", _FORMAT)) != _FORMAT:
            _refuse(f"'format' must be {_FORMAT}", version)
        given = values.pop("input", {})
        if not isinstance(given, dict):
            _refuse("'input' must be an object", given)
        try:
            statistics = {k: tuple(given[k]) for k in ("mean", "std") if k in given}
            return cls(input=InputConfig(**given | statistics), **values)
        except TypeError as error:
            raise InputError(
                f"The model config is not valid ({error}): correct the config."
            ) from error

    def to_dict(self) -> dict[str, Any]:
        """The content of ``config.json``."""
        return {"format": _FORMAT, **asdict(self)}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _whole(value: object, name: str, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        _refuse(f"'{name}' must be a whole number from {low} to {high}", value)


def _one_of(value: object, name: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        _refuse(f"'{name}' must be one of {', '.join(allowed)}", value)


def _refuse(rule: str, value: object) -> None:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    raise InputError(f"The model config is not valid: {rule}, not {shown}: correct the config.")
