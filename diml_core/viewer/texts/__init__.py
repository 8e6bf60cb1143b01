"""The page's texts, which Python and the viewer's modules share: one file a language (``en.js``)."""

from __future__ import annotations

import html
import json
import re
from functools import cache
from pathlib import Path

_ENGLISH = Path(__file__).with_name("en.js")
_TERM = re.compile(r"\[\[(\w+)(?:\|([^\]]+))?\]\]")


@cache
def texts() -> dict[str, str]:
    """Every text by its key, with ``{name}`` where something is filled in."""
    source = _ENGLISH.read_text(encoding="utf-8")
    found = json.loads(source.partition("export default")[2])
    assert isinstance(found, dict)
    return found


def text(key: str, **values: object) -> str:
    """One text, filled in; the terms of the glossary that it marks are plain words.

    Args:
        key: as in ``en.js``.
        values: what stands for each ``{name}``.

    Raises:
        KeyError: there is no such text, or a value that it needs is missing.
    """
    words = _TERM.sub(lambda found: found[2] or texts()[f"terms.{found[1]}.name"], texts()[key])
    return words.format(**values)


def glossary() -> dict[str, tuple[str, str]]:
    """Name and definition of every term, by its id, in the order of the names."""
    ids = (
        key.split(".")[1] for key in texts() if key.startswith("terms.") and key.endswith(".name")
    )
    found = {id: (texts()[f"terms.{id}.name"], texts()[f"terms.{id}.definition"]) for id in ids}
    return dict(sorted(found.items(), key=lambda term: term[1][0].lower()))


def glossary_html() -> str:
    """The glossary as a ``<dl class="words">``."""
    terms = (
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(definition)}</dd>"
        for name, definition in glossary().values()
    )
    return f'<dl class="words">{"".join(terms)}</dl>'
