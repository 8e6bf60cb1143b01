"""The attention of a transformer's blocks, without touching the network that runs.

A fused kernel never holds the attention matrix. Where it is asked for, a stand-in for the attention module,
which shares its weights, takes the plain path for this one call: whatever a network adds to its scores
(relative positions, rotations, norms) is in the matrix, gradients flow through it, and threads that share a
network do not meet.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from functools import cache
from typing import Any, NamedTuple, cast

from torch import Tensor, nn


class _Recording(NamedTuple):
    record: list[Tensor | None]
    first: int
    gradients: bool


_NOW: ContextVar[_Recording | None] = ContextVar("recording", default=None)


def holds_attention(module: nn.Module | None) -> bool:
    """Whether a module can be watched: timm's softmax attentions."""
    return hasattr(module, "attn_drop") and hasattr(module, "fused_attn")


def watch(attentions: Sequence[nn.Module]) -> None:
    """Let :func:`recording` see the attention of these modules, one per block, from now on.

    Args:
        attentions: modules that :func:`holds_attention`, first block to last. Their class becomes one of
            the same name that asks whether somebody records; their weights and names stay.
    """
    for index, attention in enumerate(attentions):
        watched: Any = attention  # about to be of another class
        watched.__class__ = _watched(watched.__class__)
        watched.watched_block = index


@contextlib.contextmanager
def recording(blocks: int, first: int, *, gradients: bool = False) -> Iterator[list[Tensor | None]]:
    """Inside, the attention of watched blocks is kept as they run, in this thread alone.

    Args:
        blocks: how many there are.
        first: the first that is kept.
        gradients: whether they flow through what is kept.

    Yields:
        The matrix of every block, ``[B, heads, T, T]`` with rows (queries) summing to 1; None until and unless
        it is kept.
    """
    record: list[Tensor | None] = [None] * blocks
    token = _NOW.set(_Recording(record, first, gradients))
    try:
        yield record
    finally:
        _NOW.reset(token)


@cache
def _watched(kind: Any) -> type[nn.Module]:
    class Watched(kind):
        def forward(self, *inputs: Any, **named: Any) -> Any:
            now = _NOW.get()
            if now is None or self.watched_block < now.first:
                return super().forward(*inputs, **named)
            keep = _Keep(self.attn_drop)
            stand_in = copy.copy(self)
            stand_in.__dict__["_modules"] = self._modules | {"attn_drop": keep}
            stand_in.fused_attn = False
            output = kind.forward(stand_in, *inputs, **named)
            matrix = cast(Tensor, keep.matrix)
            now.record[self.watched_block] = matrix if now.gradients else matrix.detach()
            return output

    Watched.__name__ = Watched.__qualname__ = kind.__name__
    return Watched


class _Keep(nn.Module):
    """In place of the dropout that attention goes through."""

    def __init__(self, dropout: nn.Module) -> None:
        super().__init__()
        self.dropout = dropout
        self.matrix: Tensor | None = None

    def forward(self, matrix: Tensor) -> Tensor:
        self.matrix = matrix
        return self.dropout(matrix)
