"""Where a network runs, by name."""

import json

import pytest
import torch
from tiny_model import save_tiny

from diml_core import InputError, load_model
from diml_core.__main__ import _COMMANDS, main
from diml_core.commands import photos, scenes
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


COMMANDS = {
    "compare": ["compare", "photos/heron.jpg", "photos/cat.jpg", "--model", "tiny"],
    "compare --pairs": ["compare", "--pairs", "photos", "--output", "scores", "--model", "tiny"],
    "index": ["index", "photos", "-o", "new", "--model", "tiny"],
    "search": ["search", "gallery", "photos/heron.jpg"],
    "evaluate": ["evaluate", "--model", "tiny", "--keypoints"],
    "train": ["train", "train.json", "--root", "photos"],
}
WITHOUT_NETWORK = {photos, scenes}


@pytest.fixture(scope="module")
def folder(examples, tmp_path_factory):
    """What the commands need to get as far as the network."""
    folder = tmp_path_factory.mktemp("commands")
    save_tiny(folder / "tiny")
    (folder / "photos").mkdir()
    for name in ("heron.jpg", "cat.jpg"):
        (folder / "photos" / name).write_bytes((examples / name).read_bytes())
    gallery = ["index", str(folder / "photos"), "-o", str(folder / "gallery")]
    assert main([*gallery, "--model", str(folder / "tiny"), "--device", "cpu"]) == 0
    (folder / "train.json").write_text(json.dumps({"start": "tiny", "data": "folder"}))
    return folder


def test_every_command_with_a_network_is_asked_where_it_runs():
    names = {
        command.__name__.rpartition(".")[2]
        for command in _COMMANDS
        if command not in WITHOUT_NETWORK
    }
    assert {arguments[0] for arguments in COMMANDS.values()} == names


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_runs_where_it_is_told_to(command, folder, monkeypatch, capsys):
    if command == "train":
        pytest.importorskip("accelerate")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main([*COMMANDS[command], "--device", "cuda"]) == 2
    error = capsys.readouterr().err
    assert "There is no device 'cuda' here: choose auto, or one of cpu" in error
    assert error.count("\n") == 1


def test_training_takes_the_device_it_is_told_or_what_the_environment_has(monkeypatch):
    pytest.importorskip("accelerate")
    from diml_core.learning import processes

    class Accelerator:
        """On a machine whose fastest device is its second GPU."""

        def __init__(self, cpu=False, **_):
            self.device = torch.device("cpu" if cpu else "cuda:1")

    monkeypatch.setattr(processes, "Accelerator", Accelerator)
    monkeypatch.setattr(processes, "device_named", torch.device)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: None)
    for name, device in (
        ("auto", "cuda:1"),
        ("cuda", "cuda:1"),
        ("cuda:1", "cuda:1"),
        ("cpu", "cpu"),
    ):
        assert processes.accelerator_on(name).device == torch.device(device)
    for name in ("cuda:0", "mps"):
        with pytest.raises(InputError, match=f"train on 'cuda:1', not on '{name}'"):
            processes.accelerator_on(name)
