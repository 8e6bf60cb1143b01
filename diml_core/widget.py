"""The viewer in a notebook cell, with a way back: what is selected there, Python knows."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from diml_core.errors import InputError
from diml_core.explanation import Explanation

if TYPE_CHECKING:
    from diml_core.pair_widget import PairWidget


def widget(explanation: Explanation) -> PairWidget:
    """The viewer of an explanation as a Jupyter widget.

    Args:
        explanation: with photos, as :func:`diml_core.explain` gives it.

    Returns:
        The widget, which a notebook shows as a cell's last value.

    Raises:
        InputError: an explanation without photos, as after loading from JSON; or anywidget is not installed.
    """
    if find_spec("anywidget") is None:
        raise InputError(
            "A widget needs anywidget: pip install anywidget, or show the explanation itself."
        )
    from diml_core.pair_widget import PairWidget

    return PairWidget(explanation)
