"""The address of a view: which example photos, which model, which options.

The viewer writes these addresses (``diml_core/viewer/view/share.js``) and reads the layer and the pinned parts back; what
the server has to restore is read here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from app.examples import example_photo
from diml_core.errors import InputError

_NUMBERS = {"grid": int, "mass": float, "start_block": int, "epsilon": float}


@dataclass(frozen=True)
class LinkedPair:
    """What an address asks for: two example photos, a model, and options that were given.

    And what stands beside the pair: a third example photo, ``c``, or ``beside``, ``"settings"`` or the name of a model,
    at ``beside_options``.
    """

    a: Path
    b: Path
    model: str
    options: dict[str, Any]
    c: Path | None = None
    beside: str = ""
    beside_options: dict[str, Any] = field(default_factory=dict)


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
    photos = {side: _photo(query.get(side, ""), photo_of) for side in "ab"}
    return LinkedPair(
        photos["a"],
        photos["b"],
        query.get("model", default_model),
        _options(query),
        _photo(query["c"], photo_of) if "c" in query else None,
        query.get("beside", ""),
        _options(query, "beside_"),
    )


def _photo(name: str, photo_of: Callable[[str], Path | None]) -> Path:
    found = photo_of(name)
    if found is None:
        raise InputError(
            "This link names a photo that is not among the examples here: choose a pair below the title."
        )
    return found


def _options(query: dict[str, str], prefix: str = "") -> dict[str, Any]:
    options: dict[str, Any] = {}
    if f"{prefix}marginals" in query:
        options["marginals"] = query[f"{prefix}marginals"]
    for name, number in _NUMBERS.items():
        if prefix + name in query:
            try:
                options[name] = number(query[prefix + name])
            except ValueError as error:
                raise InputError(
                    f"The {name} in this link is not a number: choose a pair below the title."
                ) from error
    return options
