"""ZeroGPU, through a stand-in of its package ``spaces``: what is decorated, when a GPU is borrowed, and for whom."""

import importlib.util
import io
import pickle
import sys
import threading
from multiprocessing.reduction import ForkingPickler
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
import torch
from gradio.context import LocalContext
from PIL import Image

from app import hardware, service
from app.page import build_page
from app.service import Explorer
from diml_core import load_model
from diml_core.embedding.rollout import fused_heads
from diml_core.errors import InputError
from diml_core.network.checkpoints import shipped_models
from diml_core.photo.images import load_photo

CNN, VIT = "efficientnet-lite0", "dinov2-s14"


class Spaces:
    """The package as its version 0.51 behaves: the function runs elsewhere, and what goes in and out is pickled.

    Attributes: decorated functions by their durations, calls so far, and what is raised instead of the next.
    """

    def __init__(self):
        self.durations, self.calls, self.refusal = {}, [], None

    def GPU(self, duration):
        return lambda function: self.decorated(function, duration)

    def decorated(self, function, duration):
        self.durations[function.__name__] = duration

        def lent(*arguments):
            self.calls.append(arguments[0])
            if self.refusal:
                raise self.refusal
            sent, answers = sent_over(arguments), []
            # Whether a thread records gradients is its own affair.
            thread = threading.Thread(target=lambda: answers.append(sent_over(function(*sent))))
            thread.start()
            thread.join()
            return answers[0]

        return lent


def sent_over(value):
    file = io.BytesIO()
    ForkingPickler(file).dump(value)
    return pickle.loads(file.getvalue())


@pytest.fixture
def spaces(monkeypatch):
    """A Space on ZeroGPU. The GPU copies of the models are on the processor, and named by the device asked for."""
    there, asked = Spaces(), []
    monkeypatch.setitem(sys.modules, "spaces", there)
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    spec = importlib.util.spec_from_file_location("hardware_there", hardware.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def load(name, device):
        asked.append((name, device))
        return load_model(name)

    monkeypatch.setattr(module, "load_model", load)
    monkeypatch.setattr(service, "forward_of", module.forward_of)
    there.asked = asked
    return there


@pytest.fixture
def visitor():
    """While it lasts, a visitor's request is being answered."""
    token = LocalContext.request.set(SimpleNamespace(session_hash="me"))
    yield
    LocalContext.request.reset(token)


def photo(seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (32, 32, 3), np.uint8)
    return load_photo(Image.fromarray(pixels), name=f"{seed}.png")


def test_elsewhere_the_network_is_the_models_own(cnn):
    assert hardware.forward_of(cnn) == cnn.forward
    assert not hardware.ZERO_GPU


def test_the_network_is_decorated_with_its_duration_and_nothing_else(spaces):
    build_page(Explorer())
    assert list(spaces.durations.values()) == [hardware.SECONDS]


def test_when_the_page_is_launched_every_model_is_on_the_gpu_and_none_was_borrowed(spaces):
    build_page(Explorer())
    assert sorted(spaces.asked) == sorted((name, "cuda") for name in shipped_models())
    assert spaces.calls == []
    assert not torch.backends.cudnn.allow_tf32


@pytest.mark.parametrize("name", [CNN, VIT])
def test_a_visitor_borrows_it_once_per_photo_and_gets_the_same_numbers(spaces, visitor, name):
    explorer = Explorer()
    found = [explorer.features(name, photo(1)) for _ in range(3)]
    assert spaces.calls == [name]
    expected = load_model(name).extract(photo(1))
    # The same network on the same processor.
    torch.testing.assert_close(found[-1].map, expected.map, rtol=2**-10, atol=1e-5)
    assert len(found[0].attentions) == len(expected.attentions)
    fused = fused_heads(expected.attentions, "mean")
    for ours, theirs in zip(found[0].attentions, fused, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
    assert not found[0].map.requires_grad


def test_a_comparison_of_known_photos_borrows_nothing(spaces, visitor):
    explorer = Explorer()
    explorer.compare(CNN, photo(1).image, photo(2).image)
    assert len(spaces.calls) == 2
    for grid in (2, 4, 7):
        explorer.compare(CNN, photo(2).image, photo(1).image, grid=grid)
    assert len(spaces.calls) == 2


def test_what_nobody_asked_for_runs_on_the_processor(spaces):
    Explorer().features(CNN, photo(1))
    assert spaces.calls == []


def test_a_visitor_without_quota_reads_why(spaces, visitor):
    explorer = Explorer()
    spaces.refusal = gr.Error("Try again in 3:20:00.", title="ZeroGPU quota exceeded")
    with pytest.raises(InputError, match=r"^ZeroGPU quota exceeded: Try again in 3:20:00\.$"):
        explorer.features(CNN, photo(1))
    spaces.refusal = None
    assert explorer.features(CNN, photo(1)).map.ndim == 3
