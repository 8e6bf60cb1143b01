"""Truncated attention rollout: where a vision transformer's tokens got their information from.

Rollout is Abnar & Zuidema 2020, "Quantifying attention flow in transformers", section 3: the
attention of a block, averaged with the identity for the residual connection, is a row-stochastic
matrix, and the product of these matrices over the blocks traces each output token back to the
input tokens. *Truncated* means two things here: only the blocks from ``start_block`` on are
multiplied, because the early blocks smear everything over everything; and each row may keep only
the smallest set of patches that holds ``kept_mass`` of what reached patches. Both readings are ours, as the paper
that names the devices gives no public definition of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from diml_core.errors import InputError

HEAD_FUSIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda attention: attention.mean(-3),
    "max": lambda attention: attention.amax(-3),
    "min": lambda attention: attention.amin(-3),
}


def attention_rollout(
    attentions: Sequence[Tensor | None],
    *,
    start_block: int = 0,
    head_fusion: str = "mean",
    rows: Sequence[int] | None = None,
) -> Tensor:
    """Multiply the attention of blocks ``start_block..last``.

    Per block ``A' = (fused(A) + I) / 2`` with rows renormalised to sum to 1 (a max or min over the
    heads does not keep that), and ``rollout = A'_last ... A'_start``.

    Args:
        attentions: softmax attention of *all* blocks, first to last, each ``[..., heads, T, T]``
            with rows (queries) summing to 1. T counts prefix tokens and patches. Blocks before
            ``start_block`` may be None.
        start_block: first block of the product, 0-based; negative counts from the last. 0 is full
            rollout.
        head_fusion: ``mean``, ``max`` or ``min`` over the heads.
        rows: only these rows of the product, which is much cheaper than all (row 0 is the class
            token). None: all rows.

    Returns:
        ``[..., len(rows) or T, T]`` float32 or wider, rows summing to 1: entry ``tp`` is the share of
        token t's final content that came from token p as it entered block ``start_block``.

    Raises:
        InputError: no attention, start block out of range or not recorded, unknown fusion.
    """
    if not attentions:
        raise InputError(
            "This model has no global attention to roll out (a CNN or a windowed transformer such as "
            "Swin): choose a ViT, DeiT or DINOv2 model."
        )
    blocks = len(attentions)
    if not -blocks <= start_block < blocks:
        raise InputError(
            f"The rollout cannot start at block {start_block}: this model's blocks are 0 to {blocks - 1}."
        )
    if head_fusion not in HEAD_FUSIONS:
        raise InputError(
            f"There is no head fusion named '{head_fusion}': choose one of {', '.join(HEAD_FUSIONS)}."
        )

    used = list(attentions)[start_block:]
    recorded = [attention for attention in used if attention is not None]
    if len(recorded) < len(used):
        raise InputError(
            f"The attention of some blocks from {start_block} on was not recorded: extract the features "
            "with attention_from at or before the start block."
        )
    fusion = HEAD_FUSIONS[head_fusion]
    # From the last block down, so that a few rows stay a few rows: row-vector times matrix.
    steps = (_residual_attention(attention, fusion) for attention in reversed(recorded))
    last = next(steps)
    result = last if rows is None else last[..., list(rows), :]
    for step in steps:
        result = result @ step
    return result


def fused_heads(attentions: Sequence[Tensor | None], head_fusion: str) -> tuple[Tensor | None, ...]:
    """Attention of one head in place of all: a fraction of the memory, for the same rollout.

    Args:
        attentions: per block ``[..., heads, T, T]``, or None.
        head_fusion: ``mean``, ``max`` or ``min`` over the heads.

    Returns:
        Per block ``[..., 1, T, T]`` float32, or None. Its rollout, with whatever fusion, is that of ``attentions`` with
        ``head_fusion``.
    """
    fusion = HEAD_FUSIONS[head_fusion]
    return tuple(
        None if each is None else fusion(each.float())[..., None, :, :] for each in attentions
    )


def keep_mass(weights: Tensor, kept_mass: float) -> Tensor:
    """Keep, per row, the smallest set of entries that holds ``kept_mass`` of it; renormalise.

    Args:
        weights: ``[..., P]`` non-negative, rows with a positive sum.
        kept_mass: in (0, 1]; 1 returns the rows normalised to sum to 1.

    Returns:
        ``[..., P]``, rows summing to 1. At least one entry of each row is kept.
    """
    weights = weights / weights.sum(-1, keepdim=True)
    if kept_mass >= 1:
        return weights
    ordered, order = weights.sort(dim=-1, descending=True)
    before = ordered.cumsum(-1) - ordered  # mass of everything larger than this entry
    kept = torch.where(before < kept_mass, ordered, 0.0)
    weights = torch.zeros_like(weights).scatter(-1, order, kept)
    return weights / weights.sum(-1, keepdim=True)


def patch_rollout(rollout: Tensor, prefix_tokens: int, kept_mass: float = 1.0) -> Tensor:
    """Drop the prefix tokens (class, register, distillation) from rollout rows, then truncate.

    In this order: half of the class token's row is its own residual, and a mass counted with it would
    be kept and then dropped.

    Args:
        rollout: ``[..., T]`` rows of :func:`attention_rollout`.
        prefix_tokens: number of leading tokens that are no patch.
        kept_mass: in (0, 1]; each row keeps its largest entries until they hold this fraction of what
            reached patches.

    Returns:
        ``[..., T - prefix_tokens]``, rows summing to 1.

    Raises:
        InputError: kept mass outside (0, 1], or a row in which nothing reached a patch (``min`` over heads
            that never agree).
    """
    if not 0 < kept_mass <= 1:
        raise InputError(f"The kept mass must be above 0 and at most 1, not {kept_mass}.")
    patches = rollout[..., prefix_tokens:]
    if not bool((patches.sum(-1) > 0).all()):
        raise InputError(
            "No attention reaches any part of the photo: choose another head fusion than 'min', or an "
            "earlier start block."
        )
    return keep_mass(patches, kept_mass)


def _residual_attention(attention: Tensor, fuse: Callable[[Tensor], Tensor]) -> Tensor:
    attention = attention.to(torch.promote_types(attention.dtype, torch.float32))
    fused = fuse(attention)
    fused = fused / fused.sum(-1, keepdim=True).clamp_min(torch.finfo(fused.dtype).tiny)
    identity = torch.eye(fused.shape[-1], dtype=fused.dtype, device=fused.device)
    step = (fused + identity) / 2
    return step / step.sum(
        -1, keepdim=True
    )  # a row of zeros (min fusion) leaves the identity alone
