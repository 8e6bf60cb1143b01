"""Checkpoints that are damaged, made by hand or made to harm: each is refused in one sentence."""

import json
import random

import pytest
import torch
from tiny_model import save_tiny

from diml_core.errors import InputError
from diml_core.network.checkpoints import load_model


def refusal(name):
    with pytest.raises(InputError) as caught:
        load_model(name)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert len(sentence) < 700  # the folders of the tests have long names
    return sentence


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A folder that loads."""
    folder = tmp_path_factory.mktemp("sound")
    save_tiny(folder)
    assert load_model(folder).dim
    return folder


@pytest.fixture
def altered(sound, tmp_path):
    """A copy of it with another config.json."""

    def write(content):
        (tmp_path / "model.safetensors").write_bytes((sound / "model.safetensors").read_bytes())
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        (tmp_path / "config.json").write_bytes(raw)
        return tmp_path

    return write


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\x93\xff\x00", b"NaN", b"[" * 200_000, [], 3, None, "text", {}, {"name": "a"}],
)
def test_a_config_that_is_none(altered, content):
    refusal(altered(content))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format", 2), ("format", "x"),
        ("name", 3), ("name", None), ("title", 3), ("trained_with_diml", "yes"),
        ("architecture", 3), ("architecture", ""), ("architecture", "nope"), ("architecture", ["a"]),
        ("architecture_options", 3), ("architecture_options", {"nope": 1}),
        ("architecture_options", {"num_classes": "x"}), ("architecture_options", {"in_chans": -1}),
        ("architecture_options", {"checkpoint_path": "model.pth"}),
        ("layer", "x"), ("layer", 99), ("layer", -99), ("layer", 1.5), ("layer", None), ("layer", 10**9),
        ("layer", []), ("layer", [99]), ("layer", [-1, "x"]), ("layer", [[-1]]), ("layer", {"a": 1}),
        ("head", "x"), ("head", -1), ("head", 0), ("head", 1.5), ("head", 10**12), ("head", True),
        ("input", 3), ("input", {"size": 0}), ("input", {"size": "x"}), ("input", {"size": 10**9}),
        ("input", {"size": 1}), ("input", {"colour": 1}), ("input", {"mean": 1}), ("input", {"mean": [1]}),
        ("input", {"mean": ["a", "b", "c"]}), ("input", {"std": [0, 0, 0]}),
        ("input", {"std": [1, 1, float("inf")]}), ("input", {"interpolation": "magic"}),
        ("pooling", "nope"), ("pooling", 3), ("pooling", ["mean"]), ("pooling", "rollout"),
        ("grid_pooling", "x"), ("grid_pooling", {}),
        ("defaults", 3), ("defaults", {"grid": 0}), ("defaults", {"grid": "x"}), ("defaults", {"nope": 1}),
        ("defaults", {"marginals": "nope"}), ("defaults", {"marginals": ["uniform"]}),
        ("defaults", {"marginals": "rollout"}), ("defaults", {"start_block": 3}), ("defaults", {"mass": 9}),
        ("defaults", {"epsilon": None}), ("colour", "blue"),
    ],
)  # fmt: skip
def test_a_config_with_an_impossible_value(sound, altered, key, value):
    config = json.loads((sound / "config.json").read_text())
    refusal(altered(config | {key: value}))


def test_weights_that_do_not_fit_are_named_one_at_a_time(sound, altered):
    config = json.loads((sound / "config.json").read_text())
    assert "head.weight is missing" in refusal(altered(config | {"head": 4}))
    folder = altered(config)
    (folder / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    assert "is missing" in refusal(folder)


@pytest.mark.parametrize("content", [b"", b"hello", (2**60).to_bytes(8, "little") + b"{}", None])
def test_weights_that_are_none(altered, sound, content):
    folder = altered(json.loads((sound / "config.json").read_text()))
    (folder / "model.safetensors").unlink()
    if content is None:
        (folder / "model.safetensors").mkdir()
    else:
        (folder / "model.safetensors").write_bytes(content)
    refusal(folder)


HEADLESS = {"model.layer4.2.conv3.weight": torch.zeros(2), "model.last_linear.bias": torch.zeros(4)}


@pytest.mark.parametrize(
    "stored",
    [
        [], {}, "text", {1: 2}, torch.zeros(3), {"model": 3}, {"model": [1]}, {"model": {}},
        {"model": {1: torch.zeros(2)}},
        {"model": HEADLESS},
        {"model": HEADLESS | {"model.last_linear.weight": 3}},
        {"model": HEADLESS | {"model.last_linear.weight": torch.zeros(())}},
        {"model": HEADLESS | {"model.last_linear.weight": torch.zeros(0, 2048)}},
        {"model": HEADLESS | {"model.last_linear.weight": torch.zeros(4, 2048)}},
    ],
)  # fmt: skip
def test_a_pth_of_something_else(tmp_path, stored):
    torch.save(stored, tmp_path / "odd.pth")
    assert "odd.pth" in refusal(tmp_path / "odd.pth")


@pytest.mark.parametrize(
    "content", [b"", b"hello world", b"GIF89a", b'{"model": 1}', b"PK\x03\x04abc"]
)
def test_a_pth_that_is_none(tmp_path, content):
    (tmp_path / "odd.pth").write_bytes(content)
    refusal(tmp_path / "odd.pth")


def test_a_pth_with_a_few_other_bytes(tmp_path):
    torch.save({"model": HEADLESS}, tmp_path / "odd.pth")
    whole = (tmp_path / "odd.pth").read_bytes()
    for seed in range(40):
        chance = random.Random(seed)
        damaged = bytearray(whole[: chance.randrange(len(whole))] if seed % 4 == 0 else whole)
        for _ in range(8):
            if damaged:
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        (tmp_path / "odd.pth").write_bytes(bytes(damaged))
        refusal(tmp_path / "odd.pth")


@pytest.mark.parametrize(
    "name", ["a" * 5000, "a\0b", "timm:", "timm:../x", "timm:" + "a" * 5000, "."]
)
def test_a_name_that_is_none(name):
    refusal(name)


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 200_000, b"[]", b"{}", b'{"format": 1}'])
def test_a_scale_that_is_none(sound, altered, content):
    folder = altered(json.loads((sound / "config.json").read_text()))
    (folder / "scale.json").write_bytes(content)
    assert "scale.json" in refusal(folder)
