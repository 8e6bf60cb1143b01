"""Which ingredient of the method earns its place: one thing changed at a time, on the same images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from diml_core.comparison.marginals import MARGINALS, marginal_names
from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.embedder import Embedder
from diml_core.network.model import DimlModel

GRIDS = (1, 2, 4, 7, 8, 12, 16)
MASSES = (0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Setting:
    """A row of a table: how images are embedded, and how pairs of them are compared."""

    label: str
    embedder: Embedder
    options: ExplainOptions


@dataclass(frozen=True)
class Ablation:
    """A table: its heading, and the settings that differ in one thing."""

    title: str
    settings: tuple[Setting, ...]


def ablations(model: DimlModel, base: ExplainOptions) -> list[Ablation]:
    """What can be varied for a model: marginals, grid, mass; with attention the rollout, too.

    Args:
        model: the model.
        base: validated options around which one thing at a time is changed.
    """
    tables = [
        Ablation(
            "Marginals",
            tuple(_changed(model, base, n, marginals=n) for n in marginal_names(model.has_rollout)),
        ),
        Ablation(
            "Grid",
            tuple(_changed(model, base, f"{n} × {n}", grid=n) for n in _grids(model, base)),
        ),
        Ablation(
            "Transported mass",
            tuple(_changed(model, base, f"{m:g}", mass=m) for m in sorted({*MASSES, base.mass})),
        ),
    ]
    if model.has_rollout:
        tables.append(Ablation("Rollout", tuple(_rollouts(model, base))))
    return tables


def base_setting(model: DimlModel, base: ExplainOptions) -> Setting:
    """The options themselves."""
    return Setting("default", model.embedder(base), base)


def _changed(model: DimlModel, base: ExplainOptions, label: str, **changes: Any) -> Setting:
    options = replace(base, **changes)
    mark = " (as given)" if options == base else ""
    return Setting(label + mark, model.embedder(options), options)


def _grids(model: DimlModel, base: ExplainOptions) -> list[int]:
    return sorted({base.grid, model.max_grid, *(n for n in GRIDS if n < model.max_grid)})


def _rollouts(model: DimlModel, base: ExplainOptions) -> list[Setting]:
    blocks = model.backbone.attention_blocks
    starts = sorted({*range(0, blocks, 3), blocks - 2, blocks - 1, base.start_block or 0} - {-1})
    settings = [
        _changed(model, base, "full (from block 0)" if s == 0 else f"from block {s}", start_block=s)
        for s in starts
    ]
    plain = "cross-correlation" if MARGINALS[base.marginals].rollout else base.marginals
    options = replace(base, marginals=plain)
    settings.append(Setting("none: mean pooling", model.embedder(options, pooling="mean"), options))
    return settings
