"""``python -m scripts.build_glossary``: write ``docs/glossary.md`` from the page's texts, after a term has changed."""

from __future__ import annotations

from pathlib import Path

from diml_core.viewer.texts import glossary

PAGE = Path(__file__).parent.parent / "docs" / "glossary.md"
_HEAD = """\
# Words

What the words of the page mean, a sentence each, as the page says it to whoever points at one. The formulas are in
[the method](method.md).
"""


def page() -> str:
    """The Markdown of the page."""
    terms = (f"\n{name}\n: {definition}\n" for name, definition in glossary().values())
    return _HEAD + "".join(terms)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
