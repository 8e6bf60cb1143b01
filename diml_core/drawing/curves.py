"""The curves of a training run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

_SMOOTHED = 20  # steps of the running mean


def draw_curves(history: Sequence[dict[str, float]], path: Path) -> None:
    """Draw losses and validation metrics over steps.

    Args:
        history: a row per step: ``step``, losses under names that hold ``loss``, and metrics in per cent.
        path: PNG to write.
    """
    names = [n for n in dict.fromkeys(n for row in history for n in row) if n != "step"]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    for name in names:
        rows = [(row["step"], row[name]) for row in history if name in row]
        if not rows:
            continue
        steps, values = zip(*rows, strict=True)
        if "loss" in name:
            (line,) = left.plot(steps, values, alpha=0.25, linewidth=0.8)
            left.plot(steps, _running_mean(values), color=line.get_color(), label=name)
        else:
            right.plot(steps, values, marker="o", markersize=3, label=name)
    for axes, title in ((left, "Losses"), (right, "Held-out classes, per cent")):
        axes.set_title(title)
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(frameon=False, fontsize="small")
    figure.savefig(path, dpi=110)


def _running_mean(values: Sequence[float]) -> list[float]:
    return [
        sum(values[max(0, i + 1 - _SMOOTHED) : i + 1]) / min(i + 1, _SMOOTHED)
        for i in range(len(values))
    ]
