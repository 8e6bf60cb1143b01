"""The controls of an explanation's options: one per option, with the ranges of the chosen model."""

from __future__ import annotations

from typing import Any

import gradio as gr

from diml_core.comparison.marginals import marginal_names
from diml_core.network.model import DimlModel

OPTION_NAMES = ("grid", "marginals", "mass", "start_block")
"""The options that have a control, in the order of :func:`option_controls`."""

_MARGINAL_LABELS = {"product": "cross-correlation × rollout"}


def option_controls(model: DimlModel) -> list[gr.components.Component]:
    """One control per name in :data:`OPTION_NAMES`, set to the model's defaults."""
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
            _last_block(model),
            options.start_block or 0,
            step=1,
            label="Rollout start block",
            info="Attention is traced back to this block; late blocks keep to the object, 0 smears.",
            visible=model.has_rollout,
            elem_id="start-block",
        ),
    ]


def control_values(model: DimlModel, given: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Updates that set the controls to a model's ranges, and to its defaults or the given options.

    Raises:
        InputError: a given option that the model cannot serve.
    """
    options = model.options(**(given or {}))
    return [
        gr.update(maximum=model.max_grid, value=options.grid),
        gr.update(choices=_marginal_choices(model), value=options.marginals),
        gr.update(value=options.mass),
        gr.update(
            maximum=_last_block(model), value=options.start_block or 0, visible=model.has_rollout
        ),
    ]


def options_from(model: DimlModel, values: tuple[Any, ...]) -> dict[str, Any]:
    """Options as keyword arguments, from the values of the controls."""
    options = dict(zip(OPTION_NAMES, values, strict=True))
    if not model.has_rollout:
        options["start_block"] = None  # the hidden slider still has a value
    return options


def _last_block(model: DimlModel) -> int:
    return max(model.backbone.attention_blocks - 1, 1)


def _marginal_choices(model: DimlModel) -> list[tuple[str, str]]:
    return [(_MARGINAL_LABELS.get(name, name), name) for name in marginal_names(model.has_rollout)]
