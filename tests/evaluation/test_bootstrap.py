"""Intervals: against resampling in loops, and on cases whose answer is known."""

import numpy as np
import pytest

from diml_core.evaluation.bootstrap import Estimate, estimate


def test_the_interval_is_that_of_classes_drawn_in_a_loop():
    random = np.random.default_rng(1)
    labels = np.repeat(np.arange(30), random.integers(2, 9, 30))
    values = (random.random(len(labels)) < random.random(30)[labels]).astype(float)
    weights = random.random(len(labels))
    found = estimate(values, labels, weights)
    means = []
    for _ in range(3000):
        rows = np.concatenate([np.flatnonzero(labels == c) for c in random.integers(0, 30, 30)])
        means.append(np.average(values[rows], weights=weights[rows]))
    assert found.mean == pytest.approx(np.average(values, weights=weights))
    assert [found.low, found.high] == pytest.approx(np.percentile(means, [2.5, 97.5]), abs=0.012)


def test_equal_classes_leave_no_doubt_and_different_ones_do():
    labels = np.repeat(np.arange(10), 4)
    equal = estimate(np.tile([0.0, 1.0, 1.0, 1.0], 10), labels)
    assert equal == Estimate(0.75, 0.75, 0.75)
    different = estimate((labels < 5).astype(float), labels)
    assert different.low < 0.35 < 0.65 < different.high


def test_paired_differences_are_surer_than_either_method():
    random = np.random.default_rng(2)
    labels = np.repeat(np.arange(40), 5)
    first = random.random(40)[labels]
    second = first + 0.02 + 0.01 * random.random(200)
    gain, alone = estimate(second - first, labels), estimate(second, labels)
    assert gain.low > 0.02
    assert gain.high - gain.low < 0.1 * (alone.high - alone.low)


def test_missing_values_count_for_nothing():
    labels = np.array([0, 0, 1, 1])
    values = np.array([1.0, np.nan, 0.0, np.nan])
    assert estimate(values, labels).mean == 0.5
    assert np.isnan(estimate(np.full(4, np.nan), labels).mean)


def test_estimates_are_repeatable_and_printed_in_per_cent():
    values, labels = np.random.default_rng(3).random(50), np.arange(50) // 5
    assert estimate(values, labels) == estimate(values, labels)
    assert Estimate(0.8125, 0.8, 0.825).percent() == "81.2 [80.0, 82.5]"
    assert Estimate(0.02, -0.01, 0.05).percent(signed=True) == "+2.0 [-1.0, +5.0]"
