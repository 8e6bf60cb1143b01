"""The configuration of a training run: one small JSON file per model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from diml_core.errors import InputError
from diml_core.learning.settings import with_settings
from diml_core.validation import PLAIN, Positive, Seed, Share, Weight, from_object, settings

_Precision = Literal["float32", "bfloat16"]
_FromTwo = Annotated[int, Field(ge=2), PLAIN]
_BelowOne = Annotated[float, Field(ge=0, lt=1), PLAIN]


@settings
class TrainConfig:
    """What ``configs/*.json`` holds.

    Attributes:
        start: model to start from, as :func:`diml_core.network.checkpoints.load_model` takes it.
        model: fields of :class:`diml_core.network.model_config.ModelConfig` to change: name, head, defaults, ...
        data: name of the data set.
        trained_blocks: last blocks (ViT) or stages (EfficientNet, ResNet) that are trained; 0 trains the
            head alone, -1 the whole network.
        depthwise: whether depthwise convolutions of the trained blocks are trained, too.
        head_start: ``pca`` starts the head from the principal components of the features, ``classifier``
            from what the classifier of the start knows (:func:`diml_core.learning.start.classifier_head`), ``kept``
            leaves it as the start has it, or random where the start has none of that size.
        head_centre: share of the features' mean that a head started from a classifier takes off.
        views: augmented views per image, computed once as far as the network is frozen.
        least_crop: smallest share of an image that a view may show.
        colour_jitter: strength of the change of brightness, contrast and saturation; 0 for none.
        grid: parts per side while training; None for the model's own.
        photograph_share: share of a batch's classes that are photographs under known warps, where the
            data has any (scenes).
        loss: name in :data:`diml_core.learning.losses.LOSSES`, or None for no metric loss: where classes are
            instances (scenes), it would teach that two things of one kind differ.
        loss_settings: its further arguments.
        loss_rate: learning rate of the loss's own parameters (proxies, boundaries).
        correspondence: weight of the loss on known correspondences (scenes only); 0 for none.
        object_mass: weight of the loss on marginals that are not evenly on the object (scenes only); 0 for none.
        preserve: weight of the loss that keeps global cosines as ``teachers`` have them; 0 for none.
        preserve_objects: whether, without teachers, the cosines to keep on scenes are those between the objects
            alone. Backgrounds then lose more of their weight, and real photographs fare a little worse.
        preserve_regions: weight of the same loss on the quarters of every view, as far as they show the object
            where that is known (scenes), which are always kept as they are before training; 0 for none.
        teachers: models, as :func:`diml_core.network.checkpoints.load_model` takes them, whose cosines are averaged;
            none for the network as it is before training.
        classes_per_batch, images_per_class: a batch is their product.
        steps: batches to train for; also the length of the cosine schedule.
        warmup: steps over which the learning rates rise.
        head_rate, backbone_rate: peak learning rates.
        layer_decay: factor of the rate from one trained block to the one before.
        weight_decay: of AdamW.
        clip: largest norm of the gradient.
        ema: decay of the averaged weights that are validated and saved; 0 for none.
        start_share: share of the start in the weights that are validated and saved (WiSE-FT: Wortsman et al. 2022,
            "Robust fine-tuning of zero-shot models"); 0 for none.
        precision: of the trained blocks, ``float32`` or ``bfloat16`` (autocast).
        frozen_precision: of the frozen ones, whose output is computed once.
        validation_share: share of the training classes held out to choose the best step; 0 trains on
            all classes for ``steps`` steps.
        validate_every: steps between two validations.
        patience: validations without improvement before training stops.
        seed: of everything random.

    Raises:
        InputError: a value of the wrong kind or out of range, or nothing to learn.
    """

    start: str
    model: dict[str, Any] = Field(default_factory=dict)
    data: str = "scenes"
    trained_blocks: Annotated[int, Field(ge=-1), PLAIN] = 0
    depthwise: bool = True
    head_start: Literal["pca", "classifier", "kept"] = "pca"
    head_centre: Share = 0.0
    views: Positive = 4
    least_crop: Annotated[float, Field(ge=0.05, le=1), PLAIN] = 0.6
    colour_jitter: Weight = 0.2
    grid: Positive | None = None
    photograph_share: Share = 0.5
    loss: str | None = "multi-similarity"
    loss_settings: dict[str, Any] = Field(default_factory=dict)
    loss_rate: Weight = 5e-4
    correspondence: Weight = 0.0
    object_mass: Weight = 0.0
    preserve: Weight = 0.0
    preserve_objects: bool = False
    preserve_regions: Weight = 0.0
    teachers: list[str] = Field(default_factory=list)
    classes_per_batch: _FromTwo = 24
    images_per_class: _FromTwo = 4
    steps: Positive = 400
    warmup: Annotated[int, Field(ge=0), PLAIN] = 20
    head_rate: Weight = 1e-3
    backbone_rate: Weight = 2e-5
    layer_decay: Share = 0.7
    weight_decay: Weight = 1e-4
    clip: Weight = 5.0
    ema: _BelowOne = 0.98
    start_share: _BelowOne = 0.0
    precision: _Precision = "float32"
    frozen_precision: _Precision = "bfloat16"
    validation_share: _BelowOne = 0.15
    validate_every: Positive = 50
    patience: Positive = 5
    seed: Seed = 0

    def __post_init__(self) -> None:
        if self.loss is None and not (self.needs_truth or self.preserve):
            raise InputError(
                "There is nothing to learn: give a loss, or a weight for correspondence, object_mass or preserve."
            )

    @classmethod
    def read(cls, path: Path, changes: Sequence[str] = ()) -> TrainConfig:
        """Read a config file, with some of its values set (:func:`with_settings`).

        Raises:
            InputError: no JSON there, or keys or values that are not understood.
        """
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
            return from_object(cls, with_settings(values, changes))
        except InputError as error:
            raise InputError(f"In '{path}': {error}") from error
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(
                f"'{path}' is no training config ({error}): see configs/ for examples."
            ) from error

    @property
    def needs_truth(self) -> bool:
        """Whether a loss asks for what is known about scenes."""
        return self.correspondence > 0 or self.object_mass > 0

    def to_dict(self) -> dict[str, Any]:
        """The content of the file."""
        return asdict(self)
