"""Which photos of a gallery find the right thing first only after re-ranking by parts, and which only before."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import torch

from diml_core.evaluation.retrieval import without_self
from diml_core.retrieval.rerank import rerank
from diml_core.retrieval.store import Store
from diml_core.version import VERSION
from diml_core.viewer.texts import text

_FILE = "mistakes.json"
_BLOCK = 4  # queries at a time: a visitor's search waits for no more than these


class Change(NamedTuple):
    """A query whose first result changed between right and wrong: rows of the gallery.

    Attributes:
        query: the photo that was searched by.
        before: first by the global similarity.
        after: first after re-ranking.
    """

    query: int
    before: int
    after: int


@dataclass(frozen=True)
class Mistakes:
    """What re-ranking does to the first result of every photo whose kind is known.

    Attributes:
        queries: photos that were searched by.
        right: of them, those whose first result is right before re-ranking.
        fixed: wrong before, right after.
        broken: right before, wrong after.
    """

    queries: int
    right: int
    fixed: tuple[Change, ...]
    broken: tuple[Change, ...]

    @property
    def right_after(self) -> int:
        """Queries whose first result is right after re-ranking."""
        return self.right + len(self.fixed) - len(self.broken)


def mistakes_in(
    store: Store, kinds: Sequence[str | None], top_k: int, pause: Callable[[], None]
) -> Mistakes:
    """Count them, or read what an earlier call has kept beside the gallery. The network does not run.

    Args:
        store: the gallery, by whose stored vectors it is searched.
        kinds: ``[N]`` what each photo shows, None where that is not known. Who is the only one of a kind is no query:
            there is nothing right to find.
        top_k: other photos that a search re-ranks.
        pause: called before every few queries; what it raises ends the count.
    """
    asked = json.dumps([VERSION, store.pooled_name, list(kinds), top_k])
    key = hashlib.sha256(asked.encode()).hexdigest()
    file = store.folder / _FILE
    kept = _read(file, key)
    if kept is None:
        kept = _counted(store, kinds, top_k, pause)
        with suppress(OSError):  # a full disk: they are counted again another time
            _write(file, key, kept)
    return kept


def summary_of(mistakes: Mistakes) -> str:
    """How many there are of both, and of all, in a sentence."""
    if not mistakes.queries:
        return text("mistakes.unknown")
    if not mistakes.fixed and not mistakes.broken:
        return text("mistakes.none", queries=mistakes.queries, right=mistakes.right)
    return text(
        "mistakes.summary",
        queries=mistakes.queries,
        right=mistakes.right,
        after=mistakes.right_after,
        fixed=len(mistakes.fixed),
        broken=len(mistakes.broken),
    )


@torch.inference_mode()
def _counted(
    store: Store, kinds: Sequence[str | None], top_k: int, pause: Callable[[], None]
) -> Mistakes:
    sizes = Counter(kinds)
    queries = [row for row, kind in enumerate(kinds) if kind is not None and sizes[kind] > 1]
    if not queries:
        return Mistakes(0, 0, (), ())
    nearest = without_self(store.pooled, top_k)
    right = 0
    fixed, broken = [], []
    for start in range(0, len(queries), _BLOCK):
        pause()
        rows = torch.tensor(queries[start : start + _BLOCK])
        vectors, weights = store.fetch(rows).gathered()
        found = nearest[rows]
        scores = rerank(vectors, weights, found, store.fetch, store.spec.options)
        # As a search sorts: equal scores keep the global order.
        best = scores.overall.argsort(dim=1, descending=True, stable=True)[:, :1]
        first = found.gather(1, best)[:, 0]
        for change in map(Change, rows.tolist(), found[:, 0].tolist(), first.tolist()):
            was, now = (kinds[row] == kinds[change.query] for row in (change.before, change.after))
            right += was
            if now and not was:
                fixed.append(change)
            elif was and not now:
                broken.append(change)
    return Mistakes(len(queries), right, tuple(fixed), tuple(broken))


def _read(file: Path, key: str) -> Mistakes | None:
    """None where there are none yet, or those of another gallery, or half a file."""
    try:
        kept = json.loads(file.read_text(encoding="ascii"))
        if kept.pop("key") != key:
            return None
        changes = {
            name: tuple(Change(*each) for each in kept[name]) for name in ("fixed", "broken")
        }
        return Mistakes(**{**kept, **changes})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _write(file: Path, key: str, mistakes: Mistakes) -> None:
    temporary = file.with_suffix(".tmp")
    temporary.write_text(json.dumps({"key": key, **asdict(mistakes)}) + "\n", encoding="ascii")
    os.replace(temporary, file)
