"""The page's texts, which Python and the viewer's modules share: one file a language (``en.js``)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

_ENGLISH = Path(__file__).with_name("en.js")


@cache
def texts() -> dict[str, str]:
    """Every text by its key, with ``{name}`` where something is filled in."""
    source = _ENGLISH.read_text(encoding="utf-8")
    found = json.loads(source.partition("export default")[2])
    assert isinstance(found, dict)
    return found


def text(key: str, **values: object) -> str:
    """One text, filled in.

    Args:
        key: as in ``en.js``.
        values: what stands for each ``{name}``.

    Raises:
        KeyError: there is no such text, or a value that it needs is missing.
    """
    return texts()[key].format(**values)
