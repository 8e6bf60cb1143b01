"""The transports of stage two in compiled loops (numba): this file is the only door to them.

They are one method, that of :mod:`diml_core.comparison.transport`, in two layouts of memory:

- ``pairs`` takes one pair at a time, vectors of eight along its columns. A row has to be long for that to pay.
- ``lanes`` takes sixteen pairs at once, one in each lane of a register. Rows may be short, but sixteen kernels
  must fit a core's cache, and the slowest pair of sixteen decides.

So small grids go in lanes and large ones in pairs. On features of the shipped models the two are equally fast
at about 25 parts (on features that all converge alike at about 64): ``python benchmarks/rerank.py`` measures it.
Both are compiled on first use, and kept on disk by numba.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from diml_core.comparison.transport import LEAST_PLAIN_EPSILON

MOST_PARTS_IN_LANES = 25


@cache
def has_numba() -> bool:
    """Whether the compiled kernels can be used."""
    return find_spec("numba") is not None


def layout_for(parts: int, epsilon: float) -> str | None:
    """``lanes`` or ``pairs``, whichever is faster on grids of R parts; None where neither can be used."""
    if epsilon < LEAST_PLAIN_EPSILON or not has_numba():
        return None
    return "lanes" if parts <= MOST_PARTS_IN_LANES else "pairs"


def solve_lanes(*arrays: Any, **constants: Any) -> tuple[np.ndarray, np.ndarray]:
    """See :func:`diml_core.retrieval.kernels.lanes.solve`."""
    from diml_core.retrieval.kernels import lanes

    return lanes.solve(*arrays, **constants)


def solve_pairs(*arrays: Any, **constants: Any) -> tuple[np.ndarray, np.ndarray]:
    """See :func:`diml_core.retrieval.kernels.pairs.solve`."""
    from diml_core.retrieval.kernels import pairs

    return pairs.solve(*arrays, **constants)
