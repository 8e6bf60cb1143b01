"""The real photographs of ``python -m diml_core photos``: kinds of things, to judge models by."""

from __future__ import annotations

from pathlib import Path

from diml_core.data.base import LabelledImages
from diml_core.errors import InputError
from diml_core.photographs.recipe import Recipe

PHOTO_SPLITS = ("validation", "test")


def load_photos(root: Path, split: str) -> LabelledImages:
    """Read one half of the kinds.

    Args:
        root: folder that ``photos`` built.
        split: ``validation``, on which models and settings are chosen, or ``test``, on which nothing is.

    Raises:
        InputError: ``train`` (nothing of the set is trained on), or a photograph that is missing.
    """
    if split not in PHOTO_SPLITS:
        raise InputError(
            "Nothing of 'photos' is trained on, or it could not judge: take its validation or its test "
            "split to evaluate, and other images to train."
        )
    recipe = Recipe.named("photos")
    kinds = set(recipe.splits[split])
    pairs = [(p.kind, root / recipe.place(p)) for p in recipe.photographs if p.kind in kinds]
    missing = next((path for _, path in pairs if not path.is_file()), None)
    if missing:
        raise InputError(
            f"'{missing}' is missing: run 'python -m diml_core photos {root}' to fetch what is not there."
        )
    return LabelledImages.from_pairs("photos", split, pairs)
