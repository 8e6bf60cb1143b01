"""Models in, models out: shipped ones, authors' files, timm names, and files that must not be trusted."""

import copy
import json
import pickle
import re
from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch
from malicious import Malicious

from diml_core import explain, load_model, load_photo
from diml_core.errors import InputError
from diml_core.network.checkpoints import SHIPPED, save_model, shipped_models
from diml_core.network.preprocessing import to_tensor

BEFORE_TRAINING = "efficientnet-lite0-imagenet"


def test_the_shipped_models():
    assert shipped_models() == ["efficientnet-lite0", "dinov2-s14", BEFORE_TRAINING]


@pytest.mark.parametrize("name", shipped_models())
def test_a_shipped_model_is_complete(name):
    folder = SHIPPED / name
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlicense: apache-2.0")
    config = json.loads((folder / "config.json").read_text())
    if name == BEFORE_TRAINING:
        assert "Backbone only, not trained with DIML" in card
    else:
        assert config["trained_with_diml"]
        assert "**trained with DIML**" in card
        # What was measured, after and before; an unfilled place of the template is no figure.
        assert card.count("### Against the start, photos") == 1
        assert card.count("### Keypoints on plain photos") == 2
        assert card.index("### Against the start, photos") < card.index("### Parts on the object")
        assert "<!--" not in card
        # The config in the repository is the one that made the model.
        run = json.loads(card.split("```json\n")[1].split("```")[0])
        published = json.loads((SHIPPED.parent / "configs" / f"{name}.json").read_text())
        assert {key: run[key] for key in published} == published
    tensors = safetensors.torch.load_file(folder / "model.safetensors")
    assert {t.dtype for t in tensors.values() if t.is_floating_point()} == {torch.float16}
    model = load_model(name)
    assert not model.training
    assert next(model.parameters()).dtype == torch.float32


def test_efficientnet_recognises_what_is_on_the_example_photos(examples):
    """The rebuilt network must be the network: it classifies, though we never use its classifier."""
    cnn = load_model(BEFORE_TRAINING)
    labels = json.loads((examples / "labels.json").read_text())
    config = cnn.config.input
    right = 0
    for name, classes in labels.items():
        photo = load_photo(examples / name)
        image = to_tensor(photo.image, (7, 7), 32, config.mean, config.std, config.interpolation)
        with torch.inference_mode():
            top = cnn.backbone.network(image[None])[0].topk(5).indices.tolist()
        right += bool(set(top) & set(classes))
    assert len(labels) >= 15
    assert right == len(labels)


def test_the_trained_efficientnet_keeps_what_was_frozen(cnn):
    """Stem, first stages and depthwise convolutions are those of the network that classifies, others are not."""
    before, after = load_model(BEFORE_TRAINING).state_dict(), cnn.state_dict()
    same = {key: torch.equal(before[key], value) for key, value in after.items() if key in before}
    frozen = r"conv_stem|blocks\.[012]\.|conv_dw"
    assert all(same[key] for key in same if re.search(frozen, key))
    assert not any(same[k] for k in same if re.search(r"blocks\.[3456]\..*conv_pwl?\.weight", k))
    assert not same["backbone.network.conv_head.weight"]


def authors_file(path, *, diml, prefixed, dim=128):
    """A training state in exactly the format that the authors' script saves."""
    network = timm.create_model("resnet50", num_classes=0)
    for (
        name,
        buffer,
    ) in network.named_buffers():  # statistics that an untrained network does not have
        if name.endswith("running_mean"):
            buffer.normal_(std=0.1)
    head = torch.nn.Linear(2048, dim)
    state = {f"model.{key}": value for key, value in network.state_dict().items()}
    state["model.last_linear.weight"] = (
        head.weight.data[..., None, None] if diml else head.weight.data
    )
    state["model.last_linear.bias"] = head.bias.data
    blocks = [("conv1", "0"), ("bn1", "0")] + [(f"layer{i}", str(i)) for i in range(1, 5)]
    for key in list(network.state_dict()):
        for module, index in blocks:
            if key.startswith(f"{module}."):
                state[f"layer_blocks.{index}.{key}"] = network.state_dict()[key]
    if prefixed:
        state = {f"module.{key}": value for key, value in state.items()}
    stored = {
        "model": state,
        "optimizer": {"state": {}, "param_groups": []},
        "metrics": {"R@1": [0.5]},
        "best_metrics": {},
        "epoch": 3,
    }
    torch.save(stored, path)
    return network.eval(), head


@pytest.mark.parametrize("diml", [False, True])
@pytest.mark.parametrize("prefixed", [False, True])
def test_an_authors_checkpoint_is_the_network_it_came_from(tmp_path, examples, diml, prefixed):
    torch.manual_seed(0)
    network, head = authors_file(tmp_path / "cub_diml.pth", diml=diml, prefixed=prefixed)
    model = load_model(tmp_path / "cub_diml.pth")
    assert model.config.trained_with_diml is diml
    assert model.dim == 128
    images = torch.randn(1, 3, 224, 224)
    with torch.inference_mode():
        found, _ = model(images)
        map_ = network.forward_features(images)
        expected = head(map_.permute(0, 2, 3, 1))
        embedding = model.embedder(model.options()).pool(found, None)
        # Their resize: the 7 x 7 map to 16 x 16, then averaged to 4 x 4; head and resize are linear.
        large = torch.nn.functional.interpolate(map_, size=16, mode="bilinear", align_corners=True)
        cells = head(torch.nn.functional.avg_pool2d(large, 4).flatten(2).mT)
        pooled = cells.mean(1) if diml else head(map_.mean((2, 3)))
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    unit = torch.nn.functional.normalize
    torch.testing.assert_close(embedding.parts, unit(cells, dim=-1), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(embedding.pooled, unit(pooled, dim=-1), atol=1e-5, rtol=1e-4)
    result = explain(model, examples / "heron.jpg", examples / "harrier.jpg")
    assert result.plan.shape[0] <= 16


@pytest.mark.parametrize("through_torch", [False, True])
def test_a_checkpoint_is_never_unpickled(tmp_path, through_torch):
    path, target = tmp_path / "evil.pth", tmp_path / "executed"
    payload = {"model": {"model.conv1.weight": Malicious(target)}}
    if through_torch:
        torch.save(payload, path)
    else:
        path.write_bytes(pickle.dumps(payload))
    with pytest.raises(InputError, match="code in checkpoints is never run here"):
        load_model(path)
    assert not target.exists()


@pytest.mark.parametrize("content", [b"", b"\x80\x04garbage", b"PK\x03\x04"])
def test_a_damaged_pth_is_refused(tmp_path, content):
    path = tmp_path / "damaged.pth"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"damaged\.pth"):
        load_model(path)


def test_a_pth_of_something_else_is_refused(tmp_path):
    torch.save({"model": {"model.fc.weight": torch.zeros(2)}}, tmp_path / "other.pth")
    with pytest.raises(InputError, match="no ResNet-50 checkpoint of the DIML authors"):
        load_model(tmp_path / "other.pth")


@pytest.mark.parametrize("name", ["", "nonsense", "/nowhere/at/all", "../checkpoints"])
def test_an_unknown_model_lists_what_there_is(name):
    with pytest.raises(InputError, match="efficientnet-lite0, dinov2-s14"):
        load_model(name)


def test_an_unknown_timm_name_is_one_sentence():
    with pytest.raises(InputError, match="no_such_network"):
        load_model("timm:no_such_network")


def test_without_the_hub_a_timm_model_is_one_clear_sentence(monkeypatch):
    def offline(*args, **kwargs):
        raise ConnectionError("no route to host")

    monkeypatch.setattr("timm.models._hub.hf_hub_download", offline)
    monkeypatch.setattr("timm.models._builder.load_state_dict_from_hf", offline)
    with pytest.raises(InputError, match="check the connection to the Hugging Face hub"):
        load_model("timm:resnet18")


def test_a_timm_model_works_once_its_weights_are_there(monkeypatch, examples):
    create = timm.create_model
    monkeypatch.setattr(
        timm, "create_model", lambda name, **k: create(name, **k | {"pretrained": False})
    )
    for name in ("resnet18", "deit_tiny_patch16_224"):
        model = load_model(f"timm:{name}")
        assert model.name == f"timm:{name}"
        e = explain(model, examples / "heron.jpg", examples / "harrier.jpg")
        assert abs(e.similarity - (e.global_similarity + e.contribution.sum()) / 2) < 1e-6
        assert (e.rollout_a is not None) == name.startswith("deit")


def test_saving_and_loading_gives_the_same_scores(cnn, tmp_path, examples):
    save_model(cnn, tmp_path / "copy")
    again = load_model(tmp_path / "copy")
    assert again.config == cnn.config
    pair = (examples / "cat.jpg", examples / "kitten.jpg")
    assert (
        explain(again, *pair).similarity == explain(cnn, *pair).similarity
    )  # both came from float16


def test_what_float16_cannot_hold_is_kept_as_it_is(cnn, tmp_path):
    large = copy.deepcopy(cnn)
    norm = next(m for m in large.modules() if isinstance(m, torch.nn.BatchNorm2d))
    norm.running_var[0] = 1e6
    save_model(large, tmp_path / "large")
    again = load_model(tmp_path / "large").state_dict()
    for name, value in large.state_dict().items():
        torch.testing.assert_close(again[name], value, rtol=1e-3, atol=1e-4)
    assert sorted(p.name for p in (tmp_path / "large").iterdir()) == [
        "config.json",
        "model.safetensors",
    ]


def test_an_interrupted_save_leaves_the_old_model(cnn, tmp_path, monkeypatch):
    save_model(cnn, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def interrupted(tensors, path, **_):
        Path(path).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(safetensors.torch, "save_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_model(cnn, tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    load_model(tmp_path)


@pytest.mark.parametrize(
    "damage", ["config", "weights", "missing", "unknown key", "unknown pooling", "truncated"]
)
def test_a_damaged_folder_is_one_sentence(tmp_path, damage):
    source = SHIPPED / "efficientnet-lite0"
    config = json.loads((source / "config.json").read_text())
    weights = (source / "model.safetensors").read_bytes()
    if damage == "config":
        text = "{"
    elif damage == "unknown key":
        text = json.dumps(config | {"colour": "blue"})
    elif damage == "unknown pooling":
        text = json.dumps(config | {"pooling": "magic"})
    else:
        text = json.dumps(config)
    (tmp_path / "config.json").write_text(text)
    if damage == "weights":
        weights = (SHIPPED / "dinov2-s14" / "model.safetensors").read_bytes()
    if damage == "truncated":
        weights = weights[:5000]
    if damage != "missing":
        (tmp_path / "model.safetensors").write_bytes(weights)
    with pytest.raises(InputError) as caught:
        load_model(tmp_path)
    assert Path(str(tmp_path)).name in str(caught.value) or "config" in str(caught.value)
    assert "\n" not in str(caught.value)
