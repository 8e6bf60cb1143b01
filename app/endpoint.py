"""``/compare``: what other programs may call."""

from __future__ import annotations

from collections.abc import Callable

from app.inputs import upload_from
from app.service import Explorer
from diml_core.network.checkpoints import DEFAULT_MODEL


def compare_endpoint(explorer: Explorer) -> Callable[..., dict]:
    """The function behind ``/compare``."""

    def compare(
        image_a: dict,
        image_b: dict,
        model: str = DEFAULT_MODEL,
        grid: int | None = None,
        marginals: str | None = None,
        mass: float | None = None,
        start_block: int | None = None,
        head_fusion: str | None = None,
        kept_mass: float | None = None,
        epsilon: float | None = None,
    ) -> dict:
        """Compare two photos part by part; returns what `python -m diml_core compare --json` writes."""
        photos = [upload_from(image).load() for image in (image_a, image_b)]
        return explorer.compare(
            model,
            *photos,
            grid=grid,
            marginals=marginals,
            mass=mass,
            start_block=start_block,
            head_fusion=head_fusion,
            kept_mass=kept_mass,
            epsilon=epsilon,
        ).to_dict()

    return compare
