"""Write the figure of an explanation to a file."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from diml_core.drawing.figure import explanation_figure
from diml_core.drawing.names import printable
from diml_core.errors import InputError
from diml_core.explanation import Explanation
from diml_core.photo.images import Photo

# Two SVG settings exist as rcParams only. Changed and restored by two threads at once they could
# stay changed, so one thread at a time.
_SVG_LOCK = threading.Lock()
_SVG_SETTINGS: dict[Any, str] = {"svg.fonttype": "none", "svg.hashsalt": "diml-explorer"}


def save_figure(
    explanation: Explanation,
    path_or_file: str | os.PathLike[str] | BinaryIO,
    *,
    format: str | None = None,
    flow_lines: int = 24,
    dpi: float = 200,
    photos: Sequence[Photo] | None = None,
) -> None:
    """Draw :func:`explanation_figure` into a file. Equal explanations give equal bytes.

    Args:
        explanation: what to draw.
        path_or_file: a path, or an object with ``write`` that takes bytes.
        format: ``png``, ``svg`` (text stays text) or ``pdf``; None takes the ending of the
            path, and ``png`` for a file object.
        flow_lines: how many part pairs get a line.
        dpi: pixels per inch, 50 to 600: of the PNG, and of the photos inside SVG and PDF.
        photos: A and B, for an explanation without its own (loaded from JSON).

    Raises:
        InputError: another format, dpi out of range, or what :func:`explanation_figure` refuses;
            nothing has been written then.
        OSError: the file cannot be written.
    """
    path = Path(path_or_file) if isinstance(path_or_file, (str, os.PathLike)) else None
    if format is None:
        format = "png" if path is None else path.suffix[1:]
    write = _WRITERS.get(str(format).lower())
    if write is None:
        raise InputError(
            f"A figure cannot be drawn as '{printable(format)}': choose {', '.join(_WRITERS)}."
        )
    if not isinstance(dpi, (int, float)) or not 50 <= dpi <= 600:
        raise InputError(f"The resolution must be 50 to 600 pixels per inch (dpi), not {dpi!r}.")
    figure = explanation_figure(explanation, flow_lines=flow_lines, photos=photos, dpi=dpi)
    # Into memory first: a figure that fails half-way must not leave half a file.
    content = io.BytesIO()
    write(figure, content, f"{printable(explanation.name_a)} ↔ {printable(explanation.name_b)}")
    if path is not None:
        path.write_bytes(content.getvalue())
    else:
        cast(BinaryIO, path_or_file).write(content.getvalue())


# The canvases are called directly: Figure.savefig follows rcParams such as savefig.bbox.


def _write_png(figure: Figure, file: BinaryIO, title: str) -> None:
    FigureCanvasAgg(figure).print_png(file)


def _write_svg(figure: Figure, file: BinaryIO, title: str) -> None:
    with _SVG_LOCK, matplotlib.rc_context(_SVG_SETTINGS):
        FigureCanvasSVG(figure).print_svg(file, metadata={"Title": title, "Date": None})


def _write_pdf(figure: Figure, file: BinaryIO, title: str) -> None:
    FigureCanvasPdf(figure).print_pdf(file, metadata={"Title": title, "CreationDate": None})


_WRITERS = {"png": _write_png, "svg": _write_svg, "pdf": _write_pdf}
