"""Compare: two photos in, and why they are similar."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from app import choices
from app.beside import (
    LIVE_BESIDE,
    NOTE_CHOICE,
    PHOTO_C,
    SETTINGS,
    BesidePanel,
    TripleStrip,
    choices_beside,
    example_triples,
    options_asked,
    photo_c,
)
from app.downloads import FORMATS, write
from app.examples import ExampleStrip, example_pairs
from app.inputs import PhotoInput, Upload
from app.lanes import side_by_side
from app.links import LinkedPair, read_link
from app.options import read_options
from app.pairs import shown_pair
from app.questions import connect_questions
from app.refusals import sentence
from app.service import Explorer
from app.viewer import LIVE_OPTIONS, Viewer
from diml_core.errors import InputError
from diml_core.photo.images import load_photo
from diml_core.viewer.texts import text

_FLOW_LINES = 24  # in a figure


def build(explorer: Explorer, model_queue: str, cover_queue: str) -> None:
    """Lay out the tab and connect it.

    Args:
        explorer: shared with the other tabs, so that features are shared too.
        model_queue: ``concurrency_id`` of what compares photos.
        cover_queue: the same of covering, which nobody who compares should wait for.
    """
    first = example_pairs()[0]
    photos_of_first = [load_photo(path) for path in (first.a, first.b)]
    for photo in photos_of_first:
        explorer.publish(photo)
    solved = shown_pair(explorer, explorer.default, *photos_of_first)
    titles = explorer.titles()

    examples = ExampleStrip()
    # Three columns that page.css arranges: on a phone the result comes before the options.
    with gr.Row(elem_id="layout"):
        with gr.Column(elem_id="choose"):
            with gr.Row(elem_id="uploads"):
                image_a = PhotoInput(
                    label=text("compare.photo.a"), value=first.a, elem_id="photo-a"
                )
                image_b = PhotoInput(
                    label=text("compare.photo.b"), value=first.b, elem_id="photo-b"
                )
            swap = gr.Button(text("compare.swap"), size="sm", elem_id="swap")
        with gr.Column(elem_id="see"):
            BesidePanel()
            with gr.Row(elem_id="viewers"):
                viewer = Viewer(solved, address=True, elem_id="viewer")
                second_viewer = Viewer(visible=False, elem_id="second-viewer")
        with gr.Column(elem_id="tune"):
            model_name = gr.Radio(
                titles,
                value=explorer.default,
                label=text("compare.model"),
                info=text("compare.model.info"),
                elem_id="model",
            )
            beside = gr.Dropdown(
                choices_beside(titles),
                value="",
                label=text("present.beside.label"),
                info=text("present.beside.help"),
                elem_id="second-model",
            )
            with gr.Column(elem_id="third"):
                image_c = PhotoInput(label=text("triple.photo"), elem_id="photo-c")
                triples = TripleStrip()
            with gr.Accordion(text("compare.downloads"), open=False, elem_id="downloads"):
                buttons = {
                    format: gr.Button(label, size="sm", elem_id=f"make-{format}")
                    for format, label in FORMATS.items()
                }
                ready = gr.DownloadButton(
                    text("compare.download"), visible="hidden", elem_id="ready"
                )
    # What the browser says when an event fires: LIVE_OPTIONS, LIVE_BESIDE, and the newest choice of an example.
    live, live_beside, chosen = (gr.Textbox(visible=False) for _ in range(3))

    photos = [image_a, image_b]
    inputs = [*photos, image_c, model_name, beside, live, live_beside]
    outputs = [viewer, second_viewer]

    def answer(
        name: str,
        live: Sequence[str],
        uploads: tuple[Upload, Upload],
        request: gr.Request,
        progress: Any,
    ) -> dict[str, Any]:
        """A pair for a viewer, or the sentence why there is none."""
        try:
            loaded = side_by_side(Upload.load, uploads)
            # The first that are of this model; none of them: its defaults.
            given = next(filter(None, (read_options(each, name) for each in live)), {})
            return _looked(explorer, name, loaded, request, progress, **given)
        except Exception as error:
            return {"error": sentence(error)}

    def show_beside(
        upload_a: Upload | None,
        upload_b: Upload | None,
        upload_c: Upload | None,
        name: str,
        beside: str,
        options: str,
        own: str,
        request: gr.Request,
        progress: Any = gr.Progress(),
    ) -> Any:
        second = upload_c if beside == PHOTO_C else upload_b
        if not beside or upload_a is None or second is None:
            return gr.update(visible=False)
        asked = options_asked(beside, options, own)
        model = name if beside in (PHOTO_C, SETTINGS) else beside
        pair = answer(model, asked, (upload_a, second), request, progress)
        # Not seen yet where it was chosen before there were photos.
        return gr.update(
            visible=True, value=photo_c(pair) if beside == PHOTO_C and "b" in pair else pair
        )

    def show(
        upload_a: Upload | None,
        upload_b: Upload | None,
        upload_c: Upload | None,
        name: str,
        beside: str,
        options: str,
        own: str,
        request: gr.Request,
        progress: Any = gr.Progress(),
    ) -> Iterator[tuple[Any, Any]]:
        if upload_a is None or upload_b is None:
            yield {}, {}
            return
        pair = answer(name, [options], (upload_a, upload_b), request, progress)
        yield pair, gr.skip()
        if beside and "error" not in pair:
            given = (upload_a, upload_b, upload_c, name, beside, options, own)
            yield gr.skip(), show_beside(*given, request, progress)

    def pick(chosen: str) -> tuple[str, str]:
        wanted = next((pair for pair in example_pairs() if pair.id == chosen), None)
        if wanted is None:
            raise InputError("There is no such example here: choose another.")
        return str(wanted.a), str(wanted.b)

    def pick_triple(chosen: str) -> tuple[str, str, str]:
        wanted = next((triple for triple in example_triples() if triple.id == chosen), None)
        if wanted is None:
            raise InputError("There is no such example here: choose another.")
        return str(wanted.a), str(wanted.b), str(wanted.c)

    def linked(query: str) -> LinkedPair:
        """What a link asks for, if it can be had; nothing is looked at. Raises InputError."""
        link = read_link(query, explorer.default)
        given = {link.model: link.options}
        if link.beside == SETTINGS:
            given[link.model] = link.options | link.beside_options
        elif link.beside:
            given[link.beside] = link.beside_options
        for name, options in given.items():
            explorer.model(name).options(**options)
        return link

    def follow(query: str) -> list[Any]:
        """The choices of a link, so that what is chosen after it stays; what is wrong with it says ``restore``."""
        try:
            link = linked(query)
        except InputError:
            return [gr.skip()] * 5
        third = str(link.c) if link.c else gr.skip()
        return [str(link.a), str(link.b), third, PHOTO_C if link.c else link.beside, link.model]

    def restore(query: str, request: gr.Request) -> tuple[Any, Any]:
        """What the address of the page asks for: what stands beside the pair, and the pair."""
        try:
            link = linked(query)
            loaded = side_by_side(load_photo, [link.a, link.b])
            pair = _looked(explorer, link.model, loaded, request, **link.options)
            second: Any = gr.skip()
            if link.c:
                loaded = side_by_side(load_photo, [link.a, link.c])
                value = photo_c(_looked(explorer, link.model, loaded, request, **link.options))
                second = gr.update(visible=True, value=value)
            elif link.beside:
                own = link.beside != SETTINGS
                options = link.beside_options if own else link.options | link.beside_options
                name = link.beside if own else link.model
                value = _looked(explorer, name, loaded, request, **options)
                second = gr.update(visible=True, value=value)
        except Exception as error:
            return gr.skip(), {"error": sentence(error)}
        return second, pair

    # Photos change at once. What there is to see of them is asked for after that, on one queue, with what stands on the
    # page when the question is sent; of choices made while one is worked on, only the newest is answered.
    newest: dict[str, Any] = {
        "api_visibility": "private",
        "concurrency_id": model_queue,
        "concurrency_limit": 1,
        "trigger_mode": "always_last",
        "show_progress_on": viewer,
    }
    listen: dict[str, Any] = {
        "fn": show,
        "inputs": inputs,
        "outputs": outputs,
        "js": f"(...values) => [...values.slice(0, 5), {LIVE_OPTIONS}, {LIVE_BESIDE}]",
        **newest,
    }
    listen_beside = listen | {"fn": show_beside, "outputs": second_viewer}
    for photo, listens in ((image_a, listen), (image_b, listen), (image_c, listen_beside)):
        # When "clear" fires, and "input" with it, the photo is still there: only what follows sees that it is gone.
        for event in (photo.input, photo.clear):
            event(None, js="() => {}", api_visibility="private").then(**listens)
    swap.click(
        None,
        photos,
        photos,
        js="(a, b) => [b, a]",
        api_visibility="private",
        show_progress="hidden",
    ).then(**listen)
    model_name.input(**listen)
    beside.change(None, beside, js=NOTE_CHOICE, api_visibility="private")
    beside.input(**listen_beside)
    for strip, kind, fn, targets in (
        (examples, "pair", pick, photos),
        (triples, "triple", pick_triple, [*photos, image_c]),
    ):
        strip.pick(
            fn,
            chosen,
            targets,
            js=f"() => {choices.newest(kind)}",
            api_visibility="private",
            show_progress="hidden",
            trigger_mode="always_last",
        ).then(**listen)
    asked = {"inputs": chosen, "js": f"() => {choices.newest('link')}"}
    viewer.restore(
        follow,
        outputs=[*photos, image_c, beside, model_name],
        api_visibility="private",
        show_progress="hidden",
        trigger_mode="always_last",
        **asked,
    ).then(restore, outputs=[second_viewer, viewer], **asked, **newest)

    for format, button in buttons.items():
        button.click(
            _writer(explorer, format),
            [*photos, model_name, live],
            ready,
            js=f"(a, b, name) => [a, b, name, {LIVE_OPTIONS}]",
            api_visibility="private",
            concurrency_id=model_queue,
            concurrency_limit=1,
        ).success(None, js="() => document.querySelector('#ready a, a#ready, #ready')?.click()")

    for each in (viewer, second_viewer):
        connect_questions(explorer, each, cover_queue)


def _looked(
    explorer: Explorer,
    name: str,
    photos: list[Any],
    request: gr.Request,
    progress: Any = None,
    **options: Any,
) -> dict[str, Any]:
    session = request.session_hash
    known = (explorer.has_features(name, photo, session) for photo in photos)
    # Not by its truth: a progress that iterates over nothing has the length 0.
    if progress is not None and not all(known):
        progress(0.2, desc=text("compare.looking"))
    return shown_pair(explorer, name, *photos, session=session, **options)


def _writer(explorer: Explorer, format: str) -> Callable[..., str]:
    def make(upload_a: Upload | None, upload_b: Upload | None, name: str, options: str) -> str:
        if upload_a is None or upload_b is None:
            raise gr.Error(
                "Choose two photos first: then there is something to take away.",
                print_exception=False,
            )
        try:
            explanation = explorer.compare(
                name, upload_a.load(), upload_b.load(), **read_options(options, name)
            )
            return str(write(explanation, format, _FLOW_LINES))
        except Exception as error:
            raise gr.Error(sentence(error), print_exception=False) from error

    return make
