"""A pair as one HTML file: the same viewer, the numbers and the photos inside, no network needed."""

from __future__ import annotations

import html
import json
from pathlib import Path

from app import viewer
from app.payload import viewer_payload
from diml_core.explanation import Explanation

_PAGE = Path(__file__).with_name("report.html")


def report_html(explanation: Explanation) -> str:
    """The file's text.

    Args:
        explanation: with photos.
    """
    parts = {
        "TITLE": html.escape(f"{explanation.name_a} and {explanation.name_b}: DIML Explorer"),
        "STYLE": viewer.CSS_PATH.read_text(encoding="utf-8"),
        "TEMPLATE": viewer.template(),
        "SCRIPT": viewer.script(),
        # "</script>" in a file name would end the script: "<" is written as its JSON escape.
        "PAYLOAD": json.dumps(viewer_payload(explanation)).replace("<", "\\u003c"),
    }
    # Split once, so that nothing that is filled in can be taken for a place to fill.
    pieces = _PAGE.read_text(encoding="utf-8").split("%%")
    return "".join(parts[piece] if index % 2 else piece for index, piece in enumerate(pieces))
