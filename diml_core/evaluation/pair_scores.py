"""Comparing many pairs: every photo goes through the network once, whatever number of pairs it is in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.features import EmbeddedPhoto
from diml_core.evaluation.pair_list import PhotoPair
from diml_core.explain import explain_embedded
from diml_core.explanation import Explanation
from diml_core.network.model import DimlModel
from diml_core.photo.images import ImageError, load_photo

_KEPT_SIDE = 384  # px; what a contact sheet shows of a photo


@dataclass(frozen=True, eq=False)
class ComparedPair:
    """What became of a pair.

    Attributes:
        pair: which.
        explanation: of its score, with small copies of the photos; None where it failed.
        problems: a sentence per photo that cannot be used, by its path; empty where it did not fail.
    """

    pair: PhotoPair
    explanation: Explanation | None
    problems: dict[Path, str]


def compare_pairs(
    model: DimlModel, pairs: Sequence[PhotoPair], options: ExplainOptions
) -> Iterator[ComparedPair]:
    """Compare pairs one after the other, in their order; a photo that cannot be read fails its own pairs only.

    Args:
        model: the model.
        pairs: from :func:`diml_core.evaluation.pair_list.read_pairs`.
        options: validated, from ``model.options``.
    """
    photos = _Photos(model, options, pairs)
    for pair in pairs:
        a, b = photos.take(pair.path_a, pair.name_a), photos.take(pair.path_b, pair.name_b)
        problems = {
            path: photo
            for path, photo in ((pair.path_a, a), (pair.path_b, b))
            if isinstance(photo, str)
        }
        explanation = None
        if not isinstance(a, str) and not isinstance(b, str):
            explanation = explain_embedded(model.name, a, b, options)
        yield ComparedPair(pair, explanation, problems)


class _Photos:
    """Embeds a photo when its first pair comes, and lets it go after its last.

    What is kept has to be small, for of all pairs of a folder every photo is in use until near the end:
    parts and a thumbnail are half a megabyte, while the attention of all blocks of a ViT-S would be 16,
    and the pixels of a photo up to 12. A cache that drops what was not used lately would save less than
    it costs: all pairs go round and round, and would find their photo dropped every time.
    """

    def __init__(
        self, model: DimlModel, options: ExplainOptions, pairs: Sequence[PhotoPair]
    ) -> None:
        self._model, self._options = model, options
        self._embedder = model.embedder(options)
        self._left = Counter(path for pair in pairs for path in (pair.path_a, pair.path_b))
        self._known: dict[Path, EmbeddedPhoto | str] = {}

    def take(self, path: Path, name: str) -> EmbeddedPhoto | str:
        """The photo for one of its pairs, or the sentence that says why it cannot be used."""
        if path not in self._known:
            self._known[path] = self._embedded(path, name)
        self._left[path] -= 1
        return self._known[path] if self._left[path] else self._known.pop(path)

    @torch.inference_mode()
    def _embedded(self, path: Path, name: str) -> EmbeddedPhoto | str:
        try:
            photo = load_photo(path, name=name)
        except ImageError as error:
            return str(error)
        embedding = self._embedder(self._model.extract(photo, self._options.start_block))
        small = photo.image.copy()
        small.thumbnail((_KEPT_SIDE, _KEPT_SIDE))
        return EmbeddedPhoto(replace(photo, image=small), embedding)
