"""Attention rollout against a product written out by hand, and on timm models of every kind."""

import copy
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from diml_core import explain
from diml_core.embedding.embedder import Embedder
from diml_core.embedding.rollout import attention_rollout, fused_heads, keep_mass, patch_rollout
from diml_core.errors import InputError
from diml_core.network.backbones import Backbone
from diml_core.photo.images import load_photo


def attentions(blocks=4, heads=3, tokens=6, seed=0):
    random = torch.Generator().manual_seed(seed)
    return [torch.randn(heads, tokens, tokens, generator=random).softmax(-1) for _ in range(blocks)]


def by_hand(matrices, fuse):
    """The definition, in numpy and without any shortcut."""
    product = None
    for matrix in matrices:
        fused = fuse(matrix.double().numpy())
        fused = fused / fused.sum(1, keepdims=True)
        step = (fused + np.eye(len(fused))) / 2
        product = step if product is None else step @ product
    return product


@pytest.mark.parametrize(
    ("fusion", "fuse"),
    [("mean", lambda a: a.mean(0)), ("max", lambda a: a.max(0)), ("min", lambda a: a.min(0))],
)
@pytest.mark.parametrize("start", [0, 2, 3, -1])
def test_rollout_is_the_product_written_out(fusion, fuse, start):
    given = attentions()
    expected = by_hand(given[start:], fuse)
    found = attention_rollout(given, start_block=start, head_fusion=fusion)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(found.sum(-1), 1, atol=1e-6)
    some = attention_rollout(given, start_block=start, head_fusion=fusion, rows=[0, 4])
    np.testing.assert_allclose(some, expected[[0, 4]], atol=1e-6)


def test_blocks_before_the_start_need_not_be_recorded():
    given = attentions()
    partial = [None, None, *given[2:]]
    torch.testing.assert_close(
        attention_rollout(partial, start_block=2), attention_rollout(given, start_block=2)
    )
    with pytest.raises(InputError, match="was not recorded"):
        attention_rollout(partial, start_block=1)


@pytest.mark.parametrize("fusion", ["mean", "max", "min"])
@pytest.mark.parametrize("afterwards", ["mean", "max", "min"])
def test_heads_that_were_fused_before_have_the_same_rollout(fusion, afterwards):
    given = [None, *attentions()[1:]]
    fused = fused_heads(given, fusion)
    assert [each is None or each.shape for each in fused] == [True, *[(1, 6, 6)] * 3]
    assert torch.equal(
        attention_rollout(fused, start_block=1, head_fusion=afterwards),
        attention_rollout(given, start_block=1, head_fusion=fusion),
    )


def test_kept_mass_keeps_the_smallest_set_that_holds_it():
    weights = torch.tensor([[0.5, 0.3, 0.15, 0.05], [0.1, 0.2, 0.3, 0.4]])
    kept = keep_mass(weights, 0.75)
    expected = torch.tensor([[0.5 / 0.8, 0.3 / 0.8, 0, 0], [0, 0.2 / 0.9, 0.3 / 0.9, 0.4 / 0.9]])
    torch.testing.assert_close(kept, expected)
    torch.testing.assert_close(keep_mass(weights, 1.0), weights)
    assert (keep_mass(weights, 1e-6) > 0).sum(-1).tolist() == [1, 1]


def test_a_row_of_zeros_under_min_fusion_keeps_to_itself():
    blocks = [torch.stack([torch.eye(3), torch.eye(3).roll(1, 0)])]
    torch.testing.assert_close(attention_rollout(blocks, head_fusion="min"), torch.eye(3))


def test_patch_rollout_drops_the_prefix():
    torch.testing.assert_close(
        patch_rollout(torch.tensor([0.5, 0.1, 0.3, 0.1]), 2), torch.tensor([0.75, 0.25])
    )


def test_a_row_that_reaches_no_patch_is_refused():
    with pytest.raises(InputError, match="another head fusion"):
        patch_rollout(torch.tensor([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]), 1)


@pytest.mark.parametrize("kept_mass", [0.2, 0.5, 0.6])
def test_the_prefix_is_dropped_before_mass_is_kept(kept_mass):
    """The class token keeps at least half of its own row: kept first, it left nothing for patches."""
    row = torch.tensor([0.55, 0.2, 0.12, 0.08, 0.05])
    patches = row[1:] / row[1:].sum()
    kept = patch_rollout(row, 1, kept_mass)
    torch.testing.assert_close(kept, keep_mass(patches, kept_mass))
    assert (kept > 0).sum() == {0.2: 1, 0.5: 2, 0.6: 2}[kept_mass]


def test_pooling_by_rollout_needs_attention(vit, examples):
    features = vit.extract(load_photo(examples / "heron.jpg"), None)
    with pytest.raises(InputError, match="no attention was recorded"):
        explain(vit, features, features, marginals="uniform")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"start_block": 4}, "blocks are 0 to 3"),
        ({"head_fusion": "median"}, "mean, max, min"),
    ],
)
def test_bad_settings_get_a_sentence(change, words):
    with pytest.raises(InputError, match=words):
        attention_rollout(attentions(), **change)


@pytest.mark.parametrize("kept_mass", [0, 1.1, -1])
def test_a_kept_mass_outside_its_range_is_refused(kept_mass):
    with pytest.raises(InputError, match="above 0 and at most 1"):
        patch_rollout(torch.tensor([0.5, 0.5]), 1, kept_mass)


def test_no_attention_says_which_models_have_it():
    with pytest.raises(InputError, match="choose a ViT, DeiT or DINOv2"):
        attention_rollout(())


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("deit_tiny_patch16_224", 1),
        ("deit_tiny_distilled_patch16_224", 2),
        ("vit_tiny_patch16_224", 1),
        ("vit_small_patch14_reg4_dinov2", 5),
        ("vit_medium_patch16_gap_256", 0),
    ],
)
def test_timm_transformers_of_every_prefix(name, prefix):
    side = 256 if "256" in name else 112 if "patch14" in name else 224  # small enough to be quick
    backbone = Backbone(name, input_size=side)
    images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        output = backbone(images, attention_from=0)
        plain = backbone(images, attention_from=None)
    assert backbone.prefix_tokens == prefix
    assert len(output.attentions) == backbone.attention_blocks == len(backbone.network.blocks)
    tokens = prefix + output.map.shape[-1] * output.map.shape[-2]
    for attention in output.attentions:
        assert attention.shape == (2, attention.shape[1], tokens, tokens)
        torch.testing.assert_close(attention.sum(-1), torch.ones_like(attention[..., 0]))
    # Looking at the attention must not change what the network computes.
    torch.testing.assert_close(output.map, plain.map, atol=1e-4, rtol=1e-4)
    rows = attention_rollout(output.attentions, rows=[0])
    torch.testing.assert_close(patch_rollout(rows, prefix).sum(-1), torch.ones(2, 1))


def test_recorded_attention_is_what_the_block_computes():
    backbone = Backbone("deit_tiny_patch16_224")
    images = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    inputs = []
    block = backbone.network.blocks[5].attn
    handle = block.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
    with torch.no_grad():
        found = backbone(images, attention_from=0).attentions[5]
        handle.remove()
        qkv = block.qkv(inputs[0]).reshape(1, 197, 3, block.num_heads, -1).permute(2, 0, 3, 1, 4)
        expected = (qkv[0] * block.scale @ qkv[1].mT).softmax(-1)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_threads_that_share_a_network_record_their_own_images():
    """And one that does not record sees the network as it is; so does a copy of it."""
    backbone = Backbone("test_vit", input_size=64)
    random = torch.Generator().manual_seed(2)
    images = torch.randn(8, 1, 3, 64, 64, generator=random)

    def look(index):
        with torch.no_grad():
            output = backbone(images[index], attention_from=None if index % 4 == 3 else index % 3)
        return output

    alone = [look(index) for index in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            for found, expected in zip(pool.map(look, range(8)), alone, strict=True):
                torch.testing.assert_close(found.map, expected.map)
                for a, b in zip(found.attentions, expected.attentions, strict=True):
                    assert (a is None) == (b is None)
                    if a is not None:
                        torch.testing.assert_close(a, b)
    backbone = copy.deepcopy(backbone)
    torch.testing.assert_close(look(0).attentions, alone[0].attentions)


@pytest.mark.parametrize("name", ["resnet18", "swin_tiny_patch4_window7_224"])
def test_models_without_global_attention_have_none(name):
    backbone = Backbone(name)
    assert backbone.attention_blocks == 0
    with torch.no_grad():
        output = backbone(torch.zeros(1, 3, 224, 224), attention_from=0)
    assert output.attentions == ()
    assert output.map.shape[1] == backbone.channels


def test_a_network_that_is_no_image_model_is_refused():
    with pytest.raises(InputError):
        Backbone("no_such_network")


def test_where_each_part_looked_is_its_tokens_rollout(vit, examples):
    features = vit.extract(load_photo(examples / "heron.jpg"))
    shape = tuple(features.map.shape[:2])
    finest = vit.options(grid=vit.max_grid, start_block=9)
    rows = vit.embedder(finest).part_rollout(shape, features.attentions).flatten(1)
    torch.testing.assert_close(rows.sum(-1), torch.ones(len(rows)))
    full = attention_rollout(features.attentions, start_block=9)
    if len(rows) == shape[0] * shape[1]:  # one part per token
        torch.testing.assert_close(rows, patch_rollout(full[1:], 1), atol=1e-5, rtol=1e-4)
    coarse = vit.embedder(vit.options(grid=1, start_block=9)).part_rollout(
        shape, features.attentions
    )
    expected = patch_rollout(full[1:], 1).mean(0).reshape(shape)
    torch.testing.assert_close(coarse[0], expected, atol=1e-5, rtol=1e-4)


def test_all_of_the_rollout_reaches_the_parts_however_cells_are_pooled():
    weights = torch.rand(7 * 7, generator=torch.Generator().manual_seed(0))
    weights = weights / weights.sum()
    cells = torch.ones(7, 7, 3)
    by_area, resampled = (
        Embedder(grid=4, pooling="rollout", grid_pooling=name).pool(cells, weights).rollout
        for name in ("area", "resampled")
    )
    torch.testing.assert_close(resampled.sum(), torch.tensor(1.0))
    torch.testing.assert_close(resampled, by_area)
