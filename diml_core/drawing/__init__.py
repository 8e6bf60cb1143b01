"""Printed figures of an :class:`~diml_core.explanation.Explanation`: PNG, SVG, PDF.

The only package here that imports matplotlib, and never its pyplot: figures are drawn in many
threads at once, and pyplot keeps global state.
"""

from diml_core.drawing.figure import explanation_figure
from diml_core.drawing.saving import save_figure

__all__ = ["explanation_figure", "save_figure"]
