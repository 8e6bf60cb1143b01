"""Which models the page offers: those that come along, and those of whoever starts it; never those of a visitor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import count

from diml_core.errors import InputError
from diml_core.network.checkpoints import load_model, shipped_models
from diml_core.network.hub import HUB_PREFIX
from diml_core.network.model import DimlModel
from diml_core.viewer.pair import is_computed

Loader = Callable[[], DimlModel]
"""Loads a model; called once."""


def shipped() -> dict[str, Loader]:
    """The models that come along, by name, each loaded when it is asked for; the default first."""
    return {name: partial(load_model, name) for name in shipped_models()}


def with_own(given: Sequence[str], engine: str = "torch", device: str = "cpu") -> dict[str, Loader]:
    """Models that were asked for at start, and after them those that come along.

    All of them are loaded now, for a model that does not work should be known before the page is. One of the hub is
    named by its address there, any other by its config; where two have one name, as after training a shipped model on,
    the later gets a number in its name, and the name in its title.

    Args:
        given: what :func:`diml_core.load_model` takes; the first is the page's default. One that comes along may be
            among them.
        engine: what runs them, see :func:`diml_core.load_model`.
        device: where, likewise.

    Returns:
        Loaders by name.

    Raises:
        InputError: one that cannot be loaded, or that the engine cannot run, or whose pairs the viewer does not
            compute; or no such device.
    """
    names = shipped_models()
    loaded: dict[str, DimlModel] = {}
    for text in (*given, *names):
        model = load_model(text, device=device, engine=engine)
        if any(model.source == other.source for other in loaded.values()):
            continue  # given twice, or given though it comes along
        options = model.options()
        if not is_computed(model, options):
            raise InputError(
                f"The page cannot offer the model '{text}', for it does not compute '{options.marginals}' "
                f"marginals of parts pooled by '{model.config.grid_pooling}': compare with the library instead."
            )
        # In links and in code that is to be run elsewhere, a model is called what loads it there, if anything does.
        known = text in names or text.startswith(HUB_PREFIX)
        name = text if known else _free(model.name, {*names, *loaded})
        model.config = replace(model.config, name=name)
        loaded[name] = model
    titles = [model.config.title or name for name, model in loaded.items()]
    for (name, model), title in zip(loaded.items(), titles, strict=True):
        alone = name in names or titles.count(title) == 1
        model.config = replace(model.config, title=title if alone else f"{title} ({name})")
    return {name: partial(_same, model) for name, model in loaded.items()}


def _free(name: str, taken: set[str]) -> str:
    numbered = (f"{name}-{number}" for number in count(2))
    return name if name not in taken else next(each for each in numbered if each not in taken)


def _same(model: DimlModel) -> DimlModel:
    return model
