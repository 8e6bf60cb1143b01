"""Many small pieces of work, one thread each, instead of many threads on each small operation."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Piece = TypeVar("Piece")

_ALONE = threading.Lock()  # for the number of torch's threads is one for the whole process


def in_parallel(work: Callable[[Piece], None], pieces: Sequence[Piece]) -> None:
    """Call ``work`` on every piece, on as many threads as torch would use for one operation.

    Meanwhile torch itself runs single-threaded. Splitting every little operation over all cores
    costs a barrier each, and threads that wait at it spin, which slows compiled code down that
    wants the same cores; a piece of its own per core needs no barrier and stays in that core's
    cache.
    """
    with _ALONE:
        threads = torch.get_num_threads()
        if min(threads, len(pieces)) < 2:
            for piece in pieces:
                work(piece)
            return
        torch.set_num_threads(1)
        try:
            # New threads, for a thread takes its number of helpers from the setting at its birth.
            with ThreadPoolExecutor(min(threads, len(pieces))) as pool:
                list(pool.map(torch.inference_mode()(work), pieces))
        finally:
            torch.set_num_threads(threads)
