"""Embeddings of an index run that has not finished: append-only, and safe against being killed.

Rows are on disk before the journal line that announces them. So after a kill every complete line
of the journal has its row; a torn last line and rows beyond the journal are cut off. So is, should a disk
have damaged either, whatever follows the first line that is no record or has no row.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from diml_core.embedding.grids import Grid
from diml_core.retrieval.records import PhotoRecord
from diml_core.retrieval.spec import GallerySpec, PackedPhoto


class WorkFile:
    """What has been computed but not yet swapped into the gallery, by content.

    Attributes:
        records: of everything appended, in order.
        row_bytes: what a photo takes here.
    """

    def __init__(self, folder: Path, spec: GallerySpec) -> None:
        """Open or create; work for another spec is discarded.

        Args:
            folder: of the work, inside the gallery's.
            spec: of the gallery being made.
        """
        self._folder, self._spec = folder, spec
        self._vector_bytes = (spec.parts + 1) * spec.dim * np.dtype(np.float16).itemsize
        self._weight_bytes = spec.parts * np.dtype(np.float32).itemsize if spec.has_rollout else 0
        self.row_bytes = self._vector_bytes + self._weight_bytes
        self._places: dict[str, tuple[int, PhotoRecord]] = {}
        self.records: list[PhotoRecord] = []
        header = json.dumps(spec.to_dict(), sort_keys=True).encode() + b"\n"
        journal = self._journal_path
        if not journal.exists() or not journal.read_bytes().startswith(header):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            journal.write_bytes(header)
        self._journal = journal.open("rb+")
        self._rows = (folder / "rows").open("ab+")
        self._replay(len(header))

    def append(self, done: Sequence[tuple[PhotoRecord, PackedPhoto | None]]) -> None:
        """Add photos new to the file, and unusable files with None; on return they are on disk."""
        for _, packed in done:
            if packed is not None:
                self._rows.write(packed.vectors.tobytes())
                self._rows.write(b"" if packed.weights is None else packed.weights.tobytes())
        _sync(self._rows)
        self._journal.write("".join(record.to_line() for record, _ in done).encode())
        _sync(self._journal)
        for record, _ in done:
            self._note(record)

    def read(self, sha256: str) -> PackedPhoto:
        """The photo with these bytes. Raises KeyError if it was never appended."""
        row, record = self._places[sha256]
        self._rows.seek(row * self.row_bytes)
        shape = (self._spec.parts + 1, self._spec.dim)
        vectors = np.frombuffer(self._rows.read(self._vector_bytes), np.float16).reshape(shape)
        weights = np.frombuffer(self._rows.read(self._weight_bytes), np.float32)
        grid = cast(Grid, record.grid)
        return PackedPhoto(vectors, weights if self._spec.has_rollout else None, grid)

    def close(self) -> None:
        """Close the files; what was appended stays for the next run."""
        self._journal.close()
        self._rows.close()

    def discard(self) -> None:
        """Close and delete, once the gallery holds everything."""
        self.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _journal_path(self) -> Path:
        return self._folder / "journal"

    def _replay(self, start: int) -> None:
        rows = self._rows.seek(0, os.SEEK_END) // self.row_bytes
        self._journal.seek(start)
        for line in self._journal:
            try:
                record = PhotoRecord.from_line(line)
            except ValueError:
                break
            if not line.endswith(b"\n") or (record.problem is None and len(self._places) == rows):
                break
            self._note(record)
            start += len(line)
        self._journal.seek(start)
        self._journal.truncate()
        self._rows.truncate(len(self._places) * self.row_bytes)

    def _note(self, record: PhotoRecord) -> None:
        self.records.append(record)
        if record.problem is None:
            self._places[record.sha256] = (len(self._places), record)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
