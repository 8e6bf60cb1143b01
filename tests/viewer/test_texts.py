"""Python and the viewer's modules read the same texts."""

import re
from pathlib import Path

import pytest

from diml_core.viewer.texts import glossary, text, texts
from scripts import build_glossary

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
        if not re.search(rf"[\"'%]{re.escape(key)}[\"'%]", sources)
        and not any(key.startswith(start) for start in starts)
        and key != "language"
    ]
    assert not unused


def test_a_text_is_filled_in_or_refuses(monkeypatch):
    monkeypatch.setitem(texts(), "made.up", "{one} and {two}")
    assert text("made.up", one=1, two="<b>") == "1 and <b>"
    with pytest.raises(KeyError):
        text("made.up", one=1)
    monkeypatch.setitem(texts(), "made.up", "[[mass]] or [[points|so many]]")
    assert text("made.up") == "mass or so many"
    with pytest.raises(KeyError):
        text("no.such.text")


def test_only_hints_for_a_mouse_speak_of_one():
    forms = {key.rpartition(".")[0] for key in texts() if key.endswith((".mouse", ".finger"))}
    assert forms
    assert all(f"{key}.{hand}" in texts() for key in forms for hand in ("mouse", "finger"))
    gestures = re.compile(r"\b(click|point at|pointer|hover|keyboard)\b", re.IGNORECASE)
    mouse = [key for key, words in texts().items() if gestures.search(words)]
    assert all(key.endswith(".mouse") for key in mouse), mouse


def test_no_text_of_a_viewer_takes_its_second_photo_for_b():
    drawers = (
        "bar.",
        "cover.",
        "formula.",
        "legend.",
        "readout.",
        "score.",
        "spoken.",
        "steps.",
        "trial.",
    )
    fixed = [
        key
        for key, words in texts().items()
        if key.startswith(drawers) and re.search(r"\bB\b", words.replace("{B}", ""))
    ]
    assert not fixed  # beside another viewer it may be C: {B} is filled in


def test_every_term_has_a_name_and_one_sentence():
    ids = {key.split(".")[1] for key in texts() if key.startswith("terms.")}
    assert set(glossary()) == ids
    for name, definition in glossary().values():
        assert name
        assert re.fullmatch(r"[A-Z][^!?]*\.", definition), definition
        assert ". " not in definition


def test_every_term_that_a_text_marks_is_in_the_glossary():
    marked = {id for words in texts().values() for id in re.findall(r"\[\[(\w+)", words)}
    assert marked
    assert marked <= set(glossary())


def test_the_glossary_of_the_documentation_is_the_one_of_the_page():
    assert build_glossary.PAGE.read_text(encoding="utf-8") == build_glossary.page(), (
        "run python -m scripts.build_glossary"
    )
