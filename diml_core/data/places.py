"""Finding a data set below the folder a user names, and reading its text files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from diml_core.errors import InputError


def first_folder(root: Path, names: Sequence[str], landmark: str, title: str) -> Path:
    """The first of ``root / name`` that holds ``landmark``.

    Raises:
        InputError: there is none; the sentence says where was looked.
    """
    for name in names:
        if (root / name / landmark).exists():
            return root / name
    looked = ", ".join(f"'{root / name / landmark}'" for name in names)
    raise InputError(
        f"{title} was not found (looked for {looked}): give the folder it was unpacked into as --root."
    )


def lines_of(path: Path, fields: int, *, header: bool = False) -> list[list[str]]:
    """The lines of a text file, split at spaces into exactly ``fields`` fields.

    Raises:
        InputError: a line with another number of fields, or a file that cannot be read as text.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"'{path}' cannot be read ({error}): unpack the data set again."
        ) from error
    rows = [line.split(maxsplit=fields - 1) for line in lines[int(header) :] if line.strip()]
    for number, row in enumerate(rows, 1 + int(header)):
        if len(row) != fields:
            raise InputError(
                f"Line {number} of '{path}' has {len(row)} fields where {fields} belong: unpack the data "
                "set again."
            )
    return rows
