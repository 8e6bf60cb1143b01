"""An optional graph for stage one: FAISS's HNSW, which pays from some ten thousand photos on.

Malkov & Yashunin 2018, "Efficient and robust approximate nearest neighbor search using hierarchical
navigable small world graphs". It finds most of the nearest photos, not all: building it says how many.
Needs ``faiss-cpu``; a gallery with a graph is searched exactly where that is not installed.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from diml_core.errors import InputError
from diml_core.retrieval.first_stage import nearest

SUFFIX = ".hnsw"
_LINKS = 32  # per node; FAISS's usual choice
_BLOCK = 10_000  # rows widened to float32 at a time
_LEAST_BREADTH = 200  # nodes that a search keeps in view; more find more and take longer
_PROBES = 200  # photos whose neighbours measure the recall
_RECALL_AT = 100


class Graph:
    """An HNSW graph over the global embeddings of one state of a gallery."""

    def __init__(self, path: Path) -> None:
        """Read a graph. Raises InputError for a damaged file."""
        import faiss  # optional

        try:
            self._index: Any = faiss.read_index(str(path))  # of a class that the file decides
        except RuntimeError as error:  # what FAISS raises for any file it cannot read
            raise InputError(
                f"The graph '{path}' is damaged: delete it, or build it again with --hnsw."
            ) from error

    def nearest(self, queries: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """As :func:`diml_core.retrieval.first_stage.nearest`, approximately.

        Args:
            queries: ``[Q, D]`` unit vectors.
            count: how many per query.

        Returns:
            Rows ``[Q, count]`` int64, most similar first, and their cosines.
        """
        count = min(count, self._index.ntotal)
        self._index.hnsw.efSearch = max(_LEAST_BREADTH, 2 * count)
        cosines, rows = self._index.search(queries.float().contiguous().numpy(), count)
        return torch.from_numpy(rows), torch.from_numpy(cosines)


def build_graph(pooled: Tensor, path: Path) -> float:
    """Build a graph over the global embeddings of a gallery.

    Args:
        pooled: ``[N, D]`` unit vectors.
        path: file to write, replaced when the graph is complete.

    Returns:
        Recall@100: of the 100 nearest of up to 200 photos of the gallery, the share it finds.

    Raises:
        InputError: FAISS is not installed, or an empty gallery.
    """
    if find_spec("faiss") is None:
        raise InputError("A graph needs FAISS: pip install faiss-cpu, or leave --hnsw out.")
    if not len(pooled):
        raise InputError("An empty gallery needs no graph: index some photos first.")
    import faiss

    index = faiss.IndexHNSWFlat(pooled.shape[1], _LINKS, faiss.METRIC_INNER_PRODUCT)
    for start in range(0, len(pooled), _BLOCK):
        index.add(pooled[start : start + _BLOCK].float().numpy())
    temporary = path.with_suffix(SUFFIX + ".tmp")
    faiss.write_index(index, str(temporary))
    temporary.replace(path)

    probes = pooled[:: max(len(pooled) // _PROBES, 1)][:_PROBES].float()
    count = min(_RECALL_AT, len(pooled))
    found, _ = Graph(path).nearest(probes, count)
    exact, _ = nearest(pooled, probes, count)
    hits = sum(len(set(a) & set(b)) for a, b in zip(found.tolist(), exact.tolist(), strict=True))
    return hits / exact.numel()


def open_graph(path: Path) -> Graph | None:
    """The graph in a file, or None where there is none, or no FAISS."""
    return Graph(path) if path.is_file() and find_spec("faiss") is not None else None
