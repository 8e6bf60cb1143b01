"""The layout that search, evaluation and training share."""

import torch
from torch.nn.functional import normalize

from diml_core.embedding.features import Embedding
from diml_core.embedding.packing import packed


def embedding(batch=(), rollout=True):
    random = torch.Generator().manual_seed(0)
    return Embedding(
        normalize(torch.randn(*batch, 4, 3, generator=random), dim=-1),
        normalize(torch.randn(*batch, 3, generator=random), dim=-1),
        (2, 2),
        torch.full((*batch, 4), 0.25) if rollout else None,
        None,
    )


def test_parts_come_first_and_the_whole_last():
    given = embedding(batch=(2,))
    vectors, weights = packed(given)
    torch.testing.assert_close(vectors[:, :4], given.parts)
    torch.testing.assert_close(vectors[:, 4], given.pooled)
    torch.testing.assert_close(weights, given.rollout)


def test_missing_parts_are_zero():
    given = embedding()
    vectors, weights = packed(given, 6)
    assert vectors.shape == (7, 3)
    assert (vectors[4:6] == 0).all()
    assert (weights[4:] == 0).all()
    torch.testing.assert_close(vectors[6], given.pooled)


def test_without_attention_there_are_no_weights():
    assert packed(embedding(rollout=False))[1] is None
