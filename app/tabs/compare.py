"""Compare: two photos in, and why they are similar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from app import choices
from app.downloads import FORMATS, write
from app.examples import ExampleStrip, example_pairs
from app.inputs import PhotoInput, Upload
from app.lanes import side_by_side
from app.links import read_link
from app.options import read_options
from app.pairs import shown_pair
from app.questions import connect_questions
from app.refusals import sentence
from app.service import Explorer
from app.viewer import LIVE_OPTIONS, Viewer
from diml_core.errors import InputError
from diml_core.photo.images import Photo, load_photo
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
        with gr.Column(elem_id="see"), gr.Row(elem_id="viewers"):
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
            second_name = gr.Dropdown(
                [(text("compare.second.none"), ""), *titles],
                value="",
                label=text("compare.second"),
                info=text("compare.second.info"),
                elem_id="second-model",
            )
            with gr.Accordion(text("compare.downloads"), open=False, elem_id="downloads"):
                buttons = {
                    format: gr.Button(label, size="sm", elem_id=f"make-{format}")
                    for format, label in FORMATS.items()
                }
                ready = gr.DownloadButton(
                    text("compare.download"), visible="hidden", elem_id="ready"
                )
    # What the browser says when an event fires: LIVE_OPTIONS, and the newest choice of an example.
    live, chosen = gr.Textbox(visible=False), gr.Textbox(visible=False)

    photos = [image_a, image_b]
    inputs = [*photos, model_name, second_name, live]
    outputs = [viewer, second_viewer]

    def answers(
        uploads: tuple[Upload, Upload],
        asked: list[tuple[str, str]],
        request: gr.Request,
        progress: Any,
    ) -> Iterator[dict[str, Any]]:
        """For each name of a model and its options a pair for a viewer, or the sentence why there is none."""
        loaded: list[Photo] = []
        for name, options in asked:
            try:
                loaded = loaded or side_by_side(Upload.load, uploads)
                given = read_options(options, name)
                pair = _looked(explorer, name, loaded, request, progress, **given)
            except Exception as error:
                pair = {"error": sentence(error)}
            yield pair

    def show(
        upload_a: Upload | None,
        upload_b: Upload | None,
        name: str,
        second: str,
        options: str,
        request: gr.Request,
        progress: Any = gr.Progress(),
    ) -> Iterator[tuple[Any, Any]]:
        if upload_a is None or upload_b is None:
            yield {}, {}
            return
        asked = [(name, options), *([(second, "")] if second else [])]
        pairs = answers((upload_a, upload_b), asked, request, progress)
        pair = next(pairs)
        yield pair, gr.skip()
        for beside in pairs if "error" not in pair else ():
            # Not seen yet where the model was chosen before there were two photos.
            yield gr.skip(), gr.update(visible=True, value=beside)

    def show_second(
        upload_a: Upload | None,
        upload_b: Upload | None,
        second: str,
        request: gr.Request,
        progress: Any = gr.Progress(),
    ) -> Any:
        if not second or upload_a is None or upload_b is None:
            return gr.update(visible=False)
        (pair,) = answers((upload_a, upload_b), [(second, "")], request, progress)
        return gr.update(visible=True, value=pair)

    def pick(chosen: str) -> tuple[str, str]:
        wanted = next((pair for pair in example_pairs() if pair.id == chosen), None)
        if wanted is None:
            raise InputError("There is no such example here: choose another.")
        return str(wanted.a), str(wanted.b)

    def restore(event: gr.EventData, request: gr.Request) -> list[Any]:
        """What the address of the page asks for."""
        try:
            link = read_link(str(event.query), explorer.default)
            loaded = side_by_side(load_photo, [link.a, link.b])
            pair = _looked(explorer, link.model, loaded, request, **link.options)
        except Exception as error:
            return [gr.skip(), gr.skip(), gr.skip(), {"error": sentence(error)}]
        return [str(link.a), str(link.b), link.model, pair]

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
        "js": f"(...values) => [...values.slice(0, 4), {LIVE_OPTIONS}]",
        **newest,
    }
    for photo in photos:
        # When "clear" fires, and "input" with it, the photo is still there: only what follows sees that it is gone.
        for event in (photo.input, photo.clear):
            event(None, js="() => {}", api_visibility="private").then(**listen)
    swap.click(
        None,
        photos,
        photos,
        js="(a, b) => [b, a]",
        api_visibility="private",
        show_progress="hidden",
    ).then(**listen)
    model_name.input(**listen)
    second_name.input(show_second, [*photos, second_name], second_viewer, **newest)
    examples.pick(
        pick,
        chosen,
        photos,
        js=f"() => {choices.newest('pair')}",
        api_visibility="private",
        show_progress="hidden",
        trigger_mode="always_last",
    ).then(**listen)
    viewer.restore(restore, None, [*photos, model_name, viewer], **newest)

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
    # Not by its truth: a progress that iterates over nothing has the length 0.
    if progress is not None and not all(explorer.has_features(name, photo) for photo in photos):
        progress(0.2, desc=text("compare.looking"))
    return shown_pair(explorer, name, *photos, session=request.session_hash, **options)


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
