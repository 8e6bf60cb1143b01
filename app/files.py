"""Everything the app writes: below one temporary folder, bounded in bytes and age, that goes with the process."""

from __future__ import annotations

import atexit
import hashlib
import hmac
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

KEEP_SECONDS = 3 * 3600
"""How long what nobody used stays: longer than a lesson, and than Gradio keeps the state of who has left."""

MOST_BYTES = {"shown": 1 << 30, "uploads": 2 << 30, "visitors": 2 << 30}
"""Folders below the root, and how much each may hold: photos and features that browsers fetch; what visitors sent,
as Gradio stores it; galleries and downloads, a folder each. Beyond it the oldest goes first."""

_STRAY_SECONDS = 300
"""How long an upload that does not go on stays, in seconds: Gradio never removes one that was broken off."""

_PREFIX = "diml-explorer-"
_SWEEP_SECONDS = 60
_SECRET = secrets.token_bytes(32)
_lock = threading.Lock()
_root: Path | None = None
_kept: set[Path] = set()
_claims: list[IO[bytes]] = []  # open as long as the process lives


def root() -> Path:
    """The folder, made on first use and removed when the process ends.

    Gradio's uploads move there too, so this is called before any component is made.
    """
    global _root
    with _lock:
        if _root is None:
            _remove_those_of_the_dead()
            _root = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()
            atexit.register(shutil.rmtree, _root, ignore_errors=True)
            _claim(_root)
            for name in MOST_BYTES:
                (_root / name).mkdir()
            os.environ["GRADIO_TEMP_DIR"] = str(_root / "uploads")
        return _root


def shown() -> Path:
    """The folder of what browsers may fetch: one of ``allowed_paths``."""
    return root() / "shown"


def uploads() -> Path:
    """The folder in which Gradio stores uploads."""
    return root() / "uploads"


def folder(kind: str) -> Path:
    """A new folder for one visitor's files; whoever knows when the visitor left removes it earlier than the rest.

    Args:
        kind: beginning of its name.
    """
    return Path(tempfile.mkdtemp(prefix=f"{kind}-", dir=root() / "visitors"))


def by_digest(kind: str, key: str, write: Callable[[], bytes]) -> Path:
    """A file for browsers, written once per content.

    Its name is keyed with a secret of this process: who has the same photo, and so its digest, cannot ask whether
    somebody else has shown it here.

    Args:
        kind: end of the name, such as ``photo.jpg``; one digest has a file of each kind.
        key: what the content follows from, such as :attr:`diml_core.photo.images.Photo.digest`.
        write: makes the content, if it is not there yet.
    """
    name = hmac.digest(_SECRET, f"{kind}:{key}".encode(), "sha256").hex()
    path = shown() / f"{name}-{kind}"
    if touch(path):
        return path
    # Whole or not at all, also when two threads write it.
    part = path.with_name(f"{secrets.token_hex(8)}.part")
    part.write_bytes(write())
    part.replace(path)
    return path


def served(source: Path, pattern: str) -> Path:
    """A copy of some of our own files for browsers, in a folder whose name says what is in them.

    Args:
        source: folder.
        pattern: which files in and below it, as for ``rglob``.
    """
    contents = {path.relative_to(source): path.read_bytes() for path in source.rglob(pattern)}
    digest = hashlib.sha256(repr(sorted(contents.items())).encode()).hexdigest()[:16]
    target = root() / "own" / f"{source.name}-{digest}"
    for name, content in contents.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(content)
    return target


def own() -> Path:
    """The folder of :func:`served`: one of ``allowed_paths``; never swept."""
    return root() / "own"


def url(path: Path) -> str:
    """Where a browser on the page finds a file of :func:`by_digest`."""
    return f"/gradio_api/file={path.as_posix()}"


def touch(path: Path) -> bool:
    """Note that a file or folder is in use. Whether it is there."""
    try:
        os.utime(path)
    except OSError:
        return False
    return True


def remove(path: Path) -> None:
    """Delete a file or a folder, if it is still there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def sweep(now: float | None = None) -> None:
    """Delete what nobody has used for :data:`KEEP_SECONDS`, what is left of uploads that were broken off, and the oldest
    beyond :data:`MOST_BYTES`.

    Args:
        now: as ``time.time()``.
    """
    now = time.time() if now is None else now
    for name, most in MOST_BYTES.items():
        total = 0
        for age, size, path in sorted(_entries(root() / name, now)):
            total += size
            # A whole upload lies in a folder of its own.
            stray = name == "uploads" and age > _STRAY_SECONDS and path.is_file()
            if path not in _kept and (age > KEEP_SECONDS or stray or total > most):
                remove(path)


def keep_what_is_here() -> None:
    """Let nothing that is here now go before the process does: it belongs to the page, such as its first pair."""
    _kept.update(path for name in MOST_BYTES for path in (root() / name).iterdir())


def keep_tidy() -> None:
    """Sweep from now on, in the background."""

    def run() -> None:
        while True:
            time.sleep(_SWEEP_SECONDS)
            with suppress(OSError):  # of what vanished meanwhile: the next round will see
                sweep()

    threading.Thread(target=run, name="sweep", daemon=True).start()


def _claim(folder: Path) -> bool:
    """Lock a root for this process, unless a living one has; the system drops the lock of one that was killed."""
    with suppress(ImportError, OSError):  # Windows has no fcntl, and no /tmp that fills up for good
        import fcntl

        file = (folder / ".lock").open("ab")
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _claims.append(file)
            return True
        file.close()
    return False


def _remove_those_of_the_dead() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if (folder / ".lock").exists() and _claim(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _entries(parent: Path, now: float) -> list[tuple[float, int, Path]]:
    """Age in seconds, bytes and path of everything in a folder; what goes meanwhile is left out."""
    found = []
    for path in parent.iterdir():
        try:
            age = now - path.stat().st_mtime
            files = [path] if path.is_file() else [f for f in path.rglob("*") if f.is_file()]
            found.append((age, sum(file.stat().st_size for file in files), path))
        except OSError:
            continue
    return found
