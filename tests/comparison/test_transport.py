"""Transport against golden values, against POT, and against what must hold for every plan."""

import math
import unittest.mock
from pathlib import Path

import numpy as np
import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diml_core.comparison.marginals import correlation, marginal
from diml_core.comparison.similarity import part_similarity, structural_similarity
from diml_core.comparison.transport import partial_transport, sinkhorn

GOLDEN = Path(__file__).parent / "golden" / "structural_similarity.npz"


def problem(seed, rows=7, columns=5, batch=(), dtype=torch.float64):
    """A cost in 0..2 and two marginals."""
    random = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.rand(*batch, *shape, generator=random, dtype=dtype)

    u, v = draw(rows) + 0.05, draw(columns) + 0.05
    return 2 * draw(rows, columns), u / u.sum(-1, keepdim=True), v / v.sum(-1, keepdim=True)


@pytest.mark.parametrize("parts", [16, 49])
@pytest.mark.parametrize("kind", ["cross", "uniform"])
def test_golden_plans_marginals_and_similarities(parts, kind):
    stored = np.load(GOLDEN)
    golden = {
        key.removeprefix(f"r{parts}_"): stored[key]
        for key in stored.files
        if key.startswith(f"r{parts}_")
    }
    gallery = torch.from_numpy(golden["gallery_parts"]).mT.double()  # [6, R, D]
    query = torch.from_numpy(golden["query_parts"]).mT.double()
    center_q = torch.from_numpy(golden["query_center"]).double()
    center_g = torch.from_numpy(golden["gallery_center"]).double()
    name = "cross-correlation" if kind == "cross" else "uniform"
    u = marginal(name, correlation(gallery, center_q))
    v = marginal(name, correlation(query.expand(6, -1, -1), center_g))
    np.testing.assert_allclose(u, golden[f"{kind}_marginal_gallery"], atol=1e-5)
    np.testing.assert_allclose(v, golden[f"{kind}_marginal_query"], atol=1e-5)

    similarity = part_similarity(gallery, query)
    # Slow where the plan is nearly a permutation: a photo against itself under uniform marginals.
    found = sinkhorn(1 - similarity, u, v, max_iterations=20_000)
    assert (found.marginal_error < 1e-4).all()
    np.testing.assert_allclose(found.plan, golden[f"{kind}_plan_converged"], atol=1e-5)
    scores = structural_similarity(found.plan, similarity)
    np.testing.assert_allclose(scores, golden[f"{kind}_converged"], atol=1e-5)
    np.testing.assert_allclose(scores, golden[f"{kind}_official_early_stopped"], atol=5e-3)


@pytest.mark.parametrize("epsilon", [0.02, 0.05, 0.2, 1.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sinkhorn_is_pots(epsilon, dtype):
    cost, u, v = problem(3, dtype=dtype)
    found = sinkhorn(cost, u, v, epsilon=epsilon, tolerance=1e-9, max_iterations=50_000)
    a, b = (x.double() / x.double().sum() for x in (u, v))  # float32 sums to 1 only nearly
    expected = ot.sinkhorn(
        a.numpy(),
        b.numpy(),
        cost.double().numpy(),
        epsilon,
        method="sinkhorn_log",
        stopThr=1e-12,
        numItermax=50_000,
    )
    np.testing.assert_allclose(found.plan, expected, atol=2e-6 if dtype == torch.float32 else 1e-9)


def test_a_small_epsilon_comes_near_the_exact_optimum():
    cost, u, v = problem(5)
    found = sinkhorn(cost, u, v, epsilon=0.005, max_iterations=100_000)
    exact = ot.emd2(u.numpy(), v.numpy(), cost.numpy())
    assert (found.plan * cost).sum().item() == pytest.approx(exact, abs=0.005 * np.log(35))
    assert found.plan.isfinite().all()


@pytest.mark.parametrize("mass", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("epsilon", [0.05, 0.3])
def test_partial_transport_is_pots(mass, epsilon):
    cost, u, v = problem(8, 6, 6)
    found = partial_transport(
        cost, u, v, mass, epsilon=epsilon, tolerance=1e-10, max_iterations=50_000
    )
    expected = ot.partial.entropic_partial_wasserstein(
        u.numpy(), v.numpy(), cost.numpy(), epsilon, m=mass, stopThr=1e-14, numItermax=50_000
    )
    np.testing.assert_allclose(found.plan, expected, atol=1e-6)


def test_partial_transport_moves_the_best_matching_mass():
    cost, u, v = problem(11, 6, 6)
    found = partial_transport(cost, u, v, 0.4, epsilon=0.005, max_iterations=100_000)
    exact = ot.partial.partial_wasserstein2(u.numpy(), v.numpy(), cost.numpy(), m=0.4)
    assert (found.plan * cost).sum().item() == pytest.approx(exact, abs=0.02)


problems = st.builds(
    problem, st.integers(0, 10_000), rows=st.integers(1, 9), columns=st.integers(1, 9)
)
masses = st.sampled_from([1.0, 0.95, 0.5, 0.05])
epsilons = st.sampled_from([0.005, 0.05, 0.3, 1.0])


@settings(deadline=None, max_examples=60)
@given(problems, masses, epsilons)
def test_every_plan_respects_its_marginals(given_problem, mass, epsilon):
    cost, u, v = given_problem
    found = partial_transport(cost, u, v, mass, epsilon=epsilon, max_iterations=20_000)
    plan = found.plan
    assert (plan >= 0).all()
    assert plan.sum().item() == pytest.approx(mass, abs=1e-5)
    assert found.converged
    slack = found.marginal_error.item() + 1e-9
    assert (plan.sum(1) <= u + slack).all()
    assert (plan.sum(0) <= v + slack).all()
    if mass == 1:
        assert (plan.sum(1) - u).abs().sum() <= slack
        assert (plan.sum(0) - v).abs().sum() <= slack


@settings(deadline=None, max_examples=30)
@given(problems, masses)
def test_swapping_the_images_transposes_the_plan(given_problem, mass):
    cost, u, v = given_problem
    there = partial_transport(cost, u, v, mass, tolerance=1e-12, max_iterations=20_000)
    back = partial_transport(cost.mT, v, u, mass, tolerance=1e-12, max_iterations=20_000)
    torch.testing.assert_close(there.plan, back.plan.mT, atol=1e-7, rtol=0)


@settings(deadline=None, max_examples=30)
@given(problems, masses, st.randoms(use_true_random=False))
def test_the_order_of_the_parts_does_not_matter(given_problem, mass, random):
    cost, u, v = given_problem
    rows, columns = list(range(len(u))), list(range(len(v)))
    random.shuffle(rows)
    random.shuffle(columns)
    plan = partial_transport(cost, u, v, mass, tolerance=1e-12, max_iterations=20_000).plan
    shuffled = partial_transport(
        cost[rows][:, columns], u[rows], v[columns], mass, tolerance=1e-12, max_iterations=20_000
    ).plan
    torch.testing.assert_close(plan[rows][:, columns], shuffled, atol=1e-7, rtol=0)


@pytest.mark.parametrize("mass", [1.0, 0.5])
def test_a_batch_is_the_problems_one_by_one(mass):
    cost, u, v = problem(2, batch=(3, 4), dtype=torch.float32)
    together = partial_transport(cost, u, v, mass)
    assert together.plan.shape == cost.shape
    assert together.iterations.shape == together.converged.shape == (3, 4)
    for i in range(3):
        for j in range(4):
            alone = partial_transport(cost[i, j], u[i, j], v[i, j], mass)
            torch.testing.assert_close(together.plan[i, j], alone.plan, atol=1e-6, rtol=0)


def test_leading_dimensions_broadcast():
    cost, _, v = problem(4, batch=(6,))
    _, u, _ = problem(4)
    assert sinkhorn(cost, u, v).plan.shape == cost.shape


@pytest.mark.parametrize("mass", [1.0, 0.5])
def test_a_part_without_mass_takes_no_part(mass):
    cost, u, v = problem(6)
    u[2] = 0
    u, v = u / u.sum(), v.clone()
    plan = partial_transport(cost, u, v, mass).plan
    assert plan.isfinite().all()
    assert (plan[2] == 0).all()
    kept = [0, 1, 3, 4, 5, 6]
    torch.testing.assert_close(
        plan[kept], partial_transport(cost[kept], u[kept], v, mass).plan, atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("epsilon", [0.005, 0.05, 1.0])
@pytest.mark.parametrize("mass", [1.0, 0.3])
def test_float32_survives_extreme_costs(epsilon, mass):
    cost = torch.tensor([[0.0, 2.0, 2.0], [2.0, 2.0, 2.0], [2.0, 0.0, 2.0]])
    u = torch.tensor([0.98, 0.01, 0.01])
    found = partial_transport(cost, u, u.flip(0), mass, epsilon=epsilon, max_iterations=50_000)
    assert found.plan.isfinite().all()
    assert found.plan.sum().item() == pytest.approx(mass, abs=1e-5)


@pytest.mark.parametrize("mass", [0.5, 0.9, 0.99, 1.0])
@pytest.mark.parametrize("epsilon", [0.005, 0.02])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_sinkhorn_crawls_on_converges(mass, epsilon, dtype):
    """Uniform marginals, nearly all of the mass, a small epsilon: 2,000 iterations left an error of 2e-2."""
    random = torch.Generator().manual_seed(0)
    parts = torch.nn.functional.normalize(
        torch.randn(2, 64, 20, generator=random, dtype=dtype), dim=-1
    )
    cost, even = 1 - parts[0] @ parts[1].mT, torch.full((64,), 1 / 64, dtype=dtype)
    found = partial_transport(cost, even, even, mass, epsilon=epsilon)
    assert found.converged
    assert found.iterations < 500
    assert found.plan.sum().item() == pytest.approx(mass, abs=1e-5)
    assert (found.plan.sum(0) <= even + 1e-5).all()


def test_newton_steps_end_where_sinkhorn_would():
    cost, u, v = problem(0, 12, 9)
    for mass in (0.6, 0.97, 1.0):
        found = partial_transport(cost, u, v, mass, epsilon=0.01, tolerance=1e-10)
        with unittest.mock.patch("diml_core.comparison.transport._NEWTON_AFTER", math.inf):
            slow = partial_transport(
                cost, u, v, mass, epsilon=0.01, tolerance=1e-10, max_iterations=200_000
            )
        assert slow.iterations > found.iterations > 300
        torch.testing.assert_close(found.plan, slow.plan, atol=1e-9, rtol=0)


def test_gradients_reach_the_similarity_and_not_the_plan():
    cost, u, v = problem(9)
    similarity = (1 - cost).requires_grad_()
    u.requires_grad_()
    plan = sinkhorn(1 - similarity, u, v).plan
    assert not plan.requires_grad
    structural_similarity(plan, similarity).backward()
    torch.testing.assert_close(similarity.grad, plan, atol=1e-12, rtol=0)
    assert u.grad is None


def test_stopping_early_is_reported():
    cost, u, v = problem(1)
    found = sinkhorn(cost, u, v, epsilon=0.01, max_iterations=5)
    assert not found.converged
    assert found.iterations == 5
    assert found.marginal_error > 1e-6


@pytest.mark.parametrize(
    "change",
    [{"epsilon": 0}, {"tolerance": -1}, {"max_iterations": 0}, {"mass": 0}, {"mass": 1.2}],
)
def test_impossible_settings_are_refused(change):
    cost, u, v = problem(1)
    with pytest.raises(ValueError, match=r"must be"):
        partial_transport(cost, u, v, **{"mass": 0.5} | change)


def test_shapes_that_do_not_fit_are_refused():
    cost, u, v = problem(1)
    with pytest.raises(ValueError, match=r"\[\.\.\., Ra, Rb\]"):
        sinkhorn(cost, v, u)
