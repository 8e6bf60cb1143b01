"""The plans of many small problems at once, by a fixed number of iterations: what a loss needs.

The problems and updates of ``diml_core.comparison.transport``, stripped for training: plain-domain float32, no
test for convergence, and the problems along the last, contiguous dimension, so that every operation
runs over long vectors. On a processor they are solved in groups that stay in a core's cache.
"""

from __future__ import annotations

import torch
from torch import Tensor

from diml_core.comparison.transport import LEAST_PLAIN_EPSILON, partial_transport

_GROUP = 1 << 16  # entries of the kernels of one group
_TINY = 1e-37


@torch.no_grad()
def plans(
    similarity: Tensor,
    marginals_a: Tensor,
    marginals_b: Tensor,
    *,
    mass: float = 1.0,
    epsilon: float,
    iterations: int,
) -> Tensor:
    """Plans of P problems for the cost ``1 - similarity``.

    Args:
        similarity: ``[Ra, Rb, P]`` in -1..1.
        marginals_a: ``[Ra, P]`` non-negative, summing to 1 over the first dimension.
        marginals_b: ``[Rb, P]`` likewise.
        mass: transported fraction, in (0, 1].
        epsilon: strength of the entropy.
        iterations: of every problem.

    Returns:
        ``[Ra, Rb, P]``, without gradient.
    """
    if epsilon < LEAST_PLAIN_EPSILON:
        solved = partial_transport(
            1 - similarity.permute(2, 0, 1), marginals_a.T, marginals_b.T, mass,
            epsilon=epsilon, tolerance=1e-12, max_iterations=iterations,
        )  # fmt: skip
        return solved.plan.permute(1, 2, 0)
    solve = _balanced if mass == 1 else _partial
    count = similarity.shape[-1]
    group = count
    if similarity.device.type == "cpu":
        group = max(1, _GROUP // (similarity.shape[0] * similarity.shape[1]))
    plan = torch.empty_like(similarity, memory_format=torch.contiguous_format)
    for start in range(0, count, group):
        chosen = slice(start, start + group)
        kernel = similarity[..., chosen].sub(1).div_(epsilon).exp_()
        u, v = marginals_a[:, chosen].contiguous(), marginals_b[:, chosen].contiguous()
        r, c = solve(kernel, u, v, mass, iterations)
        torch.mul(kernel.mul_(r[:, None]), c, out=plan[..., chosen])
    return plan


def _row_products(kernel: Tensor, c: Tensor) -> Tensor:
    return (kernel * c).sum(1).clamp_min_(_TINY)


def _column_products(kernel: Tensor, r: Tensor) -> Tensor:
    return (kernel * r[:, None]).sum(0).clamp_min_(_TINY)


def _balanced(
    kernel: Tensor, u: Tensor, v: Tensor, _mass: float, iterations: int
) -> tuple[Tensor, Tensor]:
    r, c = u, torch.ones_like(v)
    for _ in range(iterations):
        r = u / _row_products(kernel, c)
        c = v / _column_products(kernel, r)
    return r, c


def _partial(
    kernel: Tensor, u: Tensor, v: Tensor, mass: float, iterations: int
) -> tuple[Tensor, Tensor]:
    """Scalings are capped at 1, where a part keeps some of its mass; ``s`` sets the total."""
    r, c, s = u, torch.ones_like(v), torch.ones_like(v[0])
    for _ in range(iterations):
        r = (u / (s * _row_products(kernel, c))).clamp_max_(1)
        products = _column_products(kernel, r)
        c = (v / (s * products)).clamp_max_(1)
        s = mass / (c * products).sum(0).clamp_min_(_TINY)
    return s * r, c
