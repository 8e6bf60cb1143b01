"""Which photos to compare with which: a table of two paths per line, or all photos of a folder."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from diml_core.errors import InputError
from diml_core.retrieval.indexing import PHOTO_SUFFIXES


@dataclass(frozen=True)
class PhotoPair:
    """Two photos to compare.

    Attributes:
        name_a, name_b: as the list has them.
        path_a, path_b: the files, which need not exist.
    """

    name_a: str
    name_b: str
    path_a: Path
    path_b: Path


def read_pairs(source: Path) -> list[PhotoPair]:
    """The pairs of a CSV file, in its order, or all pairs of the photos that lie directly in a folder.

    A CSV file has two paths per line, relative to its folder. Its first line is a header if it names
    neither a file nor anything that ends as a photo does: a misspelt photo must not pass for one.

    Raises:
        InputError: neither file nor folder, no CSV of two columns, or not one pair in it.
    """
    if source.is_dir():
        return _all_pairs(source)
    try:
        # "-sig": spreadsheets put a byte order mark first, which would belong to the first path.
        with source.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, skipinitialspace=True)
            lines = [(reader.line_num, cells) for cells in reader if cells]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"'{source}' cannot be read as a table ({reason}): give a CSV file in UTF-8 with two paths "
            "per line, or a folder of photos."
        ) from error
    for number, cells in lines:
        if len(cells) != 2 or not all(cells):
            raise InputError(
                f"Line {number} of '{source}' does not hold two paths: write one pair per line, with a "
                "comma between the two."
            )
    folder = source.parent
    if lines and not any(_names_a_photo(cell, folder) for cell in lines[0][1]):
        lines = lines[1:]
    if not lines:
        raise InputError(f"There is no pair in '{source}': write two paths per line.")
    return [PhotoPair(a, b, folder / a, folder / b) for _, (a, b) in lines]


def _all_pairs(folder: Path) -> list[PhotoPair]:
    photos = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in PHOTO_SUFFIXES and not path.name.startswith(".")
    )
    if len(photos) < 2:
        raise InputError(
            f"The folder '{folder}' holds {len(photos) or 'no'} photo{'s' * (not photos)}: give one with two or more."
        )
    return [PhotoPair(a.name, b.name, a, b) for a, b in combinations(photos, 2)]


def _names_a_photo(cell: str, folder: Path) -> bool:
    # Path.is_file raises for a text that is too long to be a name.
    return Path(cell).suffix.lower() in PHOTO_SUFFIXES or os.path.isfile(folder / cell)
