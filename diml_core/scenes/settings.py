"""What a set of scenes is made with."""

from __future__ import annotations

from dataclasses import dataclass

from diml_core.errors import InputError


@dataclass(frozen=True)
class SceneSettings:
    """What a set is made with: views per class, pixels per side, seed, JPEG quality.

    ``photograph_views`` is the number of crops of every photograph, 0 for none.
    """

    views: int = 20
    photograph_views: int = 0
    size: int = 256
    seed: int = 0
    quality: int = 92

    def __post_init__(self) -> None:
        for name, low, high in (
            ("views", 2, 10_000),
            ("photograph_views", 0, 10_000),
            ("size", 32, 2048),
            ("seed", 0, 2**31),
            ("quality", 1, 100),
        ):
            if not low <= getattr(self, name) <= high:
                raise InputError(
                    f"The {name.replace('_', ' ')} of scenes must be {low} to {high}, not {getattr(self, name)}."
                )
