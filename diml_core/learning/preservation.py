"""Similarity-preserving distillation: what a teacher finds alike stays alike.

Training on a few composites makes a network forget what it knew of the world. Here the cosines between the
global embeddings of a batch are held to those that a teacher has, often the network before training (Tung &
Mori 2019, "Similarity-preserving knowledge distillation"; here on cosines, not on rows of them).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from diml_core.data import LabelledImages
from diml_core.learning.activations import Activations, ViewPlan, contents, planned_views
from diml_core.learning.distance import pack
from diml_core.learning.learner import Learner
from diml_core.learning.views import square_input
from diml_core.network.fingerprint import model_fingerprint
from diml_core.network.model import DimlModel
from diml_core.photo.images import load_photo

_BATCH = 32

Coverage = Callable[[np.ndarray, np.ndarray], Tensor]


def preservation_loss(pooled: Tensor, teacher: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean square difference of cosines.

    Args:
        pooled: ``[B, D]`` unit global embeddings.
        teacher: ``[B, T, E]`` unit embeddings of the same views by T teachers; their cosines are averaged.
        weights: ``[B]`` non-negative: a pair counts by the product of its two; None for all alike.

    Returns:
        Scalar, at least 0; 0 where no pair counts.
    """
    wanted = (teacher.transpose(0, 1) @ teacher.permute(1, 2, 0)).mean(0)
    squares = (pooled @ pooled.mT - wanted).square()
    if weights is None:
        return squares.mean()
    counted = weights[:, None] * weights
    return (counted * squares).sum() / counted.sum().clamp_min(torch.finfo(counted.dtype).tiny)


def region_embeddings(packed: Tensor, dim: int) -> Tensor:
    """Unit embeddings of the four quarters of every view.

    Args:
        packed: ``[B, D (+ 1), R + 1]`` of a square grid, from :func:`diml_core.learning.distance.pack`.
        dim: D.

    Returns:
        ``[B, 4, D]``, means of the parts in each quarter; parts between two count for both.
    """
    parts = packed[:, :dim, :-1]
    side = round(parts.shape[-1] ** 0.5)
    quarters = functional.adaptive_avg_pool2d(parts.unflatten(-1, (side, side)), 2)
    return functional.normalize(quarters.flatten(2).mT, dim=-1)


@torch.no_grad()
def own_embeddings(
    learner: Learner, activations: Activations, coverage: Coverage | None, progress: bool
) -> tuple[np.ndarray, np.ndarray]:
    """What the network as it is makes of every view, or of the object in it.

    What it says of a composite with its background holds the background's weight in the global embedding,
    which the loss on object mass is to take away.

    Args:
        learner: the network.
        activations: of the views.
        coverage: of rows and views, ``[n, h * w]`` how much of every cell of the map is object; None for
            whole views.
        progress: whether to show a bar.

    Returns:
        ``[N, V, 1, D]`` float16 embeddings of objects (of whole views where there is none, or nothing else),
        and ``[N, V, 4, D]`` of :func:`region_embeddings`.
    """
    split, dim = learner.split, learner.split.model.dim
    device = next(learner.parameters()).device
    count, views = activations.states.shape[:2]
    pooled, regions = [], []
    for start in tqdm(range(0, count * views, _BATCH), "start's embeddings", disable=not progress):
        rows, numbers = np.divmod(np.arange(start, min(start + _BATCH, count * views)), views)
        states = activations.fetch(rows, numbers, device)
        feature_map, weights = learner.cells(states)
        cells = feature_map.flatten(1, 2)
        counted = cells.new_ones(cells.shape[:2]) if weights is None else weights
        if coverage is not None:
            on_object = coverage(rows, numbers).to(device)
            counted = counted * torch.where(on_object.sum(1, keepdim=True) > 0, on_object, 1.0)
        of_object = functional.normalize((counted[..., None] * cells).sum(1), dim=-1)
        packed = pack(split.embedder.pool(feature_map, weights))
        pooled.append(of_object.half().cpu().numpy())
        regions.append(region_embeddings(packed, dim).half().cpu().numpy())
    return (
        np.concatenate(pooled).reshape(count, views, 1, dim),
        np.concatenate(regions).reshape(count, views, 4, dim),
    )


@torch.no_grad()
def teacher_embeddings(
    teachers: list[DimlModel],
    images: LabelledImages,
    plan: ViewPlan,
    file: Path,
    device: torch.device,
    progress: bool,
) -> np.ndarray:
    """``[N, V, T, E]`` float16 global embeddings of every view by other models, kept in ``file``.

    Args:
        teachers: models whose global embedding is the mean of their map; E is the largest dimension
            among them, the others are filled up with zeros.
        images, plan: the views, the same that the activations are of.
        file: ``.npy``; taken as it is where it was made of the same views by the same teachers.
        device: to run them on.
        progress: whether to show a bar.
    """
    key = json.dumps(
        [
            [model_fingerprint(t) for t in teachers],
            list(vars(plan).values()),
            hashlib.sha256(contents(images).tobytes()).hexdigest(),
        ]
    )
    noted = file.with_suffix(".json")
    if noted.is_file() and noted.read_bytes() == key.encode():
        with contextlib.suppress(OSError, EOFError, ValueError):  # gone or cut short
            return np.load(file)
    noted.unlink(missing_ok=True)  # or it would speak for what is written now
    dim = max(teacher.dim for teacher in teachers)
    found = np.zeros((len(images), max(1, plan.count), len(teachers), dim), np.float16)
    for number, teacher in enumerate(teachers):
        teacher.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in torch's stubs
        embed = _embedder(teacher, device, plan.precision)
        rows = max(1, _BATCH // found.shape[1])
        bar = tqdm(range(0, len(images), rows), f"teacher {teacher.name}", disable=not progress)
        for start in bar:
            block = range(start, min(start + rows, len(images)))
            views = [
                square_input(teacher, image)
                for row in block
                for image, _ in planned_views(load_photo(images.samples[row].path), row, plan)
            ]
            pooled = embed(torch.stack(views))
            found[start : start + len(block), :, number, : teacher.dim] = pooled.reshape(
                len(block), -1, teacher.dim
            )
    file.parent.mkdir(parents=True, exist_ok=True)
    np.save(file, found)
    noted.write_text(key, encoding="utf-8")
    return found


def _embedder(
    teacher: DimlModel, device: torch.device, precision: str
) -> Callable[[Tensor], np.ndarray]:
    def embed(images: Tensor) -> np.ndarray:
        images = images.to(device, memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            feature_map, _ = teacher(images, None)
        pooled = feature_map.float().mean((1, 2))
        return functional.normalize(pooled, dim=-1).half().cpu().numpy()

    return embed
