"""A pair of photos as the page shows it: what the network saw, as files, and the words that go with an example."""

from __future__ import annotations

from typing import Any

from app import files
from app.examples import caption_of, is_example, is_shared
from app.service import Explorer
from app.trial import rivals_of
from diml_core.photo.images import Photo
from diml_core.viewer.pair import live_pair


def shown_pair(
    explorer: Explorer,
    model_name: str,
    photo_a: Photo,
    photo_b: Photo,
    *,
    session: str | None = None,
    **options: Any,
) -> dict[str, Any]:
    """The value of a :class:`app.viewer.Viewer`. The network runs on photos it has not seen; the rest is the browser's.

    Args:
        explorer: has the models, and what they saw before.
        model_name: one of the explorer's models.
        photo_a, photo_b: the photos.
        session: of the visitor, who may then ask what becomes of the score when parts are covered.
        **options: fields of :class:`diml_core.comparison.options.ExplainOptions`; None for the model's default.

    Raises:
        InputError: no such model, or an option that it cannot serve.
    """
    model = explorer.model(model_name)
    chosen = model.options(**options)  # a bad option should not wait for the network
    photos = {"a": photo_a, "b": photo_b}
    a, b = explorer.features_of(model_name, list(photos.values()), session)
    pair = live_pair(
        model, a, b, chosen, lambda end, key, write: files.url(files.by_digest(end, key, write))
    )
    pair["model"]["rivals"] = rivals_of(model)
    for side, photo in photos.items():
        pair[side]["example"] = is_example(photo)
        pair[side]["shared"] = is_shared(photo)
    if all(pair[side]["example"] for side in "ab"):
        pair["caption"] = caption_of(photo_a.name, photo_b.name)
    return pair
