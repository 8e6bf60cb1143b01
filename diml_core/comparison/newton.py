"""Newton steps on the dual of entropic transport, for problems on which Sinkhorn crawls.

With a small epsilon, or with nearly all of the mass moved, each Sinkhorn step gains a fraction of a per
cent. The dual ``<f, u> + <g, v> + h m - epsilon sum(T)`` is concave and smooth; its maximum under
``f <= 0, g <= 0`` (partial transport) or without bounds and without ``h`` (balanced) takes a few of the
projected Newton steps of Bertsekas 1982, "Projected Newton methods for optimization problems with simple
constraints", Proposition 3, with his line search. Each is a solve of size Ra + Rb + 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_MAX_STEPS = 100
_HALVINGS = 20  # of a step that does not raise the dual, before it is damped more
_SUFFICIENT = 1e-4  # share of the promised rise that a step must bring (Armijo)
_AT_BOUND = 1e-6  # a potential this near to its bound, and pushed against it, is held there
# Damping, as a share of the mean curvature: shifting f against g changes no plan, so that the curvature is
# singular, and far from the maximum such shifts would be all that there is of a step. In proportion to the
# error it leaves convergence quadratic.
_DAMPING, _LEAST_DAMPING, _MORE, _MOST_DAMPING = 1e-2, 1e-13, 1e3, 1e6


@dataclass(frozen=True)
class Problem:
    """One problem in float64; every part has mass.

    Attributes:
        cost: ``[Ra, Rb]`` finite.
        u, v: ``[Ra]``, ``[Rb]`` positive.
        mass: to transport, or None for all of it (balanced).
        epsilon: in units of cost.
    """

    cost: Tensor
    u: Tensor
    v: Tensor
    mass: float | None
    epsilon: float

    def plan(self, x: Tensor) -> Tensor:
        """``[Ra, Rb]`` of potentials ``x = (f, g, h)``."""
        rows = len(self.u)
        return ((x[:rows, None] + x[None, rows:-1] + x[-1] - self.cost) / self.epsilon).exp()

    def wanted(self) -> Tensor:
        """Row sums, column sums and total that the potentials are multipliers of."""
        total = self.u.sum() if self.mass is None else self.u.new_tensor(self.mass)
        return torch.cat([self.u, self.v, total[None]])

    def lag(self, plan: Tensor, moved: Tensor) -> Tensor:
        """By how much the dual rises less than its gradient promises when potentials move from those of a plan.

        Summed from what each entry of the plan lags behind, all of one sign: as a difference of two duals it would
        be lost in their rounding near the maximum.
        """
        rows = len(self.u)
        exponent = (moved[:rows, None] + moved[None, rows:-1] + moved[-1]) / self.epsilon
        return self.epsilon * (plan * (exponent.expm1() - exponent)).sum()

    def gradient(self, plan: Tensor) -> Tensor:
        """Of the dual: what every row, column and the total still lack."""
        sums = torch.cat([plan.sum(1), plan.sum(0), plan.sum()[None]])
        return self.wanted() - sums

    def error(self, x: Tensor, plan: Tensor) -> float:
        """L1 error of marginals and total; a part at its bound may send less than its mass, never more."""
        lacks = self.gradient(plan)
        if self.mass is None:
            return float(lacks[:-1].abs().sum())
        lacks = torch.where(self._bounded(x) & (x >= 0), lacks.clamp_max(0), lacks)
        return float(lacks.abs().sum())

    def held(self, x: Tensor, gradient: Tensor) -> Tensor:
        """Which potentials cannot move: at their bound and pushed against it; ``h`` if balanced."""
        if self.mass is None:
            held = torch.zeros_like(x, dtype=torch.bool)
            held[-1] = True
            return held
        return self._bounded(x) & (x >= -_AT_BOUND) & (gradient > 0)

    def projected(self, x: Tensor) -> Tensor:
        """The nearest potentials that are allowed."""
        return x if self.mass is None else torch.where(self._bounded(x), x.clamp_max(0), x)

    @staticmethod
    def _bounded(x: Tensor) -> Tensor:
        return torch.arange(len(x), device=x.device) < len(x) - 1


def solve(problem: Problem, start: Tensor, tolerance: float) -> tuple[Tensor, float, int]:
    """Climb from ``start`` until the marginal error is within the tolerance.

    Args:
        problem: the problem.
        start: ``[Ra + Rb + 1]`` potentials (f, g, h), from some Sinkhorn iterations.
        tolerance: L1 marginal error.

    Returns:
        The plan ``[Ra, Rb]``, its marginal error, and the steps that were taken.
    """
    x = problem.projected(start)
    plan = problem.plan(x)
    error = problem.error(x, plan)
    for step in range(_MAX_STEPS):
        if error <= tolerance:
            return plan, error, step
        moved = _step(problem, x, plan, error)
        if moved is None:  # rounding allows no further rise
            return plan, error, step
        x, plan = moved
        error = problem.error(x, plan)
    return plan, error, _MAX_STEPS


def _step(problem: Problem, x: Tensor, plan: Tensor, error: float) -> tuple[Tensor, Tensor] | None:
    gradient = problem.gradient(plan)
    free = ~problem.held(x, gradient)
    damping = max(_LEAST_DAMPING, _DAMPING * error)
    while damping < _MOST_DAMPING:
        direction = _direction(problem, x, plan, gradient, free, damping)
        moved = _climbed(problem, x, plan, gradient, direction)
        if moved is not None:
            return moved
        damping *= _MORE
    return None


def _direction(
    problem: Problem, x: Tensor, plan: Tensor, gradient: Tensor, free: Tensor, damping: float
) -> Tensor:
    """The damped Newton step of the free potentials, leaving out those it would push over their bound."""
    curvature = _curvature(plan)
    curvature = curvature + damping * curvature.diagonal().mean() * torch.eye(len(x)).to(curvature)
    while True:
        direction = torch.zeros_like(x)
        direction[free] = torch.linalg.solve(curvature[free][:, free], gradient[free])
        over = free & (problem.projected(x + direction) < x + direction) & (x >= -_AT_BOUND)
        if not over.any():
            return problem.epsilon * direction
        free = free & ~over


def _climbed(
    problem: Problem, x: Tensor, plan: Tensor, gradient: Tensor, direction: Tensor
) -> tuple[Tensor, Tensor] | None:
    size = 1.0
    for _ in range(_HALVINGS):
        new = problem.projected(x + size * direction)
        promised = gradient @ (new - x)
        if promised > 0 and problem.lag(plan, new - x) <= (1 - _SUFFICIENT) * promised:
            return new, problem.plan(new)
        size /= 2
    return None


def _curvature(plan: Tensor) -> Tensor:
    """``-epsilon`` times the second derivatives of the dual: ``[Ra + Rb + 1] ** 2``."""
    rows, columns = plan.sum(1), plan.sum(0)
    size = len(rows) + len(columns) + 1
    matrix = plan.new_zeros(size, size)
    matrix[: len(rows), len(rows) : -1] = plan
    matrix[: len(rows), -1] = rows
    matrix[len(rows) : -1, -1] = columns
    matrix = matrix + matrix.mT
    return matrix + torch.diag(torch.cat([rows, columns, plan.sum()[None]]))
