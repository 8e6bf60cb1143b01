"""A gallery to search: a collection of embedded photos together with the model that made it."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.features import ImageFeatures
from diml_core.embedding.packing import packed
from diml_core.errors import InputError
from diml_core.network.checkpoints import load_model
from diml_core.network.model import DimlModel
from diml_core.photo.images import load_photo
from diml_core.retrieval.fetched import Fetched
from diml_core.retrieval.rerank import Scores, rerank
from diml_core.retrieval.results import Query, Result, Results
from diml_core.retrieval.spec import GallerySpec
from diml_core.retrieval.store import Store

DEFAULT_TOP_K = 100
SEARCH_OPTIONS = ("marginals", "mass", "epsilon", "tolerance")
"""Options that a search may change; the others are baked into the stored vectors."""


class Collection(Protocol):
    """Where the embedded photos are: the folder of an index, or a vector database."""

    spec: GallerySpec

    def __len__(self) -> int: ...

    def candidates(self, queries: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Stage one: rows ``[Q, min(count, N)]`` by falling global similarity, and the cosines."""
        ...

    def fetch(self, rows: Tensor) -> Fetched:
        """Vectors and rollout weights of rows ``[n]``."""
        ...

    def photo_path(self, row: int) -> Path:
        """Where the photo of a row lies."""
        ...


class Gallery:
    """Photos that can be searched by a photo.

    Attributes:
        collection: the embedded photos.
        model: the model that embedded them.
    """

    def __init__(
        self,
        collection: Collection,
        model: DimlModel | None = None,
        *,
        device: str = "cpu",
        engine: str = "torch",
    ) -> None:
        """Search any collection, such as :class:`diml_core.retrieval.qdrant.QdrantCollection`.

        Args:
            collection: the embedded photos.
            model: the model that made them; by default it is loaded by the name they carry.
            device, engine: to load it with, as :func:`diml_core.load_model` takes them.

        Raises:
            InputError: another model than the one that made the collection, or none given where they carry
                no name.
        """
        self.collection = collection
        if model is None and not collection.spec.model:
            raise InputError(
                "This gallery was made with a model that has no name to load it by: open it with model=..."
            )
        self.model = model or load_model(collection.spec.model, device=device, engine=engine)
        collection.spec.check_model(self.model, str(getattr(collection, "folder", "")))

    @classmethod
    def open(
        cls,
        path: str | PathLike[str],
        *,
        model: DimlModel | None = None,
        device: str = "cpu",
        engine: str = "torch",
    ) -> Gallery:
        """Open what ``python -m diml_core index`` or :func:`diml_core.retrieval.index_photos` wrote.

        Args:
            path: the gallery's folder.
            model, device, engine: as in the constructor.

        Raises:
            InputError: no gallery there, a damaged one, or another model.
        """
        return cls(Store(path), model, device=device, engine=engine)

    def __len__(self) -> int:
        return len(self.collection)

    def search(self, image: Any, *, top_k: int = DEFAULT_TOP_K, **options: Any) -> Results:
        """Find the photos most similar to a picture.

        The ``top_k`` globally most similar photos are found first, and re-ranked by their parts.

        Args:
            image: anything :func:`diml_core.load_photo` takes, or :class:`ImageFeatures`.
            top_k: photos to re-rank and return, at least 1.
            **options: ``marginals``, ``mass``, ``epsilon``, ``tolerance``; the index's otherwise.

        Returns:
            At most ``top_k`` results in DIML order, which a notebook shows as a table; equal scores keep the global order.

        Raises:
            InputError: a bad image or option.
        """
        return self.search_many([image], top_k=top_k, **options)[0]

    def search_many(
        self, images: Sequence[Any], *, top_k: int = DEFAULT_TOP_K, **options: Any
    ) -> list[Results]:
        """:meth:`search` for several pictures, whose candidates are scored together."""
        chosen = self._options(options)
        if isinstance(top_k, bool) or not isinstance(top_k, int) or top_k < 1:
            raise InputError(f"top_k must be a whole number of at least 1, not {top_k!r}.")
        if not images:
            return []
        features = [
            image
            if isinstance(image, ImageFeatures)
            else self.model.extract(load_photo(image), chosen.start_block)
            for image in images
        ]
        vectors, weights = self._pack(features, chosen)
        rows, _ = self.collection.candidates(vectors[:, -1], top_k)
        scores = rerank(vectors, weights, rows, self.collection.fetch, chosen)
        order = scores.overall.argsort(dim=1, descending=True, stable=True)
        return [
            self._results(Query(self.model, feature, chosen), rows[q], order[q], scores, q)
            for q, feature in enumerate(features)
        ]

    def _options(self, overrides: dict[str, Any]) -> ExplainOptions:
        for name in overrides:
            if name not in SEARCH_OPTIONS:
                raise InputError(
                    f"A search cannot change '{name}', only {', '.join(SEARCH_OPTIONS)}: index the "
                    "photos into another folder with it."
                )
        given = {name: value for name, value in overrides.items() if value is not None}
        stored = vars(self.collection.spec.options)
        return self.model.options(**{**stored, **given})

    @torch.inference_mode()
    def _pack(
        self, features: Sequence[ImageFeatures], options: ExplainOptions
    ) -> tuple[Tensor, Tensor | None]:
        """Vectors ``[Q, R + 1, D]`` and rollout weights ``[Q, R]``, float32, padded as in the index."""
        embedder = self.model.embedder(options)
        vectors, weights = zip(
            *(packed(embedder(feature), self.collection.spec.parts) for feature in features),
            strict=True,
        )
        stacked = None if weights[0] is None else torch.stack(weights).float()
        return torch.stack(vectors).float(), stacked

    def _results(
        self, query: Query, rows: Tensor, order: Tensor, scores: Scores, q: int
    ) -> Results:
        return Results(
            Result(
                path=self.collection.photo_path(int(rows[place])),
                rank=rank,
                global_rank=place + 1,
                global_similarity=float(scores.global_similarity[q, place]),
                structural_similarity=float(scores.structural[q, place]),
                similarity=float(scores.overall[q, place]),
                _query=query,
            )
            for rank, place in enumerate(order.tolist(), 1)
        )
