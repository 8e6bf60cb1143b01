"""Photos of noise and explanations of random numbers, of any shape."""

from __future__ import annotations

import numpy as np

from diml_core.comparison.options import ExplainOptions
from diml_core.explanation import Explanation
from diml_core.photo.images import Photo, load_photo


def photo(size: tuple[int, int], name: str = "photo.jpg", seed: int = 0) -> Photo:
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    return load_photo(pixels, name=name)


def explanation(
    size_a: tuple[int, int] = (64, 48),
    size_b: tuple[int, int] = (40, 60),
    grid_a: tuple[int, int] = (3, 4),
    grid_b: tuple[int, int] = (3, 2),
    *,
    mass: float = 1.0,
    rollout: bool = True,
    names: tuple[str, str] = ("cat.jpg", "dog.jpg"),
    seed: int = 0,
    **changes,
) -> Explanation:
    random = np.random.default_rng(seed)
    parts_a, parts_b = np.prod(grid_a), np.prod(grid_b)

    def weights(*shape: int) -> np.ndarray:
        values = random.random(shape)
        return values / values.sum()

    values = {
        "model": "toy",
        "options": ExplainOptions(grid=4, mass=mass, start_block=9 if rollout else None),
        "name_a": names[0],
        "name_b": names[1],
        "size_a": size_a,
        "size_b": size_b,
        "grid_a": grid_a,
        "grid_b": grid_b,
        "global_similarity": 0.7123,
        "part_similarity": random.uniform(0.1, 0.9, (parts_a, parts_b)),
        "plan": weights(parts_a, parts_b) * mass,
        "marginals_a": weights(parts_a),
        "marginals_b": weights(parts_b),
        "rollout_a": weights(parts_a) if rollout else None,
        "rollout_b": weights(parts_b) if rollout else None,
        "rollout_map_a": weights(6, 8) if rollout else None,
        "rollout_map_b": weights(8, 5) if rollout else None,
        "iterations": 10,
        "marginal_error": 1e-6,
        "photo_a": photo(size_a, seed=1),
        "photo_b": photo(size_b, seed=2),
    }
    return Explanation(**values | changes)
