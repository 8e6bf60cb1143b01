"""Python and the viewer's modules read the same texts."""

import re
from pathlib import Path

import pytest

from diml_core.viewer.texts import text, texts

ROOT = Path(__file__).parents[2]


def test_every_text_is_shown_somewhere():
    sources = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("diml_core", "app", "scripts")
        for kind in ("*.py", "*.js", "*.html")
        for path in (ROOT / folder).rglob(kind)
        if path.name != "en.js"
    )
    # A key may be put together where it is asked for: what stands before ${...} or {...} is looked for then.
    starts = re.findall(r"[\"'`]([a-z_]+(?:\.[a-z_]+)*\.)\$?\{", sources)
    unused = [
        key
        for key in texts()
        if f'"{key}"' not in sources and not any(key.startswith(start) for start in starts)
    ]
    assert not unused


def test_a_text_is_filled_in_or_refuses(monkeypatch):
    monkeypatch.setitem(texts(), "made.up", "{one} and {two}")
    assert text("made.up", one=1, two="<b>") == "1 and <b>"
    with pytest.raises(KeyError):
        text("made.up", one=1)
    with pytest.raises(KeyError):
        text("no.such.text")
