"""Everything that ranks parts: a module here with a ``RANKING`` is one, under its own name.

What costs nothing comes first, and DIML before all.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from diml_core.errors import InputError
from diml_core.evaluation.faithfulness.ranking import Ranking
from diml_core.network.model import DimlModel


def _found() -> dict[str, Ranking]:
    found: dict[str, Ranking] = {}
    for module in iter_modules(__path__):
        key = module.name.replace("_", "-")
        found[key] = import_module(f"{__name__}.{module.name}").RANKING
    return dict(sorted(found.items(), key=lambda item: (item[0] != "diml", _cost(item[1]))))


def _cost(ranking: Ranking) -> float:
    return float("inf") if ranking.passes is None else ranking.passes


RANKINGS: dict[str, Ranking] = _found()
"""Rankings by their short names."""


def rankings_for(model: DimlModel) -> list[str]:
    """The short names of the rankings that a model can have."""
    return [key for key, r in RANKINGS.items() if model.has_rollout or not r.needs_attention]


def named_ranking(key: str) -> Ranking:
    """The entry of :data:`RANKINGS`.

    Raises:
        InputError: there is none of that name.
    """
    if key not in RANKINGS:
        raise InputError(f"There is no ranking named '{key}': choose one of {', '.join(RANKINGS)}.")
    return RANKINGS[key]
