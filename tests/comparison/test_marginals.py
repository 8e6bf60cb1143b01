"""Marginals: non-negative, summing to 1, and never NaN, whatever the parts."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from diml_core.comparison.marginals import (
    MARGINALS,
    Marginal,
    correlation,
    marginal,
    marginal_names,
    normalise,
)
from diml_core.errors import InputError


def factors(seed=0, batch=(), parts=9, dim=6):
    """Correlation and rollout of some parts."""
    random = torch.Generator().manual_seed(seed)
    unit = torch.nn.functional.normalize
    towards = correlation(
        unit(torch.randn(*batch, parts, dim, generator=random), dim=-1),
        unit(torch.randn(*batch, dim, generator=random), dim=-1),
    )
    rollout = torch.rand(*batch, parts, generator=random)
    return towards, rollout / rollout.sum(-1, keepdim=True)


@pytest.mark.parametrize("name", MARGINALS)
def test_every_marginal_is_a_distribution(name):
    weights = marginal(name, *factors(batch=(2, 3)))
    assert weights.shape == (2, 3, 9)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3))


def test_cross_correlation_by_hand():
    parts = torch.tensor([[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]])
    found = marginal("cross-correlation", correlation(parts, torch.tensor([1.0, 0.0])))
    torch.testing.assert_close(found, torch.tensor([1.0, 0.6, 0.0]) / 1.6)


def test_product_is_the_product():
    towards, rollout = factors(4)
    product = marginal("cross-correlation", towards) * rollout
    torch.testing.assert_close(marginal("product", towards, rollout), product / product.sum())


@pytest.mark.parametrize("name", MARGINALS)
def test_parts_that_resemble_nothing_fall_back_to_uniform(name):
    found = marginal(name, torch.tensor([-1.0, -1.0]), torch.zeros(2))
    torch.testing.assert_close(found, torch.tensor([0.5, 0.5]))


@pytest.mark.parametrize("name", MARGINALS)
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_broken_embedding_yields_no_nan(name, bad):
    towards, rollout = factors(2)
    towards[3], rollout[1] = bad, bad
    weights = marginal(name, towards, rollout)
    assert weights.isfinite().all()
    assert weights.sum().item() == pytest.approx(1)


@given(st.lists(st.floats(0, 2.0**126, width=32), min_size=1, max_size=20))
def test_normalising_survives_every_size_of_number(weights):
    result = normalise(torch.tensor(weights))
    assert result.isfinite().all()
    assert result.sum().item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("name", ["rollout", "product"])
def test_marginals_that_need_attention_say_so(name):
    with pytest.raises(InputError, match="only vision transformers have"):
        marginal(name, torch.tensor([1.0, 0.0]))


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match="cross-correlation, uniform, rollout, product"):
        marginal("entropy", torch.ones(2))


def test_a_model_without_attention_is_offered_what_it_can_serve():
    assert marginal_names(has_rollout=True) == list(MARGINALS)
    assert marginal_names(has_rollout=False) == ["cross-correlation", "uniform"]


def test_a_correlation_may_count_in_another_way(monkeypatch):
    squared = Marginal(correlation=lambda cosines: cosines.relu().square(), rollout=True)
    monkeypatch.setitem(MARGINALS, "squared", squared)
    found = marginal("squared", torch.tensor([0.5, 1.0, -1.0]), torch.tensor([0.5, 0.25, 0.25]))
    torch.testing.assert_close(found, torch.tensor([1.0, 2.0, 0.0]) / 3)
