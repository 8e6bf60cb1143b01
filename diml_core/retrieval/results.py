"""What a search found: one object per photo, all of them a table in a notebook."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from diml_core.comparison.options import ExplainOptions
from diml_core.comparison.points import shown_sum, written
from diml_core.embedding.features import ImageFeatures
from diml_core.errors import InputError
from diml_core.explain import explain_features
from diml_core.explanation import Explanation
from diml_core.network.model import DimlModel
from diml_core.photo.images import Photo, load_photo
from diml_core.viewer.pair import inside, jpeg

_ROWS = 20  # with a thumbnail each; who looks at more reads numbers
_THUMBNAIL = 96  # px of the longer side
_HEADS = ("Rank", "Global rank", "Photo", "", "Points", "Global part", "Structural part")


@dataclass(frozen=True, eq=False)
class Query:
    """A query as its results share it: the model, the features and the options."""

    model: DimlModel
    features: ImageFeatures
    options: ExplainOptions

    def explain(self, path: Path) -> Explanation:
        """Compare with the photo at ``path``."""
        other = self.model.extract(load_photo(path), self.options.start_block)
        return explain_features(self.model, self.features, other, self.options)


@dataclass(frozen=True, eq=False)
class Result:
    """One photo that was found.

    Attributes:
        path: of the photo.
        rank: place in the DIML order (overall similarity), from 1.
        global_rank: place in the order of the global similarity, from 1.
        global_similarity, structural_similarity: the two scales, -1..1.
        similarity: their mean.
    """

    path: Path
    rank: int
    global_rank: int
    global_similarity: float
    structural_similarity: float
    similarity: float
    _query: Query = field(repr=False)

    @property
    def rise(self) -> int:
        """Places that the parts moved it up (negative: down)."""
        return self.global_rank - self.rank

    @cached_property
    def explanation(self) -> Explanation:
        """Query (A) and photo (B) compared in full: runs the network on the photo.

        Its scores differ from the result's by what float16 storage rounds, about 1e-4.

        Raises:
            InputError: the photo has gone, or changed beyond reading.
        """
        return self._query.explain(self.path)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        names = ("rank", "global_rank", "similarity", "global_similarity", "structural_similarity")
        return {"path": str(self.path), **{name: getattr(self, name) for name in names}}


class Results(list[Result]):
    """The photos that were found, most similar first."""

    def _repr_html_(self) -> str:
        """A table of the pairs for a notebook: the query once, a row for each of the first photos."""
        if not self:
            return "<p>No photos were found.</p>"
        shown = self[:_ROWS]
        query = self[0]._query.features.photo
        heads = "".join(f"<th>{head}</th>" for head in ("Query", *_HEADS))
        rows = [_row(result) for result in shown]
        first = f'<td rowspan="{len(rows)}" style="vertical-align:top">{_picture(query)}<br>{_text(query.name)}</td>'
        more = f"{len(self) - len(shown)} more are not shown. " if len(self) > len(shown) else ""
        return (
            f"<table><thead><tr>{heads}</tr></thead>"
            f"<tbody><tr>{first}{'</tr><tr>'.join(rows)}</tr></tbody></table>"
            f"<p>{more}Why the first is there: <code>results[0].explanation</code>, where these are "
            "<code>results</code>.</p>"
        )


def _row(result: Result) -> str:
    try:
        picture = _picture(load_photo(result.path))
    except InputError as error:  # the ranks stay true of the photo that was indexed
        picture = _text(str(error))
    scores = shown_sum(result.similarity, result.global_similarity)
    # With its folder, which is often what the photo shows.
    name = _text("/".join(result.path.parts[-2:]))
    cells = [str(result.rank), str(result.global_rank), picture, name]
    return "".join(
        f"<td>{cell}</td>" for cell in (*cells, *(written(score, 1) for score in scores))
    )


def _picture(photo: Photo) -> str:
    source = inside("jpg", photo.digest, partial(jpeg, photo, _THUMBNAIL))
    return f'<img src="{source}" alt="{_text(photo.name)}" style="max-width:none">'


def _text(text: str) -> str:
    return html.escape(text)
