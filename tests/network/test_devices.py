"""Where a network runs, by name."""

import pytest
import torch

from diml_core import InputError, load_model
from diml_core.network.devices import device_named


def test_auto_takes_the_fastest_there_is(monkeypatch):
    assert device_named("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert device_named("auto") == torch.device("cpu")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert device_named("auto") == torch.device("mps")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_named("auto") == torch.device("cuda")


@pytest.mark.parametrize("name", ["cuda", "cuda:7", "tpu", "", "meta"])
def test_a_device_that_is_not_here_is_one_sentence(name, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="choose auto, or one of cpu"):
        load_model(device=name)
