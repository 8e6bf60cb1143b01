"""All of stage two for small grids, sixteen pairs at once (needs numba).

The same problems and updates as in ``pairs``. A row of a small kernel is too short for what
surrounds it: adding up along vectors, dividing one number at a time. With a pair in each lane
nothing goes across lanes, and every pair still stops by itself: a lane that has converged keeps its
scalings. The matrix product is done here, too, so that between a candidate's vectors and its score
nothing leaves a core's cache. Sixteen kernels of large grids would, and pairs would wait for the
slowest of sixteen for longer than the lanes gain.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from diml_core.retrieval.kernels.exponential import exp
from diml_core.retrieval.kernels.vector import (
    LANES,
    larger,
    load,
    load_half,
    magnitude,
    smaller,
    spread,
    store,
    transpose,
    where_positive,
)

_MAX_ITERATIONS = 2000
_ROWS, _QUERY_ROWS = 4, 6  # of a kernel and of the query at a time: their sums stay in registers
_ZERO, _ONE, _TINY = np.float32(0), np.float32(1), np.float32(1e-37)


@njit(cache=True, fastmath=True, error_model="numpy")
def _everywhere(flags, space):
    """Whether all lanes are positive."""
    store(space, (0,), flags)
    return space.min() > 0


@njit(cache=True, fastmath=True, error_model="numpy", inline="always")
def _row_products(kernel, c, i):
    """``<kernel row, c>`` of four rows at once, which read ``c`` together."""
    p0, p1, p2, p3 = spread(_ZERO), spread(_ZERO), spread(_ZERO), spread(_ZERO)
    for j in range(len(c)):
        scaling = load(c, (j, 0))
        p0 = p0 + load(kernel, (i, j, 0)) * scaling
        p1 = p1 + load(kernel, (i + 1, j, 0)) * scaling
        p2 = p2 + load(kernel, (i + 2, j, 0)) * scaling
        p3 = p3 + load(kernel, (i + 3, j, 0)) * scaling
    return p0, p1, p2, p3


@njit(cache=True, fastmath=True, error_model="numpy", inline="always")
def _add_rows(kernel, r, i, column):
    """Add four scaled rows of the kernel to the column products."""
    r0, r1, r2, r3 = load(r, (i, 0)), load(r, (i + 1, 0)), load(r, (i + 2, 0)), load(r, (i + 3, 0))
    for j in range(len(column)):
        rows = r0 * load(kernel, (i, j, 0)) + r1 * load(kernel, (i + 1, j, 0))
        rows = rows + r2 * load(kernel, (i + 2, j, 0)) + r3 * load(kernel, (i + 3, j, 0))
        store(column, (j, 0), load(column, (j, 0)) + rows)


@njit(cache=True, fastmath=True, error_model="numpy", inline="always")
def _scale(product, u, r, i, done):
    """Rescale a row to its marginal; returns by how much it was off."""
    wanted, before = load(u, (i, 0)), load(r, (i, 0))
    store(r, (i, 0), where_positive(done, before, wanted / larger(product, spread(_TINY))))
    return magnitude(before * product - wanted)


@njit(cache=True, fastmath=True, error_model="numpy")
def _balanced(kernel, u, v, r, c, column, tolerance):
    """Sinkhorn iterations in place on scalings ``r``, ``c``; the columns are exact at the end."""
    zero, one, tiny, space = spread(_ZERO), spread(_ONE), spread(_TINY), np.empty(LANES, np.float32)
    for i in range(len(r)):
        store(r, (i, 0), zero)
    for j in range(len(c)):
        store(c, (j, 0), one)
    done = zero
    for iteration in range(_MAX_ITERATIONS):
        for j in range(len(column)):
            store(column, (j, 0), zero)
        error = zero
        for i in range(0, len(r), _ROWS):
            p0, p1, p2, p3 = _row_products(kernel, c, i)
            error = error + _scale(p0, u, r, i, done) + _scale(p1, u, r, i + 1, done)
            error = error + _scale(p2, u, r, i + 2, done) + _scale(p3, u, r, i + 3, done)
            _add_rows(kernel, r, i, column)
        for j in range(len(c)):
            store(c, (j, 0), load(v, (j, 0)) / larger(load(column, (j, 0)), tiny))
        # The error is that of the last iteration's scalings; these are one better.
        if iteration:
            done = larger(done, where_positive(error - tolerance, zero, one))
            if _everywhere(done, space):
                break


@njit(cache=True, fastmath=True, error_model="numpy", inline="always")
def _excess(sent, wanted, scaling):
    """How far a part is from its marginal: less than all of it only counts below the cap."""
    excess = sent - wanted
    return where_positive(spread(_ONE) - scaling, magnitude(excess), larger(excess, spread(_ZERO)))


@njit(cache=True, fastmath=True, error_model="numpy", inline="always")
def _scale_capped(product, u, r, i, done):
    """:func:`_scale` where scalings are at most 1."""
    wanted, before = load(u, (i, 0)), load(r, (i, 0))
    now = smaller(wanted / larger(product, spread(_TINY)), spread(_ONE))
    store(r, (i, 0), where_positive(done, before, now))
    return _excess(before * product, wanted, before)


@njit(cache=True, fastmath=True, error_model="numpy")
def _partial(kernel, u, v, mass, r, c, column, tolerance):
    """The same for partial transport: scalings are capped at 1, and ``s`` sets the total."""
    zero, one, tiny, space = spread(_ZERO), spread(_ONE), spread(_TINY), np.empty(LANES, np.float32)
    for i in range(len(r)):
        store(r, (i, 0), zero)
    for j in range(len(c)):
        store(c, (j, 0), one)
        store(column, (j, 0), zero)
    done, s = zero, one
    for iteration in range(_MAX_ITERATIONS):
        error = zero
        for j in range(len(c)):
            scaling = load(c, (j, 0))
            error = error + _excess(s * scaling * load(column, (j, 0)), load(v, (j, 0)), scaling)
            store(column, (j, 0), zero)
        for i in range(0, len(r), _ROWS):
            p0, p1, p2, p3 = _row_products(kernel, c, i)
            error = error + _scale_capped(s * p0, u, r, i, done)
            error = error + _scale_capped(s * p1, u, r, i + 1, done)
            error = error + _scale_capped(s * p2, u, r, i + 2, done)
            error = error + _scale_capped(s * p3, u, r, i + 3, done)
            _add_rows(kernel, r, i, column)
        total = zero
        for j in range(len(c)):
            sent = load(column, (j, 0))
            now = smaller(load(v, (j, 0)) / larger(s * sent, tiny), one)
            now = where_positive(done, load(c, (j, 0)), now)
            store(c, (j, 0), now)
            total = total + now * sent
        s = where_positive(done, s, mass / larger(total, tiny))
        if iteration:
            done = larger(done, where_positive(error - tolerance, zero, one))
            if _everywhere(done, space):
                break


@njit(cache=True, fastmath=True, error_model="numpy")
def _cosines(query, vectors, places, first, tile, by_dimension, cosines):
    """Fill ``[query rows, candidate rows, 16]`` for the candidates from ``first`` on."""
    last = len(places) - 1  # again and again where there are fewer than sixteen
    rows, dim = vectors.shape[1:]
    for j in range(rows):
        for start in range(0, dim, LANES):
            for lane in range(LANES):
                store(
                    tile, (lane, 0), load_half(vectors, (places[min(first + lane, last)], j, start))
                )
            transpose(tile, by_dimension, start)
        for i in range(0, len(query), _QUERY_ROWS):
            s0, s1, s2 = spread(_ZERO), spread(_ZERO), spread(_ZERO)
            s3, s4, s5 = spread(_ZERO), spread(_ZERO), spread(_ZERO)
            for d in range(dim):
                value = load(by_dimension, (d, 0))
                s0 = s0 + query[i, d] * value
                s1 = s1 + query[i + 1, d] * value
                s2 = s2 + query[i + 2, d] * value
                s3 = s3 + query[i + 3, d] * value
                s4 = s4 + query[i + 4, d] * value
                s5 = s5 + query[i + 5, d] * value
            store(cosines, (i, j, 0), s0)
            store(cosines, (i + 1, j, 0), s1)
            store(cosines, (i + 2, j, 0), s2)
            store(cosines, (i + 3, j, 0), s3)
            store(cosines, (i + 4, j, 0), s4)
            store(cosines, (i + 5, j, 0), s5)


@njit(cache=True, fastmath=True, error_model="numpy")
def _marginal(correlation, weights, first, by_correlation, by_weights, masses):
    """Fill ``masses`` for the lanes from candidate ``first`` on.

    The zero rows that pad a photo come last: parts up to the last one with a correlation are there.
    """
    zero, one = spread(_ZERO), spread(_ONE)
    total, present, there = zero, zero, zero
    for i in range(len(masses) - 1, -1, -1):
        value = load(correlation, (i, 0))
        there = where_positive(magnitude(value), one, there)
        mass = larger(value, zero) if by_correlation else there
        if by_weights:
            mass = mass * where_positive(there, load(weights, (i, first)), zero)
        store(masses, (i, 0), mass)
        total, present = total + mass, present + there
    there = zero
    for i in range(len(masses) - 1, -1, -1):
        there = where_positive(magnitude(load(correlation, (i, 0))), one, there)
        # Without any mass every part that there is counts the same.
        mass = where_positive(total, load(masses, (i, 0)) / total, there / present)
        store(masses, (i, 0), mass)


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _solve(
    queries, vectors, places, candidate_weights, query_weights, by_correlation, by_weights, mass,
    epsilon, tolerance, global_similarity, structural,
):  # fmt: skip
    (count, candidates), (length, dim) = places.shape, vectors.shape[1:]
    parts = length - 1
    tile, by_dimension = np.empty((LANES, LANES), np.float32), np.empty((dim, LANES), np.float32)
    cosines = np.empty((queries.shape[1], length, LANES), np.float32)
    # Rows without mass fill up a group of them; their kernel, and so their plan, is 0.
    height = (parts + _ROWS - 1) // _ROWS * _ROWS
    kernel = np.zeros((height, parts, LANES), np.float32)
    u, r = np.zeros((height, LANES), np.float32), np.empty((height, LANES), np.float32)
    v, c = np.empty((parts, LANES), np.float32), np.empty((parts, LANES), np.float32)
    column = np.empty((parts, LANES), np.float32)
    result = np.empty(LANES, np.float32)
    inverse = _ONE / epsilon
    for query in range(count):
        for block in range(0, candidates, LANES):
            first = max(min(block, candidates - LANES), 0)  # the last lanes may be solved twice
            _cosines(queries[query], vectors, places[query], first, tile, by_dimension, cosines)
            _marginal(
                cosines[:parts, parts], query_weights[query], first,
                by_correlation, by_weights, u[:parts],
            )  # fmt: skip
            _marginal(
                cosines[parts, :parts], candidate_weights[query], first,
                by_correlation, by_weights, v,
            )  # fmt: skip
            for i in range(parts):
                for j in range(parts):
                    store(kernel, (i, j, 0), exp((load(cosines, (i, j, 0)) - _ONE) * inverse))
            if mass < 1:
                _partial(kernel, u, v, mass, r, c, column, tolerance)
            else:
                _balanced(kernel, u, v, r, c, column, tolerance)
            score, total = spread(_ZERO), spread(_ZERO)
            for i in range(parts):
                row_score, row_total = spread(_ZERO), spread(_ZERO)
                for j in range(parts):
                    plan = load(kernel, (i, j, 0)) * load(c, (j, 0))
                    row_total = row_total + plan
                    row_score = row_score + plan * load(cosines, (i, j, 0))
                scaling = load(r, (i, 0))
                score, total = score + scaling * row_score, total + scaling * row_total
            store(result, (0,), score / total)
            for lane in range(min(LANES, candidates)):
                structural[query, first + lane] = result[lane]
                global_similarity[query, first + lane] = cosines[parts, parts, lane]


def solve(
    queries: np.ndarray,
    vectors: np.ndarray,
    places: np.ndarray,
    candidate_weights: np.ndarray | None,
    query_weights: np.ndarray | None,
    *,
    by_correlation: bool,
    mass: float,
    epsilon: float,
    tolerance: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Global and structural similarities of Q queries to K candidates each. Releases the GIL.

    Args:
        queries: ``[Q, R + 1, D]`` float32 unit vectors, the global one last; zero rows for missing
            parts.
        vectors: ``[M, R + 1, D]`` float16, the same of photos; it may be memory-mapped.
        places: ``[Q, K]`` int64, the candidates in these.
        candidate_weights, query_weights: ``[Q, K, R]`` and ``[Q, R]`` float32, non-negative factors
            of the marginals; None, both, for 1.
        by_correlation, mass, epsilon, tolerance: as in :func:`diml_core.retrieval.kernels.pairs.solve`.

    Returns:
        Both, ``[Q, K]`` float32.

    Raises:
        IndexError: a place outside of ``vectors``.
    """
    count, candidates = places.shape
    if places.size and not 0 <= places.min() <= places.max() < len(vectors):
        raise IndexError(f"Candidates must be rows 0..{len(vectors) - 1}.")
    queries = _filled_up(queries, {1: _QUERY_ROWS, 2: LANES})
    if vectors.shape[-1] % LANES:
        used, places = np.unique(places, return_inverse=True)
        places = places.reshape(count, candidates)
        vectors = _filled_up(vectors[used], {2: LANES})
    by_weights = query_weights is not None
    if by_weights:
        query_weights = np.repeat(query_weights[:, None], candidates, 1)
        candidate_weights, query_weights = (
            _filled_up(weights, {1: LANES}).transpose(0, 2, 1).copy()
            for weights in (candidate_weights, query_weights)
        )
    else:
        candidate_weights = query_weights = np.empty((count, 0, 0), np.float32)
    global_similarity, structural = np.empty((2, count, candidates), np.float32)
    constants = np.float32(mass), np.float32(epsilon), np.float32(tolerance)
    _solve(
        queries, vectors.view(np.int16), places, candidate_weights, query_weights, by_correlation,
        by_weights, *constants, global_similarity, structural,
    )  # fmt: skip
    return global_similarity, structural


def _filled_up(array: np.ndarray, multiples: dict[int, int]) -> np.ndarray:
    """With zeros, along these axes, to a multiple of these numbers."""
    widths = [(0, -array.shape[axis] % multiples.get(axis, 1)) for axis in range(array.ndim)]
    return np.ascontiguousarray(np.pad(array, widths))
