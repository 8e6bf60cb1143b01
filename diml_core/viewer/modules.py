"""The viewer's files, and how a page that stands alone carries them inside."""

from __future__ import annotations

import base64
import html
import json
import posixpath
import re
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from diml_core.viewer.texts import text

FOLDER = Path(__file__).parent
"""Where the modules lie: what a server has to serve, ``mount.js`` on top of it."""

STYLE = FOLDER / "viewer.css"
"""The viewer's style sheet."""

_PAGE = FOLDER / "page.html"
_FRAME_HEIGHT = 900  # px, of the viewer in a notebook
_IMPORTED = re.compile(r"""(\bfrom\s+|\bimport\s+|\bawait import\()(["'])(\.{1,2}/[^"']+)\2""")

# A module's address exists once the module does, so that those it imports come first. It stays: what is imported when
# a visitor first wants it has to be found then.
_LOADER = """\
const urls = {};
for (const [name, source] of %s) {
  const placed = source.replace(/"diml\\/([^"]+)"/g, (_, imported) => JSON.stringify(urls[imported]));
  urls[name] = URL.createObjectURL(new Blob([placed], { type: "text/javascript" }));
}
const door = await import(urls["notebook.js"]);
export default door.default;
"""


def page(title: str, pair: dict[str, Any]) -> str:
    """An HTML file that shows a pair with the network off: style, modules and pair inside.

    Args:
        title: of the page; any text.
        pair: from :mod:`diml_core.viewer.pair`, its files as ``data:`` URLs.
    """
    parts = {
        "TITLE": html.escape(title),
        "ABOUT": html.escape(text("report.about")),
        "STYLE": STYLE.read_text(encoding="utf-8"),
        "MODULES": json.dumps({"imports": _import_map()}),
        # "</script>" in a file name would end the script: "<" is written as its JSON escape.
        "PAIR": json.dumps(pair).replace("<", "\\u003c"),
    }
    # Split once, so that nothing that is filled in can be taken for a place to fill.
    pieces = _PAGE.read_text(encoding="utf-8").split("%%")
    return "".join(parts[piece] if index % 2 else piece for index, piece in enumerate(pieces))


def frame(page: str) -> str:
    """A page inside another, as a notebook shows it: its modules and styles meet no others."""
    return (
        f'<iframe srcdoc="{html.escape(page)}" style="width:100%;height:{_FRAME_HEIGHT}px;border:0" '
        f'title="{html.escape(text("viewer.label"))}"></iframe>'
    )


def bundle() -> str:
    """The viewer as one module, for a host that takes one text: what ``notebook.js`` exports."""
    order = TopologicalSorter({name: _imports(name) for name in _names()}).static_order()
    return _LOADER % json.dumps([(name, _named(name)) for name in order])


def _import_map() -> dict[str, str]:
    """Every module under a name of its own: within a ``data:`` URL, ``./grids.js`` leads nowhere."""
    return {
        f"diml/{name}": "data:text/javascript;base64,"
        + base64.b64encode(_named(name).encode()).decode()
        for name in _names()
    }


def _names() -> list[str]:
    return sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.js"))


def _source(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _imports(name: str) -> set[str]:
    return {_target(name, found) for found in _IMPORTED.finditer(_source(name))}


def _named(name: str) -> str:
    """The text of a module, where what it imports has names that lead somewhere from anywhere."""
    return _IMPORTED.sub(lambda found: f'{found[1]}"diml/{_target(name, found)}"', _source(name))


def _target(name: str, found: re.Match[str]) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), found[3]))
