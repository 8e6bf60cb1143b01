"""The address of a view: which example photos, which model, which options.

The viewer writes these addresses (``diml_core/viewer/view/share.js``) and reads the layer and the pinned parts back; what
the server has to restore is read here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from app.examples import example_photo
from diml_core.errors import InputError

_NUMBERS = {"grid": int, "mass": float, "start_block": int, "epsilon": float}


@dataclass(frozen=True)
class LinkedPair:
    """What an address asks for: two example photos, a model, and options that were given."""

    a: Path
    b: Path
    model: str
    options: dict[str, Any]


def read_link(
    address_query: str,
    default_model: str,
    photo_of: Callable[[str], Path | None] = example_photo,
) -> LinkedPair:
    """What the query part of an address (``a=heron.jpg&b=...``) asks for.

    Args:
        address_query: the query.
        default_model: where it names none.
        photo_of: finds a photo that may be linked, by its name.

    Raises:
        InputError: it names a photo that is no example, or a value that is no number.
    """
    query = dict(parse_qsl(address_query))
    photos = {}
    for side in "ab":
        photos[side] = photo_of(query.get(side, ""))
        if photos[side] is None:
            raise InputError(
                "This link names a photo that is not among the examples here: choose a pair below the title."
            )
    options: dict[str, Any] = {}
    if "marginals" in query:
        options["marginals"] = query["marginals"]
    for name, number in _NUMBERS.items():
        if name in query:
            try:
                options[name] = number(query[name])
            except ValueError as error:
                raise InputError(
                    f"The {name} in this link is not a number: choose a pair below the title."
                ) from error
    return LinkedPair(photos["a"], photos["b"], query.get("model", default_model), options)
