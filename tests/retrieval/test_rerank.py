"""Stage two against the plain way: pair by pair, in float64, with diml_core.comparison.transport."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from diml_core.comparison.marginals import MARGINALS, Marginal, correlation, marginal
from diml_core.comparison.options import ExplainOptions
from diml_core.comparison.transport import partial_transport
from diml_core.retrieval import engines
from diml_core.retrieval import rerank as module
from diml_core.retrieval.engines import ENGINES, default_engine
from diml_core.retrieval.fetched import Fetched
from diml_core.retrieval.kernels import has_numba
from diml_core.retrieval.rerank import rerank

SCORE_ERROR = 3e-5  # of the stored vectors' scores, at the ranking tolerance


COMPILED = [name for name in ENGINES if name != "torch"]
NEEDS_NUMBA = pytest.mark.skipif(not has_numba(), reason="numba is not installed")
EACH_COMPILED = [pytest.param(name, marks=NEEDS_NUMBA) for name in COMPILED]
EACH_ENGINE = ["torch", *EACH_COMPILED]


def clustered(count, parts, dim=32, clusters=6, seed=0, padding=True):
    """``[count, parts + 1, dim]`` float16 unit vectors in clusters, some photos with fewer parts."""
    random = torch.Generator().manual_seed(seed)
    centres = torch.randn(clusters, parts, dim, generator=random)
    which = torch.randint(clusters, (count,), generator=random)
    vectors = centres[which] + 0.8 * torch.randn(count, parts, dim, generator=random)
    vectors = normalize(vectors + 2 * torch.randn(dim, generator=random), dim=-1)
    if padding:
        for row in range(0, count, 3):
            vectors[row, parts - 1 - row % (parts - 1) :] = 0
    pooled = normalize(vectors.sum(1, keepdim=True), dim=-1)
    weights = torch.rand(count, parts, generator=random) * vectors.any(-1)
    return torch.cat([vectors, pooled], 1).half(), weights / weights.sum(-1, keepdim=True)


def one_pair(candidate, query, weight_a, weight_b, options):
    """Structural similarity by the definitions, on the real parts alone, in float64."""
    sides = []
    for vectors, weight in ((candidate, weight_a), (query, weight_b)):
        real = vectors[:-1].any(-1)
        sides.append((vectors[:-1][real].double(), vectors[-1].double(), weight[real].double()))
    (a, global_a, roll_a), (b, global_b, roll_b) = sides
    u = marginal(options.marginals, correlation(a, global_b), roll_a)
    v = marginal(options.marginals, correlation(b, global_a), roll_b)
    cost = 1 - a @ b.T
    solved = partial_transport(
        cost, u, v, options.mass, epsilon=options.epsilon, tolerance=1e-9, max_iterations=20_000
    )
    return float((solved.plan * (1 - cost)).sum() / solved.plan.sum())


@pytest.mark.parametrize("engine", EACH_ENGINE)
@pytest.mark.parametrize("mass", [1.0, 0.5])
@pytest.mark.parametrize("marginals", MARGINALS)
def test_scores_and_order_equal_brute_force(engine, marginals, mass):
    half, weights = clustered(40, 9)
    options = ExplainOptions(grid=3, marginals=marginals, mass=mass)
    queries = half[:3].float()
    random = torch.Generator().manual_seed(0)
    rows = torch.stack([torch.randperm(40, generator=random)[:25] for _ in range(3)])
    needs = MARGINALS[marginals].rollout
    scores = rerank(
        queries,
        weights[:3] if needs else None,
        rows,
        lambda r: Fetched(half, weights if needs else None, r),
        options,
        engine=engine,
    )
    for q in range(3):
        expected = [
            one_pair(half[r].float(), queries[q], weights[r], weights[q], options) for r in rows[q]
        ]
        assert scores.structural[q].numpy() == pytest.approx(expected, abs=SCORE_ERROR)
        pooled = (half[rows[q], -1].float() @ queries[q, -1]).clamp(-1, 1).double()
        assert scores.global_similarity[q].numpy() == pytest.approx(pooled.numpy(), abs=1e-6)
        brute = (pooled + torch.tensor(expected).double()) / 2
        assert (scores.overall[q].argsort(descending=True) == brute.argsort(descending=True)).all()


@pytest.mark.parametrize("engine", EACH_ENGINE)
def test_a_result_does_not_depend_on_the_chunks(engine, monkeypatch):
    vectors, _ = clustered(30, 4)
    rows = torch.arange(30).repeat(5, 1)
    arguments = (
        vectors[:5],
        None,
        rows,
        lambda r: Fetched(vectors, None, r),
        ExplainOptions(grid=2),
    )
    whole = rerank(*arguments, engine=engine)
    for limit in (1, 20_000, 60_000):  # one pair, part of a query, several queries at once
        monkeypatch.setattr(module, "_CHUNK_BYTES", limit)
        chunked = rerank(*arguments, engine=engine)
        expected = pytest.approx(whole.structural.numpy(), abs=SCORE_ERROR)
        assert chunked.structural.numpy() == expected


def test_no_chunk_holds_more_than_its_share(monkeypatch):
    vectors, _ = clustered(50, 16)
    fetched = []

    def fetch(rows):
        fetched.append(len(rows))
        return Fetched(vectors, None, rows)

    pair = 4 * 17 * (2 * 32 + 17)
    monkeypatch.setattr(module, "_CHUNK_BYTES", 10 * pair)
    rerank(vectors[:4], None, torch.arange(50).repeat(4, 1), fetch, ExplainOptions(grid=4))
    assert max(fetched) == 10
    assert sum(fetched) == 200


@pytest.mark.parametrize("engine", EACH_ENGINE)
@pytest.mark.parametrize("row", [-1, 30])
def test_a_row_that_is_not_there_is_refused(engine, row):
    vectors, _ = clustered(30, 4)
    rows = torch.tensor([[0, row]])
    with pytest.raises(IndexError):
        rerank(
            vectors[:1],
            None,
            rows,
            lambda r: Fetched(vectors, None, r),
            ExplainOptions(grid=2),
            engine=engine,
        )


@pytest.mark.parametrize("engine", EACH_ENGINE)
def test_all_negative_correlations_fall_back_to_uniform(engine):
    vectors, _ = clustered(5, 4, padding=True)
    opposite = -vectors[:1]
    scores = rerank(
        opposite,
        None,
        torch.arange(5)[None],
        lambda r: Fetched(vectors, None, r),
        ExplainOptions(grid=2),
        engine=engine,
    )
    uniform = rerank(
        opposite,
        None,
        torch.arange(5)[None],
        lambda r: Fetched(vectors, None, r),
        ExplainOptions(grid=2, marginals="uniform"),
        engine=engine,
    )
    assert scores.structural.isfinite().all()
    expected = pytest.approx(float(uniform.structural[0, 0]), abs=SCORE_ERROR)
    assert float(scores.structural[0, 0]) == expected


def test_a_small_epsilon_goes_to_the_engine_that_can_serve_it():
    assert default_engine(ExplainOptions(epsilon=0.005), parts=4) == "torch"
    vectors, weights = clustered(6, 4)
    options = ExplainOptions(grid=2, epsilon=0.005)
    scores = rerank(
        vectors[:1], None, torch.arange(6)[None], lambda r: Fetched(vectors, None, r), options
    )
    expected = [
        one_pair(vectors[r].float(), vectors[0].float(), weights[r], weights[0], options)
        for r in range(6)
    ]
    assert scores.structural[0].numpy() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("engine", EACH_COMPILED)
@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 12),
    st.integers(0, 10**6),
    # Just below 1 each iteration gains a thousandth, so that a marginal error of 1e-5 does not bound the
    # score to 1e-4: what stops two iterations later is elsewhere.
    st.floats(0.05, 0.95) | st.just(1.0),
    st.floats(0.04, 1),
    st.booleans(),
)
def test_compiled_engines_agree_with_the_plain_one(engine, parts, seed, mass, epsilon, padding):
    vectors, _ = clustered(20, parts, dim=8, seed=seed, padding=padding and parts > 1)
    options = ExplainOptions(mass=mass, epsilon=epsilon)
    rows = torch.arange(20).repeat(2, 1)
    arguments = (vectors[:2], None, rows, lambda r: Fetched(vectors, None, r), options)
    with pytest.MonkeyPatch.context() as patch:
        # What a search leaves unconverged, and the plain engine finishes by Newton steps, is not what is
        # compared here: the same iterations are.
        patch.setattr(engines, "RANKING_TOLERANCE", 1e-5)
        patch.setattr("diml_core.comparison.transport._NEWTON_AFTER", math.inf)
        compiled, plain = (rerank(*arguments, engine=e).structural for e in (engine, "torch"))
    assert compiled.numpy() == pytest.approx(plain.numpy(), abs=1e-4)


@NEEDS_NUMBA
def test_the_compiled_exponential_is_exact_to_float32():
    from numba import njit

    from diml_core.retrieval.kernels.exponential import exp
    from diml_core.retrieval.kernels.lanes import LANES, load, store

    @njit
    def one_by_one(x, out):
        for i in range(len(x)):
            out[i] = exp(x[i])

    @njit
    def in_lanes(x, out):
        for i in range(0, len(x), LANES):
            store(out, (i,), exp(load(x, (i,))))

    x = np.linspace(-60, 0, LANES * 6000, dtype=np.float32)
    for each in (one_by_one, in_lanes):
        out = np.empty_like(x)
        each(x, out)
        # The argument's own rounding is worth |x| * 2^-24 in the result.
        error = abs(out / np.exp(x.astype(np.float64)) - 1)
        assert (error < 3e-7 + abs(x) * 1.2e-7).all()


ADDED = {
    "softmax": lambda cosines: (10 * cosines).softmax(-1),
    # These look at all parts that they are given: a row of padding among them changes every weight.
    "above the mean": lambda cosines: (cosines - cosines.mean(-1, keepdim=True)).relu(),
    "above the least": lambda cosines: cosines - cosines.amin(-1, keepdim=True),
}


def test_rollout_may_have_more_digits_than_the_vectors():
    half, weights = clustered(12, 9)
    options = ExplainOptions(grid=3, marginals="product")
    rows = torch.arange(12)[None]
    found = [
        rerank(
            half[:1].float(), given[:1], rows, lambda r, w=given: Fetched(half, w, r), options,
            engine="torch",
        ).structural
        for given in (weights, weights.double())
    ]  # fmt: skip
    assert torch.allclose(*(each.double() for each in found), atol=SCORE_ERROR)


@NEEDS_NUMBA
@pytest.mark.parametrize("name", ADDED)
@pytest.mark.parametrize("by_rollout", [False, True])
def test_a_marginal_that_the_kernels_do_not_know_is_served_by_torch(name, by_rollout, monkeypatch):
    monkeypatch.setitem(MARGINALS, name, Marginal(ADDED[name], by_rollout))
    half, weights = clustered(12, 9)
    options = ExplainOptions(grid=3, marginals=name)
    rows = torch.arange(12)[None]
    given = half[:1].float(), weights[:1], rows, lambda r: Fetched(half, weights, r), options
    found = rerank(*given).structural[0]
    for row in range(12):
        expected = one_pair(half[row], half[0], weights[row], weights[0], options)
        assert found[row] == pytest.approx(expected, abs=SCORE_ERROR)
    for engine in COMPILED:
        with pytest.raises(ValueError, match=f"'{name}' marginals"):
            rerank(*given, engine=engine)


@pytest.mark.parametrize("engine", EACH_ENGINE)
def test_a_part_without_any_correlation_keeps_its_share(engine):
    half, weights = clustered(9, 4, dim=8)
    half[:, :, 0] = 0
    half[:, 1] = 0
    half[:, 1, 0] = 1  # at right angles to everything but its like
    queries = half[:2].float()
    queries[:, 1] = queries[:, 0]
    options = ExplainOptions(grid=2, marginals="uniform")
    rows = torch.arange(9).repeat(2, 1)
    given = queries, weights[:2], rows, lambda r: Fetched(half, weights, r), options
    found = rerank(*given, engine=engine).structural
    for q in range(2):
        expected = [
            one_pair(half[r], queries[q].half(), weights[r], weights[q], options) for r in range(9)
        ]
        assert found[q].numpy() == pytest.approx(expected, abs=SCORE_ERROR)
