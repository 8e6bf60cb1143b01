"""The configuration of a training run: one small JSON file per model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from diml_core.errors import InputError
from diml_core.learning.settings import with_settings

PRECISIONS = ("float32", "bfloat16")
HEAD_STARTS = ("pca", "classifier", "random")


@dataclass(frozen=True)
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
            from what the classifier of the start knows (:func:`diml_core.learning.start.classifier_head`).
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
        precision: of the trained blocks, ``float32`` or ``bfloat16`` (autocast).
        frozen_precision: of the frozen ones, whose output is computed once.
        validation_share: share of the training classes held out to choose the best step; 0 trains on
            all classes for ``steps`` steps.
        validate_every: steps between two validations.
        patience: validations without improvement before training stops.
        seed: of everything random.
    """

    start: str
    model: dict[str, Any] = field(default_factory=dict)
    data: str = "scenes"
    trained_blocks: int = 0
    depthwise: bool = True
    head_start: str = "pca"
    head_centre: float = 0.0
    views: int = 4
    least_crop: float = 0.6
    colour_jitter: float = 0.2
    grid: int | None = None
    photograph_share: float = 0.5
    loss: str | None = "multi-similarity"
    loss_settings: dict[str, Any] = field(default_factory=dict)
    loss_rate: float = 5e-4
    correspondence: float = 0.0
    object_mass: float = 0.0
    preserve: float = 0.0
    preserve_objects: bool = False
    preserve_regions: float = 0.0
    teachers: list[str] = field(default_factory=list)
    classes_per_batch: int = 24
    images_per_class: int = 4
    steps: int = 400
    warmup: int = 20
    head_rate: float = 1e-3
    backbone_rate: float = 2e-5
    layer_decay: float = 0.7
    weight_decay: float = 1e-4
    clip: float = 5.0
    ema: float = 0.98
    precision: str = "float32"
    frozen_precision: str = "bfloat16"
    validation_share: float = 0.15
    validate_every: int = 50
    patience: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        least = {
            "trained_blocks": -1, "views": 1, "colour_jitter": 0, "correspondence": 0, "object_mass": 0,
            "classes_per_batch": 2, "images_per_class": 2, "steps": 1, "warmup": 0, "head_rate": 0,
            "backbone_rate": 0, "loss_rate": 0, "layer_decay": 0, "weight_decay": 0, "clip": 0,
            "ema": 0, "validation_share": 0, "validate_every": 1, "patience": 1, "seed": 0,
            "least_crop": 0.05, "preserve": 0, "preserve_regions": 0, "photograph_share": 0, "head_centre": 0,
        }  # fmt: skip
        below = {
            "ema": 1, "validation_share": 1, "layer_decay": 1.0001, "least_crop": 1.0001,
            "photograph_share": 1.0001, "head_centre": 1.0001,
        }  # fmt: skip
        for name, low in least.items():
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or value < low or value >= below.get(name, float("inf")):
                top = f" and at most {below[name]:g}" if name in below else ""
                raise InputError(f"'{name}' must be a number from {low}{top}, not {value!r}.")
        for name, allowed in (
            ("precision", PRECISIONS),
            ("frozen_precision", PRECISIONS),
            ("head_start", HEAD_STARTS),
        ):
            if getattr(self, name) not in allowed:
                raise InputError(
                    f"'{name}' must be one of {', '.join(allowed)}, not {getattr(self, name)!r}."
                )

        if self.loss is None and not (self.needs_truth or self.preserve):
            raise InputError(
                "There is nothing to learn: give a loss, or a weight for correspondence, object_mass or preserve."
            )

    @classmethod
    def read(cls, path: Path, settings: Sequence[str] = ()) -> TrainConfig:
        """Read a config file, with some of its values set (:func:`with_settings`).

        Raises:
            InputError: no JSON there, or keys or values that are not understood.
        """
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
            return cls(**with_settings(values, settings))
        except InputError as error:
            raise InputError(f"In '{path}': {error}") from error
        except (OSError, ValueError, TypeError) as error:
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
