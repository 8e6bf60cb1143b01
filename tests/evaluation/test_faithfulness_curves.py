"""Deletion and insertion: on toys the areas are known, and the scores are the network's own."""

from dataclasses import replace

import numpy as np
import pytest

from diml_core import explain
from diml_core.counterfactual import covered_photo
from diml_core.errors import InputError
from diml_core.evaluation.faithfulness import RANKINGS, Curve, Ranking, curves_steps
from diml_core.evaluation.faithfulness import curves as module
from diml_core.evaluation.faithfulness.covered import Scores
from diml_core.evaluation.faithfulness.rivals import RANKINGS as TABLE

CHEAP = ["diml", "best-match", "random"]


def run(*given, **named):
    steps, said = curves_steps(*given, **named), []
    while True:
        try:
            said.append(next(steps))
        except StopIteration as end:
            return end.value, said


def test_the_area_is_by_trapezoids():
    curve = Curve(
        "diml", "deletion", "a", "blur", (0.0, 0.25, 1.0), (1.0, 0.5, 0.0), (1.0, 1.0, 1.0)
    )
    assert curve.area == pytest.approx(0.25 * 0.75 + 0.75 * 0.25)
    assert curve.global_area == pytest.approx(1)


@pytest.mark.parametrize("side", ["a", "b", "both"])
def test_every_point_is_what_the_network_says_of_the_covered_photos(side, tiny, pair):
    options = tiny.options()
    weights = RANKINGS["diml"].weights(tiny, *pair, options)
    before = explain(tiny, *pair)
    grids = (before.grid_a, before.grid_b)
    curves, _ = run(tiny, *pair, options, ["diml"], side=side, points=4)
    for curve in curves:
        assert curve.fractions[0] == 0
        assert curve.fractions[-1] == 1
        for fraction, overall, global_ in zip(
            curve.fractions, curve.overall, curve.global_, strict=True
        ):
            shown = []
            for name, features, own, grid in zip("ab", pair, weights, grids, strict=True):
                order = np.argsort(-own)
                count = round(fraction * len(order))
                chosen = order[:count] if curve.kind == "deletion" else order[count:]
                hide = side in (name, "both") and len(chosen)
                shown.append(
                    covered_photo(features.photo, grid, chosen.tolist(), "blur")
                    if hide
                    else features.photo
                )
            by_hand = explain(tiny, *shown)
            # One photo at a time or eight: float32 sums in another order, then float16.
            assert overall == pytest.approx(by_hand.similarity, abs=2e-3)
            assert global_ == pytest.approx(by_hand.global_similarity, abs=2e-3)


def test_curves_meet_at_their_ends_and_share_photos(tiny, pair):
    curves, said = run(tiny, *pair, tiny.options(), CHEAP, points=8, batch=3)
    ends = {(c.overall[0], c.overall[-1])[:: 1 if c.kind == "deletion" else -1] for c in curves}
    assert len(ends) == 1
    assert [(c.key, c.kind) for c in curves] == [
        (key, kind) for key in CHEAP for kind in ("deletion", "insertion")
    ]
    interior = max(len(c.fractions) for c in curves) - 2
    assert said[-1].total <= 2 * len(CHEAP) * interior + 1


def test_three_rankings_at_eight_points_stay_within_the_pages_forty_passes(tiny, pair):
    _, said = run(tiny, *pair, tiny.options(), ["diml", "best-match", "grad-cam"])
    assert said[0].total <= 40
    assert said[-1].total <= said[0].total


def test_steps_count_up_and_curves_only_grow(tiny, pair):
    curves, said = run(tiny, *pair, tiny.options(), ["diml", "grad-cam"], batch=2)
    done = [step.done for step in said]
    assert done == sorted(done)
    assert done[0] == 0
    assert said[0].curves == ()  # before Grad-CAM's passes
    assert said[-1].done < said[-1].total <= said[-1].done + 2
    known = 0
    for step in [s for s in said if s.curves]:
        points = sum(len(curve.fractions) for curve in step.curves)
        assert points >= known
        known = points
        for now, end in zip(step.curves, curves, strict=True):
            assert set(zip(now.fractions, now.overall, strict=True)) <= set(
                zip(end.fractions, end.overall, strict=True)
            )
            assert list(now.fractions) == sorted(now.fractions)


def test_ranking_by_the_truth_beats_every_other_order_on_an_additive_score(tiny, pair, monkeypatch):
    """A score that is the sum of what its uncovered parts are worth: no order has less area than by worth."""
    explanation = explain(tiny, *pair)
    parts = explanation.plan.shape[0]
    random = np.random.default_rng(3)
    worth = random.random(parts)
    orders = {"truth": worth, "reverse": -worth, "mixed": random.random(parts)}
    for key, weights in orders.items():
        ranking = Ranking(key, "A toy.", 0, lambda *_, w=weights: (w, explanation.marginals_b))
        monkeypatch.setitem(TABLE, key, ranking)
    monkeypatch.setattr(module, "embedded_covered", lambda m, f, sets, *_: list(sets))
    monkeypatch.setattr(module, "embedded_as_is", lambda *_: frozenset())

    def additive(_, covered, __, ___):
        value = float(sum(worth[part] for part in range(parts) if part not in covered))
        return Scores(value, value)

    monkeypatch.setattr(module, "scores", additive)
    curves, _ = run(tiny, *pair, tiny.options(), list(orders), points=parts + 1)
    area = {(curve.key, curve.kind): curve.area for curve in curves}
    assert area["truth", "deletion"] < area["mixed", "deletion"] < area["reverse", "deletion"]
    assert area["truth", "insertion"] > area["mixed", "insertion"] > area["reverse", "insertion"]
    # Covering the lightest first is showing the heaviest last: one curve from behind.
    assert area["reverse", "deletion"] == pytest.approx(area["truth", "insertion"])


def test_weights_that_are_there_are_not_asked_for_again(tiny, pair, monkeypatch):
    options = tiny.options()
    weights = RANKINGS["diml"].weights(tiny, *pair, options)
    plain, _ = run(tiny, *pair, options, ["diml"])
    monkeypatch.setitem(TABLE, "diml", replace(TABLE["diml"], weigh=lambda *_: 1 / 0))
    given, _ = run(tiny, *pair, options, ["diml"], weights={"diml": weights})
    assert given == plain
    with pytest.raises(InputError, match="'DIML contributions' failed"):
        run(tiny, *pair, options, ["diml"])


def test_sides_asked_for_together_are_those_asked_for_alone(tiny, pair):
    options = tiny.options()
    together, said = run(tiny, *pair, options, ["diml"], side=("a", "b", "both"), points=4)
    alone = [
        c
        for side in ("a", "b", "both")
        for c in run(tiny, *pair, options, ["diml"], side=side, points=4)[0]
    ]
    for one, other in zip(together, alone, strict=True):
        assert (one.side, one.kind, one.fractions) == (other.side, other.kind, other.fractions)
        assert np.allclose(one.overall, other.overall, atol=2e-3)
    # Both sides cost nothing on top.
    assert said[-1].total <= 2 * (2 * 2 + 1)


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"keys": ["mine"]}, "no ranking named 'mine': choose one of diml"),
        ({"kinds": ["addition"]}, "no curve named 'addition': choose one of deletion, insertion"),
        ({"side": "c"}, "no side named 'c': choose one of a, b, both"),
        ({"cover": "paint"}, "no cover named 'paint': choose one of grey, blur, mean"),
        ({"points": 1}, "at least 2 points"),
        ({"batch": 0}, "at least 1 photo"),
    ],
)
def test_what_makes_no_sense_is_refused(named, said, tiny, pair):
    given = {"keys": ["diml"], **named}
    with pytest.raises(InputError, match=said):
        next(curves_steps(tiny, *pair, tiny.options(), **given))
