"""Tables of estimates as Markdown for people and CSV for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

from diml_core.evaluation.bootstrap import Estimate


@dataclass(frozen=True)
class Table:
    """Rows of estimates under one heading.

    Attributes:
        title: heading.
        note: a sentence on what the columns are.
        rows: by label, estimates by the name of the column. Every row has the same columns.
        signed: columns that hold differences.
    """

    title: str
    note: str
    rows: dict[str, dict[str, Estimate]]
    signed: frozenset[str] = field(default_factory=frozenset)


def as_markdown(tables: Sequence[Table]) -> str:
    """Headings and tables, in per cent with 95% intervals."""
    blocks = []
    for table in tables:
        columns = list(next(iter(table.rows.values())))
        lines = [
            f"### {table.title}",
            "",
            table.note,
            "",
            "| | " + " | ".join(columns) + " |",
            "|---|" + "---:|" * len(columns),
        ]
        for label, row in table.rows.items():
            cells = [row[c].percent(signed=c in table.signed) for c in columns]
            lines.append(f"| {label} | " + " | ".join(cells) + " |")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def as_csv(tables: Sequence[Table]) -> str:
    """One line per number: table, row, column, mean, low, high; as fractions, not per cent."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["table", "row", "column", "mean", "low", "high"])
    for table in tables:
        for label, row in table.rows.items():
            for column, value in row.items():
                numbers = (f"{x:.6f}" for x in (value.mean, value.low, value.high))
                writer.writerow([table.title, label, column, *numbers])
    return text.getvalue()
