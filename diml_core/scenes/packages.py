"""The Debian packages that hold the photographs: fetched and unpacked, never installed."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from diml_core.errors import InputError

CUTOUT_PACKAGE = "tuxpaint-stamps-default"
CUTOUT_FOLDER = "usr/share/tuxpaint/stamps"

BACKGROUND_PACKAGES = (
    "plasma-workspace-wallpapers",
    "mate-backgrounds",
    "ukui-wallpapers",
    "gnome-backgrounds",
    "lomiri-wallpapers-16.04",
    "lomiri-wallpapers-20.04",
)

_USE_FOLDERS = "or give your own photos with --cutouts and --backgrounds"


@dataclass(frozen=True)
class Unpacked:
    """The content of the packages: folders by package, and the version of each."""

    folders: dict[str, Path]
    versions: dict[str, str]


def unpack_packages(cache: Path) -> Unpacked:
    """Download what is not in ``cache`` yet (about 370 MB) and unpack it there.

    Args:
        cache: folder for ``.deb`` files and, below ``unpacked``, their content. Files that are
            there already are used as they are.

    Raises:
        InputError: no Debian tools here, or a package that cannot be fetched or unpacked.
    """
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise InputError(
                f"Fetching the photographs needs '{tool}', which only Debian and its relatives have: run "
                f"this there, {_USE_FOLDERS}."
            )
    cache.mkdir(parents=True, exist_ok=True)
    folders, versions = {}, {}
    for package in tqdm((CUTOUT_PACKAGE, *BACKGROUND_PACKAGES), "packages", leave=False):
        archive = _archive(package, cache)
        versions[package] = _run(["dpkg-deb", "-f", str(archive), "Version"], cache).strip()
        folders[package] = cache / "unpacked" / archive.stem
        if not folders[package].is_dir():
            partial = folders[package].with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            _run(["dpkg-deb", "-x", str(archive), str(partial)], cache)
            partial.rename(folders[package])
    return Unpacked(folders, versions)


def _archive(package: str, cache: Path) -> Path:
    if not list(cache.glob(f"{package}_*.deb")):
        _run(["apt-get", "download", package], cache)
    return max(cache.glob(f"{package}_*.deb"))


def _run(command: list[str], folder: Path) -> str:
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if run.returncode:
        reason = (run.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise InputError(
            f"'{' '.join(command)}' failed ({reason}): check the connection and 'apt-get update', "
            f"{_USE_FOLDERS}."
        )
    return run.stdout
