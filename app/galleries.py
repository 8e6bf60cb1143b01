"""Galleries to search: the one that ships with the app, and those that visitors upload."""

from __future__ import annotations

import hashlib
import json
import os
import queue
import re
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from app import files
from app.examples import FOLDER as EXAMPLES
from app.inputs import Upload
from app.mistakes import Change, Mistakes, mistakes_in, summary_of
from app.refusals import sentence
from app.service import Explorer
from app.thumbnails import thumbnail_url
from diml_core.errors import InputError
from diml_core.network.model import DimlModel
from diml_core.photo.images import Photo, load_photo
from diml_core.retrieval import Gallery, Result, index_photos
from diml_core.retrieval.spec import model_fingerprint
from diml_core.viewer.texts import text

MOST_UPLOADS = 200
SCENES = "scenes"
"""Folder of the built-in gallery whose sub-folders are classes."""
SHOWN = 10
"""Places of each order that are shown."""
MOST_FOUND = 100
"""Photos that a search finds by their global similarity, and re-ranks by their parts."""

_THUMBNAIL_SIDE = 320  # px: sharp where a screen has two or three to each of the page's
_CACHE = Path(os.environ.get("DIML_CACHE", Path.home() / ".cache" / "diml-explorer"))
_GONE = "Your gallery is no longer here, for it was not used for hours: upload the photos again."


class _Stopped(Exception):
    pass


class Galleries:
    """Builds, keeps and searches galleries with the explorer's models; safe for several threads.

    The built-in gallery is embedded with one model after another in the background; nobody waits for it, and nothing
    is locked but the network, for one batch at a time. When all are there, what re-ranking changes in them is counted.
    """

    def __init__(self, explorer: Explorer, cache: Path = _CACHE) -> None:
        self._explorer = explorer
        self._cache = cache
        self._built_in: dict[str, Gallery | str] = {}  # or why there is none
        self._mistakes: dict[str, Mistakes | str] = {}  # or why there are none
        self._progress: dict[str, str] = {}
        self._wanted: queue.Queue[str] = queue.Queue()
        self._builder: threading.Thread | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def build_ahead(self) -> None:
        """Start to embed the built-in gallery with every model. Returns at once; once is enough."""
        with self._lock:
            if self._builder is not None:
                return
            for name in self._explorer.names:
                self._progress[name] = "it waits for its turn"
                self._wanted.put(name)
            self._builder = threading.Thread(target=self._build_all, name="galleries", daemon=True)
            self._builder.start()

    def stop(self) -> None:
        """End what :meth:`build_ahead` began, before the process ends; it goes on from there another time."""
        self._stop.set()
        if self._builder is not None:
            self._builder.join(10)

    def preparing(self, model_name: str) -> str:
        """How far the built-in gallery is with a model, in a sentence; empty if it can be searched.

        Raises:
            InputError: no such model.
        """
        self._explorer.check_name(model_name)
        with self._lock:
            if model_name in self._built_in:
                return ""
            progress = self._progress.get(model_name, text("results.preparing.not"))
        return text("results.preparing", progress=progress)

    def built_in(self, model_name: str) -> Gallery:
        """The gallery of the example photos, once :meth:`build_ahead` has made it.

        Raises:
            InputError: no such model, not ready yet, or no room on disk.
        """
        if unready := self.preparing(model_name):
            raise InputError(unready)
        with self._lock:
            gallery = self._built_in[model_name]
        if isinstance(gallery, str):
            raise InputError(gallery)
        return gallery

    def mistakes(self, model_name: str) -> Mistakes | None:
        """What re-ranking changes in the built-in gallery; None until that is counted.

        Raises:
            InputError: no such model, or it could not be counted.
        """
        self._explorer.check_name(model_name)
        with self._lock:
            found = self._mistakes.get(model_name)
        if isinstance(found, str):
            raise InputError(found)
        return found

    def of_uploads(
        self,
        uploads: Sequence[Upload],
        model_name: str,
        progress: bool | Callable[[int, int], None] = False,
    ) -> Path:
        """Make a gallery of uploaded files, in a folder of its own.

        Args:
            uploads: the files.
            model_name: of the model that embeds them.
            progress: as :func:`diml_core.retrieval.index_photos` takes it.

        Returns:
            The folder, for :meth:`open`. Files that are no photos are left out.

        Raises:
            InputError: no files, more than :data:`MOST_UPLOADS`, no photo among them, or no such model.
        """
        if not uploads:
            raise InputError("Choose photos first: they make the gallery that is searched.")
        if len(uploads) > MOST_UPLOADS:
            raise InputError(
                f"These are {len(uploads)} files: a gallery here holds {MOST_UPLOADS}, so choose fewer, or "
                "index a folder with 'python -m diml_core index'."
            )
        model = self._explorer.model(model_name)
        folder = files.folder("gallery")
        try:
            for number, upload in enumerate(uploads):
                # Two cameras number their files alike: a folder each keeps the name and both photos.
                place = folder / "photos" / f"{number:03}"
                place.mkdir(parents=True)
                _place(upload, place)
            index_photos(folder / "photos", folder / "index", model=model, progress=progress)
            if not len(Gallery.open(folder / "index", model=model)):
                raise InputError("None of these files is a photo: choose JPEG, PNG or WebP files.")
        except BaseException:
            files.remove(folder)
            raise
        return folder

    def open(self, folder: Path | None, model_name: str) -> Gallery:
        """A visitor's gallery, or the built-in one for None. Raises InputError."""
        if folder is None:
            return self.built_in(model_name)
        if not files.touch(folder):
            raise InputError(_GONE)
        return Gallery.open(folder / "index", model=self._explorer.model(model_name))

    def build(self, model_name: str) -> Gallery:
        """Embed the built-in gallery, unless it lies on disk, and wait for it. Raises InputError."""
        model = self._explorer.model(model_name)
        folder = self._cache / _folder_name(model)

        def note(done: int, total: int) -> None:
            if self._stop.is_set():
                raise _Stopped
            with self._lock:
                self._progress[model_name] = text(
                    "results.preparing.photos", done=done, total=total
                )

        try:
            index_photos(EXAMPLES, folder, model=model, progress=note)
        except InputError:
            # Another process is writing there, or has other default options: a cache is not worth a fight.
            folder = files.root() / folder.name
            index_photos(EXAMPLES, folder, model=model, progress=note)
        gallery = Gallery.open(folder, model=model)
        # Compiles the kernel before a visitor waits for it.
        gallery.search(Image.new("RGB", (64, 64)))
        with self._lock:
            self._built_in[model_name] = gallery
        return gallery

    def count_mistakes(self, model_name: str) -> Mistakes:
        """Count what re-ranking changes in the built-in gallery, unless that is kept with it, and wait for it.

        Raises:
            InputError: there is no such gallery.
        """
        gallery = self.built_in(model_name)

        def pause() -> None:
            # For long enough that a visitor's search, which waits for the same lock, comes first.
            if self._stop.wait(0.01):
                raise _Stopped

        kinds = [_class_of(gallery.collection.photo_path(row)) for row in range(len(gallery))]
        # A search finds the query, too, where it is one of the gallery.
        found = mistakes_in(gallery.collection, kinds, MOST_FOUND - 1, pause)
        with self._lock:
            self._mistakes[model_name] = found
        return found

    def _build_all(self) -> None:
        built = []
        while not self._wanted.empty() and not self._stop.is_set():
            name = self._wanted.get()
            try:
                self.build(name)
                built.append(name)
            except _Stopped:
                return
            except Exception as error:
                with self._lock:
                    self._built_in[name] = sentence(error)
        for name in built:  # later, for searching comes first
            try:
                self.count_mistakes(name)
            except _Stopped:
                return
            except Exception as error:
                with self._lock:
                    self._mistakes[name] = sentence(error)


def _folder_name(model: DimlModel) -> str:
    """Another one for other weights; of the name only what is harmless, for a config may be a stranger's."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", model.name)[:60]
    return f"gallery-{name}-{model_fingerprint(model)[:12]}"


def _place(upload: Upload, folder: Path) -> None:
    if isinstance(upload.source, bytes):
        (folder / "photo").write_bytes(upload.source)
        return
    try:
        # The same file under another name: it takes no room, and stays when the upload goes.
        os.link(upload.source, folder / upload.source.name)
    except OSError as error:
        raise InputError("One of these photos is no longer here: choose them again.") from error


class Place(NamedTuple):
    """A result, and its places from 1: by parts, and by the global similarity; both without the query itself."""

    result: Result
    rank: int
    global_rank: int


class Found(NamedTuple):
    """What a search found.

    Attributes:
        places: in the order by parts.
        itself: the query, where it is one of the gallery.
        seconds: that it took, without the network.
    """

    places: list[Place]
    itself: Result | None
    seconds: float


def found_in(
    explorer: Explorer,
    gallery: Gallery,
    model_name: str,
    photo: Photo,
    session: str | None = None,
) -> Found:
    """Search a gallery by a photo. One that is itself in the gallery is left out of its own results.

    Args:
        session: who searches.
    """
    features = explorer.features(model_name, photo, session)
    start = time.perf_counter()
    found = gallery.search(features, top_k=MOST_FOUND)
    seconds = time.perf_counter() - start
    itself = next((r for r in found if r.global_rank == 1 and _same_photo(r, photo)), None)
    others = [result for result in found if result is not itself]
    order = {id(r): place for place, r in enumerate(sorted(others, key=_global_rank), 1)}
    places = [Place(result, rank, order[id(result)]) for rank, result in enumerate(others, 1)]
    return Found(places, itself, seconds)


def search_payload(
    explorer: Explorer, gallery: Gallery, model_name: str, query: Any, session: str | None = None
) -> dict[str, Any]:
    """Search, for the results component.

    A query that is itself in the gallery tells the class to find.

    Args:
        query: anything :func:`diml_core.load_photo` takes.
        session: who searches.

    Returns:
        ``{query, items, shown, summary, recall}``; every item has both ranks, the scores, a thumbnail, a
        key for :func:`photo_of`, and whether it is of the query's class (None where classes are unknown).
        The query is its name where it is one of the gallery, else None.

    Raises:
        InputError: the query cannot be read.
    """
    places, itself, seconds = found_in(explorer, gallery, model_name, load_photo(query), session)
    wanted = _class_of(itself.path) if itself else None
    items = [
        {
            "photo": _key(result.path),
            "label": _label(result.path),
            "rank": rank,
            "globalRank": global_rank,
            "similarity": result.similarity,
            "global": result.global_similarity,
            "structural": result.structural_similarity,
            "same": None if wanted is None else _class_of(result.path) == wanted,
        }
        for result, rank, global_rank in places
    ]
    shown = [item for item in items if min(item["rank"], item["globalRank"]) <= SHOWN]
    paths = {_key(place.result.path): place.result.path for place in places}
    for item in shown:
        item["thumbnail"] = thumbnail_url(paths[item["photo"]], _THUMBNAIL_SIDE)
    return {
        "query": name_of(itself.path) if itself else None,
        "items": shown,
        "shown": min(SHOWN, len(places)),
        "summary": _looking_for(wanted)
        + text(
            "results.summary",
            searched=len(gallery),
            found=len(places),
            milliseconds=round(1e3 * seconds),
        ),
        "recall": _recall(items, wanted, gallery),
    }


def mistakes_payload(gallery: Gallery, mistakes: Mistakes) -> dict[str, Any]:
    """What re-ranking changes in a gallery, for the component that shows it.

    Returns:
        ``{summary, fixed, broken}``; the lists have for every query that is meant the photos ``query``, ``before`` (first
        by the global similarity) and ``after`` (first after re-ranking), each with a key for :func:`photo_of`, a label
        and a thumbnail.
    """

    def shown(row: int) -> dict[str, str]:
        path = gallery.collection.photo_path(row)
        return {
            "photo": _key(path),
            "label": _label(path),
            "thumbnail": thumbnail_url(path, _THUMBNAIL_SIDE),
        }

    def rows(changes: Sequence[Change]) -> list[dict[str, Any]]:
        return [{k: shown(row) for k, row in change._asdict().items()} for change in changes]

    return {
        "summary": summary_of(mistakes),
        "fixed": rows(mistakes.fixed),
        "broken": rows(mistakes.broken),
    }


def photo_of(gallery: Gallery, key: str) -> Path:
    """The photo that an item of :func:`search_payload` stands for, by its ``photo``.

    Raises:
        InputError: no such photo in the gallery.
    """
    collection = gallery.collection
    paths = (collection.photo_path(row) for row in range(len(collection)))
    found = next((path for path in paths if _key(path) == key), None)
    if found is None:
        raise InputError("That photo is not in this gallery: search again.")
    return found


def name_of(path: Path) -> str:
    """What a photo is called: its place in the built-in gallery, and the name of its file in another."""
    return path.relative_to(EXAMPLES).as_posix() if EXAMPLES in path.parents else path.name


def _key(path: Path) -> str:
    """What stands for a photo in the browser, which need not know where it lies on the server."""
    return hashlib.sha256(str(path).encode()).hexdigest()[:16]


def _global_rank(result: Result) -> int:
    return result.global_rank


def _same_photo(result: Result, photo: Photo) -> bool:
    return result.global_similarity > 0.99 and load_photo(result.path).digest == photo.digest


def _class_of(path: Path) -> str | None:
    """The class of a scene is the folder it lies in; other photos have none."""
    return path.parent.name if path.parent.parent.name == SCENES else None


def _label(path: Path) -> str:
    kind = _class_of(path)
    return _words(path.stem) if kind is None else f"{_named(kind)} {path.stem}"


def _named(kind: str) -> str:
    """A class in words: its folder is called as whoever cut the pictures out called his files."""
    return _names().get(kind) or _words(kind)


@cache
def _names() -> dict[str, str]:
    names = json.loads((EXAMPLES / "names.json").read_text(encoding="utf-8"))
    assert isinstance(names, dict)
    return names


def _words(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")


def _looking_for(wanted: str | None) -> str:
    return "" if wanted is None else text("results.looking_for", wanted=_named(wanted)) + " "


def _recall(
    items: list[dict[str, Any]], wanted: str | None, gallery: Gallery
) -> dict[str, str] | None:
    if wanted is None:
        return None
    paths = (gallery.collection.photo_path(row) for row in range(len(gallery)))
    total = sum(_class_of(path) == wanted for path in paths) - 1  # the query itself is one of them
    texts = {}
    for order, rank in (("global", "globalRank"), ("diml", "rank")):
        first = sorted(items, key=lambda item: item[rank])[:SHOWN]
        hits = sum(item["same"] for item in first)
        right = "right" if first and first[0]["same"] else "wrong"
        texts[order] = text(f"results.recall.{right}", hits=hits, total=total, shown=SHOWN)
    return texts
