"""Which images make a batch, and which classes are held out: functions of seed and step alone.

Nothing here keeps state, so that a resumed run draws what an uninterrupted one would have drawn, and every
process the same. ``MPerClassSampler`` of pytorch-metric-learning draws from one generator of its module, from
which a run cannot go on in the middle; it knows no share of photographs, and wants as many classes as a batch has.
"""

from __future__ import annotations

import numpy as np


def balanced_batch(
    labels: np.ndarray,
    classes: int,
    images: int,
    seed: int,
    step: int,
    *,
    set_apart: np.ndarray | None = None,
    share: float = 0.0,
) -> np.ndarray:
    """Draw a class-balanced batch.

    Args:
        labels: ``[N]`` classes of the images.
        classes: how many classes; fewer where the data set has fewer.
        images: how many images of each; a class that has fewer repeats some.
        seed, step: the same give the same batch.
        set_apart: ``[N]`` bool, classes that are not to be drawn by their number but by ``share``.
        share: part of the classes of a batch that are drawn from them.

    Returns:
        ``[classes * images]`` indices, class by class.
    """
    random = np.random.default_rng([seed, 2, step])
    names = np.unique(labels)
    if set_apart is not None and set_apart.any() and not set_apart.all():
        apart = np.unique(labels[set_apart])
        others = np.setdiff1d(names, apart)
        total = min(classes, len(names))
        few = min(round(share * total), len(apart))
        chosen = np.concatenate(
            [
                random.choice(others, min(total - few, len(others)), replace=False),
                random.choice(apart, few, replace=False),
            ]
        )
    else:
        chosen = random.choice(names, min(classes, len(names)), replace=False)
    batch = []
    for label in chosen:
        members = np.flatnonzero(labels == label)
        batch.append(random.choice(members, images, replace=len(members) < images))
    return np.concatenate(batch)


def split_classes(
    names: tuple[str, ...], share: float, seed: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Share classes out to training and validation, at random by seed.

    Args:
        names: the classes.
        share: part of them to hold out; above 0 at least one, and never all.
        seed: the same gives the same split.

    Returns:
        The names that train and the names that are held out, both sorted.
    """
    count = min(max(1, round(share * len(names))), len(names) - 1) if share > 0 else 0
    order = np.random.default_rng([seed, 3]).permutation(len(names))
    held_out = {names[i] for i in order[:count]}
    return tuple(n for n in names if n not in held_out), tuple(sorted(held_out))
