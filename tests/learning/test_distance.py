"""The batched distances against the library's own comparison, pair by pair."""

import pytest
import torch
from torch.nn.functional import normalize

from diml_core.comparison.marginals import correlation, marginal
from diml_core.comparison.options import ExplainOptions
from diml_core.comparison.transport import partial_transport
from diml_core.embedding.features import Embedding
from diml_core.errors import InputError
from diml_core.learning import distance
from diml_core.learning.distance import StructuralDistance, StructuralSimilarity, pack
from diml_core.learning.losses import LOSSES, objective
from diml_core.learning.plans import plans

B, R, D = 5, 9, 12


@pytest.fixture
def batch():
    random = torch.Generator().manual_seed(3)
    shared = torch.randn(1, 1, D, generator=random)  # so that cosines are not all near 0
    parts = normalize(torch.randn(B, R, D, generator=random) + shared, dim=-1)
    rollout = torch.rand(B, R, generator=random)
    return Embedding(
        parts,
        normalize(parts.mean(1), dim=-1),
        (3, 3),
        rollout / rollout.sum(1, keepdim=True),
        None,
    )


def by_hand(batch, a, b, name, mass, term):
    """One pair, as `explain` compares it, in float64."""
    parts, pooled = batch.parts.double(), batch.pooled.double()
    u = marginal(name, correlation(parts[a], pooled[b]), batch.rollout[a].double())
    v = marginal(name, correlation(parts[b], pooled[a]), batch.rollout[b].double())
    cosine = parts[a] @ parts[b].T
    plan = partial_transport(1 - cosine, u, v, mass, tolerance=1e-10, max_iterations=20_000).plan
    return (term(pooled[a] @ pooled[b]) + (plan * term(cosine)).sum() / plan.sum()) / 2


@pytest.mark.parametrize("mass", [1.0, 0.5])
@pytest.mark.parametrize("name", ["cross-correlation", "uniform", "rollout", "product"])
@pytest.mark.parametrize("kind", [StructuralSimilarity, StructuralDistance])
def test_every_pair_is_compared_as_explain_compares_it(batch, kind, name, mass):
    distance = kind(marginals=name, mass=mass, rollout=True, iterations=2000)
    found = distance(pack(batch, rollout=True))
    # Two unit vectors: chord from cosine; the floor under the root is that of the implementation.
    chord = lambda c: (2 - 2 * c).clamp_min(1e-4).sqrt()  # noqa: E731
    term = (lambda c: c) if kind is StructuralSimilarity else chord
    for a in range(B):
        for b in range(B):
            if a != b:
                expected = by_hand(batch, a, b, name, mass, term)
                assert found[a, b].item() == pytest.approx(expected.item(), abs=2e-4)
    torch.testing.assert_close(found, found.T, atol=1e-4, rtol=0)


def test_two_batches_give_the_corner_of_one(batch):
    packed = pack(batch)
    distance = StructuralSimilarity(iterations=200)
    torch.testing.assert_close(
        distance(packed[:2], packed[2:]), distance(packed)[:2, 2:], atol=1e-4, rtol=0
    )


def test_gradients_see_the_plan_as_a_constant(batch):
    packed = pack(batch).requires_grad_()
    StructuralSimilarity(iterations=2000)(packed)[0, 1].backward()
    parts = batch.parts.double().requires_grad_()
    pooled = batch.pooled.double().requires_grad_()
    with torch.no_grad():
        u = marginal("cross-correlation", correlation(parts[0], pooled[1]))
        v = marginal("cross-correlation", correlation(parts[1], pooled[0]))
        plan = partial_transport(
            1 - parts[0] @ parts[1].T, u, v, 1.0, tolerance=1e-10, max_iterations=20_000
        ).plan
    # Inputs are normalised inside, so the gradient is taken through the same normalisation.
    unit = [normalize(x, dim=-1) for x in (parts[0], parts[1], pooled[0], pooled[1])]
    ((unit[2] @ unit[3] + (plan * (unit[0] @ unit[1].T)).sum()) / 2).backward()
    expected = torch.cat([parts.grad, pooled.grad[:, None]], 1).mT.float()
    torch.testing.assert_close(packed.grad, expected, atol=1e-4, rtol=0)


def test_a_proxy_is_an_image_with_one_part(batch):
    proxies = normalize(torch.randn(4, D, generator=torch.Generator().manual_seed(1)), dim=-1)
    found = StructuralSimilarity(marginals="uniform")(pack(batch), proxies)
    expected = (batch.pooled @ proxies.T + (batch.parts @ proxies.T).mean(1)) / 2
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_learns_to_tell_classes_apart(name):
    torch.manual_seed(0)
    labels = torch.arange(12) % 3
    embeddings = torch.nn.Parameter(torch.randn(12, D, R + 1))
    loss = objective(name, 3, D, ExplainOptions(), {})
    optimizer = torch.optim.Adam([embeddings, *loss.parameters()], lr=0.05)
    same = labels[:, None] == labels
    same.fill_diagonal_(False)
    apart = labels[:, None] != labels

    def gap():
        with torch.no_grad():
            similarity = StructuralSimilarity()(embeddings)
        return (similarity[same].mean() - similarity[apart].mean()).item()

    before = gap()
    for _ in range(30):
        optimizer.zero_grad()
        loss(embeddings, labels).backward()
        optimizer.step()
    assert gap() > before + 0.2


@pytest.mark.parametrize(
    ("change", "words"),
    [({"marginals": "entropy"}, "no marginals named"), ({"marginals": "rollout"}, "rollout=True")],
)
def test_bad_settings_get_a_sentence(change, words):
    with pytest.raises(InputError, match=words):
        StructuralSimilarity(**change)


def test_shapes_that_are_no_batch_are_refused():
    with pytest.raises(ValueError, match="A batch must be"):
        StructuralSimilarity()(torch.randn(3, 4, 5, 6, 7))
    with pytest.raises(ValueError, match="differ in D"):
        StructuralSimilarity()(torch.randn(3, 4, 5), torch.randn(3, 5, 5))


def test_a_miner_and_a_loss_solve_the_transports_of_a_batch_once(monkeypatch):
    solved = []
    monkeypatch.setattr(distance, "plans", lambda *a, **k: solved.append(a) or plans(*a, **k))
    similarity = distance.StructuralSimilarity()
    batch = torch.randn(6, 5, 5, generator=torch.Generator().manual_seed(0))
    first = similarity(batch)
    assert torch.equal(similarity(batch), first)
    assert len(solved) == 1
    batch.mul_(torch.linspace(0.5, 2, 5)[:, None])  # the same tensor with another content
    assert not torch.equal(similarity(batch), first)
    assert len(solved) == 2
    similarity(batch.clone())
    assert len(solved) == 3
    unit = normalize(batch, dim=1)
    rows = similarity.pairwise_distance(unit, unit.flip(0))  # no batch against a batch
    torch.testing.assert_close(rows, similarity(unit, unit.flip(0)).diagonal())
