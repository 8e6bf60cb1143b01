"""The options that a visitor's viewer stands at, as the page sends them along."""

from __future__ import annotations

import json
from typing import Any

from diml_core.errors import InputError
from diml_core.viewer.pair import LIVE

_LONGEST = 1000  # characters


def read_options(live: str | None, model_name: str) -> dict[str, Any]:
    """Options by name, or none where the viewer shows nothing yet, or another model: then the model's defaults serve.

    Args:
        live: JSON from the browser.
        model_name: the model that is to serve them.

    Raises:
        InputError: not what a viewer sends.
    """
    if not live:
        return {}
    try:
        if len(live) > _LONGEST:
            raise ValueError("too long")
        values = json.loads(live)
        if values.pop("model", None) != model_name:
            return {}
        return {name: values[name] for name in LIVE if values.get(name) is not None}
    except (AttributeError, TypeError, ValueError, RecursionError) as error:
        raise InputError("These are no options of this page: reload it.") from error
