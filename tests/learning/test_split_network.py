"""A network cut in two computes what it computes whole, and only its trained part learns."""

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from diml_core.errors import InputError
from diml_core.learning.split_network import SplitNetwork
from diml_core.learning.start import principal_head, starting_model
from diml_core.learning.views import square_input, view
from diml_core.network.model import DimlModel
from diml_core.network.model_config import InputConfig, ModelConfig
from diml_core.photo.images import load_photo


def tiny(architecture, options=None, **settings):
    torch.manual_seed(0)
    options = options or ({"img_size": 64} if "vit" in architecture else {})
    config = ModelConfig(
        name="tiny",
        architecture=architecture,
        architecture_options=options,
        input=InputConfig(size=64),
        head=8,
        **settings,
    )
    return DimlModel(config)


SMALL = {"img_size": 64, "depth": 3, "embed_dim": 48, "num_heads": 3}
MODELS = {
    "vit": lambda: tiny(
        "test_vit", layer=5, pooling="rollout", defaults={"grid": 2, "start_block": 4}
    ),
    "vit, parts before the last block": lambda: tiny(
        "test_vit", layer=3, pooling="rollout", defaults={"grid": 2, "start_block": 3}
    ),
    "dinov3": lambda: tiny(
        "vit_small_patch16_dinov3",
        SMALL,
        layer=1,
        pooling="rollout",
        defaults={"grid": 2, "start_block": 1},
    ),
    "eva02": lambda: tiny(
        "eva02_tiny_patch14_224",
        SMALL | {"patch_size": 16},
        layer=2,
        pooling="rollout",
        defaults={"grid": 2, "start_block": 2},
    ),
    "resnet": lambda: tiny("test_resnet", defaults={"grid": 2}),
    "efficientnet": lambda: tiny("test_efficientnet", defaults={"grid": 2}),
    "efficientnet, before its last map": lambda: tiny(
        "test_efficientnet", layer=-2, defaults={"grid": 2}
    ),
    "efficientnet, two maps": lambda: tiny(
        "test_efficientnet", layer=[-2, -1], defaults={"grid": 2}
    ),
    "efficientnet, final map": lambda: tiny(
        "test_efficientnet", layer="final", defaults={"grid": 2}
    ),
    "efficientnet, two maps and the final one": lambda: tiny(
        "test_efficientnet", layer=[-2, "final"], defaults={"grid": 2}
    ),
    "resnet, final map": lambda: tiny("test_resnet", layer="final", defaults={"grid": 2}),
    "resnet, two maps": lambda: tiny("test_resnet", layer=[-2, -1], defaults={"grid": 2}),
}


FROM_EARLIER_BLOCKS = [kind for kind in MODELS if "two maps" in kind or "last map" in kind]


@pytest.mark.parametrize("kind", FROM_EARLIER_BLOCKS)
def test_parts_from_a_frozen_block_are_refused(kind):
    model = MODELS[kind]()
    split = SplitNetwork(model, 0, model.options())
    entered = split.enter(torch.zeros(1, 3, 64, 64))
    with pytest.raises(InputError, match=r"train more blocks \(trained_blocks\)"):
        split.finish(entered, (model.max_grid, model.max_grid))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("beit_base_patch16_224", {"depth": 2, "embed_dim": 48, "num_heads": 3}),
        ("cait_xxs24_224", {"depth": 2}),
        ("mixer_s16_224", {"num_classes": 0}),
        ("swin_tiny_patch4_window7_224", {}),
    ],
)
def test_what_cannot_be_cut_is_trained_whole_or_refused(name, options):
    model = DimlModel(
        ModelConfig(name="uncut", architecture=name, architecture_options=options, head=8)
    )
    with pytest.raises(InputError, match="cannot be cut between blocks: set trained_blocks to -1"):
        SplitNetwork(model, 1, model.options())
    split = SplitNetwork(model, -1, model.options(grid=2))
    images = torch.zeros(1, 3, 224, 224)
    embedding = split.finish(split.enter(images), (model.max_grid, model.max_grid))
    assert embedding.parts.shape == (1, 4, 8)


@pytest.mark.parametrize("trained", [0, 2, -1])
@pytest.mark.parametrize("kind", MODELS)
def test_both_parts_one_after_the_other_are_the_model(kind, trained):
    if trained == 0 and kind in FROM_EARLIER_BLOCKS:
        trained = 1
    model = MODELS[kind]()
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    options = model.options()
    with torch.no_grad():
        feature_map, attentions = model(images)
        embedder = model.embedder(options)
        whole = embedder.pool(feature_map, embedder.rollout_weights(attentions))
        split = SplitNetwork(model, trained, options)
        side = model.backbone.map_side
        cut = split.finish(split.enter(images), (side, side))
    for name in ("parts", "pooled", "rollout"):
        if getattr(whole, name) is not None:
            torch.testing.assert_close(
                getattr(cut, name), getattr(whole, name), atol=1e-5, rtol=1e-4
            )


@pytest.mark.parametrize("kind", MODELS)
def test_only_the_trained_part_gets_gradients(kind):
    model = MODELS[kind]()
    split = SplitNetwork(model, 2, model.options())
    side = model.backbone.map_side
    embedding = split.finish(split.enter(torch.randn(2, 3, 64, 64)), (side, side))
    (embedding.parts[0] @ embedding.pooled[1]).sum().backward()
    stages = list(getattr(model.backbone.network, "blocks", [])) or [
        getattr(model.backbone.network, f"layer{i}") for i in range(1, 5)
    ]
    frozen = [p for stage in stages[:-2] for p in stage.parameters()]
    assert not any(p.requires_grad for p in frozen)
    assert model.head.weight.grad.abs().sum() > 0
    assert any(p.grad is not None and p.grad.any() for p in stages[-2].parameters())


def test_the_rollout_is_trained_too():
    model = MODELS["vit"]()
    split = SplitNetwork(model, 2, model.options())
    side = model.backbone.map_side
    embedding = split.finish(split.enter(torch.randn(1, 3, 64, 64)), (side, side))
    embedding.rollout[0, 0].backward()
    assert model.backbone.network.blocks[5].attn.qkv.weight.grad.any()


def test_more_blocks_than_there_are_is_a_sentence():
    model = MODELS["vit"]()
    with pytest.raises(InputError, match="trained_blocks cannot be 99"):
        SplitNetwork(model, 99, model.options())


def test_a_start_keeps_the_weights_that_still_have_a_place(tmp_path):
    from diml_core.network.checkpoints import save_model

    whole = MODELS["vit"]()
    save_model(whole, tmp_path / "start")
    changes = {"architecture_options": {"img_size": 64, "depth": 4}, "layer": 3, "head": 5}
    changes["defaults"] = {"grid": 2, "start_block": 3}
    shorter = starting_model(str(tmp_path / "start"), changes)
    assert len(shorter.backbone.network.blocks) == 4
    assert shorter.dim == 5
    stored = whole.backbone.network.blocks[3].mlp.fc1.weight.half().float()
    assert torch.equal(shorter.backbone.network.blocks[3].mlp.fc1.weight, stored)
    deeper = {"architecture_options": {"img_size": 64, "depth": 12}}
    with pytest.raises(InputError, match="has no weights for"):
        starting_model(str(tmp_path / "start"), deeper)


def test_a_principal_head_keeps_cosines_of_what_varies():
    random = torch.Generator().manual_seed(0)
    basis = torch.linalg.qr(torch.randn(12, 12, generator=random))[0]
    features = torch.randn(200, 4, generator=random) @ basis[:4] + 3 * basis[5]
    head = torch.nn.Linear(12, 4)
    principal_head(head, features)
    centred = normalize(features - features.mean(0), dim=-1)
    reduced = normalize(head(features), dim=-1)
    torch.testing.assert_close(reduced @ reduced.T, centred @ centred.T, atol=1e-4, rtol=0)


def test_a_view_says_where_its_points_came_from(examples):
    model = MODELS["resnet"]()
    photo = load_photo(examples / "heron.jpg")
    random = np.random.default_rng(3)
    seen, warp = view(photo, random, least_crop=0.4, colour_jitter=0.0)
    inverse = np.linalg.inv(warp)
    pixels, original = np.asarray(seen, float), np.asarray(photo.image, float)
    for x, y in ((0.3, 0.4), (0.6, 0.7), (0.5, 0.2)):
        there = inverse @ [x, y, 1]
        here = pixels[int(y * seen.height) - 2 : int(y * seen.height) + 3,
                      int(x * seen.width) - 2 : int(x * seen.width) + 3].mean((0, 1))  # fmt: skip
        row, column = int(there[1] * photo.image.height), int(there[0] * photo.image.width)
        true = original[row - 2 : row + 3, column - 2 : column + 3].mean((0, 1))
        np.testing.assert_allclose(here, true, atol=12)
    assert square_input(model, seen).shape == (3, 64, 64)


def test_a_model_can_be_trained_after_it_explained():
    model = MODELS["vit"]()
    side = model.backbone.map_side
    split = SplitNetwork(model, 1, model.options(grid=3))  # a grid that no other test here pools to
    states = split.enter(torch.randn(1, 3, 64, 64))
    with torch.inference_mode():
        split.finish(states.clone(), (side, side))
    split.finish(states, (side, side)).parts.square().sum().backward()
    assert model.head.weight.grad is not None
