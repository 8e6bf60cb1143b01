"""Whether parts mean what they should, on scenes, where that is known.

Attention to the object: how much of a marginal's mass lies on it, against the object's share of the
image (what a uniform marginal scores), and whether its largest part does (the pointing game, Zhang et
al. 2018, "Top-down neural attention by excitation backprop").

Correspondence: PCK@0.1, the share of parts on the object whose match lies within 0.1 of the image's
side of where the part truly went (percentage of correct keypoints, Yang & Ramanan 2013, with the
image for the box). Parts whose true place is outside the other image are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from diml_core.comparison.marginals import correlation, marginal
from diml_core.comparison.matching import centres, matched_points
from diml_core.comparison.options import ExplainOptions
from diml_core.comparison.similarity import part_similarity
from diml_core.comparison.transport import partial_transport
from diml_core.data.scenes import SceneTruth
from diml_core.embedding.pooling import area_pooling
from diml_core.evaluation.embedding import Embedded

PCK_RADIUS = 0.1  # of the side of the image
_CHUNK = 128  # pairs at a time
_TOLERANCE = 1e-4  # marginal error of the plans: what is measured does not change beyond it
SOLID = 0.5
"""Share of a pixel above which it is object."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """Values per pair of views, ``[P]`` each.

    Attributes:
        object_area: object's share of the image.
        object_mass: marginal mass on the object.
        pointed: whether the centre of the largest part is on the object.
        parts: parts on the object that PCK counts.
        pck: by the name of the matching, the share of these that are right; NaN without such parts.
            ``plan`` is the largest entry of the plan's row, ``plan, mean`` its centre of mass,
            ``nearest part`` the most similar part, ``best part`` the part nearest to the truth: the
            most that any choice of one part can score on this grid.
        sent: transported mass of these parts; the weight of ``weighted``.
        weighted: share of that mass whose part's largest entry is right.
    """

    object_area: np.ndarray
    object_mass: np.ndarray
    pointed: np.ndarray
    parts: np.ndarray
    pck: dict[str, np.ndarray]
    sent: np.ndarray
    weighted: np.ndarray


def view_pairs(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every image with the next of its class, the last with the first: two ``[P]`` index arrays."""
    a, b = [], []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) > 1:
            a.append(members)
            b.append(np.roll(members, -1))
    return np.concatenate(a), np.concatenate(b)


@torch.inference_mode()
def measure_alignment(
    embedded: Embedded,
    truth: SceneTruth,
    pairs: tuple[np.ndarray, np.ndarray],
    options: ExplainOptions,
    *,
    progress: bool = False,
) -> Alignment:
    """Compare pairs of views of one object with what is known.

    Args:
        embedded: square images, all on one grid.
        truth: masks and warps of the same images.
        pairs: from :func:`view_pairs`.
        options: how pairs are compared.
        progress: whether to show a bar.
    """
    grid = tuple(embedded.grids[0].tolist())
    coverage = torch.from_numpy(object_shares(truth.masks, grid))
    points = centres(grid)
    on_object = torch.from_numpy(values_at(truth.masks, points.numpy()) > SOLID)
    area = truth.masks.mean((1, 2)) / 255
    parts = len(points)
    collected: dict[str, list[np.ndarray]] = {}
    starts = range(0, len(pairs[0]), _CHUNK)
    for start in tqdm(starts, "pairs of views", leave=False, disable=not progress):
        a, b = (side[start : start + _CHUNK] for side in pairs)
        vectors_a, weights_a = embedded.fetch(torch.from_numpy(a)).gathered()
        vectors_b, weights_b = embedded.fetch(torch.from_numpy(b)).gathered()
        vectors_a, vectors_b = vectors_a.float(), vectors_b.float()
        u = _marginal(options, vectors_a, vectors_b, weights_a)
        v = _marginal(options, vectors_b, vectors_a, weights_b)
        similarity = part_similarity(vectors_a[:, :parts], vectors_b[:, :parts])
        plan = partial_transport(
            (1 - similarity).float(),
            u,
            v,
            options.mass,
            epsilon=options.epsilon,
            tolerance=max(options.tolerance, _TOLERANCE),
        ).plan
        true = _warped(torch.from_numpy(truth.between(a, b)), points)
        counted = on_object[a] & ((true > 0) & (true < 1)).all(-1)
        found = matched_points(plan, similarity, points)
        found["best part"] = points[torch.cdist(true, points.expand(len(true), -1, -1)).argmin(-1)]
        right = {n: ((p - true).norm(dim=-1) <= PCK_RADIUS) & counted for n, p in found.items()}
        sent = plan.sum(-1).double() * counted
        count = counted.sum(-1)
        values = {
            "mass": (u * coverage[a]).sum(-1),
            "pointed": on_object[a].gather(1, u.argmax(-1, keepdim=True))[:, 0],
            "parts": count,
            "sent": sent.sum(-1),
            "weighted": (sent * right["plan"]).sum(-1) / sent.sum(-1),
            **{f"pck {name}": hits.sum(-1) / count for name, hits in right.items()},
        }
        for name, value in values.items():
            collected.setdefault(name, []).append(value.double().numpy())
    joined = {name: np.concatenate(values) for name, values in collected.items()}
    return Alignment(
        object_area=area[pairs[0]],
        object_mass=joined["mass"],
        pointed=joined["pointed"],
        parts=joined["parts"],
        pck={n.removeprefix("pck "): v for n, v in joined.items() if n.startswith("pck ")},
        sent=joined["sent"],
        weighted=joined["weighted"],
    )


def _marginal(
    options: ExplainOptions, own: Tensor, other: Tensor, weights: Tensor | None
) -> Tensor:
    return marginal(options.marginals, correlation(own[:, :-1], other[:, -1]), weights)


def object_shares(masks: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """``[N, R]`` how much of every cell is object, in 0..1."""
    rows, columns = area_pooling(masks.shape[1], grid[0]), area_pooling(masks.shape[2], grid[1])
    rows, columns = rows / rows.sum(1, keepdim=True), columns / columns.sum(1, keepdim=True)
    stacked = torch.from_numpy(masks).float() / 255
    return (rows @ stacked @ columns.T).flatten(1).numpy()


def values_at(masks: np.ndarray, points: np.ndarray) -> np.ndarray:
    """``[N, R]`` values of the masks at ``[R, 2]`` points (x, y), in 0..1."""
    columns = np.minimum((points[:, 0] * masks.shape[2]).astype(int), masks.shape[2] - 1)
    rows = np.minimum((points[:, 1] * masks.shape[1]).astype(int), masks.shape[1] - 1)
    return masks[:, rows, columns] / 255


def _warped(warps: Tensor, points: Tensor) -> Tensor:
    """``[P, R, 2]``: ``[R, 2]`` points under ``[P, 3, 3]`` affine warps."""
    return points @ warps[:, :2, :2].mT + warps[:, None, :2, 2]
