"""The pairs behind the results of a search: the query with a photo that was found, and what a viewer says of it."""

from __future__ import annotations

from typing import Any

from app.galleries import name_of, photo_of
from app.pairs import shown_pair
from app.service import Explorer
from diml_core.comparison.points import shown_sum, written
from diml_core.errors import InputError
from diml_core.photo.images import Photo, load_photo
from diml_core.retrieval import Gallery
from diml_core.viewer.texts import text


def items_of(found: dict[str, Any], keys: str) -> list[dict[str, Any]]:
    """What :class:`app.results.Results` asks for: one result, or one that rose and the one it overtook.

    Args:
        found: from :func:`app.galleries.search_payload`.
        keys: one key or two, with a space between them.

    Raises:
        InputError: they are not among the results.
    """
    items = {item["photo"]: item for item in found["items"]}
    wanted = keys.split()
    if not 1 <= len(wanted) <= 2 or not all(key in items for key in wanted):
        raise InputError("That photo is not among these results: search again.")
    return [items[key] for key in wanted]


def firsts_of(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The first result after re-ranking, and the first before it where that is another."""
    firsts = [
        next(item for item in found["items"] if item[rank] == 1) for rank in ("rank", "globalRank")
    ]
    return firsts[:1] if firsts[0] is firsts[1] else firsts


def result_pairs(
    explorer: Explorer,
    gallery: Gallery,
    model_name: str,
    query: Photo,
    found: dict[str, Any],
    items: list[dict[str, Any]],
    session: str | None = None,
) -> list[dict[str, Any]]:
    """Values of viewers, one per item: the query, and the photo that was found.

    Args:
        explorer, gallery, model_name, query: of the search.
        found: its :func:`app.galleries.search_payload`.
        items: some of its items.
        session: who looks.

    Raises:
        InputError: a photo has gone.
    """
    pairs = []
    for item, caption in zip(items, captions(items), strict=True):
        path = photo_of(gallery, item["photo"])
        pair = shown_pair(explorer, model_name, query, load_photo(path), session=session)
        pair["caption"] = caption
        # In the gallery many are called 00.jpg.
        pair["b"]["name"] = name_of(path)
        pair["a"]["name"] = found["query"] or pair["a"]["name"]
        pairs.append(pair)
    return pairs


def captions(items: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Where a result stands in both orders, and its score as a sum; of one that overtook another what made the difference.

    Args:
        items: a result; or one that rose, and the one it overtook.
    """
    said = []
    for item in items:
        before, after = item["globalRank"], item["rank"]
        how = "not" if before == after else "up" if after < before else "down"
        title = text(f"results.moved.{how}", label=item["label"], before=before, after=after)
        scores = shown_sum(item["similarity"], item["global"])
        total, whole, parts = (written(score, 1).replace("-", "−") for score in scores)
        sum_ = text("results.sum", total=total, whole=whole, parts=parts)
        said.append({"title": title, "text": sum_})
    if len(items) == 2:
        other = items[1]["label"]
        # Of the numbers that are shown, so that whoever subtracts them finds the same.
        mine, theirs = (shown_sum(item["similarity"], item["global"]) for item in items)
        total, whole, parts = (_signed(x - y) for x, y in zip(mine, theirs, strict=True))
        said[0]["text"] += text(
            "results.against", other=other, whole=whole, parts=parts, total=total
        )
    return said


def _signed(points: float) -> str:
    return f"{'−' if points < 0 else '+'}{abs(points):.1f}"
