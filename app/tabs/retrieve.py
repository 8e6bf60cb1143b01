"""Retrieve: search a gallery by a photo, and see why each result is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from app import choices, files
from app.examples import FOLDER as EXAMPLES
from app.galleries import (
    MOST_UPLOADS,
    SCENES,
    Galleries,
    mistakes_payload,
    photo_of,
    search_payload,
)
from app.inputs import PhotoFiles, PhotoInput, Upload
from app.questions import connect_questions
from app.result_pairs import firsts_of, items_of, result_pairs
from app.results import Mistakes, Results
from app.service import Explorer
from app.strip import PhotoStrip
from app.viewer import Viewer
from diml_core.errors import InputError
from diml_core.photo.images import load_photo
from diml_core.retrieval import Gallery
from diml_core.viewer.texts import text

_BUILT_IN, _UPLOADS = "built-in", "uploads"
SEARCH_QUEUE = "search"
_INDEX_QUEUE = "index"  # takes a while: who only searches should not wait for it
_INDEXING = 4  # at once, batch by batch in turn: most have nothing to do, and should not wait for those who have
_QUERIES = ("heron.jpg", "cat.jpg", "red-panda.jpg", "taj-mahal-near.jpg", "giraffes.jpg")
_SCENE_QUERIES = 9
# To the pair, once there is something to scroll to: its photos and features come after the answer.
_SCROLL = """() => {
  const deadline = Date.now() + 20000;
  const go = () => {
    const shown = [...document.querySelectorAll('#result-viewers .diml')];
    const done = shown.every((each) => each.matches(":is([data-state=ready], [data-state=error]):not([data-busy])"));
    if (shown.length && done) {
      document.querySelector('#back').focus({ preventScroll: true });
      document.querySelector('#result-pair').scrollIntoView();
    } else if (Date.now() < deadline) setTimeout(go, 50);
  };
  setTimeout(go, 50);
}"""
# The list never went away. Nothing is asked of the server: the browser alone hides the pair.
_HIDE = "() => Array.from({ length: 3 }, () => ({ __type__: 'update', visible: false }))"
# Focus to what opened the pair, which then stands where it stood on the screen.
_RETURN = """() => {
  const go = (tries) => {
    if (document.querySelector('#result-viewers .diml') && tries) return setTimeout(go, 20, tries - 1);
    const { button, top } = window.dimlOpener ?? {};
    if (!button?.isConnected) return;
    button.focus({ preventScroll: true });
    window.scrollBy({ top: button.getBoundingClientRect().top - top, behavior: 'instant' });
  };
  go(50);
}"""


def build(explorer: Explorer, galleries: Galleries, cover_queue: str, tab: gr.Tab) -> PhotoFiles:
    """Lay out the tab and connect it.

    Args:
        explorer: shared with the other tabs, so that features are shared too.
        galleries: what is searched.
        cover_queue: ``concurrency_id`` of covering.
        tab: the tab this is in.

    Returns:
        Where the visitor puts photos of his own.
    """
    # The folder of the visitor's own gallery. Not with a time_to_live, which would count from its making: what nobody
    # used for long is swept, also that of a program, which never says that it has left.
    uploaded = gr.State(None, delete_callback=_forget)

    gr.Markdown(
        text("retrieve.intro"),
        elem_id="retrieve-intro",
    )
    queries = PhotoStrip(_queries())
    chosen = gr.Textbox(visible=False)  # what the browser says was chosen last
    found = gr.State(None)  # the payload of the results that are shown
    with gr.Row(elem_id="search-layout"):
        with gr.Column(elem_id="search-choose"):
            query = PhotoInput(label=text("retrieve.query"), elem_id="query")
            model_name = gr.Radio(
                explorer.titles(),
                value=explorer.default,
                label=text("compare.model"),
                elem_id="retrieve-model",
            )
            source = gr.Radio(
                [
                    (text("retrieve.source.built_in"), _BUILT_IN),
                    (text("retrieve.source.uploads"), _UPLOADS),
                ],
                value=_BUILT_IN,
                label=text("retrieve.source"),
                elem_id="gallery-source",
            )
            own = PhotoFiles(
                label=text("retrieve.files", most=MOST_UPLOADS),
                file_count="multiple",
                file_types=["image"],
                visible=False,
                height=170,
                elem_id="gallery-files",
            )
        with gr.Column(elem_id="search-see"):
            # Above the list, which stays.
            with gr.Column(elem_id="result-pair"):
                back = gr.Button(text("retrieve.back"), size="sm", visible=False, elem_id="back")
                with gr.Row(elem_id="result-viewers"):
                    viewer = Viewer(visible=False, elem_id="result-viewer")
                    other_viewer = Viewer(visible=False, elem_id="other-viewer")
            results = Results(elem_id="results")
            mistakes = Mistakes(elem_id="mistakes")
    for each in (viewer, other_viewer):
        connect_questions(explorer, each, cover_queue)
    pair = [back, viewer, other_viewer]

    def search(
        upload: Upload | None,
        name: str,
        where: str,
        folder: str | None,
        request: gr.Request,
        progress: Any = gr.Progress(),
    ) -> list[Any]:
        try:
            if where != _UPLOADS and (unready := galleries.preparing(name)):
                return [{"preparing": unready}, None, *_NO_PAIR]
            if upload is None:
                return [{}, None, *_NO_PAIR]
            gallery = _open(galleries, where, folder, name)
            session = request.session_hash
            payload = search_payload(explorer, gallery, name, upload.load(), session)
            return [payload, payload, *_NO_PAIR]
        except InputError as error:
            # Above the last results, and the pair of one that may be open.
            return [{"error": str(error)}, None, *[gr.skip()] * 3]

    def look(name: str, where: str) -> Any:
        unready = "" if where == _UPLOADS else galleries.preparing(name)
        return {"preparing": unready} if unready else gr.skip()

    def look_at_mistakes(name: str, where: str) -> dict[str, Any]:
        if where == _UPLOADS:
            return {}
        try:
            counted = galleries.mistakes(name)
            if counted is None:
                return {"counting": text("mistakes.counting")}
            return mistakes_payload(galleries.built_in(name), counted)
        except InputError as error:
            return {"error": str(error)}

    def index(
        uploads: list[Upload] | None, name: str, former: str | None, progress: Any = gr.Progress()
    ) -> tuple[str | None, Any]:
        _forget(former)
        if not uploads:
            return None, {}

        def note(done: int, total: int) -> None:
            progress((done, total), desc=text("retrieve.looking"), unit=text("retrieve.unit"))

        try:
            return str(galleries.of_uploads(uploads, name, note)), {}
        except InputError as error:
            return None, {"error": str(error)}

    def renew(
        uploads: list[Upload] | None,
        name: str,
        former: str | None,
        where: str,
        progress: Any = gr.Progress(),
    ) -> tuple[Any, Any]:
        """Vectors of one model mean nothing to another."""
        if where != _UPLOADS or not uploads or _fits(galleries, former, name):
            return gr.skip(), gr.skip()
        return index(uploads, name, former, progress)

    def open_pair(
        upload: Upload | None,
        name: str,
        where: str,
        folder: str | None,
        found: dict[str, Any] | None,
        chosen: str,
        request: gr.Request,
    ) -> list[Any]:
        try:
            if upload is None:
                raise InputError("The query was removed: choose one again.")
            if found is None:
                raise InputError("These results are no longer here: search again.")
            gallery = _open(galleries, where, folder, name)
            return _shown(
                result_pairs(
                    explorer,
                    gallery,
                    name,
                    upload.load(),
                    found,
                    items_of(found, str(chosen)),
                    request.session_hash,
                )
            )
        except InputError as error:
            return _shown([{"error": str(error)}])

    def query_of_mistake(name: str, chosen: str) -> Any:
        """The photo that is searched by, so that what is chosen after it stays; what is wrong ``open_mistake`` says."""
        try:
            return str(photo_of(galleries.built_in(name), chosen))
        except InputError:
            return gr.skip()

    def open_mistake(name: str, chosen: str, request: gr.Request) -> list[Any]:
        """Search by that photo, and show what came first before re-ranking beside what does now."""
        try:
            gallery = galleries.built_in(name)
            photo, session = load_photo(photo_of(gallery, chosen)), request.session_hash
            payload = search_payload(explorer, gallery, name, photo, session)
            firsts = firsts_of(payload)
            pairs = result_pairs(explorer, gallery, name, photo, payload, firsts, session)
            return [payload, payload, *_shown(pairs)]
        except InputError as error:
            return [gr.skip(), gr.skip(), *_shown([{"error": str(error)}])]

    bound = {
        "api_visibility": "private",
        "concurrency_id": SEARCH_QUEUE,
        "concurrency_limit": 1,
        "trigger_mode": "always_last",  # also of what follows another event, which Gradio would drop
    }
    private = {"api_visibility": "private", "show_progress": "hidden"}
    inputs = [query, model_name, source, uploaded]
    find: dict[str, Any] = {
        "fn": search,
        "inputs": inputs,
        "outputs": [results, found, *pair],
        **bound,
    }
    make: dict[str, Any] = {
        "fn": index, "inputs": [own, model_name, uploaded], "outputs": [uploaded, results], **bound,
        "concurrency_id": _INDEX_QUEUE, "concurrency_limit": _INDEXING,
    }  # fmt: skip

    queries.pick(
        _picked,
        chosen,
        query,
        js=f"() => {choices.newest('photo')}",
        trigger_mode="always_last",
        **private,
    ).then(**find)
    for event in (query.input, query.clear):
        # What follows a "clear" sees that the photo is gone; "clear" itself does not.
        event(None, js="() => {}", api_visibility="private").then(**find)
    own.change(**make).then(**find)
    again = make | {"fn": renew, "inputs": [own, model_name, uploaded, source]}
    model_name.input(**again).then(**find)
    source.input(lambda where: gr.update(visible=where == _UPLOADS), source, own, **private).then(
        **again
    ).then(**find)
    tab.select(look, [model_name, source], results, **private)
    for event in (tab.select, model_name.input, source.input, mistakes.again):
        event(look_at_mistakes, [model_name, source], mistakes, **private)
    results.again(**(find | {"show_progress": "hidden", "trigger_mode": "once"}))
    results.open(
        open_pair,
        [*inputs, found, chosen],
        pair,
        js=f"(...values) => [...values.slice(0, 5), {choices.newest('result')}]",
        **bound,  # in turn with searches: the pair of an old query must not come after a newer search
    ).then(None, js=_SCROLL)
    asked = {
        "inputs": [model_name, chosen],
        "js": f"(name) => [name, {choices.newest('mistake')}]",
    }
    mistakes.open(
        query_of_mistake, outputs=query, trigger_mode="always_last", **asked, **private
    ).then(open_mistake, outputs=[results, found, *pair], **asked, **bound).then(None, js=_SCROLL)
    back.click(None, None, pair, js=_HIDE, api_visibility="private").then(None, js=_RETURN)
    return own


_HIDDEN = gr.update(visible=False)
_NO_PAIR = (_HIDDEN, _HIDDEN, _HIDDEN)


def _shown(pairs: list[dict[str, Any]]) -> list[Any]:
    """What the button and the two viewers become: one of them stays hidden where there is one pair."""
    shown = [gr.update(visible=True, value=pair) for pair in pairs]
    return [gr.update(visible=True), *[*shown, _HIDDEN][:2]]


def _queries() -> list[Path]:
    scenes = sorted((EXAMPLES / SCENES).glob("*/*.jpg"))
    step = max(len(scenes) // _SCENE_QUERIES, 1)
    return [*scenes[::step][:_SCENE_QUERIES], *(EXAMPLES / name for name in _QUERIES)]


def _picked(chosen: str) -> str:
    found = next((p for p in _queries() if p.relative_to(EXAMPLES).as_posix() == chosen), None)
    if found is None:
        raise InputError(
            "That is none of the queries here: choose one of the row, or a photo of yours."
        )
    return str(found)


def _open(galleries: Galleries, where: str, folder: str | None, name: str) -> Gallery:
    if where == _UPLOADS and folder is None:
        raise InputError("Upload the photos to search in first, or choose the built-in gallery.")
    return galleries.open(Path(folder) if where == _UPLOADS and folder else None, name)


def _fits(galleries: Galleries, folder: str | None, name: str) -> bool:
    """Whether a visitor has a gallery, and that model made it."""
    try:
        return folder is not None and bool(galleries.open(Path(folder), name))
    except InputError:
        return False


def _forget(folder: str | None) -> None:
    """Delete a visitor's gallery: when it is replaced, and when the visitor has left."""
    if folder:
        files.remove(Path(folder))
