"""The transports of stage two as one compiled loop over pairs (needs numba), for grids of any size.

Solves the problems of ``diml_core.comparison.transport`` by the same updates, faster for four reasons: a
pair's kernel stays in a core's cache from its first iteration to its score; one pass over it does a
whole iteration (each row's product is used at once to scale that row into the column products);
every pair stops by itself; parts without mass (padding, relu) are left out of the problem.

Plain-domain float32: epsilon must be at least :data:`diml_core.comparison.transport.LEAST_PLAIN_EPSILON`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from diml_core.retrieval.kernels.exponential import exp

_MAX_ITERATIONS = 2000
_TINY = np.float32(1e-37)
_ROWS, _COLUMNS = 4, 8  # rows of a kernel are handled by fours, columns by vectors of eight


@njit(cache=True, fastmath=True, error_model="numpy", inline="always")
def _line(cosines, columns, space):
    """The entries of a row of cosines at ``columns``: a view where that is all of them."""
    if len(columns) == len(cosines) - 1:
        return cosines[: len(columns)]
    for j in range(len(columns)):
        space[j] = cosines[columns[j]]
    return space[: len(columns)]


@njit(cache=True, fastmath=True, error_model="numpy", inline="always")
def _row_products(kernel, c, i):
    """``<kernel row, c>`` of four rows at once, which hides the latency of each sum."""
    p0, p1, p2, p3 = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
    for j in range(len(c)):
        p0 += kernel[i, j] * c[j]
        p1 += kernel[i + 1, j] * c[j]
        p2 += kernel[i + 2, j] * c[j]
        p3 += kernel[i + 3, j] * c[j]
    return p0, p1, p2, p3


@njit(cache=True, fastmath=True, error_model="numpy", inline="always")
def _add_rows(kernel, r, i, column):
    """Add four scaled rows of the kernel to the column products."""
    r0, r1, r2, r3 = r[i], r[i + 1], r[i + 2], r[i + 3]
    for j in range(len(column)):
        column[j] += (
            r0 * kernel[i, j]
            + r1 * kernel[i + 1, j]
            + r2 * kernel[i + 2, j]
            + r3 * kernel[i + 3, j]
        )


@njit(cache=True, fastmath=True, error_model="numpy")
def _balanced(kernel, u, v, r, c, column, tolerance):
    """Sinkhorn iterations in place on scalings ``r``, ``c``; the columns are exact at the end."""
    r[:] = 0
    c[:] = 1
    for iteration in range(_MAX_ITERATIONS):
        column[:] = 0
        error = np.float32(0)
        for i in range(0, len(u), _ROWS):
            products = _row_products(kernel, c, i)
            for k, product in enumerate(products):
                error += abs(r[i + k] * product - u[i + k])
                r[i + k] = u[i + k] / max(product, _TINY)
            _add_rows(kernel, r, i, column)
        for j in range(len(c)):
            c[j] = v[j] / max(column[j], _TINY)
        # The error is that of the last iteration's scalings; these are one better.
        if iteration and error <= tolerance:
            break
    return iteration + 1


@njit(cache=True, fastmath=True, error_model="numpy")
def _partial(kernel, u, v, mass, r, c, column, tolerance):
    """The same for partial transport: scalings are capped at 1, and ``s`` sets the total."""
    r[:] = 0
    c[:] = 1
    column[:] = 0
    s = np.float32(1)
    for iteration in range(_MAX_ITERATIONS):
        error = np.float32(0)
        for j in range(len(c)):
            excess = s * c[j] * column[j] - v[j]
            error += abs(excess) if c[j] < 1 else max(excess, np.float32(0))
        column[:] = 0
        for i in range(0, len(u), _ROWS):
            products = _row_products(kernel, c, i)
            for k, product in enumerate(products):
                excess = s * r[i + k] * product - u[i + k]
                error += abs(excess) if r[i + k] < 1 else max(excess, np.float32(0))
                r[i + k] = min(u[i + k] / max(s * product, _TINY), np.float32(1))
            _add_rows(kernel, r, i, column)
        total = np.float32(0)
        for j in range(len(c)):
            c[j] = min(v[j] / max(s * column[j], _TINY), np.float32(1))
            total += c[j] * column[j]
        s = mass / max(total, _TINY)
        if iteration and error <= tolerance:
            break
    return iteration + 1


@njit(cache=True, fastmath=True, error_model="numpy")
def _marginal(correlation, weights, by_correlation, by_weights, parts, masses):
    """Fill ``parts`` with the indices that have mass, ``masses`` with how much; returns how many.

    The zero rows that pad a photo come last: parts up to the last one with a correlation are there.
    """
    there = len(parts)
    while there > 1 and correlation[there - 1] == 0:
        there -= 1
    largest = np.float32(0)
    for i in range(there):
        mass = np.float32(1)
        if by_correlation:
            mass = max(correlation[i], np.float32(0))
        if by_weights:
            mass *= weights[i]
        masses[i] = mass
        largest = max(largest, mass)
    count, total = 0, np.float32(0)
    for i in range(there):
        # Without any mass every part that there is counts the same.
        mass = masses[i] / largest if largest > 0 else np.float32(1)
        if mass > 0:
            parts[count], masses[count] = i, mass
            total += mass
            count += 1
    for i in range(count):
        masses[i] /= total
    return count


@njit(cache=True, fastmath=True, error_model="numpy", nogil=True)
def _solve(
    similarity, row_weights, column_weights, by_correlation, by_weights, mass, epsilon, tolerance,
    scores, iterations,
):  # fmt: skip
    parts = similarity.shape[1] - 1
    most = (parts + _COLUMNS - 1) // _COLUMNS * _COLUMNS  # a multiple of _ROWS, too
    kernel_space = np.empty(most * most, np.float32)
    line_space, space = np.empty(most, np.float32), np.empty((5, most), np.float32)
    part_space = np.empty((2, parts), np.int64)
    inverse = np.float32(1) / epsilon
    for pair in range(len(similarity)):
        cosines = similarity[pair]
        na = _marginal(
            cosines[:parts, parts], row_weights[pair], by_correlation, by_weights,
            part_space[0], space[0],
        )  # fmt: skip
        nb = _marginal(
            cosines[parts, :parts], column_weights[pair], by_correlation, by_weights,
            part_space[1], space[1],
        )  # fmt: skip
        rows, columns = part_space[0, :na], part_space[1, :nb]
        # Parts without mass fill up to whole groups; their kernel, and so their plan, is 0.
        height = (na + _ROWS - 1) // _ROWS * _ROWS
        width = (nb + _COLUMNS - 1) // _COLUMNS * _COLUMNS
        u, v, r = space[0, :height], space[1, :width], space[2, :height]
        c, column = space[3, :width], space[4, :width]
        u[na:], v[nb:] = 0, 0
        kernel = kernel_space[: height * width].reshape(height, width)
        kernel[na:] = 0
        kernel[:na, nb:] = 0
        for i in range(na):
            line = _line(cosines[rows[i]], columns, line_space)
            for j in range(nb):
                kernel[i, j] = exp((line[j] - np.float32(1)) * inverse)
        if mass < 1:
            iterations[pair] = _partial(kernel, u, v, mass, r, c, column, tolerance)
        else:
            iterations[pair] = _balanced(kernel, u, v, r, c, column, tolerance)
        score, total = np.float32(0), np.float32(0)
        for i in range(na):
            line = _line(cosines[rows[i]], columns, line_space)
            row_score, row_total = np.float32(0), np.float32(0)
            for j in range(nb):
                plan = kernel[i, j] * c[j]
                row_total += plan
                row_score += plan * line[j]
            score += r[i] * row_score
            total += r[i] * row_total
        scores[pair] = score / total


def solve(
    similarity: np.ndarray,
    row_weights: np.ndarray | None,
    column_weights: np.ndarray | None,
    *,
    by_correlation: bool,
    mass: float,
    epsilon: float,
    tolerance: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Structural similarities of P pairs. Releases the GIL, so that threads can share the work.

    Args:
        similarity: ``[P, R + 1, R + 1]`` float32: cosines of the parts and, last row and column, of
            the global embeddings. Rows and columns of missing parts are zero.
        row_weights, column_weights: ``[P, R]`` float32, non-negative factors of the marginals;
            None, both, for 1.
        by_correlation: whether the correlation with the other global embedding is another factor.
        mass, epsilon, tolerance: as in :func:`diml_core.comparison.transport.partial_transport`; epsilon at
            least :data:`diml_core.comparison.transport.LEAST_PLAIN_EPSILON`. At tolerance 1e-4 scores are within about 2e-5 of converged.

    Returns:
        ``[P]`` float32 similarities and ``[P]`` int64 iterations.
    """
    pairs = len(similarity)
    scores, iterations = np.empty(pairs, np.float32), np.empty(pairs, np.int64)
    by_weights = row_weights is not None
    if not by_weights:
        row_weights = column_weights = np.empty((pairs, 0), np.float32)
    constants = np.float32(mass), np.float32(epsilon), np.float32(tolerance)
    _solve(
        similarity, row_weights, column_weights, by_correlation, by_weights, *constants,
        scores, iterations,
    )  # fmt: skip
    return scores, iterations
