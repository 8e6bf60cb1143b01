"""What a set of scenes is made with."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from diml_core.validation import PLAIN, Seed, settings


@settings
class SceneSettings:
    """What a set is made with: views per class, pixels per side, seed, JPEG quality.

    ``photograph_views`` is the number of crops of every photograph, 0 for none.
    """

    views: Annotated[int, Field(ge=2, le=10_000), PLAIN] = 20
    photograph_views: Annotated[int, Field(ge=0, le=10_000), PLAIN] = 0
    size: Annotated[int, Field(ge=32, le=2048), PLAIN] = 256
    seed: Seed = 0
    quality: Annotated[int, Field(ge=1, le=100), PLAIN] = 92
