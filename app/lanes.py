"""How photos are looked at side by side: in a few lanes, each with its share of the processors.

A small network gains little from a second thread within one photo (EfficientNet-Lite0: 24 ms with one thread, 23 with
two, which spend 47 ms of processor time), and a large one nothing that two photos side by side do not gain as well.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import Any, TypeVar

import torch

from app.hardware import ZERO_GPU

Given = TypeVar("Given")
Made = TypeVar("Made")

_PROCESSORS = torch.get_num_threads()  # what torch found, or OMP_NUM_THREADS
LANES = 1 if ZERO_GPU else min(4, _PROCESSORS)
"""Forward passes at a time. More would only wait for each other, and each takes memory."""

_M_ARENA_MAX = -8  # of malloc.h
_ARENAS = 2

_pool = ThreadPoolExecutor(2 * LANES, thread_name_prefix="lane")


def share_processors() -> None:
    """Let every lane of this process have as many threads as all of them leave it; before any thread has run a network."""
    torch.set_num_threads(max(1, _PROCESSORS // LANES))
    # Or glibc gives every thread an arena of its own, which keeps what its photos had taken.
    with suppress(AttributeError, OSError, TypeError):  # of other systems' libraries
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


def side_by_side(function: Callable[[Given], Made], items: Sequence[Given]) -> list[Made]:
    """What a function gives for each item, computed at once where there is room; raises what the first of them raised."""
    # A thread does not know who asks, which the loan of a GPU depends on.
    work: list[Any] = [_pool.submit(copy_context().run, function, item) for item in items[1:]]
    first = [function(item) for item in items[:1]]
    return [*first, *(each.result() for each in work)]
