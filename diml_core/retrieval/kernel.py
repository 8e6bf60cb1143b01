"""The transports of stage two as one compiled, multi-threaded loop over pairs (needs numba).

Solves the problems of ``diml_core.transport`` by the same updates, faster for four reasons: a
pair's kernel stays in a core's cache from its first iteration to its score; one pass over it does a
whole iteration (each row's product is used at once to scale that row into the column products);
every pair stops by itself; parts without mass (padding, relu) are left out of the problem.

Plain-domain float32, shifted so that the largest kernel entry is 1. The smallest is then
``exp(-2 / epsilon)``, so epsilon must be at least 0.04; below, use the torch engine.
"""

from __future__ import annotations

import threading

import numpy as np
from numba import get_num_threads, njit, prange, types
from numba.extending import intrinsic

_MAX_ITERATIONS = 2000
_TINY = np.float32(1e-37)
_BLOCKS_PER_THREAD = 8  # pairs differ in iterations; small pieces even that out
_ONE_AT_A_TIME = threading.Lock()  # numba's own threads must not be started from two at once


@intrinsic
def _float_from_bits(_, bits):
    """The float32 whose bits an int32 holds."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(types.float32))

    return types.float32(types.int32), generate


@njit(cache=True, fastmath=True, error_model="numpy", inline="always")
def _exp(x):
    """exp of a float32 in -87..0 to 2 units in the last place; unlike libm's it vectorises."""
    scaled = x * np.float32(1.4426950408889634)  # 2 ** scaled
    whole = np.floor(scaled + np.float32(0.5))
    f = scaled - whole  # -0.5..0.5: Taylor series of 2 ** f, coefficients ln(2) ** n / n!
    p = np.float32(1.5403530e-4)
    p = p * f + np.float32(1.3333558e-3)
    p = p * f + np.float32(9.6181291e-3)
    p = p * f + np.float32(5.5504109e-2)
    p = p * f + np.float32(2.4022651e-1)
    p = p * f + np.float32(6.9314718e-1)
    p = p * f + np.float32(1.0)
    return p * _float_from_bits(np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)))


@njit(cache=True, fastmath=True, error_model="numpy", inline="always")
def _gather(source, rows, columns, row, target):
    """Copy a row of the sub-matrix of ``source`` at ``rows`` x ``columns``; returns its maximum."""
    values = source[rows[row]]
    if len(columns) == len(values) - 1:  # all of them
        for j in range(len(columns)):
            target[j] = values[j]
    else:
        for j in range(len(columns)):
            target[j] = values[columns[j]]
    largest = target[0]
    for j in range(len(columns)):
        largest = max(largest, target[j])
    return largest


@njit(cache=True, fastmath=True, error_model="numpy")
def _balanced(kernel, u, v, r, c, column, tolerance):
    """Sinkhorn iterations in place on scalings ``r``, ``c``; the columns are exact at the end."""
    na, nb = kernel.shape
    r[:] = 0
    c[:] = 1
    for iteration in range(_MAX_ITERATIONS):
        column[:] = 0
        error = np.float32(0)
        for i in range(na):
            product = np.float32(0)
            for j in range(nb):
                product += kernel[i, j] * c[j]
            error += abs(r[i] * product - u[i])
            r[i] = u[i] / max(product, _TINY)
            for j in range(nb):
                column[j] += r[i] * kernel[i, j]
        for j in range(nb):
            c[j] = v[j] / max(column[j], _TINY)
        # The error is that of the last iteration's scalings; these are one better.
        if iteration and error <= tolerance:
            break
    return iteration + 1


@njit(cache=True, fastmath=True, error_model="numpy")
def _partial(kernel, u, v, mass, r, c, column, tolerance):
    """The same for partial transport: scalings are capped at 1, and ``s`` sets the total."""
    na, nb = kernel.shape
    r[:] = 0
    c[:] = 1
    column[:] = 0
    s = np.float32(1)
    for iteration in range(_MAX_ITERATIONS):
        error = np.float32(0)
        for j in range(nb):
            excess = s * c[j] * column[j] - v[j]
            error += abs(excess) if c[j] < 1 else max(excess, np.float32(0))
        column[:] = 0
        for i in range(na):
            product = np.float32(0)
            for j in range(nb):
                product += kernel[i, j] * c[j]
            excess = s * r[i] * product - u[i]
            error += abs(excess) if r[i] < 1 else max(excess, np.float32(0))
            r[i] = min(u[i] / max(s * product, _TINY), np.float32(1))
            for j in range(nb):
                column[j] += r[i] * kernel[i, j]
        total = np.float32(0)
        for j in range(nb):
            c[j] = min(v[j] / max(s * column[j], _TINY), np.float32(1))
            total += c[j] * column[j]
        s = mass / max(total, _TINY)
        if iteration and error <= tolerance:
            break
    return iteration + 1


@njit(cache=True, fastmath=True, error_model="numpy")
def _score(similarity, u_all, v_all, mass, epsilon, tolerance, kernel_space, line, space):
    """Structural similarity and iterations of one pair; the last three arguments are work space."""
    rows = np.flatnonzero(u_all > 0)
    columns = np.flatnonzero(v_all > 0)
    na, nb = len(rows), len(columns)
    kernel = kernel_space[: na * nb].reshape(na, nb)
    u, r = space[0, :na], space[1, :na]
    v, c, column = space[2, :nb], space[3, :nb], space[4, :nb]
    for i in range(na):
        u[i] = u_all[rows[i]]
    for j in range(nb):
        v[j] = v_all[columns[j]]
    shift = np.float32(-2)
    if mass < 1:  # caps tie the rows together: one shift for all
        for i in range(na):
            shift = max(shift, _gather(similarity, rows, columns, i, line))
    inverse = np.float32(1) / epsilon
    for i in range(na):
        largest = _gather(similarity, rows, columns, i, line)
        if mass < 1:
            largest = shift
        for j in range(nb):
            kernel[i, j] = _exp((line[j] - largest) * inverse)
    if mass < 1:
        iterations = _partial(kernel, u, v, mass, r, c, column, tolerance)
    else:
        iterations = _balanced(kernel, u, v, r, c, column, tolerance)
    score, total = np.float32(0), np.float32(0)
    for i in range(na):
        _gather(similarity, rows, columns, i, line)
        row_score, row_total = np.float32(0), np.float32(0)
        for j in range(nb):
            plan = kernel[i, j] * c[j]
            row_total += plan
            row_score += plan * line[j]
        score += r[i] * row_score
        total += r[i] * row_total
    return score / total, iterations


@njit(parallel=True, cache=True, fastmath=True, error_model="numpy")
def _solve(similarity, u, v, mass, epsilon, tolerance, scores, iterations, blocks):
    pairs, parts = u.shape
    for block in prange(blocks):  # a block allocates its work space once
        kernel_space = np.empty(parts * parts, np.float32)
        line = np.empty(parts, np.float32)
        space = np.empty((5, parts), np.float32)
        for pair in range(block * pairs // blocks, (block + 1) * pairs // blocks):
            scores[pair], iterations[pair] = _score(
                similarity[pair],
                u[pair],
                v[pair],
                mass,
                epsilon,
                tolerance,
                kernel_space,
                line,
                space,
            )


def solve(
    similarity: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    mass: float,
    epsilon: float,
    tolerance: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Structural similarities of P pairs.

    Args:
        similarity: ``[P, R + 1, R + 1]`` float32 part similarities; the last row and column, where
            the correlations stand, are not read.
        u, v: ``[P, R]`` float32 marginals of rows and columns, each summing to 1.
        mass, epsilon, tolerance: as in :func:`diml_core.transport.partial_transport`; epsilon at
            least 0.04. At tolerance 1e-5 scores are within about 2e-6 of converged.

    Returns:
        ``[P]`` float32 similarities and ``[P]`` int64 iterations.
    """
    scores, iterations = np.empty(len(u), np.float32), np.empty(len(u), np.int64)
    blocks = min(len(u), _BLOCKS_PER_THREAD * get_num_threads())
    constants = np.float32(mass), np.float32(epsilon), np.float32(tolerance)
    with _ONE_AT_A_TIME:
        _solve(similarity, u, v, *constants, scores, iterations, blocks)
    return scores, iterations
