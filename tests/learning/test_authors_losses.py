"""The DIML authors' two losses, transcribed with loops in float64, against ours by name."""

import pytest
import torch
from torch.nn.functional import normalize

pytest.importorskip(
    "pytorch_metric_learning", reason="pip install -r requirements-train.txt for losses"
)

from diml_core.comparison.marginals import correlation, marginal
from diml_core.comparison.options import ExplainOptions
from diml_core.comparison.transport import sinkhorn
from diml_core.learning.losses import objective

B, D, SIDE = 10, 6, 2
LABELS = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 2, 3])  # the last is alone in its class
ITERATIONS = 3000


@pytest.fixture
def maps():
    """Feature maps ``[B, D, H, W]`` whose classes overlap, so that every branch of the losses is met."""
    random = torch.Generator().manual_seed(5)
    centres = torch.randn(4, D, 1, 1, generator=random)
    noise = torch.randn(B, D, SIDE, SIDE, generator=random)
    return 0.7 * centres[LABELS] + noise + 0.4


def unpacked(maps):
    """Unit parts ``[B, R, D]`` and the unit global embedding: the mean of the locations."""
    cells = maps.double().flatten(2).mT
    return normalize(cells, dim=-1), normalize(cells.mean(1), dim=-1)


def plan(parts, pooled, a, b):
    """Each image has its *own* marginal (the authors' training gives it the other's: a slip)."""
    with torch.no_grad():
        u = marginal("cross-correlation", correlation(parts[a], pooled[b]))
        v = marginal("cross-correlation", correlation(parts[b], pooled[a]))
        cost = 1 - parts[a] @ parts[b].T
        return sinkhorn(cost, u, v, tolerance=1e-7).plan


def multisimilarity_diml(maps):
    parts, pooled = unpacked(maps)
    alpha, beta, shift, mining = 2.0, 40.0, 0.5, 0.1
    losses = []
    for a in range(B):
        similarity = []
        for b in range(B):
            structural = (plan(parts, pooled, a, b) * (parts[a] @ parts[b].T)).sum()
            similarity.append((pooled[a] @ pooled[b] + structural) / 2)
        positive = [similarity[b] for b in range(B) if LABELS[b] == LABELS[a] and b != a]
        negative = [similarity[b] for b in range(B) if LABELS[b] != LABELS[a]]
        if not positive:
            continue
        hard_negative = [n for n in negative if n + mining > min(positive)]
        hard_positive = [p for p in positive if p - mining < max(negative)]
        if not hard_negative or not hard_positive:
            continue
        pull = sum(torch.exp(-alpha * (p - shift)) for p in hard_positive)
        push = sum(torch.exp(beta * (n - shift)) for n in hard_negative)
        losses.append(torch.log(1 + pull) / alpha + torch.log(1 + push) / beta)
    return sum(losses) / len(losses)


def margin_diml(maps, triplets, boundary):
    parts, pooled = unpacked(maps)

    def distance(a, b):
        cosine = parts[a] @ parts[b].T
        structural = (plan(parts, pooled, a, b) * (2 - 2 * cosine).sqrt()).sum()
        return ((2 - 2 * pooled[a] @ pooled[b]).sqrt() + structural) / 2

    total, active = 0.0, 0
    for a, p, n in zip(*(t.tolist() for t in triplets), strict=True):
        for loss in (distance(a, p) - boundary + 0.2, boundary - distance(a, n) + 0.2):
            if loss > 0:
                total, active = total + loss, active + 1
    return total / active


def converged(objective_):
    objective_.loss.distance.iterations = ITERATIONS
    if objective_.miner:
        objective_.miner.distance.iterations = ITERATIONS
    return objective_


def test_multi_similarity_is_multisimilarity_diml(maps):
    ours = maps.clone().requires_grad_()
    theirs = maps.clone().requires_grad_()
    loss = converged(objective("multi-similarity", 4, D, ExplainOptions(), {}))(ours, LABELS)
    expected = multisimilarity_diml(theirs)
    loss.backward()
    expected.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-4)
    torch.testing.assert_close(ours.grad, theirs.grad, atol=2e-4, rtol=2e-3)


def test_margin_is_margin_diml_on_the_triplets_that_were_mined(maps):
    ours = maps.clone().requires_grad_()
    theirs = maps.clone().requires_grad_()
    objective_ = converged(objective("margin", 4, D, ExplainOptions(), {}))
    torch.manual_seed(0)
    triplets = objective_.miner(ours, LABELS)
    assert len(triplets[0]) > 0
    boundary = torch.tensor(1.2, dtype=torch.float64, requires_grad=True)
    loss = objective_.loss(ours, LABELS, triplets)
    expected = margin_diml(theirs, triplets, boundary)
    loss.backward()
    expected.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-4)
    torch.testing.assert_close(ours.grad, theirs.grad, atol=2e-4, rtol=2e-3)
    assert objective_.loss.beta.grad.item() == pytest.approx(boundary.grad.item(), rel=1e-4)
