"""Galleries to search: the one that ships with the app, and those that visitors upload."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from app.examples import FOLDER as EXAMPLES
from app.payload import photo_url
from app.service import Explorer
from diml_core.errors import InputError
from diml_core.photo.images import Photo, load_photo
from diml_core.retrieval import Gallery, Result, index_photos

MOST_UPLOADS = 200
SCENES = "scenes"
"""Folder of the built-in gallery whose sub-folders are classes."""
SHOWN = 10
"""Places of each order that are shown."""

_THUMBNAIL_SIDE = 128  # px
_TOP_K = 100
_CACHE = Path(os.environ.get("DIML_CACHE", Path.home() / ".cache" / "diml-explorer"))


class Galleries:
    """Builds, keeps and searches galleries with the explorer's models; safe for several threads."""

    def __init__(self, explorer: Explorer, cache: Path = _CACHE) -> None:
        self._explorer = explorer
        self._cache = cache
        self._built_in: dict[str, Gallery] = {}
        self._lock = threading.Lock()

    def built_in(self, model_name: str) -> Gallery:
        """The gallery of the example photos, embedded on first use and kept on disk.

        Raises:
            InputError: no such shipped model, or no room on disk.
        """
        with self._lock:
            if model_name not in self._built_in:
                folder = self._cache / f"gallery-{model_name}"
                self._built_in[model_name] = self._index(EXAMPLES, folder, model_name)
            return self._built_in[model_name]

    def of_uploads(self, files: Sequence[str], model_name: str) -> Path:
        """Make a gallery of uploaded files, in a folder of its own.

        Returns:
            The folder, for :meth:`open`. Files that are no photos are left out.

        Raises:
            InputError: no files, more than :data:`MOST_UPLOADS`, or no photo among them.
        """
        if not files:
            raise InputError("Choose photos first: they make the gallery that is searched.")
        if len(files) > MOST_UPLOADS:
            raise InputError(
                f"These are {len(files)} files: a gallery here holds {MOST_UPLOADS}, so choose fewer, or "
                "index a folder with 'python -m diml_core index'."
            )
        folder = Path(tempfile.mkdtemp(prefix="diml-gallery-"))
        photos = folder / "photos"
        photos.mkdir()
        for number, file in enumerate(files):
            # Two cameras number their files alike: a folder each keeps the name and both photos.
            (photos / f"{number:03}").mkdir()
            shutil.copyfile(file, photos / f"{number:03}" / Path(file).name)
        gallery = self._index(photos, folder / "index", model_name)
        if not len(gallery):
            raise InputError("None of these files is a photo: choose JPEG, PNG or WebP files.")
        return folder / "index"

    def open(self, folder: Path | None, model_name: str) -> Gallery:
        """A visitor's gallery, or the built-in one for None. Raises InputError."""
        if folder is None:
            return self.built_in(model_name)
        return Gallery.open(folder, model=self._explorer.model(model_name))

    def _index(self, photos: Path, folder: Path, model_name: str) -> Gallery:
        model = self._explorer.model(model_name)
        try:
            # Gradio shows the visitor the progress bar of tqdm.
            index_photos(photos, folder, model=model, progress=True)
        except InputError:
            # Another process is writing there, or another version of the model did: a cache is not
            # worth a fight.
            folder = Path(tempfile.mkdtemp(prefix="diml-gallery-"))
            index_photos(photos, folder, model=model, progress=True)
        gallery = Gallery.open(folder, model=model)
        gallery.search(
            Image.new("RGB", (64, 64))
        )  # compiles the kernel before a visitor waits for it
        return gallery


def search_payload(
    explorer: Explorer, gallery: Gallery, model_name: str, query: Any
) -> dict[str, Any]:
    """Search, for the results component.

    A query that is itself in the gallery is left out of its own results, and tells the class to find.

    Args:
        query: anything :func:`diml_core.load_photo` takes.

    Returns:
        ``{items, shown, summary, recall}``; every item has both ranks, the scores, a thumbnail, a
        key for :func:`photo_of`, and whether it is of the query's class (None where classes are unknown).

    Raises:
        InputError: the query cannot be read.
    """
    photo = load_photo(query)
    features = explorer.features(model_name, photo)
    start = time.perf_counter()
    found = gallery.search(features, top_k=_TOP_K)
    seconds = time.perf_counter() - start

    itself = next((r for r in found if r.global_rank == 1 and _same_photo(r, photo)), None)
    wanted = _class_of(itself.path) if itself else None
    found = [result for result in found if result is not itself]
    order = {id(r): place for place, r in enumerate(sorted(found, key=_global_rank), 1)}
    items = [
        {
            "photo": _key(result.path),
            "label": _label(result.path),
            "rank": rank,
            "globalRank": order[id(result)],
            "similarity": result.similarity,
            "global": result.global_similarity,
            "structural": result.structural_similarity,
            "same": None if wanted is None else _class_of(result.path) == wanted,
        }
        for rank, result in enumerate(found, 1)
    ]
    shown = [item for item in items if min(item["rank"], item["globalRank"]) <= SHOWN]
    paths = {_key(result.path): result.path for result in found}
    for item in shown:
        item["thumbnail"] = photo_url(load_photo(paths[item["photo"]]), _THUMBNAIL_SIDE)
    return {
        "items": shown,
        "shown": min(SHOWN, len(found)),
        "summary": f"{len(gallery)} photos searched; the {len(found)} most similar globally were "
        f"re-ranked by their parts in {1e3 * seconds:.0f} ms.",
        "recall": _recall(items, wanted, gallery),
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
    return (_class_of(path) or path.stem).replace("_", " ").replace("-", " ")


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
        texts[order] = f"first result {right}; {hits} of {total} of its class in the first {SHOWN}"
    return texts
