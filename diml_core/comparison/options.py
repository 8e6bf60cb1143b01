"""The options of one explanation: which are possible at all, and which a model can serve."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from diml_core.comparison.marginals import MARGINALS
from diml_core.comparison.transport import DEFAULT_EPSILON, DEFAULT_TOLERANCE
from diml_core.embedding.rollout import HEAD_FUSIONS
from diml_core.errors import InputError
from diml_core.validation import PLAIN, Whole, name_in, settings, shortened

_UpTo1 = Annotated[float, Field(gt=0, le=1), PLAIN]


@settings
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
        tolerance: L1 marginal error at which the transport stops, in (0, 1].

    Raises:
        InputError: a value that no model can serve.
    """

    grid: Annotated[Whole, Field(description="grid")] = 7
    marginals: Annotated[str, Field(description="marginals"), name_in(MARGINALS)] = (
        "cross-correlation"
    )
    mass: Annotated[_UpTo1, Field(description="transported mass")] = 1.0
    start_block: Annotated[Whole | None, Field(description="start block")] = None
    head_fusion: Annotated[str, Field(description="head fusion"), name_in(HEAD_FUSIONS)] = "mean"
    kept_mass: Annotated[_UpTo1, Field(description="kept rollout mass")] = 1.0
    epsilon: Annotated[float, Field(ge=0.005, le=1, description="epsilon"), PLAIN] = DEFAULT_EPSILON
    tolerance: Annotated[_UpTo1, Field(description="tolerance")] = DEFAULT_TOLERANCE


def validated(options: ExplainOptions, max_grid: int, attention_blocks: int) -> ExplainOptions:
    """Check options against what a model can serve.

    Args:
        options: as asked for. A negative start block counts from the last.
        max_grid: cells per side of the model's map.
        attention_blocks: blocks of the model with global attention; 0 for none.

    Returns:
        The options with the start block resolved.

    Raises:
        InputError: one sentence with the value, the reason and the range.
    """
    _within("grid", options.grid, 1, max_grid)
    start = options.start_block
    if attention_blocks:
        start = 0 if start is None else start
        _within("start block", start, -attention_blocks, attention_blocks - 1)
        return replace(options, start_block=start % attention_blocks)
    if start is not None or MARGINALS[options.marginals].rollout:
        raise InputError(
            "This model has no attention rollout (it is not a vision transformer with global "
            "attention): leave the start block out and choose 'cross-correlation' or 'uniform' marginals."
        )
    return options


def _within(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise InputError(
            f"The {name} must be a whole number from {low} to {high}, not {shortened(value)}."
        )
