"""95% intervals by resampling classes: images of one class succeed and fail together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A mean and its 95% interval, in the units of the values."""

    mean: float
    low: float
    high: float

    def percent(self, *, signed: bool = False) -> str:
        """``81.2 [79.9, 82.6]``, in per cent."""
        sign = "+" if signed else ""
        return (
            f"{100 * self.mean:{sign}.1f} [{100 * self.low:{sign}.1f}, {100 * self.high:{sign}.1f}]"
        )


def estimate(
    values: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None, seed: int = 0
) -> Estimate:
    """Mean and percentile interval over classes drawn with replacement.

    For the difference of two methods on the same queries give the differences: paired intervals are
    narrower than those of either method, and say what two overlapping intervals cannot.

    Args:
        values: ``[N]``; NaN is left out.
        labels: ``[N]`` classes.
        weights: ``[N]`` non-negative, 1 by default: the mean is ``sum(weights * values) / sum(weights)``.
        seed: of the resampling; the same seed draws the same classes for every metric.
    """
    weights = np.ones_like(values, dtype=float) if weights is None else weights.astype(float)
    weights = np.where(np.isnan(values), 0, weights)
    classes, inverse = np.unique(labels, return_inverse=True)
    sums = np.bincount(inverse, np.nan_to_num(values) * weights, len(classes))
    totals = np.bincount(inverse, weights, len(classes))
    if totals.sum() == 0:
        return Estimate(np.nan, np.nan, np.nan)
    random = np.random.default_rng(seed)
    drawn = random.multinomial(len(classes), np.full(len(classes), 1 / len(classes)), RESAMPLES)
    drawn_totals = drawn @ totals
    means = (drawn @ sums)[drawn_totals > 0] / drawn_totals[drawn_totals > 0]
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(float(sums.sum() / totals.sum()), float(low), float(high))
