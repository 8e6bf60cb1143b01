"""The linked viewer as a Gradio component: its host. The viewer itself is ``diml_core/viewer``."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from app import files
from app.component import ObjectHTML, script_with_texts
from diml_core.viewer import modules

STYLE = modules.STYLE

LIVE_OPTIONS = "window.dimlOptions ?? ''"
"""JavaScript: the options that the page's viewer stands at, as :func:`app.options.read_options` reads them."""

_FOLDER = Path(__file__).parent


@cache
def host_script(host: Path) -> str:
    """JavaScript of a component that shows viewer modules: where they lie, the way to the network, and its own."""
    place = json.dumps(files.url(files.served(modules.FOLDER, "*.js")))
    sources = (path.read_text(encoding="utf-8") for path in (_FOLDER / "network.js", host))
    return f"const MODULES = {place};\n" + script_with_texts(
        "\n".join(sources), "viewer", "network"
    )


class Viewer(ObjectHTML):
    """Shows one pair: its value is what :func:`app.pairs.shown_pair` returns.

    ``{}`` shows the invitation to choose photos; ``{"error": sentence}`` shows the sentence. (Gradio does
    not tell a component that its value became None.) Fires ``cover``, ``rival`` and ``curves`` with questions to the network
    (:func:`app.questions.connect_questions`), ``stop`` to have no more of the curves, and, where it keeps its view in
    the address, ``restore``: that of the page is the newest ``link`` of :mod:`app.choices`.

    Args:
        value: the first pair.
        address: whether this viewer keeps its view in the address bar; no by default.
    """

    def __init__(self, value: dict[str, Any] | None = None, **kwargs: Any) -> None:
        # Gradio sends every named parameter of a component's __init__ to the browser: these are not named.
        # Nor is where modules lie a property: a component that is shown later knows only what it was updated with.
        super().__init__(
            value,
            html_template='<div class="diml-host"></div>',
            js_on_load=host_script(_FOLDER / "host.js"),
            **kwargs,
        )
