"""A gallery on disk: three memory-mapped arrays, a table of photos and a manifest that names them.

The file names carry a digest of what they hold and the manifest is replaced by one rename, so a
reader always sees one complete state, also while an index is being updated or has been killed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diml_core.errors import InputError
from diml_core.retrieval.fetched import Fetched
from diml_core.retrieval.first_stage import nearest
from diml_core.retrieval.hnsw import SUFFIX, build_graph, open_graph
from diml_core.retrieval.records import PhotoRecord, RecordTable, write_records
from diml_core.retrieval.spec import GallerySpec, PackedPhoto

FORMAT = 1
MANIFEST = "manifest.json"


class Store:
    """A complete gallery, opened for reading.

    Attributes:
        folder: where it lies.
        spec: what it was made with.
        photos: the photo folder.
        records: of the N photos, in the order of the arrays.
        broken: of the files that could not be used.
        vectors: ``[N, R + 1, D]`` float16, see :class:`PackedPhoto`.
        weights: ``[N, R]`` float32 rollout weights, or None without attention.
        pooled: ``[N, D]`` float16, the global embeddings alone: stage one reads nothing else.
        graph: for an approximate stage one, or None.
    """

    def __init__(self, folder: str | PathLike[str]) -> None:
        """Open a gallery.

        Raises:
            InputError: no gallery there, or a damaged one.
        """
        self.folder = Path(folder)
        try:
            manifest = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(
                f"There is no finished gallery in '{folder}': make one with "
                "'python -m diml_core index PHOTOS -o GALLERY'."
            ) from None
        except (OSError, ValueError, RecursionError) as error:
            raise self._damaged(str(error)) from error
        if not isinstance(manifest, dict):
            raise self._damaged("its manifest is no JSON object")
        if manifest.get("format") != FORMAT:
            raise InputError(
                f"The gallery '{folder}' has format {manifest.get('format')}, which this version "
                f"cannot read (it reads {FORMAT}): index the photos again into a new folder."
            )
        try:
            self.spec = spec = GallerySpec.from_dict(manifest["spec"])
            self.photos = Path(os.path.normpath(self.folder / manifest["photos"]))
            files = manifest["files"]
            self.records = RecordTable(self.folder / files["records"])
            self.broken = [PhotoRecord.from_line(json.dumps(line)) for line in manifest["broken"]]
            count = len(self.records)
            shape = (count, spec.parts + 1, spec.dim)
            self.vectors = self._map(files["vectors"], np.float16, shape)
            self.pooled_name = files["pooled"]
            self.pooled = self._map(self.pooled_name, np.float16, (count, spec.dim))
            self.weights = None
            if spec.has_rollout:
                self.weights = self._map(files["weights"], np.float32, (count, spec.parts))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._damaged(repr(error)) from error
        self.graph = open_graph(self.graph_path)

    def __len__(self) -> int:
        return len(self.records)

    @property
    def graph_path(self) -> Path:
        """Beside the vectors a graph is built from; their name carries a digest of what they hold."""
        return self.folder / (self.pooled_name + SUFFIX)

    def build_graph(self) -> float:
        """Build the graph of this state of the gallery; see :func:`diml_core.retrieval.hnsw.build_graph`.

        After an update the gallery is searched exactly again, until a new graph is built.
        """
        return build_graph(self.pooled, self.graph_path)

    def photo_path(self, row: int) -> Path:
        """Where the photo of a row lies."""
        return self.photos / self.records[row].path

    def candidates(self, queries: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Stage one: the globally most similar photos.

        Args:
            queries: ``[Q, D]`` unit global embeddings.
            count: how many per query.

        Returns:
            Rows ``[Q, count]`` int64, most similar first, and their cosines ``[Q, count]``. Fewer
            where the gallery is smaller.
        """
        if self.graph is not None:
            return self.graph.nearest(queries, count)
        return nearest(self.pooled, queries, count)

    def fetch(self, rows: Tensor) -> Fetched:
        """Vectors and rollout weights of ``rows``, in place."""
        return Fetched(self.vectors, self.weights, rows)

    def _map(self, name: str, dtype: type, shape: tuple[int, ...]) -> Tensor:
        path = self.folder / name
        if path.stat().st_size != np.dtype(dtype).itemsize * int(np.prod(shape)):
            raise ValueError(f"{name} has not the size that the manifest promises")
        if shape[0] == 0:
            return torch.from_numpy(np.zeros(shape, dtype))
        # Copy on write, for torch wants a writable array; nothing ever writes.
        return torch.from_numpy(np.memmap(path, dtype, "c", shape=shape))

    def _damaged(self, why: str) -> InputError:
        return InputError(
            f"The gallery '{self.folder}' is damaged ({why}): index the photos again into a new "
            "folder."
        )


class StoreWriter:
    """Writes one state of a gallery and swaps it in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(
        self,
        spec: GallerySpec,
        photos: str,
        records: Sequence[PhotoRecord],
        rows: Iterable[PackedPhoto],
        broken: Sequence[PhotoRecord],
    ) -> None:
        """Write arrays and table, then the manifest, then remove what it no longer names.

        Equal arguments give equal bytes in equally named files. Killed at any moment, this leaves
        the former state or the new one.

        Args:
            spec: what the gallery is made with.
            photos: the photo folder, relative to the gallery's.
            records: of the N photos.
            rows: N packed photos in the order of ``records``; consumed once.
            broken: records of unusable files.
        """
        identity = json.dumps([spec.to_dict(), [r.sha256 for r in records]], sort_keys=True)
        digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
        lines = "".join(record.to_line() for record in records)
        table_digest = hashlib.sha256(lines.encode()).hexdigest()[:16]
        files = {
            "vectors": f"vectors-{digest}.f16",
            "pooled": f"pooled-{digest}.f16",
            "records": f"records-{table_digest}.jsonl",
        }
        if spec.has_rollout:
            files["weights"] = f"weights-{digest}.f32"
        arrays = [files[key] for key in ("vectors", "pooled", "weights") if key in files]
        if not all((self.folder / name).exists() for name in arrays):
            with self._replacing(arrays) as opened:
                for row in rows:
                    for file, values in zip(
                        opened, (row.vectors, row.vectors[-1], row.weights), strict=False
                    ):
                        file.write(np.ascontiguousarray(values))
        temporary = self.folder / (files["records"] + ".tmp")
        write_records(temporary, records)
        _commit(temporary)
        manifest = {
            "format": FORMAT,
            "spec": spec.to_dict(),
            "photos": photos,
            "count": len(records),
            "files": files,
            "broken": [json.loads(record.to_line()) for record in broken],
        }
        temporary = self.folder / (MANIFEST + ".tmp")
        temporary.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        _commit(temporary)
        self._sweep({*files.values(), MANIFEST})

    @contextmanager
    def _replacing(self, names: list[str]) -> Iterator[list[Any]]:
        temporaries = [self.folder / (name + ".tmp") for name in names]
        opened = [path.open("wb", buffering=1 << 20) for path in temporaries]
        try:
            yield opened
        finally:
            for file in opened:
                file.close()
        for path in temporaries:
            _commit(path)

    def _sweep(self, keep: set[str]) -> None:
        for pattern in ("*.f16", "*.f32", "*.jsonl", "*.tmp", "*" + SUFFIX):
            for path in self.folder.glob(pattern):
                # A graph is kept as long as the vectors it was built from.
                if path.name.removesuffix(SUFFIX) not in keep:
                    # Windows keeps files that a reader has mapped; the next update removes them.
                    with suppress(OSError):
                        path.unlink()


def relative_folder(photos: Path, gallery: Path) -> str:
    """``photos`` as seen from ``gallery``, so that both can move together."""
    return Path(os.path.relpath(photos.resolve(), gallery.resolve())).as_posix()


def _commit(temporary: Path) -> None:
    """Give a ``.tmp`` file its name once its bytes are on disk."""
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(temporary, temporary.with_suffix(""))
