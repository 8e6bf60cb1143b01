"""Compare: two photos in, and why they are similar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from app.downloads import FORMATS, write
from app.examples import ExamplePair, ExampleStrip, example_pairs
from app.inputs import PhotoInput, Upload, upload_from
from app.payload import viewer_payload
from app.service import Explorer
from app.viewer import Viewer
from diml_core.checkpoints import DEFAULT_MODEL, shipped_models
from diml_core.errors import InputError
from diml_core.explanation import Explanation
from diml_core.marginals import MARGINALS, NEEDS_ROLLOUT
from diml_core.model import DimlModel

_MODEL_QUEUE = "model"  # one network at a time: two at once would only make both slower
_FLOW_LINES = 24


def build(explorer: Explorer) -> None:
    """Lay out the tab and connect it."""
    first = example_pairs()[0]
    solved = explorer.compare(DEFAULT_MODEL, first.a, first.b)
    model = explorer.model(DEFAULT_MODEL)

    examples = ExampleStrip()
    # Three columns that page.css arranges: on a phone the result comes before the options.
    with gr.Row(elem_id="layout"):
        with gr.Column(elem_id="choose"):
            with gr.Row(elem_id="uploads"):
                image_a = PhotoInput(label="Photo A", value=first.a, height=170, elem_id="photo-a")
                image_b = PhotoInput(label="Photo B", value=first.b, height=170, elem_id="photo-b")
            swap = gr.Button("⇄ Swap A and B", size="sm", elem_id="swap")
            model_name = gr.Radio(
                [(explorer.model(name).config.title, name) for name in shipped_models()],
                value=DEFAULT_MODEL,
                label="Model",
                elem_id="model",
            )
        with gr.Column(elem_id="see"):
            look_for = gr.Markdown(_look_for(first), elem_id="look-for")
            viewer = Viewer(viewer_payload(solved), elem_id="viewer")
        with gr.Column(elem_id="tune"):
            with gr.Accordion("Options", open=False, elem_id="options"):
                controls = _controls(model)
                reset = gr.Button("Back to the model's defaults", size="sm", elem_id="reset")
            with gr.Accordion("Take it away", open=False, elem_id="downloads"):
                labels = ("Figure (PNG)", "Figure (SVG)", "Data (JSON)", "Data (NPZ)")
                buttons = {
                    format: gr.Button(label, size="sm", elem_id=f"make-{format}")
                    for format, label in zip(FORMATS, labels, strict=True)
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
    ) -> dict[str, Any] | None:
        if upload_a is None or upload_b is None:
            return None
        try:
            return viewer_payload(_explain(explorer, upload_a, upload_b, name, values, progress))
        except InputError as error:
            return {"error": str(error)}

    listen: dict[str, Any] = {
        "fn": show,
        "inputs": inputs,
        "outputs": viewer,
        "api_visibility": "private",
        "concurrency_id": _MODEL_QUEUE,
        "concurrency_limit": 1,
    }
    fast = listen | {"show_progress": "hidden", "trigger_mode": "always_last"}
    private = {"api_visibility": "private", "show_progress": "hidden"}

    gr.on([image_a.input, image_b.input], trigger_mode="always_last", **listen).then(
        lambda: "", outputs=look_for, **private
    )
    gr.on([control.input for control in controls], **fast)
    swap.click(None, photos, photos, js="(a, b) => [b, a]", **private).then(**fast)
    for trigger in (model_name.input, reset.click):
        trigger(
            lambda name: _control_values(explorer.model(name)), model_name, controls, **private
        ).then(trigger_mode="always_last", **listen)
    examples.pick(_picked, None, [*photos, look_for], **private).then(**listen)

    for format, button in buttons.items():
        button.click(
            _writer(explorer, format),
            inputs,
            ready,
            api_visibility="private",
            concurrency_id=_MODEL_QUEUE,
            concurrency_limit=1,
        ).success(None, js="() => document.querySelector('#ready a, a#ready, #ready')?.click()")

    gr.api(_compare_endpoint(explorer), api_name="compare", concurrency_id=_MODEL_QUEUE)


def _controls(model: DimlModel) -> list[gr.components.Component]:
    """One control per option, in the order of ``_OPTION_NAMES``, set to the model's defaults."""
    options = model.options()
    return [
        gr.Slider(
            1,
            model.max_grid,
            options.grid,
            step=1,
            label="Grid",
            info="Parts per side of a square photo: coarse is easier to read, fine is more precise.",
            elem_id="grid",
        ),
        gr.Dropdown(
            _marginal_choices(model),
            value=options.marginals,
            label="Marginals",
            info="What makes a part important: resembling the other photo, attention, both, or nothing.",
            elem_id="marginals",
        ),
        gr.Slider(
            0.05,
            1,
            options.mass,
            step=0.05,
            label="Transported mass",
            info="Below 1, the worst-matching rest (often background) stays unmatched.",
            elem_id="mass",
        ),
        gr.Slider(
            0,
            max(model.backbone.attention_blocks - 1, 1),
            options.start_block or 0,
            step=1,
            label="Rollout start block",
            info="Attention is traced back to this block; late blocks keep to the object, 0 smears.",
            visible=model.has_rollout,
            elem_id="start-block",
        ),
    ]


_OPTION_NAMES = ("grid", "marginals", "mass", "start_block")


def _control_values(model: DimlModel) -> list[dict[str, Any]]:
    """Updates that set the controls to another model's ranges and defaults."""
    options = model.options()
    return [
        gr.update(maximum=model.max_grid, value=options.grid),
        gr.update(choices=_marginal_choices(model), value=options.marginals),
        gr.update(value=options.mass),
        gr.update(
            maximum=max(model.backbone.attention_blocks - 1, 1),
            value=options.start_block or 0,
            visible=model.has_rollout,
        ),
    ]


def _marginal_choices(model: DimlModel) -> list[tuple[str, str]]:
    labels = {"product": "cross-correlation × rollout"}
    return [
        (labels.get(name, name), name)
        for name in MARGINALS
        if model.has_rollout or name not in NEEDS_ROLLOUT
    ]


def _explain(
    explorer: Explorer, upload_a: Upload, upload_b: Upload, name: str, values: Any, progress: Any
) -> Explanation:
    options = dict(zip(_OPTION_NAMES, values, strict=True))
    if not explorer.model(name).has_rollout:
        options["start_block"] = None  # the hidden slider still has a value
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
                "Choose two photos first: then there is something to take away.", print_exception=False
            )
        try:
            explanation = _explain(explorer, upload_a, upload_b, name, values, lambda *_, **__: None)
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from error
        return str(write(explanation, format, _FLOW_LINES))

    return make


def _compare_endpoint(explorer: Explorer) -> Callable[..., dict]:
    def compare(
        image_a: dict,
        image_b: dict,
        model: str = DEFAULT_MODEL,
        grid: int | None = None,
        marginals: str | None = None,
        mass: float | None = None,
        start_block: int | None = None,
        head_fusion: str | None = None,
        kept_mass: float | None = None,
        epsilon: float | None = None,
    ) -> dict:
        """Compare two photos part by part; returns what `python -m diml_core compare --json` writes."""
        try:
            photos = [upload_from(image).load() for image in (image_a, image_b)]
            return explorer.compare(
                model,
                *photos,
                grid=grid,
                marginals=marginals,
                mass=mass,
                start_block=start_block,
                head_fusion=head_fusion,
                kept_mass=kept_mass,
                epsilon=epsilon,
            ).to_dict()
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return compare
