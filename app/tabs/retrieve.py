"""Retrieve: search a gallery by a photo, and see why each result is there."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import gradio as gr

from app.cover import answer_cover
from app.examples import FOLDER as EXAMPLES
from app.galleries import MOST_UPLOADS, SCENES, Galleries, photo_of, search_payload
from app.inputs import PhotoInput, Upload
from app.payload import viewer_payload
from app.results import Results
from app.service import Explorer
from app.strip import PhotoStrip
from app.viewer import Viewer
from diml_core.errors import InputError
from diml_core.network.checkpoints import DEFAULT_MODEL, shipped_models

_BUILT_IN, _UPLOADS = "built-in", "uploads"
_QUEUE = "gallery"  # indexing takes a while: who only compares two photos should not wait for it
_QUERIES = ("heron.jpg", "cat.jpg", "red-panda.jpg", "taj-mahal-near.jpg", "giraffes.jpg")
_SCENE_QUERIES = 9


def build(explorer: Explorer, model_queue: str, tab: gr.Tab) -> None:
    """Lay out the tab and connect it.

    Args:
        explorer: shared with the other tabs, so that features are shared too.
        tab: the tab this is in.
        model_queue: ``concurrency_id`` of everything that runs a network.
    """
    galleries = Galleries(explorer)
    uploaded = gr.State(None, delete_callback=_forget)  # folder of the visitor's own gallery

    gr.Markdown(
        "The **global** similarity finds candidates, the **parts** re-rank them. Choose a query; click a "
        "result to see which parts put it there.",
        elem_id="retrieve-intro",
    )
    queries = PhotoStrip(_queries())
    with gr.Row(elem_id="search-layout"):
        with gr.Column(elem_id="search-choose"):
            query = PhotoInput(label="Query", elem_id="query")
            model_name = gr.Radio(
                [(explorer.model(name).config.title, name) for name in shipped_models()],
                value=DEFAULT_MODEL,
                label="Model",
                elem_id="retrieve-model",
            )
            source = gr.Radio(
                [("Built-in gallery", _BUILT_IN), ("Your photos", _UPLOADS)],
                value=_BUILT_IN,
                label="Search in",
                elem_id="gallery-source",
            )
            files = gr.File(
                label=f"Up to {MOST_UPLOADS} photos",
                file_count="multiple",
                file_types=["image"],
                visible=False,
                height=170,
                elem_id="gallery-files",
            )
        with gr.Column(elem_id="search-see"):
            results = Results(elem_id="results")
            viewer = Viewer(cover=answer_cover(explorer), visible=False, elem_id="result-viewer")

    def search(
        upload: Upload | None,
        name: str,
        where: str,
        folder: str | None,
        progress: Any = gr.Progress(track_tqdm=True),
    ) -> tuple[Any, Any]:
        hide = gr.update(visible=False)
        if upload is None:
            return {}, hide
        try:
            if where == _UPLOADS and folder is None:
                raise InputError(
                    "Upload the photos to search in first, or choose the built-in gallery."
                )
            gallery = galleries.open(Path(folder) if where == _UPLOADS else None, name)
            return search_payload(explorer, gallery, name, upload.load()), hide
        except InputError as error:
            return {"error": str(error)}, hide

    def prepare(progress: Any = gr.Progress(track_tqdm=True)) -> Any:
        galleries.built_in(DEFAULT_MODEL)
        return gr.skip()

    def index(
        paths: list[str] | None,
        name: str,
        former: str | None,
        progress: Any = gr.Progress(track_tqdm=True),
    ) -> tuple[str | None, Any]:
        _forget(former)
        if not paths:
            return None, {}
        try:
            folder = galleries.of_uploads(paths, name)
            return str(folder), {}
        except InputError as error:
            return None, {"error": str(error)}

    def open_pair(
        upload: Upload | None, name: str, where: str, folder: str | None, event: gr.EventData
    ) -> Any:
        try:
            if upload is None:
                raise InputError("The query was removed: choose one again.")
            gallery = galleries.open(Path(folder) if where == _UPLOADS and folder else None, name)
            found = photo_of(gallery, str(event.photo))
            return gr.update(
                visible=True, value=viewer_payload(explorer.compare(name, upload.load(), found))
            )
        except InputError as error:
            return gr.update(visible=True, value={"error": str(error)})

    bound = {"api_visibility": "private", "concurrency_id": _QUEUE, "concurrency_limit": 1}
    private = {"api_visibility": "private", "show_progress": "hidden"}
    inputs = [query, model_name, source, uploaded]
    find: dict[str, Any] = {"fn": search, "inputs": inputs, "outputs": [results, viewer], **bound}
    make: dict[str, Any] = {
        "fn": index, "inputs": [files, model_name, uploaded], "outputs": [uploaded, results], **bound
    }  # fmt: skip

    queries.pick(_picked, None, query, **private).then(**find)
    for event in (query.input, query.clear):
        # What follows a "clear" sees that the photo is gone; "clear" itself does not.
        event(lambda: None, **private).then(**find)
    files.change(**make).then(**find)
    model_name.input(**make).then(**find)  # vectors of one model mean nothing to another
    source.input(lambda where: gr.update(visible=where == _UPLOADS), source, files, **private).then(
        **find
    )
    # The built-in gallery is embedded, once per machine, when somebody first looks at this tab; the
    # bar shows in place of results, also to who has chosen a query and waits for it.
    tab.select(prepare, None, results, **bound)
    results.open(open_pair, inputs, viewer, **(bound | {"concurrency_id": model_queue})).then(
        None,
        js="() => document.querySelector('#result-viewer')?.scrollIntoView()",
    )


def _queries() -> list[Path]:
    scenes = sorted((EXAMPLES / SCENES).glob("*/*.jpg"))
    step = max(len(scenes) // _SCENE_QUERIES, 1)
    return [*scenes[::step][:_SCENE_QUERIES], *(EXAMPLES / name for name in _QUERIES)]


def _picked(event: gr.EventData) -> str:
    return str(next(p for p in _queries() if p.relative_to(EXAMPLES).as_posix() == event.photo))


def _forget(folder: str | None) -> None:
    """Delete a visitor's gallery: when it is replaced, and when the visitor has left."""
    if folder:
        shutil.rmtree(Path(folder).parent, ignore_errors=True)
