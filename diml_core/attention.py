"""The attention of a transformer's blocks, without touching the network that runs.

A fused kernel never holds the attention matrix. It is computed beside it, by a stand-in for the attention
module that shares its weights and stops where the matrix is known: whatever a network adds to its scores
(relative positions, rotations, norms) is in it, gradients flow through it, and threads that share a network
do not meet.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any, NamedTuple

from torch import Tensor, nn


class _Recording(NamedTuple):
    record: list[Tensor | None]
    first: int
    gradients: bool


_RECORD: ContextVar[_Recording | None] = ContextVar("record", default=None)


def holds_attention(module: nn.Module | None) -> bool:
    """Whether :func:`attention_matrix` can be asked of a module: timm's softmax attentions."""
    return hasattr(module, "attn_drop") and hasattr(module, "fused_attn")


def attention_matrix(attention: nn.Module, *inputs: Any, **named: Any) -> Tensor:
    """Softmax attention of one block, ``[B, heads, T, T]``, rows (queries) summing to 1.

    Args:
        attention: a module that :func:`holds_attention`.
        *inputs: what it is called with, tokens ``[B, T, C]`` first.
        **named: likewise.
    """
    stand_in = copy.copy(attention)
    stand_in.__dict__["_modules"] = dict(attention._modules)
    stand_in.fused_attn = False
    stand_in.attn_drop = _Stop()
    try:
        stand_in.forward(*inputs, **named)  # not called: its hooks are those of the module
    except _Reached as reached:
        return reached.matrix
    raise RuntimeError(f"{type(attention).__name__} never reached its attention matrix")


def watch(attentions: Sequence[nn.Module]) -> None:
    """Let :func:`recording` see the attention of these modules, one per block, from now on."""
    for index, attention in enumerate(attentions):
        attention.register_forward_pre_hook(partial(_keep, index), with_kwargs=True)


@contextlib.contextmanager
def recording(blocks: int, first: int, *, gradients: bool = False) -> Iterator[list[Tensor | None]]:
    """Inside, the attention of watched blocks is kept as they run, in this thread alone.

    Args:
        blocks: how many there are.
        first: the first that is kept.
        gradients: whether they flow through what is kept.

    Yields:
        The matrix of every block, None until and unless it is kept.
    """
    record: list[Tensor | None] = [None] * blocks
    token = _RECORD.set(_Recording(record, first, gradients))
    try:
        yield record
    finally:
        _RECORD.reset(token)


def _keep(index: int, attention: nn.Module, inputs: tuple, named: dict) -> None:
    now = _RECORD.get()
    if now is not None and index >= now.first:
        matrix = attention_matrix(attention, *inputs, **named)
        now.record[index] = matrix if now.gradients else matrix.detach()


class _Reached(Exception):
    def __init__(self, matrix: Tensor) -> None:
        self.matrix = matrix


class _Stop(nn.Module):
    """In place of the dropout that attention goes through."""

    def forward(self, matrix: Tensor) -> Tensor:
        raise _Reached(matrix)
