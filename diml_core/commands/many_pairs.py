"""``compare --pairs``: a table of the scores of many pairs, and a sheet of the most similar ones."""

from __future__ import annotations

import csv
import heapq
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from diml_core.errors import InputError
from diml_core.evaluation.pair_list import read_pairs
from diml_core.evaluation.pair_scores import ComparedPair, compare_pairs
from diml_core.explanation import Explanation
from diml_core.network.checkpoints import load_model

_TABLE, _SHEET = "pairs.csv", "sheet.png"
_COLUMNS = (
    "a", "b", "similarity", "global", "structural", "mass", "iterations", "marginal_error", "converged",
    "problem",
)  # fmt: skip


def compare_many(
    source: Path, output: Path, model: str, *, device: str, engine: str, **options: Any
) -> None:
    """Compare all pairs, write table and sheet, and say what was done and which photos cannot be used.

    Args:
        source: for :func:`diml_core.evaluation.pair_list.read_pairs`.
        output: folder to write, created if needed.
        model, device, engine: for :func:`diml_core.load_model`.
        **options: fields of :class:`diml_core.comparison.options.ExplainOptions`, None for the model's default.

    Raises:
        InputError: a list that cannot be read, a bad model, option or folder, before any work; photos
            that cannot be used, after the work on all others.
    """
    pairs = read_pairs(source)
    if source.resolve() in (output.resolve(), (output / _TABLE).resolve()):
        raise InputError(
            f"The results in '{output}' would overwrite or mix with what is compared: choose another --output."
        )
    network = load_model(model, device=device, engine=engine)
    chosen = network.options(**options)
    # matplotlib is slow to import, and not needed for one pair
    from diml_core.drawing.contact_sheet import MOST_TILES, save_contact_sheet

    table, sheet = output / _TABLE, output / _SHEET
    found = _Found(MOST_TILES)
    try:
        output.mkdir(parents=True, exist_ok=True)
        sheet.unlink(missing_ok=True)  # of a former run, whose pairs were others
        compared = _written(compare_pairs(network, pairs, chosen), table)
        for one in tqdm(compared, "Comparing", len(pairs), unit=" pairs"):
            found.add(one)
        if best := found.best:
            save_contact_sheet(best, found.compared, sheet)
            shown = "all" if len(best) == found.compared else f"the {len(best)} most similar"
            print(f"Pairs compared: {found.compared}, in '{table}'; {shown} drawn in '{sheet}'.")
    except OSError as error:
        raise InputError(
            f"'{error.filename or output}' cannot be written ({error.strerror}): choose another place."
        ) from error
    if found.unsettled:
        print(f"Not converged, so near and not exact: {found.unsettled}; take a larger epsilon.")
    if found.problems:
        print("Photos that cannot be used:")
        for problem in found.problems.values():
            print(f"  {problem}")
        raise InputError(
            f"{len(pairs) - found.compared} of {len(pairs)} pairs failed, for their photos cannot be used: "
            f"'{table}' says which."
        )


class _Found:
    """What is remembered of the pairs: counts, problems, and the few that the sheet shows."""

    def __init__(self, most: int) -> None:
        self.compared = self.unsettled = 0
        self.problems: dict[Path, str] = {}
        self._most = most
        self._heap: list[tuple[float, int, Explanation]] = []

    def add(self, one: ComparedPair) -> None:
        self.problems |= one.problems
        if one.explanation is None:
            return
        self.compared += 1
        self.unsettled += not one.explanation.converged
        # Of equally similar pairs the earlier comes first.
        entry = (one.explanation.similarity, -self.compared, one.explanation)
        add = heapq.heappush if len(self._heap) < self._most else heapq.heappushpop
        add(self._heap, entry)

    @property
    def best(self) -> list[Explanation]:
        return [explanation for *_, explanation in sorted(self._heap, reverse=True)]


def _written(compared: Iterable[ComparedPair], file: Path) -> Iterator[ComparedPair]:
    """Write each pair as it comes, so that an interruption loses none, and pass it on."""
    with file.open("w", encoding="utf-8", newline="", buffering=1) as stream:
        writer = csv.writer(stream)
        writer.writerow(_COLUMNS)
        for one in compared:
            writer.writerow(_row(one))
            yield one


def _row(one: ComparedPair) -> list[Any]:
    pair, e = one.pair, one.explanation
    if e is None:
        empty = [""] * (len(_COLUMNS) - 3)
        return [pair.name_a, pair.name_b, *empty, " ".join(one.problems.values())]
    scores = (e.similarity, e.global_similarity, e.structural_similarity, e.mass)
    solver = (e.iterations, e.marginal_error, e.converged)
    return [pair.name_a, pair.name_b, *scores, *solver, ""]
