"""Nothing asks an Apple GPU for float64, which it does not have."""

import contextlib
import types

import numpy as np
import pytest
import torch
from apple_gpu import GPU, AppleGpu
from PIL import Image
from tiny_start import save_start
from torch import nn

pytest.importorskip(
    "accelerate", reason="no accelerate here: pip install -r requirements-train.txt"
)

from diml_core.data.base import LabelledImages
from diml_core.data.scenes import SceneTruth
from diml_core.learning.config import TrainConfig
from diml_core.learning.plans import plans
from diml_core.learning.start import classifier_head, principal_head
from diml_core.learning.training import Training


def test_the_stand_in_has_no_float64():
    with AppleGpu():
        there = torch.ones(3, device=GPU)
        assert there.cpu().double().sum() == 3
        for refused in (
            there.double,
            lambda: torch.ones(3, dtype=torch.float64).to(GPU),
            lambda: torch.ones(3, dtype=torch.float64, device=GPU),
        ):
            with pytest.raises(TypeError, match="float64"):
                refused()
        with pytest.raises(RuntimeError, match="same device"):
            there + torch.ones(3)


@pytest.fixture
def run(tmp_path):
    """A run on known objects with every loss that a run can have."""
    random = np.random.default_rng(0)
    pairs = []
    for index in range(12):
        path = tmp_path / f"{index}.png"
        Image.fromarray(random.integers(0, 256, (64, 64, 3), np.uint8)).save(path)
        pairs.append((f"class {index // 3}", path))
    images = LabelledImages.from_pairs("scenes", "train", pairs)
    masks = np.zeros((12, 64, 64), np.uint8)
    masks[:, 16:48, 16:48] = 255
    truth = SceneTruth(masks, np.tile(np.eye(3), (12, 1, 1)))
    save_start(tmp_path / "start")
    chosen = TrainConfig(
        start=str(tmp_path / "start"), model={"head": 16}, trained_blocks=1, views=2,
        classes_per_batch=4, images_per_class=3, validation_share=0, least_crop=0.9,
        correspondence=1.0, object_mass=1.0, preserve=1.0, preserve_regions=1.0,
    )  # fmt: skip
    return Training(chosen, images, tmp_path / "run", truth=truth, progress=False)


def test_every_loss_is_the_same_there(run, monkeypatch):
    expected = {name: value.item() for name, value in run.losses().items()}
    assert len(expected) == 5
    assert all(expected.values())
    network = run.learner

    def on_gpu(states):
        return tuple(output.to(GPU) for output in network(states.cpu()))

    run.wrapped = on_gpu
    run.accelerator = types.SimpleNamespace(device=GPU, num_processes=1, process_index=0)
    autocast = torch.autocast

    def unless_there(kind, *arguments, **named):  # which knows no such device
        return contextlib.nullcontext() if kind == GPU.type else autocast(kind, *arguments, **named)

    monkeypatch.setattr(torch, "autocast", unless_there)
    with AppleGpu():
        found = run.losses()
        assert {name: value.item() for name, value in found.items()} == pytest.approx(expected)
        sum(found.values()).backward()
    assert run.split.model.head.weight.grad.any()


def test_small_epsilons_are_solved_there():
    random = torch.Generator().manual_seed(0)
    similarity = torch.rand(6, 6, 2, generator=random)
    even = torch.full((6, 2), 1 / 6)
    settings = {"epsilon": 0.005, "iterations": 2000}  # which Newton steps have to finish
    expected = plans(similarity, even, even, **settings)
    with AppleGpu():
        found = plans(similarity.to(GPU), even.to(GPU), even.to(GPU), **settings).cpu()
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("kind", ["pca", "classifier"])
def test_a_head_is_started_there(kind):
    torch.manual_seed(0)
    features, classifier, start = torch.randn(50, 4, 12), nn.Linear(12, 20), nn.Linear(12, 8)

    def weights(device):
        there = nn.Linear(12, 20), nn.Linear(12, 8)
        for module, values in zip(there, (classifier, start), strict=True):
            for name, value in values.named_parameters():
                setattr(module, name, nn.Parameter(value.detach().clone().to(device)))
        known, head = there
        if kind == "pca":
            principal_head(head, features.flatten(0, 1).to(device))
        else:
            classifier_head(head, known, features.to(device), centre=0.3, seed=0)
        return head.weight.detach().cpu(), head.bias.detach().cpu()

    expected = weights(torch.device("cpu"))
    with AppleGpu():
        found = weights(GPU)
    torch.testing.assert_close(found, expected)
