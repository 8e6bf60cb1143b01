"""One line per photo: the table beside the arrays, readable at any size without loading it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from diml_core.embedding.grids import Grid
from diml_core.errors import InputError
from diml_core.validation import from_object, settings


@settings
class PhotoRecord:
    """What the index knows about one file.

    Attributes:
        path: below the photo folder, with forward slashes.
        size, mtime_ns: of the file when it was read; while both stay, it is not read again.
        sha256: hex digest of the file's bytes; a renamed or copied photo is recognised by it.
        grid: rows and columns of its parts, or None for a file that could not be used.
        problem: why not: the sentence that was reported, else None.
    """

    path: str
    size: int
    mtime_ns: int
    sha256: str
    grid: Annotated[Grid, Field(strict=False)] | None = None  # JSON has no tuples
    problem: str | None = None

    def to_line(self) -> str:
        """One line of JSON, with its newline; equal records give equal bytes."""
        return json.dumps({k: v for k, v in asdict(self).items() if v is not None}) + "\n"

    @classmethod
    def from_line(cls, line: bytes | str) -> PhotoRecord:
        """Read :meth:`to_line`. Raises ValueError for anything else."""
        try:
            return from_object(cls, json.loads(line))
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def write_records(path: Path, records: Iterable[PhotoRecord]) -> None:
    """Write a table of records."""
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.writelines(record.to_line() for record in records)


class RecordTable(Sequence[PhotoRecord]):
    """A table of records on disk; a record is parsed, and refused if damaged, when it is asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        empty = path.stat().st_size == 0  # which cannot be mapped
        self._bytes = np.zeros(0, np.uint8) if empty else np.memmap(path, np.uint8, "r")
        self._ends = np.flatnonzero(self._bytes == ord("\n"))

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index: int) -> PhotoRecord:  # type: ignore[override]
        index = range(len(self))[index]
        start = self._ends[index - 1] + 1 if index else 0
        try:
            return PhotoRecord.from_line(self._bytes[start : self._ends[index]].tobytes())
        except ValueError as error:
            raise InputError(
                f"Line {index + 1} of '{self._path}' is damaged ({str(error).rstrip('.')}): index the photos again "
                "into a new folder."
            ) from error

    def __iter__(self) -> Iterator[PhotoRecord]:
        return (self[index] for index in range(len(self)))
