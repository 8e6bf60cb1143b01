"""The same numbers on any device and in any type: ``DIML_TEST_DEVICE=cuda pytest tests/test_on_a_device.py``.

Every tensor function is held to its own result in float64 on the processor. Bounds are those of the type: a
few roundings of numbers of size 1, times what the entropy of the transport multiplies them by.
"""

import os

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from diml_core import explain, load_model
from diml_core.comparison.marginals import MARGINALS, correlation, marginal
from diml_core.comparison.similarity import structural_similarity
from diml_core.comparison.transport import DEFAULT_EPSILON, partial_transport
from diml_core.embedding.embedder import Embedder
from diml_core.embedding.rollout import attention_rollout, patch_rollout
from diml_core.learning.distance import StructuralSimilarity
from diml_core.network.devices import device_named
from diml_core.photo.images import load_photo

DEVICE = device_named(os.environ.get("DIML_TEST_DEVICE", "cpu"))
WIDE = (
    [torch.float32] if DEVICE.type == "mps" else [torch.float32, torch.float64]
)  # no float64 there
NARROW = [torch.float16, torch.bfloat16]
PAIRS, SIDE, DIM, HEADS, BLOCKS = 3, 4, 24, 2, 3
PARTS = SIDE * SIDE


def random(*shape):
    return torch.randn(
        *shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.float64
    )


def vectors(count):
    """``[PAIRS, count, DIM]`` float64 unit vectors with something in common."""
    return normalize(random(PAIRS, count, DIM) + random(1, 1, DIM), dim=-1)


def attentions():
    """Of every block ``[PAIRS, HEADS, 1 + PARTS, 1 + PARTS]`` float64."""
    return tuple(
        random(PAIRS, HEADS, 1 + PARTS, 1 + PARTS + block)[..., block:].softmax(-1)
        for block in range(BLOCKS)
    )


def there(tensors, dtype):
    """On the device, in the type."""
    return tuple(tensor.to(dtype).to(DEVICE) for tensor in tensors)


def close(found, expected, bound):
    torch.testing.assert_close(found.cpu().double(), expected, atol=bound, rtol=0)


@pytest.mark.parametrize("dtype", WIDE + NARROW)
@pytest.mark.parametrize("name", MARGINALS)
def test_marginals(name, dtype):
    parts, pooled, rollout = vectors(PARTS), vectors(1)[:, 0], random(PAIRS, PARTS).softmax(-1)
    expected = marginal(name, correlation(parts, pooled), rollout)
    a, b, c = there((parts, pooled, rollout), dtype)
    found = marginal(name, correlation(a, b), c)
    assert found.dtype == dtype
    assert found.device.type == DEVICE.type
    # A cosine of DIM products of unit vectors, doubled where the largest weight divides it.
    close(found, expected, 8 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize("mass", [1.0, 0.5])
def test_plans(dtype, mass):
    cosine = vectors(PARTS) @ vectors(PARTS + 1).mT
    u, v = random(PAIRS, PARTS).softmax(-1), random(PAIRS, PARTS + 1).softmax(-1)
    expected = partial_transport(1 - cosine, u, v, mass, tolerance=1e-13).plan
    found = partial_transport(*there((1 - cosine, u, v), dtype), mass)
    assert found.converged.all()
    # Rounding of a cost is multiplied by 1 / epsilon, and the marginals are off by the tolerance.
    bound = 1e-6 + 8 * torch.finfo(dtype).eps / DEFAULT_EPSILON
    close(found.plan, expected, bound)
    similarity = there((cosine,), dtype)[0]
    close(
        structural_similarity(found.plan, similarity),
        structural_similarity(expected, cosine),
        4 * bound,
    )


@pytest.mark.parametrize("dtype", WIDE + NARROW)
def test_rollouts(dtype):
    given = attentions()
    expected = patch_rollout(attention_rollout(given), 1)
    found = patch_rollout(attention_rollout(there(given, dtype)), 1)
    assert found.dtype == torch.promote_types(dtype, torch.float32)  # products of many roundings
    close(found, expected, 4 * BLOCKS * torch.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize("pooling", ["mean", "grid", "rollout"])
def test_embeddings(dtype, pooling):
    embedder = Embedder(grid=3, pooling=pooling, start_block=1, prefix_tokens=1, class_token=True)
    maps, given = random(PAIRS, SIDE, SIDE, DIM), attentions()
    expected = embedder.pool(maps, embedder.rollout_weights(given))
    found = embedder.pool(*there((maps,), dtype), embedder.rollout_weights(there(given, dtype)))
    for name in ("parts", "pooled", "rollout"):
        # The pooling's own weights are float32; a mean of cells may be shorter than they are by a few times.
        close(getattr(found, name), getattr(expected, name), 64 * torch.finfo(torch.float32).eps)


def test_the_distance_of_a_batch_and_its_gradient():
    maps = random(4, DIM, SIDE, SIDE).float()
    results = []
    for device in ("cpu", DEVICE):
        given = maps.to(device).requires_grad_()
        similarity = StructuralSimilarity()(given)
        similarity.sum().backward()
        results.append((similarity.detach().cpu(), given.grad.cpu()))
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("name", ["dinov2-s14", "efficientnet-lite0"])
def test_two_photos_are_explained_alike(name, examples):
    photos = [load_photo(examples / file) for file in ("heron.jpg", "harrier.jpg")]
    here, found = (
        explain(load_model(name, device=str(device)), *photos) for device in ("cpu", DEVICE)
    )
    # Convolutions on a GPU may round to TF32, of 10 bits; features are sums of many such products.
    bound = 1e-5 if DEVICE.type == "cpu" else 5e-3
    assert found.similarity == pytest.approx(here.similarity, abs=bound)
    np.testing.assert_allclose(found.part_similarity, here.part_similarity, atol=10 * bound)
