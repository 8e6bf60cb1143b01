"""Entropic optimal transport between the parts of two images: balanced (Sinkhorn) and partial.

Both problems have a solution of one form, ``T = exp((f + g + h - C) / epsilon)`` with a potential
``f`` per part of A, ``g`` per part of B and a scalar ``h``, and both are solved by updating one
potential after the other (Sinkhorn; Chizat et al. 2018, "Scaling algorithms for unbalanced optimal
transport problems", Algorithm 1). The scalings ``r, c`` hold what the potentials do not hold yet and
are absorbed into them before they over- or underflow (ibid., section 4.1), so float32 survives
small epsilon at the price of plain matrix-vector products. What has not converged after some hundred
iterations, because epsilon is small or nearly all of the mass is moved, is finished by Newton steps
(:mod:`diml_core.comparison.newton`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from diml_core.comparison import newton

DEFAULT_EPSILON = 0.05
DEFAULT_TOLERANCE = 1e-6
LEAST_PLAIN_EPSILON = 0.04
"""What solves in the plain domain in float32, for many pairs at once, needs at least this much entropy: a kernel spans
``exp(-2 / epsilon)``..1 and its scalings the inverse. Below, the functions here, in float64, are used in its place."""
DEFAULT_MAX_ITERATIONS = 2000
FINEST_TOLERANCE = 16 * torch.finfo(torch.float64).eps
"""What is asked for below this is raised to it, for float64 cannot tell."""

_NEWTON_AFTER = 300  # iterations; most problems at the default epsilon need fewer
_CHECK_EVERY = 5  # iterations between two looks at the marginal error and the size of the scalings


@dataclass(frozen=True)
class TransportPlan:
    """A plan and how it was reached.

    Attributes:
        plan: ``[..., Ra, Rb]``, non-negative; entry ``ij`` is the mass that part i of A sends to
            part j of B. Sums to the transported mass.
        iterations: ``[...]`` int64, iterations each problem ran, Newton steps included.
        marginal_error: ``[...]``, L1 distance between the plan's marginals and what they must be.
        converged: ``[...]`` bool, whether that distance is within the tolerance.
    """

    plan: Tensor
    iterations: Tensor
    marginal_error: Tensor
    converged: Tensor


def sinkhorn(
    cost: Tensor,
    marginals_a: Tensor,
    marginals_b: Tensor,
    *,
    epsilon: float = DEFAULT_EPSILON,
    tolerance: float = DEFAULT_TOLERANCE,
    max_iterations: int = DEFAULT_MAX_ITERATIONS,
) -> TransportPlan:
    """Balanced entropic optimal transport.

    Minimises ``<T, C> + epsilon * KL(T)`` over plans with row sums ``marginals_a`` and column sums
    ``marginals_b`` (Cuturi 2013, "Sinkhorn distances", Algorithm 1; the structural matching of
    Zhao et al. 2021, "Towards interpretable deep metric learning with structural matching", eq. 5-7).

    Every problem of a batch stops on its own marginal error, so a result does not depend on which
    other problems share its batch. The plan carries no gradient: as in the paper it is a constant.

    Args:
        cost: ``[..., Ra, Rb]`` finite; ``1 - cosine`` here, so 0..2.
        marginals_a: ``[..., Ra]`` non-negative, summing to 1.
        marginals_b: ``[..., Rb]`` likewise. Leading dimensions broadcast.
        epsilon: strength of the entropy, in units of cost; tested from 0.005 to 1.
        tolerance: L1 marginal error at which a problem stops. What the floating-point type cannot
            reach (about 2e-6 in float32) is raised to what it can.
        max_iterations: bound on the iterations; past it ``converged`` is False.

    Returns:
        TransportPlan. The column sums are exact to rounding, the row sums to ``tolerance``.

    Raises:
        ValueError: shapes that do not fit, or epsilon, tolerance or max_iterations not positive.
    """
    return _solve(cost, marginals_a, marginals_b, None, epsilon, tolerance, max_iterations)


def partial_transport(
    cost: Tensor,
    marginals_a: Tensor,
    marginals_b: Tensor,
    mass: float,
    *,
    epsilon: float = DEFAULT_EPSILON,
    tolerance: float = DEFAULT_TOLERANCE,
    max_iterations: int = DEFAULT_MAX_ITERATIONS,
) -> TransportPlan:
    """Partial entropic optimal transport: only a fraction of the mass is moved.

    Minimises ``<T, C> + epsilon * KL(T)`` over plans with row sums at most ``marginals_a``, column
    sums at most ``marginals_b`` and total ``mass`` (Benamou et al. 2015, "Iterative Bregman
    projections for regularized transportation problems", section 5; the entropic counterpart of
    Chapel et al. 2020, arXiv 2002.08276). What stays behind is the worst-matching mass, so
    background and parts without a counterpart can stay unmatched.

    Args:
        mass: transported fraction, in (0, 1]. 1 is :func:`sinkhorn`.
        cost, marginals_a, marginals_b, epsilon, tolerance, max_iterations: as in :func:`sinkhorn`.

    Returns:
        TransportPlan whose plan sums to ``mass``.

    Raises:
        ValueError: as :func:`sinkhorn`, or mass outside (0, 1].
    """
    if not 0 < mass <= 1:
        raise ValueError(f"The transported mass must be above 0 and at most 1, not {mass}.")
    balanced = mass == 1
    return _solve(
        cost,
        marginals_a,
        marginals_b,
        None if balanced else mass,
        epsilon,
        tolerance,
        max_iterations,
    )


@torch.no_grad()
def _solve(
    cost: Tensor,
    u: Tensor,
    v: Tensor,
    mass: float | None,
    epsilon: float,
    tolerance: float,
    max_iterations: int,
) -> TransportPlan:
    _check(cost, u, v, epsilon, tolerance, max_iterations)
    dtype = torch.promote_types(cost.dtype, torch.float32)  # half precision cannot hold the kernel
    lead = torch.broadcast_shapes(cost.shape[:-2], u.shape[:-1], v.shape[:-1])
    cost = cost.to(dtype).expand(*lead, *cost.shape[-2:]).reshape(-1, *cost.shape[-2:])
    u = u.to(dtype).expand(*lead, *u.shape[-1:]).reshape(-1, *u.shape[-1:])
    v = v.to(dtype).expand(*lead, *v.shape[-1:]).reshape(-1, *v.shape[-1:])
    problem = (
        _Balanced(cost, u, v, epsilon) if mass is None else _Partial(cost, u, v, epsilon, mass)
    )
    tolerance = max(tolerance, 16 * torch.finfo(dtype).eps)

    batch = cost.shape[0]
    error = torch.full((batch,), math.inf, dtype=cost.dtype, device=cost.device)
    iterations = torch.zeros(batch, dtype=torch.long, device=cost.device)
    active = torch.ones(batch, dtype=torch.bool, device=cost.device)
    done = 0
    while done < max_iterations:
        steps = min(_CHECK_EVERY, max_iterations - done)
        problem.iterate(steps, active)
        done += steps
        iterations[active] = done
        error = torch.where(active, problem.marginal_error(), error)
        active = active & ~(error <= tolerance)  # a NaN error stays active, and is reported
        if not active.any():
            break
        problem.absorb_if_large()
        if done >= _NEWTON_AFTER:
            break
    plan = problem.plan()
    if done < max_iterations:
        for index in active.nonzero()[:, 0].tolist():
            plan[index], error[index], steps = problem.finished(index, tolerance)
            iterations[index] += steps
    return TransportPlan(
        plan.reshape(*lead, *cost.shape[-2:]),
        iterations.reshape(lead),
        error.reshape(lead),
        (error <= tolerance).reshape(lead),
    )


class _Scaling:
    """State of a batch ``[B, Ra, Rb]`` of problems: potentials ``f, g, h`` and scalings ``r, c, s``."""

    mass: float | None = None  # to transport, or None for all of it

    def __init__(self, cost: Tensor, u: Tensor, v: Tensor, epsilon: float) -> None:
        # A part without mass must not anchor any potential: take it out of the problem.
        self.empty = (u <= 0)[..., None] | (v <= 0)[..., None, :]
        self.cost = cost.masked_fill(self.empty, math.inf)
        self.u, self.v, self.epsilon = u, v, epsilon
        self.f, self.g = torch.zeros_like(u), torch.zeros_like(v)
        self.h = torch.zeros_like(u[..., :1])
        self._choose_start()
        self._reset()

    def _choose_start(self) -> None:
        raise NotImplementedError

    def _reset(self) -> None:
        """Recompute the kernel from the potentials; the scalings are then 1, or 0 without mass."""
        exponent = self.f[..., :, None] + self.g[..., None, :] + self.h[..., None] - self.cost
        # Any positive value does where there is no mass, since the scaling is 0 there; 1 avoids 0 / 0.
        self.kernel = (exponent / self.epsilon).masked_fill_(self.empty, 0).exp_()
        self.r, self.c = (self.u > 0).to(self.u), (self.v > 0).to(self.v)
        self.s = torch.ones_like(self.h)

    def absorb_if_large(self) -> None:
        """Move the scalings into the potentials before a product of them leaves the number range."""
        largest = 0.25 * math.log(torch.finfo(self.kernel.dtype).max)
        logs = [x.clamp_min(torch.finfo(x.dtype).tiny).log() for x in (self.r, self.c, self.s)]
        masses = (self.u, self.v, self.s)
        logs = [torch.where(m > 0, log, 0.0) for m, log in zip(masses, logs, strict=True)]
        if max(log.abs().max().item() for log in logs) > largest:
            self.f += self.epsilon * logs[0]
            self.g += self.epsilon * logs[1]
            self.h += self.epsilon * logs[2]
            self._reset()

    def step(self) -> None:
        raise NotImplementedError

    def iterate(self, steps: int, active: Tensor) -> None:
        """Take ``steps`` steps with the problems marked in ``active`` ``[B]``; the others stay."""
        before = None if bool(active.all()) else (self.r, self.c, self.s)
        for _ in range(steps):
            self.step()
        if before is not None:
            after = (self.r, self.c, self.s)
            self.r, self.c, self.s = (
                torch.where(active[:, None], new, old)
                for new, old in zip(after, before, strict=True)
            )

    def plan(self) -> Tensor:
        return self.s[..., None] * self.r[..., :, None] * self.kernel * self.c[..., None, :]

    def finished(self, index: int, tolerance: float) -> tuple[Tensor, float, int]:
        """Plan, marginal error and number of Newton steps of one problem, from where it is now."""
        rows, columns = self.u[index] > 0, self.v[index] > 0
        logs = [
            x[index].clamp_min(torch.finfo(x.dtype).tiny).log() for x in (self.r, self.c, self.s)
        ]
        f, g, h = (
            (potential[index] + self.epsilon * log).cpu().double()  # a GPU may have no float64
            for potential, log in zip((self.f, self.g, self.h), logs, strict=True)
        )
        rows, columns = rows.cpu(), columns.cpu()
        cost = self.cost[index].cpu().double()[rows][:, columns]
        u, v = self.u[index].cpu().double()[rows], self.v[index].cpu().double()[columns]
        if self.mass is None:
            v = v * (u.sum() / v.sum())  # equal beyond their own precision, or no plan has both
        found, error, steps = newton.solve(
            newton.Problem(cost, u, v, self.mass, self.epsilon),
            torch.cat([f[rows], g[columns], h]),
            tolerance,
        )
        plan = torch.zeros_like(self.kernel[index], dtype=found.dtype, device="cpu")
        plan[rows[:, None] & columns] = found.flatten()
        return plan.to(self.kernel), error, steps

    def row_product(self) -> Tensor:
        return (self.kernel @ self.c[..., None])[..., 0]

    def column_product(self) -> Tensor:
        return (self.r[..., None, :] @ self.kernel)[..., 0, :]


class _Balanced(_Scaling):
    def _choose_start(self) -> None:
        # Leave a 1 in every row and column of the kernel, so that none underflows to nothing.
        self.f = _finite(self.cost.amin(-1))
        self.g = _finite((self.cost - self.f[..., :, None]).amin(-2))

    def step(self) -> None:
        self.r = self.u / self.row_product()
        self.c = self.v / self.column_product()

    def marginal_error(self) -> Tensor:
        # The columns were fitted last and are exact.
        return (self.r * self.row_product() - self.u).abs().sum(-1)


class _Partial(_Scaling):
    """Scalings below 1 only where a part's whole mass is used: complementary slackness."""

    mass: float

    def __init__(self, cost: Tensor, u: Tensor, v: Tensor, epsilon: float, mass: float) -> None:
        super().__init__(cost, u, v, epsilon)
        self.mass = mass

    def _choose_start(self) -> None:
        self.h = _finite(self.cost.amin((-2, -1)))[..., None]

    def step(self) -> None:
        self.r = torch.minimum(self.u / (self.s * self.row_product()), self._cap(self.f))
        self.c = torch.minimum(self.v / (self.s * self.column_product()), self._cap(self.g))
        self.s = self.mass / (self.r * self.row_product()).sum(-1, keepdim=True)

    def _cap(self, potential: Tensor) -> Tensor:
        # The whole potential, absorbed part and scaling together, may not exceed 0.
        return (-potential / self.epsilon).exp()

    def marginal_error(self) -> Tensor:
        # The total was fitted last and is exact. A part at its cap may send less than its mass.
        rows = self.s * self.r * self.row_product() - self.u
        columns = self.s * self.c * self.column_product() - self.v
        rows = torch.where(self.r < self._cap(self.f), rows.abs(), rows.clamp_min(0))
        columns = torch.where(self.c < self._cap(self.g), columns.abs(), columns.clamp_min(0))
        return rows.sum(-1) + columns.sum(-1)


def _finite(x: Tensor) -> Tensor:
    return torch.where(x.isfinite(), x, 0.0)


def _check(
    cost: Tensor, u: Tensor, v: Tensor, epsilon: float, tolerance: float, max_iterations: int
) -> None:
    if cost.ndim < 2 or u.shape[-1:] != cost.shape[-2:-1] or v.shape[-1:] != cost.shape[-1:]:
        raise ValueError(
            "The cost must be [..., Ra, Rb] with marginals [..., Ra] and [..., Rb], not "
            f"{list(cost.shape)}, {list(u.shape)} and {list(v.shape)}."
        )
    if not (epsilon > 0 and tolerance > 0 and max_iterations > 0):
        raise ValueError(
            "epsilon, tolerance and max_iterations must be positive, not "
            f"{epsilon}, {tolerance} and {max_iterations}."
        )
