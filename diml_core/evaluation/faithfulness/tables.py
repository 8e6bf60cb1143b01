"""From a model and a data set to the tables of its faithfulness, one per question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from tqdm import tqdm

from diml_core.comparison.options import ExplainOptions
from diml_core.data import LabelledImages
from diml_core.data.scenes import SceneTruth
from diml_core.evaluation.bootstrap import estimate
from diml_core.evaluation.faithfulness.agreement import agreement, covered_regions
from diml_core.evaluation.faithfulness.cells import grid_of
from diml_core.evaluation.faithfulness.conservation import defects
from diml_core.evaluation.faithfulness.correlation import rank_correlation
from diml_core.evaluation.faithfulness.curves import SIDES, Curve, curves_steps
from diml_core.evaluation.faithfulness.localisation import localised
from diml_core.evaluation.faithfulness.partners import WAYS, partner_falls
from diml_core.evaluation.faithfulness.randomisation import randomised
from diml_core.evaluation.faithfulness.rivals import RANKINGS, named_ranking, rankings_for
from diml_core.evaluation.faithfulness.speaking_against import CHOICES, falls_by_choice
from diml_core.evaluation.faithfulness.stability import CHANGES, changed_photo, relative_change
from diml_core.evaluation.faithfulness.trials import Trial, trials
from diml_core.evaluation.tables import Table
from diml_core.explain import explain_features
from diml_core.network.batches import batch_size
from diml_core.network.model import DimlModel
from diml_core.steps import result_of

PAIRS = 25
"""How many pairs are tried by default: one of every kind of the test half of the real photographs."""

IN_SHORT = "Faithfulness, in short"
"""The title of the last table, which a card and a README have room for."""

Row = Mapping[str, float]
"""Values of one ranking on one pair, by column."""

_OURS = "diml"
_FEW_PASSES = 2  # that a ranking of the default selection may cost
_AHEAD = "{}, ahead"
_REGIONS = {"single parts": (0, 32), "regions of 1/8": (1 / 8, 24), "regions of 1/4": (1 / 4, 24)}
_BETTER_IS = {"deletion": -1, "insertion": 1}  # less, and more
_AGREEMENT = "Agreement with covering"
_PER_CENT = "{pairs} pairs of one kind. {what} Per cent, with 95% intervals over classes."
_BETTER = "*Ahead*: how much better DIML's contributions do than this row (paired)."


def _curves_title(side: str, cover: str) -> str:
    return f"Deletion and insertion, {side.upper() if side != 'both' else side}, {cover}"


_SHORT = (*(_curves_title(side, "blur") for side in SIDES), _AGREEMENT)


def chosen_keys(model: DimlModel, keys: Sequence[str] | None) -> list[str]:
    """Rankings to try: DIML's first, and those named, or all that cost at most one further run per photo.

    Raises:
        InputError: a ranking that is unknown, or that the model cannot have.
    """
    chosen = list(dict.fromkeys([_OURS, *(_cheap(rankings_for(model)) if keys is None else keys)]))
    for key in chosen:
        named_ranking(key).check(model)
    return chosen


def _cheap(keys: Sequence[str]) -> list[str]:
    costs = {key: RANKINGS[key].passes for key in keys}
    return [key for key, passes in costs.items() if passes is not None and passes <= _FEW_PASSES]


def _looking(keys: Sequence[str]) -> list[str]:
    """Those that look at the network: what chance draws has no sum to keep, and stays as it is in any network."""
    return [key for key in keys if not RANKINGS[key].is_drawn]


def faithfulness_tables(
    model: DimlModel,
    dataset: LabelledImages,
    options: ExplainOptions,
    *,
    truth: SceneTruth | None = None,
    keys: Sequence[str] | None = None,
    pairs: int = PAIRS,
    progress: bool = True,
) -> Iterator[Table]:
    """Put rankings of parts to every test, table by table, so that a long run can be kept as it goes.

    Args:
        model: the model.
        dataset: the images, in classes.
        options: how pairs are compared.
        truth: masks of the objects, in the order of the data set; without it nothing is localised.
        keys: rankings to compare with DIML's, see :func:`chosen_keys`.
        pairs: at most so many pairs, see :func:`diml_core.evaluation.faithfulness.trials.like_pairs`.
        progress: whether to show bars.

    Yields:
        Deletion and insertion for each side blurred, then with other covers; agreement, what the plan knows,
        what speaks against the pair, conservation, randomisation and stability (these two without the rankings that
        cost many passes), and localisation where there are masks. Last, what matters most of it in one table.

    Raises:
        InputError: no pairs, or a ranking that is unknown, that the model cannot have or that fails.
    """
    chosen = chosen_keys(model, keys)
    tried = trials(model, dataset, options, chosen, pairs, progress=progress)
    bench = _Bench(model, options, tried, chosen, progress)
    yield from bench.curves("blur", SIDES)
    for cover in ("grey", "mean"):
        yield from bench.curves(cover, ("a",))
    yield bench.agreement()
    yield bench.partners()
    yield bench.speaking_against()
    yield bench.conservation()
    yield bench.randomisation()
    yield bench.stability()
    if truth is not None:
        yield bench.localisation(truth)
    yield bench.in_short()


class _Bench:
    """One model, its options, and the pairs and rankings on trial."""

    def __init__(
        self,
        model: DimlModel,
        options: ExplainOptions,
        tried: Sequence[Trial],
        keys: Sequence[str],
        progress: bool,
    ) -> None:
        self.model, self.options, self.tried, self.keys = model, options, tried, keys
        self.progress = progress
        self.measured: dict[str, Sequence[Mapping[str, Row]]] = {}  # by the title of its table
        self.labels = np.array([trial.label for trial in tried])

    def curves(self, cover: str, sides: Sequence[str]) -> Iterator[Table]:
        size = batch_size(self.model, self.options.start_block)

        def measure(trial: Trial) -> list[Curve]:
            steps = curves_steps(
                self.model, trial.a, trial.b, self.options, self.keys,
                side=sides, cover=cover, batch=size, weights=trial.weights,
            )  # fmt: skip
            return result_of(steps)

        per_pair = [measure(trial) for trial in self._bar(f"curves, {cover}")]
        for side in sides:
            rows = [_areas(curves, side) for curves in per_pair]
            what = (
                "Area under the score while the parts of {} are covered ({}), heaviest first (*deletion*: less is "
                "better), or shown, heaviest first (*insertion*: more is better); of the *global* similarity, too. "
            ).format({"a": "A", "b": "B", "both": "both photos"}[side], cover)
            if side == "both":
                what += "Two photos that are wholly covered resemble each other again. "
            yield self._table(
                _curves_title(side, cover),
                what + _BETTER,
                rows,
                ahead=_BETTER_IS,
            )

    def agreement(self) -> Table:
        def measure(trial: Trial) -> Mapping[str, Row]:
            in_a = {key: trial.weights[key][0] for key in self.keys}
            found: dict[str, dict[str, float]] = {key: {} for key in self.keys}
            for name, (share, count) in _REGIONS.items():
                falls = covered_regions(
                    self.model, trial.a, trial.b, self.options, share=share, count=count
                )
                for key, value in agreement(falls, in_a).items():
                    found[key][name] = value
            return found

        rows = [measure(trial) for trial in self._bar("agreement")]
        what = (
            "Rank correlation of a ranking's weights with the measured fall of the overall similarity: of "
            f"{_REGIONS['single parts'][1]} single parts of A, blurred one at a time, and of the sums over random "
            "connected regions of an eighth and of a quarter of its parts. "
        )
        return self._table(_AGREEMENT, what + _BETTER, rows, ahead=dict.fromkeys(_REGIONS, 1))

    def partners(self) -> Table:
        def measure(trial: Trial) -> Mapping[str, Row]:
            falls = partner_falls(self.model, trial.a, trial.b, self.options)
            return {
                way: {"A whole": f.whole, "A cropped": f.cropped, "own": f.own}
                for way, f in falls.items()
            }

        rows = [measure(trial) for trial in self._bar("partners")]
        what = (
            "Fall of the overall similarity when the parts of B are blurred that belong to A's strongest region (a "
            "third of its sides), chosen by the plan and in other ways, as large a share of B: with all of A, and "
            "with A cropped to the region. *Own*: how much further the crop's score falls than for the partners of "
            "another region. *Ahead*: how much further it falls by the plan (paired)."
        )
        return self._table(
            "What the plan knows: partners in B",
            what,
            rows,
            ahead={"A whole": 1, "A cropped": 1, "own": 1},
            names=WAYS,
            ours="plan",
        )

    def speaking_against(self) -> Table:
        places = {
            f"{side.upper()}, {cover}": (side, cover) for side in "ab" for cover in ("blur", "grey")
        }

        def measure(trial: Trial) -> Mapping[str, Row]:
            found: dict[str, dict[str, float]] = {key: {} for key in CHOICES}
            for column, (side, cover) in places.items():
                falls = falls_by_choice(self.model, trial.a, trial.b, self.options, side, cover)
                for key, fall in falls.items():
                    found[key][column] = fall
            return found

        rows = [measure(trial) for trial in self._bar("speaking against")]
        what = (
            "Fall of the overall similarity when an eighth of one photo's parts is covered: those that keep the score "
            "down most, as many at random, and those that contribute most. *Ahead*: how much less the first costs "
            "than this row (paired)."
        )
        return self._table(
            "What speaks against the pair",
            what,
            rows,
            ahead=dict.fromkeys(places, -1),
            names=CHOICES,
            ours="against",
        )

    def conservation(self) -> Table:
        keys = _looking(self.keys)

        def measure(trial: Trial) -> Mapping[str, Row]:
            explanation = explain_features(self.model, trial.a, trial.b, self.options)
            found: dict[str, Row] = {}
            for key in keys:
                in_a, in_b = defects(explanation, trial.weights[key])
                found[key] = {"defect, A": in_a, "defect, B": in_b}
            return found

        rows = [measure(trial) for trial in self._bar("conservation")]
        what = (
            "Distance of the sum of a ranking's weights from the score of the pair that it comes nearest to "
            "(structural, global or overall): 0 where the parts add up."
        )
        return self._table("Conservation", what, rows)

    def randomisation(self) -> Table:
        keys = _looking(_cheap(self.keys))
        found: list[dict[str, dict[str, float]]] = [{key: {} for key in keys} for _ in self.tried]
        for name, changed in randomised(self.model):
            for trial, row in zip(self._bar(f"randomised, {name}"), found, strict=True):
                a, b = (
                    changed.extract(f.photo, self.options.start_block) for f in (trial.a, trial.b)
                )
                for key in keys:
                    weights = RANKINGS[key].weights(changed, a, b, self.options)
                    row[key][name] = _likeness(trial.weights[key], weights)
        others = self._others()
        for trial, other, row in zip(self.tried, others, found, strict=True):
            for key in keys:
                weights = RANKINGS[key].weights(self.model, trial.a, other.b, self.options)
                row[key]["other kind"] = rank_correlation(trial.weights[key][0], weights[0])
        what = (
            "Rank correlation of a ranking before and after: weights of the network shuffled in its *head*, then in "
            "the thirds of its backbone, cumulatively, from the top; and of A's ranking beside its partner with that "
            "beside a photo of an *other kind* of thing. An explanation of this network, and of this pair, comes near "
            "0; 100 is one that looks at neither."
        )
        return self._table("Randomisation", what, found)

    def stability(self) -> Table:
        keys = _cheap(self.keys)

        def measure(trial: Trial) -> Mapping[str, Row]:
            found: dict[str, dict[str, float]] = {key: {} for key in keys}
            largest = dict.fromkeys(keys, 0.0)
            for change in CHANGES:
                photo = changed_photo(trial.a.photo, change)
                a = self.model.extract(photo, self.options.start_block)
                for key in keys:
                    before = trial.weights[key][0]
                    after = RANKINGS[key].weights(self.model, a, trial.b, self.options)[0]
                    found[key][change] = rank_correlation(before, after)
                    largest[key] = max(largest[key], relative_change(before, after))
            return {key: row | {"largest change": largest[key]} for key, row in found.items()}

        rows = [measure(trial) for trial in self._bar("stability")]
        what = (
            "Rank correlation of A's ranking before and after noise (a standard deviation of 4 of 255), JPEG of "
            "quality 75, and a shift by one pixel; and the largest change of the weights, relative to their length "
            "(max-sensitivity: less is better)."
        )
        return self._table("Stability", what, rows)

    def localisation(self, truth: SceneTruth) -> Table:
        def measure(trial: Trial) -> Mapping[str, Row]:
            mask, grid = truth.masks[trial.row_a], grid_of(trial.a, self.options)
            found: dict[str, Row] = {}
            for key in self.keys:
                mass, pointed = localised(trial.weights[key][0], mask, grid)
                area = float(mask.mean() / 255)
                found[key] = {"area": area, "object mass": mass, "pointing": pointed}
            return found

        rows = [measure(trial) for trial in self._bar("localisation")]
        what = (
            "Share of A's weights on the object, against the object's share of the *area*, and whether the heaviest "
            "part points at it. "
        )
        ahead = {"object mass": 1, "pointing": 1}
        return self._table("Localisation", what + _BETTER, rows, ahead=ahead)

    def in_short(self) -> Table:
        """The curves and the agreement with covering in one table, of what was measured for the others."""
        per_pair = []
        for rows in zip(*(self.measured[title] for title in _SHORT), strict=True):
            found: dict[str, dict[str, float]] = {key: {} for key in self.keys}
            for key in self.keys:
                in_a, in_b, in_both, regions = (row[key] for row in rows)
                for kind in _BETTER_IS:
                    found[key][f"{kind}, one photo"] = (in_a[kind] + in_b[kind]) / 2
                    found[key][f"{kind}, both"] = in_both[kind]
                found[key]["regions"] = regions["regions of 1/4"]
            per_pair.append(found)
        what = (
            "Area under the score while the parts of one photo (the mean of covering A and covering B) or of both are "
            "blurred, heaviest first (*deletion*: less is better), or shown (*insertion*: more is better), and rank "
            "correlation with the measured fall for *regions* of a quarter of the parts. "
        )
        ahead = {
            f"{kind}, {where}": sign
            for kind, sign in _BETTER_IS.items()
            for where in ("one photo", "both")
        }
        return self._table(IN_SHORT, what + _BETTER, per_pair, ahead=ahead | {"regions": 1})

    def _others(self) -> list[Trial]:
        """For every trial the next one of another class; itself where there is one class only."""
        others = []
        for index, trial in enumerate(self.tried):
            later = [*self.tried[index + 1 :], *self.tried[:index]]
            others.append(next((t for t in later if t.label != trial.label), trial))
        return others

    def _table(
        self,
        title: str,
        what: str,
        per_pair: Sequence[Mapping[str, Row]],
        *,
        ahead: Mapping[str, int] | None = None,
        names: Mapping[str, str] | None = None,
        ours: str = _OURS,
    ) -> Table:
        """Means over pairs, and in the columns of ``ahead`` how much better (1: more is better) our row does."""
        self.measured[title] = per_pair
        ahead = ahead or {}
        named = names or {key: RANKINGS[key].name for key in per_pair[0]}
        rows = {}
        for key, name in named.items():
            row = {}
            for column in per_pair[0][key]:
                values = np.array([pair[key][column] for pair in per_pair])
                row[column] = estimate(values, self.labels)
                if column in ahead:
                    best = np.array([pair[ours][column] for pair in per_pair])
                    row[_AHEAD.format(column)] = estimate(
                        ahead[column] * (best - values), self.labels
                    )
            rows[name] = row
        note = _PER_CENT.format(pairs=len(self.tried), what=what.strip())
        return Table(title, note, rows, frozenset(_AHEAD.format(column) for column in ahead))

    def _bar(self, name: str) -> tqdm:
        return tqdm(self.tried, desc=name, unit="pair", disable=not self.progress)


def _areas(curves: Sequence[Curve], side: str) -> Mapping[str, Row]:
    found: dict[str, dict[str, float]] = {}
    for curve in curves:
        if curve.side == side:
            row = found.setdefault(curve.key, {})
            row[curve.kind] = curve.area
            row[f"{curve.kind}, global"] = curve.global_area
    return found


def _likeness(before: tuple[np.ndarray, np.ndarray], after: tuple[np.ndarray, np.ndarray]) -> float:
    both = [rank_correlation(x, y) for x, y in zip(before, after, strict=True)]
    return float(np.mean(both))
