"""What a checkpoint's ``config.json`` holds."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from diml_core.embedding.pooling import GRID_POOLINGS, GlobalPooling
from diml_core.errors import InputError
from diml_core.network.preprocessing import Interpolation
from diml_core.validation import PLAIN, Number, from_object, name_in, settings

FINAL = "final"
"""As a layer: the map that a CNN's own classifier averages, behind all that comes after the last stage
(1280 channels of an EfficientNet)."""

Layer = Annotated[int, Field(ge=-1000, le=1000), PLAIN] | Literal["final"]

_Above0 = Annotated[float, Field(gt=0), PLAIN]
_JSON_HAS_NO_TUPLES = Field(strict=False)


@settings
class InputConfig:
    """How pixels become network input: ``size`` per side of a square, channel statistics, filter."""

    size: Annotated[int, Field(ge=1, le=4096), PLAIN] = 224  # more would not fit into memory
    mean: Annotated[tuple[Number, Number, Number], _JSON_HAS_NO_TUPLES] = (0.485, 0.456, 0.406)
    std: Annotated[tuple[_Above0, _Above0, _Above0], _JSON_HAS_NO_TUPLES] = (0.229, 0.224, 0.225)
    interpolation: Interpolation = "bicubic"


@settings
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
        format: version of this layout.

    Raises:
        InputError: a value of the wrong kind or out of range; the sentence names both.
    """

    name: str
    architecture: str
    title: str = ""
    architecture_options: dict[str, Any] = Field(default_factory=dict)
    input: Annotated[InputConfig, BeforeValidator(partial(from_object, InputConfig))] = (
        InputConfig()
    )
    layer: Layer | Annotated[list[Layer], Field(min_length=1)] = -1
    pooling: GlobalPooling = "mean"
    grid_pooling: Annotated[str, name_in(GRID_POOLINGS)] = "area"
    head: Annotated[int, Field(ge=1, le=65_536), PLAIN] | None = None
    trained_with_diml: bool = False
    defaults: dict[str, Any] = Field(default_factory=dict)
    format: Literal[1] = 1

    def __post_init__(self) -> None:
        # timm would read, and may unpickle, that file: a config may be a stranger's.
        if "checkpoint_path" in self.architecture_options:
            raise InputError(
                "'architecture_options' must not have a checkpoint_path, for the weights lie beside the config: "
                "leave it out."
            )

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ModelConfig:
        """Read the content of a ``config.json``.

        Raises:
            InputError: keys that are missing or unknown, or values that are not possible.
        """
        try:
            return from_object(cls, values)
        except InputError as error:
            raise InputError(f"The model config is not valid: {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """The content of ``config.json``."""
        return asdict(self)
