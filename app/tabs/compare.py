"""Compare: two photos in, and why they are similar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from app.controls import control_values, option_controls, options_from
from app.cover import answer_cover
from app.downloads import FORMATS, write
from app.endpoint import compare_endpoint
from app.examples import ExamplePair, ExampleStrip, example_pairs
from app.inputs import PhotoInput, Upload
from app.links import read_link
from app.payload import viewer_payload
from app.service import Explorer
from app.viewer import Viewer
from diml_core.errors import InputError
from diml_core.explanation import Explanation
from diml_core.network.checkpoints import DEFAULT_MODEL, shipped_models

_FLOW_LINES = 24  # in a figure
_ON_MODELS = (
    "EfficientNet-Lite0 is the truest on real photographs. DINOv2 shows attention rollout, but its "
    "weights were tuned to find salient objects, and it is often wrong about which things are alike."
)


def build(explorer: Explorer, model_queue: str) -> None:
    """Lay out the tab and connect it.

    Args:
        explorer: shared with the other tabs, so that features are shared too.
        model_queue: ``concurrency_id`` of everything that runs a network.
    """
    first = example_pairs()[0]
    solved = explorer.compare(DEFAULT_MODEL, first.a, first.b)
    titles = [(explorer.model(name).config.title, name) for name in shipped_models()]
    cover = answer_cover(explorer)

    examples = ExampleStrip()
    # Three columns that page.css arranges: on a phone the result comes before the options.
    with gr.Row(elem_id="layout"):
        with gr.Column(elem_id="choose"):
            with gr.Row(elem_id="uploads"):
                image_a = PhotoInput(label="Photo A", value=first.a, elem_id="photo-a")
                image_b = PhotoInput(label="Photo B", value=first.b, elem_id="photo-b")
            swap = gr.Button("⇄ Swap A and B", size="sm", elem_id="swap")
            model_name = gr.Radio(
                titles, value=DEFAULT_MODEL, label="Model", info=_ON_MODELS, elem_id="model"
            )
        with gr.Column(elem_id="see"):
            look_for = gr.Markdown(_look_for(first), elem_id="look-for")
            with gr.Row(elem_id="viewers"):
                viewer = Viewer(viewer_payload(solved), cover=cover, address=True, elem_id="viewer")
                second_viewer = Viewer(cover=cover, visible=False, elem_id="second-viewer")
        with gr.Column(elem_id="tune"):
            with gr.Accordion("Options", open=False, elem_id="options"):
                controls = option_controls(explorer.model(DEFAULT_MODEL))
                reset = gr.Button("Back to the model's defaults", size="sm", elem_id="reset")
                second_name = gr.Dropdown(
                    [("none", ""), *titles],
                    value="",
                    label="Second model beside it",
                    info="Points at the same place in both; it uses its own default options.",
                    elem_id="second-model",
                )
            with gr.Accordion("Take it away", open=False, elem_id="downloads"):
                buttons = {
                    format: gr.Button(label, size="sm", elem_id=f"make-{format}")
                    for format, label in FORMATS.items()
                }
                ready = gr.DownloadButton("Download", visible="hidden", elem_id="ready")

    photos = [image_a, image_b]
    inputs = [*photos, model_name, *controls]

    def show(
        upload_a: Upload | None,
        upload_b: Upload | None,
        name: str,
        *values: Any,
        progress: Any = gr.Progress(),
    ) -> dict[str, Any]:
        if upload_a is None or upload_b is None:
            return {}
        try:
            return viewer_payload(_explain(explorer, upload_a, upload_b, name, values, progress))
        except InputError as error:
            return {"error": str(error)}

    def show_second(
        upload_a: Upload | None, upload_b: Upload | None, name: str, progress: Any = gr.Progress()
    ) -> Any:
        if not name:
            return gr.update(visible=False)
        values = tuple(update["value"] for update in control_values(explorer.model(name)))
        return gr.update(
            visible=True, value=show(upload_a, upload_b, name, *values, progress=progress)
        )

    def restore(event: gr.EventData) -> list[Any]:
        """What the address of the page asks for."""
        try:
            link = read_link(str(event.query), DEFAULT_MODEL)
            updates = control_values(explorer.model(link.model), link.options)
            explanation = explorer.compare(link.model, link.a, link.b, **link.options)
        except InputError as error:
            return [gr.skip()] * (len(inputs) + 1) + [{"error": str(error)}]
        title = next(
            (_look_for(pair) for pair in example_pairs() if {pair.a, pair.b} == {link.a, link.b}),
            "",
        )
        return [str(link.a), str(link.b), link.model, *updates, title, viewer_payload(explanation)]

    model_bound = {
        "api_visibility": "private",
        "concurrency_id": model_queue,
        "concurrency_limit": 1,
    }
    listen: dict[str, Any] = {"fn": show, "inputs": inputs, "outputs": viewer, **model_bound}
    fast = listen | {"show_progress": "hidden", "trigger_mode": "always_last"}
    private = {"api_visibility": "private", "show_progress": "hidden"}
    beside: dict[str, Any] = {
        "fn": show_second,
        "inputs": [*photos, second_name],
        "outputs": second_viewer,
        **model_bound,
    }

    for photo in photos:
        # When "clear" fires the photo is still there: only what follows it sees that it is gone.
        for event in (photo.input, photo.clear):
            event(lambda: "", outputs=look_for, **private).then(**listen).then(**beside)
    gr.on([control.input for control in controls], **fast)
    swap.click(None, photos, photos, js="(a, b) => [b, a]", **private).then(**fast).then(**beside)
    for trigger in (model_name.input, reset.click):
        trigger(
            lambda name: control_values(explorer.model(name)), model_name, controls, **private
        ).then(trigger_mode="always_last", **listen)
    second_name.input(**beside)
    examples.pick(_picked, None, [*photos, look_for], **private).then(**listen).then(**beside)
    viewer.restore(
        restore, None, [*inputs, look_for, viewer], show_progress="hidden", **model_bound
    )

    for format, button in buttons.items():
        button.click(_writer(explorer, format), inputs, ready, **model_bound).success(
            None, js="() => document.querySelector('#ready a, a#ready, #ready')?.click()"
        )

    gr.api(compare_endpoint(explorer), api_name="compare", concurrency_id=model_queue)


def _explain(
    explorer: Explorer, upload_a: Upload, upload_b: Upload, name: str, values: Any, progress: Any
) -> Explanation:
    options = options_from(explorer.model(name), values)
    loaded = []
    for letter, upload in (("A", upload_a), ("B", upload_b)):
        photo = upload.load()
        if not explorer.has_features(name, photo):
            progress(0.1 if letter == "A" else 0.5, desc=f"Looking at photo {letter}")
            explorer.features(name, photo)
        loaded.append(photo)
    return explorer.compare(name, *loaded, **options)


def _picked(event: gr.EventData) -> tuple[Any, Any, str]:
    pair = next(pair for pair in example_pairs() if pair.id == event.pair)
    return str(pair.a), str(pair.b), _look_for(pair)


def _look_for(pair: ExamplePair) -> str:
    return f"**{pair.title}.** {pair.look_for}"


def _writer(explorer: Explorer, format: str) -> Callable[..., str]:
    def make(upload_a: Upload | None, upload_b: Upload | None, name: str, *values: Any) -> str:
        if upload_a is None or upload_b is None:
            raise gr.Error(
                "Choose two photos first: then there is something to take away.",
                print_exception=False,
            )
        try:
            explanation = _explain(
                explorer, upload_a, upload_b, name, values, lambda *_, **__: None
            )
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from error
        return str(write(explanation, format, _FLOW_LINES))

    return make
