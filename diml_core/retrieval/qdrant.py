"""A gallery in Qdrant: the same search, where one machine's disk or memory no longer suffices.

Needs the ``qdrant-client`` package (``pip install diml-explorer[qdrant]``). Each photo is a point
with two named vectors: ``global`` with an HNSW graph, by which the server finds candidates, and
``parts``, a multivector in float16 on disk without a graph, which is only fetched. The transport
runs here, on the candidates that come back.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from qdrant_client import QdrantClient, models
from torch import Tensor

from diml_core.embedding.grids import Grid
from diml_core.errors import InputError
from diml_core.retrieval.fetched import Fetched
from diml_core.retrieval.records import PhotoRecord
from diml_core.retrieval.spec import GallerySpec, PackedPhoto
from diml_core.retrieval.store import Store, StoreWriter, relative_folder

_BATCH = 64  # photos per request; at R = 256, D = 384 they are 25 MB
_ABOUT = "-about"  # ending of a second, one-point collection that holds what the manifest does


class QdrantCollection:
    """A collection for :class:`diml_core.retrieval.Gallery`, on a Qdrant server or in this process.

    Attributes:
        client: connected client.
        name: of the collection.
        spec: what the gallery was made with.
        photos: the photo folder, absolute.
    """

    def __init__(self, client: QdrantClient, name: str) -> None:
        """Open a collection that :func:`import_gallery` filled.

        Args:
            client: ``QdrantClient(url=...)``; ``QdrantClient(":memory:")`` or
                ``QdrantClient(path=...)`` run in this process.
            name: of the collection.

        Raises:
            InputError: no such collection.
        """
        self.client, self.name = client, name
        if not client.collection_exists(name + _ABOUT):
            raise InputError(
                f"Qdrant has no complete gallery named '{name}': import one with import_gallery()."
            )
        about: Any = client.retrieve(name + _ABOUT, [0])[0].payload
        self.spec = GallerySpec.from_dict(about["spec"])
        self.photos = Path(about["photos"])
        self.broken = [PhotoRecord.from_line(line) for line in about["broken"]]
        self._alone = threading.Lock()  # the in-process client is not made for several threads

    @property
    def folder(self) -> str:
        """Its name, for messages."""
        return self.name

    def __len__(self) -> int:
        return self.client.count(self.name, exact=True).count

    def candidates(self, queries: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Stage one by the server's HNSW graph; as :meth:`.Store.candidates`, but approximate."""
        requests = [
            models.QueryRequest(query=query.tolist(), using="global", limit=count)
            for query in queries
        ]
        with self._alone:
            answers = self.client.query_batch_points(self.name, requests=requests)
        rows = [[point.id for point in answer.points] for answer in answers]
        scores = [[point.score for point in answer.points] for answer in answers]
        return torch.tensor(rows, dtype=torch.long), torch.tensor(scores, dtype=torch.float32)

    def fetch(self, rows: Tensor) -> Fetched:
        """As :meth:`.Store.fetch`, over the network: each photo once."""
        used, places = rows.unique(return_inverse=True)
        vectors = np.zeros((len(used), self.spec.parts + 1, self.spec.dim), np.float16)
        weights = np.zeros((len(used), self.spec.parts), np.float32)
        points = self._points(used.tolist())
        for place, row in enumerate(used.tolist()):
            packed = self._packed(points[row])
            vectors[place] = packed.vectors
            if packed.weights is not None:
                weights[place] = packed.weights
        rollout = torch.from_numpy(weights) if self.spec.has_rollout else None
        return Fetched(torch.from_numpy(vectors), rollout, places)

    def photo_path(self, row: int) -> Path:
        """Where the photo of a row lies."""
        return self.photos / self.record(row).path

    def record(self, row: int) -> PhotoRecord:
        """What the index knows about a row."""
        with self._alone:
            found = self.client.retrieve(self.name, [row], with_payload=["record"])
        payload: Any = found[0].payload
        return PhotoRecord.from_line(payload["record"])

    def _points(self, rows: list[int]) -> dict[int, Any]:
        with self._alone:
            points = self.client.retrieve(self.name, rows, with_payload=True, with_vectors=True)
        return {cast(int, point.id): point for point in points}

    def _packed(self, point: Any) -> PackedPhoto:
        vectors = np.zeros((self.spec.parts + 1, self.spec.dim), np.float16)
        parts = np.asarray(point.vector["parts"], np.float32)
        vectors[: len(parts)] = parts
        vectors[-1] = point.vector["global"]
        weights = point.payload.get("weights")
        grid = cast(Grid, PhotoRecord.from_line(point.payload["record"]).grid)
        weights = None if weights is None else np.asarray(weights, np.float32)
        return PackedPhoto(vectors, weights, grid)


def import_gallery(store: Store, client: QdrantClient, name: str) -> QdrantCollection:
    """Copy a local gallery into Qdrant.

    Args:
        store: the gallery.
        client: see :class:`QdrantCollection`.
        name: of the collection to create.

    Raises:
        InputError: a gallery with that name exists. What an interrupted import left is replaced.
    """
    if client.collection_exists(name + _ABOUT):
        raise InputError(f"Qdrant already has a gallery named '{name}': choose another name.")
    if client.collection_exists(name):
        client.delete_collection(name)
    client.create_collection(name, vectors_config=_layout(store.spec.dim))
    for start in range(0, len(store), _BATCH):
        rows = range(start, min(start + _BATCH, len(store)))
        client.upsert(name, [_point(store, row) for row in rows], wait=True)
    # Last, so that a gallery with this exists completely.
    about = {
        "spec": store.spec.to_dict(),
        "photos": str(store.photos.resolve()),
        "broken": [record.to_line() for record in store.broken],
    }
    client.create_collection(
        name + _ABOUT,
        vectors_config=models.VectorParams(size=1, distance=models.Distance.DOT),
    )
    client.upsert(name + _ABOUT, [models.PointStruct(id=0, vector=[1.0], payload=about)], wait=True)
    return QdrantCollection(client, name)


def export_gallery(collection: QdrantCollection, folder: str | PathLike[str]) -> Store:
    """Copy a gallery out of Qdrant into a local folder, byte for byte what was imported.

    Args:
        collection: the gallery.
        folder: to write, created if needed; beside the photos as the original was.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rows = range(len(collection))
    records = [collection.record(row) for row in rows]

    def packed() -> Iterator[PackedPhoto]:
        for start in range(0, len(rows), _BATCH):
            batch = list(rows[start : start + _BATCH])
            points = collection._points(batch)
            yield from (collection._packed(points[row]) for row in batch)

    photos = relative_folder(collection.photos, folder)
    StoreWriter(folder).write(collection.spec, photos, records, packed(), collection.broken)
    return Store(folder)


def _layout(dim: int) -> dict[str, models.VectorParams]:
    # Dot products of unit vectors are cosines; Distance.COSINE would normalise and round again.
    return {
        "global": models.VectorParams(size=dim, distance=models.Distance.DOT),
        "parts": models.VectorParams(
            size=dim,
            distance=models.Distance.DOT,
            datatype=models.Datatype.FLOAT16,
            on_disk=True,
            hnsw_config=models.HnswConfigDiff(m=0),
            multivector_config=models.MultiVectorConfig(
                comparator=models.MultiVectorComparator.MAX_SIM
            ),
        ),
    }


def _point(store: Store, row: int) -> models.PointStruct:
    record = store.records[row]
    vectors = store.vectors[row].float()
    rows, columns = cast(Grid, record.grid)
    count = rows * columns  # the rows that pad the others would match anything
    payload: dict[str, Any] = {"record": record.to_line()}
    if store.weights is not None:
        payload["weights"] = store.weights[row].tolist()
    return models.PointStruct(
        id=row,
        vector={"global": vectors[-1].tolist(), "parts": vectors[:count].tolist()},
        payload=payload,
    )
