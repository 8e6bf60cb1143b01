"""Making and updating a gallery from a folder tree of photos.

A run has three steps: see which files are new or changed (by size and time, then by content), embed
those into a work file that survives being killed, and write the new state in one swap. Whatever the
history, an update or a run that was killed a hundred times, the gallery holds the same photos in the
same order as a run from scratch. Its numbers agree as far as the network's do that saw a photo among
others (about 1e-6 in float32); stored in float16, a number can then be its neighbour, 2**-10 of itself.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, cast

from torch import Tensor
from tqdm import tqdm

from diml_core.embedding.grids import Grid
from diml_core.errors import InputError
from diml_core.network.batches import batch_size, by_shape, loaded_ahead
from diml_core.network.checkpoints import DEFAULT_MODEL, load_model
from diml_core.network.model import DimlModel
from diml_core.photo.images import DEFAULT_LIMITS, ImageError, load_photo
from diml_core.retrieval.records import PhotoRecord
from diml_core.retrieval.spec import GallerySpec, PackedPhoto, pack_photos
from diml_core.retrieval.store import MANIFEST, Store, StoreWriter, relative_folder
from diml_core.retrieval.workfile import WorkFile

_JPEG = {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"}
_OTHERS = {".png", ".gif", ".webp", ".avif", ".tif", ".tiff", ".bmp", ".ppm", ".pgm", ".pbm"}
PHOTO_SUFFIXES = frozenset(_JPEG | _OTHERS)
"""Files with these endings, in any case, count as photos; other files are passed over."""

_WORK = "work"
_LOCK = ".lock"
_BLOCK = 16  # photos between two syncs: what a kill can cost, beside the batch in the network


@dataclass(frozen=True)
class IndexReport:
    """What a run did.

    Attributes:
        photos: in the gallery now.
        embedded: photos that went through the network in this run.
        reused: photos whose vectors were known, here or from a run that was killed.
        removed: photos of the former state that are gone.
        broken: records of the files that cannot be used, with the reason in ``problem``.
    """

    photos: int
    embedded: int
    reused: int
    removed: int
    broken: tuple[PhotoRecord, ...]


def index_photos(
    photos: str | PathLike[str],
    gallery: str | PathLike[str],
    *,
    model: str | DimlModel = DEFAULT_MODEL,
    device: str = "cpu",
    engine: str = "torch",
    progress: bool | Callable[[int, int], None] = False,
    **options: Any,
) -> IndexReport:
    """Make a gallery of all photos below a folder, or bring it up to date.

    May be killed at any moment and called again. While it runs, the former state can be searched.
    An update needs room on disk for both. Photos are read in other threads, see
    :mod:`diml_core.network.batches`.

    Args:
        photos: the folder; symbolic links to folders are not followed.
        gallery: folder to write, created if needed.
        model: a name or path for :func:`diml_core.load_model`, or a model. A gallery of a model that was
            not loaded can be opened with that model only.
        device, engine: of a named model, as :func:`diml_core.load_model` takes them. A gallery may be made with one
            engine and brought up to date with another.
        progress: show a progress bar on stderr; or call this with the photos done and all there are.
        **options: fields of :class:`diml_core.comparison.options.ExplainOptions`; else the model's defaults.

    Raises:
        InputError: no such folder, a bad option, a gallery of another model or other options, one that
            another process is writing, or too little room on disk.
    """
    photos, gallery = Path(photos), Path(gallery)
    if not photos.is_dir():
        raise InputError(f"There is no folder '{photos}': give a folder of photos.")
    model = (
        model if isinstance(model, DimlModel) else load_model(model, device=device, engine=engine)
    )
    spec = GallerySpec.of(model, model.options(**options))
    former = Store(gallery) if (gallery / MANIFEST).exists() else None
    if former is not None:
        former.spec.check_model(model, str(gallery))
        if former.spec.options != spec.options:
            raise InputError(
                f"The gallery '{gallery}' was made with other options ({former.spec.options}): "
                "leave the options as they were, or index into a new folder."
            )
        spec = former.spec  # keeps the name under which its model was loaded
    try:
        gallery.mkdir(parents=True, exist_ok=True)
        with _locked(gallery):
            return _Run(photos, gallery, model, spec, former, progress).run()
    except OSError as error:
        raise InputError(
            f"The gallery cannot be written ({error}): choose another folder or make room."
        ) from error


class _Run:
    def __init__(
        self,
        photos: Path,
        gallery: Path,
        model: DimlModel,
        spec: GallerySpec,
        former: Store | None,
        progress: bool | Callable[[int, int], None],
    ) -> None:
        self.photos, self.gallery, self.model, self.spec = photos, gallery, model, spec
        self.former, self.progress = former, progress
        records = [] if former is None else list(former.records)
        broken = [] if former is None else former.broken
        self.former_rows = {record.sha256: row for row, record in enumerate(records)}
        self.former_paths = {record.path for record in records}
        self.grids = {record.sha256: record.grid for record in records}
        # A sentence names its file, so it is remembered for that file only.
        self.problems = {(r.path, r.sha256): r.problem for r in broken}
        self.work = WorkFile(gallery / _WORK, spec)
        self.known = {record.path: record for record in (*records, *broken, *self.work.records)}
        for record in self.work.records:
            if record.problem is None:
                self.grids[record.sha256] = record.grid
            else:
                self.problems[record.path, record.sha256] = record.problem
        self.records: list[PhotoRecord] = []
        self.fresh: list[tuple[PhotoRecord, PackedPhoto | None]] = []
        self.embedded = 0

    def run(self) -> IndexReport:
        size = batch_size(self.model, self.spec.options.start_block)
        try:
            paths = sorted(_photo_paths(self.photos, self.gallery))
            self._check_room(len(paths))
            with (
                _bar(len(paths), self.progress) as bar,
                loaded_ahead(self._look_at, paths, size) as seen,
            ):
                for places, images in by_shape(self._unknown(seen, bar), size):
                    packed = pack_photos(self.model, images, self.spec)
                    for place, photo in zip(places, packed, strict=True):
                        self._embedded(place, photo)
                    bar.update(len(places))
            self.work.append(self.fresh)
            return self._finish()
        finally:
            self.work.close()

    def _look_at(self, path: str) -> tuple[PhotoRecord, Tensor | None, bool]:
        """The record of a file, what the network takes if it has to see it, and whether it is news.

        Runs in threads, and only reads what others write.
        """
        full = self.photos / path
        try:
            stat = full.stat()
            known = self.known.get(path)
            if known and (known.size, known.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
                return known, None, False
            # What is hashed is what is embedded, even if the file is being written meanwhile.
            data = full.read_bytes() if stat.st_size <= DEFAULT_LIMITS.max_bytes else None
        except OSError as error:
            problem = f"'{path}' cannot be read ({error.strerror}): check its permissions."
            return PhotoRecord(path, 0, 0, "", problem=problem), None, False
        sha256 = "" if data is None else hashlib.sha256(data).hexdigest()
        record = PhotoRecord(path, stat.st_size, stat.st_mtime_ns, sha256)
        if known_problem := self.problems.get((path, sha256)):
            return replace(record, problem=known_problem), None, False
        if grid := self.grids.get(sha256):
            return replace(record, grid=grid), None, False
        try:
            photo = load_photo(full if data is None else data, name=path)
        except ImageError as error:
            return replace(record, problem=str(error)), None, True
        return record, self.model.preprocess(photo), True

    def _unknown(
        self, seen: Iterator[tuple[PhotoRecord, Tensor | None, bool]], bar: tqdm
    ) -> Iterator[tuple[int, Tensor]]:
        """Note every file, and pass on those that the network has to see, with their places."""
        for place, (record, image, is_new) in enumerate(seen):
            self.records.append(record)
            if image is not None:
                yield place, image
                continue
            if is_new:
                self._keep(record, None)
            bar.update()

    def _embedded(self, place: int, packed: PackedPhoto) -> None:
        record = replace(self.records[place], grid=packed.grid)
        self.records[place] = record
        # Copies of one photo can be under way together; the first stands for all.
        if record.sha256 not in self.grids:
            self.grids[record.sha256] = packed.grid
            self.embedded += 1
            self._keep(record, packed)

    def _keep(self, record: PhotoRecord, packed: PackedPhoto | None) -> None:
        self.fresh.append((record, packed))
        if len(self.fresh) >= _BLOCK:
            self.work.append(self.fresh)
            self.fresh = []

    def _check_room(self, count: int) -> None:
        """Refuse what cannot end well; photos that turn out to be broken or copies may need less."""
        new = count - len(self.known)
        if new <= 0:
            return
        needed = new * self.work.row_bytes + count * (self.work.row_bytes + 2 * self.spec.dim)
        free = shutil.disk_usage(self.gallery).free
        if needed > free:
            raise InputError(
                f"A gallery of {count:,} photos needs {needed / 2**30:,.2f} GiB more on disk, and "
                f"{free / 2**30:,.2f} are free in '{self.gallery}': make room, choose another folder or a "
                "coarser grid."
            )

    def _finish(self) -> IndexReport:
        usable = [record for record in self.records if record.problem is None]
        broken = [record for record in self.records if record.problem is not None]
        photos = relative_folder(self.photos, self.gallery)
        rows = (self._packed(record) for record in usable)
        StoreWriter(self.gallery).write(self.spec, photos, usable, rows, broken)
        self.work.discard()
        return IndexReport(
            photos=len(usable),
            embedded=self.embedded,
            reused=len(usable) - self.embedded,
            removed=len(self.former_paths - {record.path for record in usable}),
            broken=tuple(broken),
        )

    def _packed(self, record: PhotoRecord) -> PackedPhoto:
        row = self.former_rows.get(record.sha256)
        if row is None:
            return self.work.read(record.sha256)
        former = cast(Store, self.former)  # for it has rows
        vectors = former.vectors[row].numpy()
        weights = None if former.weights is None else former.weights[row].numpy()
        return PackedPhoto(vectors, weights, cast(Grid, record.grid))


def _bar(total: int, progress: bool | Callable[[int, int], None]) -> tqdm:
    bar = tqdm(total=total, desc="Indexing", unit=" photos", disable=progress is not True)
    if callable(progress):
        done = 0

        def update(photos: float | None = 1) -> None:
            nonlocal done
            done += int(photos or 0)
            progress(done, total)

        bar.update = update  # a hidden bar does not count
    return bar


def _photo_paths(photos: Path, gallery: Path) -> Iterator[str]:
    """Paths below ``photos`` with forward slashes, but for hidden files and the gallery itself."""
    inside = gallery.resolve()
    for folder, folders, names in os.walk(photos):
        here = Path(folder)
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and (here / name).resolve() != inside
        ]
        for name in names:
            if Path(name).suffix.lower() in PHOTO_SUFFIXES and not name.startswith("."):
                yield (here / name).relative_to(photos).as_posix()


@contextmanager
def _locked(gallery: Path) -> Iterator[None]:
    """Keep a second writer out; the system drops the lock when its holder dies."""
    with (gallery / _LOCK).open("w") as file:
        with suppress(ImportError):  # Windows has no fcntl: there, two writers are the user's care
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(
                    f"Another process is writing the gallery '{gallery}': wait for it to end."
                ) from None
        yield
