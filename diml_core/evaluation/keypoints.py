"""Do parts match by meaning on plain photos? Beak to beak, wheel to wheel: keypoints marked by hand.

A guard against a model that learns composites only. PCK@0.1 here: the share of keypoints of the
first photo whose match lies within 0.1 of the second photo's *larger side* of the same keypoint there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from diml_core.comparison.matching import centres, matched_points
from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.features import ImageFeatures
from diml_core.embedding.grids import Grid
from diml_core.errors import InputError
from diml_core.evaluation.bootstrap import estimate
from diml_core.evaluation.tables import Table
from diml_core.explain import explain_features
from diml_core.explanation import Explanation
from diml_core.network.model import DimlModel
from diml_core.photo.images import load_photo
from diml_core.shipped_files import shipped_folder

PCK_RADIUS = 0.1  # of the larger side of the second photo

ASSETS = shipped_folder("assets")


@dataclass(frozen=True, eq=False)
class KeypointPair:
    """Two photos and the places that mean the same in both.

    Attributes:
        photo_a, photo_b: image files.
        names: of the keypoints.
        points_a, points_b: ``[K, 2]`` (x, y), as fractions of width and height.
    """

    photo_a: Path
    photo_b: Path
    names: tuple[str, ...]
    points_a: np.ndarray
    points_b: np.ndarray


def load_keypoints(
    file: Path = ASSETS / "keypoints.json", photos: Path = ASSETS / "examples"
) -> list[KeypointPair]:
    """Read the pairs and the keypoints that both photos of a pair have.

    Raises:
        InputError: a file that cannot be read, or a pair without a common keypoint.
    """
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        marked, listed = stored["photos"], stored["pairs"]
        pairs = []
        for a, b in listed:
            names = tuple(name for name in marked[a] if name in marked[b])
            points = [np.array([marked[photo][n] for n in names], dtype=float) for photo in (a, b)]
            if not names or any(((p < 0) | (p > 1)).any() for p in points):
                raise ValueError(f"'{a}' and '{b}' share no keypoint within both photos")
            pairs.append(KeypointPair(photos / a, photos / b, names, *points))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"'{file}' holds no keypoints ({error}): restore the file.") from error
    return pairs


def keypoint_tables(
    model: DimlModel, pairs: Sequence[KeypointPair], options: ExplainOptions
) -> list[Table]:
    """PCK@0.1 of the plan, on the options' grid and on the finest that the model has.

    Args:
        model: the model.
        pairs: from :func:`load_keypoints`.
        options: validated; how pairs are compared.
    """
    features: dict[Path, ImageFeatures] = {}
    for path in {photo for pair in pairs for photo in (pair.photo_a, pair.photo_b)}:
        features[path] = model.extract(load_photo(path), options.start_block)
    count = np.array([len(pair.names) for pair in pairs])
    rows = {}
    for grid in dict.fromkeys((options.grid, model.max_grid)):
        chosen = replace(options, grid=grid)
        right = [
            score(explain_features(model, features[p.photo_a], features[p.photo_b], chosen), p)
            for p in pairs
        ]
        rows[f"{grid} × {grid}"] = {
            f"PCK {name}": estimate(
                np.array([r[name].mean() for r in right]), np.arange(len(pairs)), count
            )
            for name in right[0]
        }
    note = (
        f"{count.sum()} keypoints of {len(pairs)} pairs of plain photos, matched by the part they lie in. "
        "PCK@0.1 of the second photo's larger side, by the largest entry of the *plan*'s row, its *mean* "
        "place, the *nearest part*, and the *best part* there is on this grid. Per cent, with 95% "
        "intervals over pairs."
    )
    return [Table("Keypoints on plain photos", note, rows)]


def score(explanation: Explanation, pair: KeypointPair) -> dict[str, np.ndarray]:
    """Which keypoints are matched right, ``[K]`` bool, by every reading of the plan.

    See :func:`diml_core.comparison.matching.matched_points`; ``best part`` is the part nearest to the truth.
    """
    rows = torch.from_numpy(_parts_at(pair.points_a, explanation.grid_a))
    points = centres(explanation.grid_b)
    # Copies, for the arrays of an Explanation are read-only.
    plan = torch.tensor(explanation.plan)[rows]
    similarity = torch.tensor(explanation.part_similarity)[rows]
    sides = torch.tensor(explanation.size_b, dtype=torch.float64)
    scale = sides / sides.max()
    true = torch.from_numpy(pair.points_b) * scale
    found = {n: p * scale for n, p in matched_points(plan, similarity, points).items()}
    found["best part"] = (points * scale)[torch.cdist(true, points * scale).argmin(-1)]
    return {name: _within(p, true) for name, p in found.items()}


def _within(found: Tensor, true: Tensor) -> np.ndarray:
    return ((found - true).norm(dim=-1) <= PCK_RADIUS).numpy()


def _parts_at(points: np.ndarray, grid: Grid) -> np.ndarray:
    """``[K]`` indices of the parts that ``[K, 2]`` points lie in."""
    rows, columns = grid
    row = np.minimum((points[:, 1] * rows).astype(int), rows - 1)
    column = np.minimum((points[:, 0] * columns).astype(int), columns - 1)
    return row * columns + column
