"""One table for several data sets: a figure on composites next to the one that counts, on real photographs."""

from __future__ import annotations

from collections.abc import Mapping

from diml_core.evaluation.against import GLOBAL, RERANKED
from diml_core.evaluation.tables import Table

_COLUMNS = ("R@1", "R@2", "MAP@R", "R@1, gain", "MAP@R, gain")
_FIRST = "photos"
TITLE = "Data sets side by side"


def side_by_side(by_candidates: Mapping[str, Table]) -> Table:
    """The first and the last row of every data set's table of re-ranked candidates, real photographs first.

    Args:
        by_candidates: the first table of :func:`diml_core.evaluation.report.evaluate`, by data set.
    """
    rows = {}
    for name in sorted(by_candidates, key=lambda name: name != _FIRST):
        plain, *_, last = by_candidates[name].rows.values()
        for scale, row in ((GLOBAL, plain), (RERANKED, last)):
            rows[f"{name}, {scale}"] = {column: row[column] for column in _COLUMNS}
    note = (
        "The global embedding alone, and its first neighbours re-ranked by their parts. 'photos' are real "
        "photographs of kinds of things; the classes of 'scenes' are single cut-outs on other backgrounds. "
        "Per cent, with 95% intervals over classes."
    )
    signed = frozenset(column for column in _COLUMNS if column.endswith("gain"))
    return Table(TITLE, note, rows, signed)
