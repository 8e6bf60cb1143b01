"""The options of one explanation, and the sentences that refuse values no model can serve."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from diml_core.comparison.marginals import named_marginal
from diml_core.comparison.transport import DEFAULT_EPSILON, DEFAULT_TOLERANCE
from diml_core.embedding.rollout import HEAD_FUSIONS
from diml_core.errors import InputError


@dataclass(frozen=True)
class ExplainOptions:
    """How two pictures are compared.

    Attributes:
        grid: parts per side of a square picture, 1 up to the model's map.
        marginals: name in :data:`diml_core.comparison.marginals.MARGINALS`.
        mass: transported mass in (0, 1]; below 1 is partial similarity.
        start_block: first transformer block of the rollout, 0-based; 0 is full rollout. None where the
            model has no attention.
        head_fusion: ``mean``, ``max`` or ``min`` over attention heads.
        kept_mass: share of the rollout's mass that truncation keeps, in (0, 1].
        epsilon: entropy of the transport, 0.005 to 1.
        tolerance: L1 marginal error at which the transport stops.
    """

    grid: int = 7
    marginals: str = "cross-correlation"
    mass: float = 1.0
    start_block: int | None = None
    head_fusion: str = "mean"
    kept_mass: float = 1.0
    epsilon: float = DEFAULT_EPSILON
    tolerance: float = DEFAULT_TOLERANCE


def validated(options: ExplainOptions, max_grid: int, attention_blocks: int) -> ExplainOptions:
    """Check options against what a model can serve.

    Args:
        options: as asked for. A negative start block counts from the last.
        max_grid: cells per side of the model's map.
        attention_blocks: blocks of the model with global attention; 0 for none.

    Returns:
        The options with whole numbers as int and the start block resolved.

    Raises:
        InputError: one sentence with the value, the reason and the range.
    """
    grid = _whole(options.grid, "grid", 1, max_grid)
    factors = named_marginal(options.marginals)
    if options.head_fusion not in tuple(HEAD_FUSIONS):
        raise InputError(
            f"There is no head fusion named '{options.head_fusion}': choose one of "
            f"{', '.join(HEAD_FUSIONS)}."
        )
    numbers = {
        "mass": _number(options.mass, "transported mass", above=0),
        "kept_mass": _number(options.kept_mass, "kept rollout mass", above=0),
        "epsilon": _number(options.epsilon, "epsilon", least=0.005),
        "tolerance": _number(options.tolerance, "tolerance", above=0),
    }
    start = options.start_block
    if attention_blocks:
        start = _whole(
            0 if start is None else start, "start block", -attention_blocks, attention_blocks - 1
        )
        start %= attention_blocks
    elif start is not None or factors.rollout:
        raise InputError(
            "This model has no attention rollout (it is not a vision transformer with global "
            "attention): leave the start block out and choose 'cross-correlation' or 'uniform' marginals."
        )
    return replace(options, grid=grid, start_block=start, **numbers)


def _whole(value: object, name: str, low: int, high: int) -> int:
    number = _as_float(value, name)
    if number != int(number) or not low <= number <= high:
        raise InputError(f"The {name} must be a whole number from {low} to {high}, not {value}.")
    return int(number)


def _number(value: object, name: str, above: float | None = None, least: float = 0) -> float:
    number = _as_float(value, name)
    low, fits = (above, number > above) if above is not None else (least, number >= least)
    if not fits or number > 1:
        bound = "above" if above is not None else "at least"
        raise InputError(f"The {name} must be {bound} {low} and at most 1, not {value}.")
    return number


def _as_float(value: object, name: str) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"The {name} must be a number, not {value!r}.")
    return number
