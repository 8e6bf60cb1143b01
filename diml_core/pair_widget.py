"""The widget that :func:`diml_core.widget` gives. Needs anywidget (``pip install anywidget``)."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import anywidget
import traitlets

from diml_core.embedding.grids import Grid, grid_on_map
from diml_core.errors import InputError
from diml_core.explain import explain_features
from diml_core.explanation import Explanation
from diml_core.validation import shortened
from diml_core.viewer.modules import STYLE, bundle


class PairWidget(anywidget.AnyWidget):
    """One pair in the viewer, its state shared with Python.

    Attributes:
        selected: the parts that are kept in the viewer, ``{"side": "a" or "b", "parts": [...]}`` with parts row-major
            in that photo's grid, or None. Setting it keeps them there; ``observe`` tells of every change.
        options: what the viewer's controls stand at, by the names of
            :class:`~diml_core.comparison.options.ExplainOptions`. Only the viewer moves them.
        pair: what the viewer was given.
    """

    _esm = bundle()
    _css = STYLE.read_text(encoding="utf-8")
    pair = traitlets.Dict(read_only=True).tag(sync=True)
    options = traitlets.Dict(read_only=True).tag(sync=True)
    # Not Dict, so that all that is wrong is said in one way: by the validator below.
    selected = traitlets.Any(None, allow_none=True).tag(sync=True)

    def __init__(self, explanation: Explanation) -> None:
        """Show an explanation.

        Args:
            explanation: with photos.

        Raises:
            InputError: it has none.
        """
        self._explanation = explanation
        self.set_trait("pair", explanation.viewer_pair())
        self.set_trait("options", asdict(explanation.options))
        super().__init__()

    @property
    def explanation(self) -> Explanation:
        """The explanation at the viewer's options, computed by the library."""
        shown = self._explanation
        if asdict(shown.options) != self.options and shown.observed is not None:
            model, a, b = shown.observed
            self._explanation = explain_features(model, a, b, model.options(**self.options))
        return self._explanation

    @traitlets.validate("selected")
    def _check_selected(self, proposal: Any) -> dict[str, Any] | None:
        value = proposal["value"]
        if value is None:
            return None
        grids = self._grids()
        match value:
            case {"side": "a" | "b" as side, "parts": [_, *_] as parts, **rest} if not rest:
                count = math.prod(grids[side])
                if all(type(part) is int and 0 <= part < count for part in parts):
                    return {"side": side, "parts": list(parts)}
        counts = " and ".join(f"0 to {math.prod(grids[side]) - 1} of '{side}'" for side in "ab")
        raise InputError(
            f"{shortened(value)} selects no parts: give None or {{'side': 'a', 'parts': [0, 1]}}, with parts {counts}."
        )

    def _grids(self) -> dict[str, Grid]:
        """The grids of both photos at the viewer's options, without computing the explanation."""
        shown = self._explanation
        if shown.observed is None:
            return {"a": shown.grid_a, "b": shown.grid_b}
        _, a, b = shown.observed
        return {
            side: grid_on_map((f.map.shape[0], f.map.shape[1]), self.options["grid"])
            for side, f in (("a", a), ("b", b))
        }
