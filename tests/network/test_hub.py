"""Own checkpoints on the Hugging Face Hub, through its real client and against a stand-in of the hub.

The client reads its address and its cache when it is imported, so everything it does here happens in other processes.
"""

import json
import multiprocessing
import os
import pickle
import tempfile
from concurrent.futures import ProcessPoolExecutor

import pytest
import torch
from hub_stand_in import TOKEN, serving, use_only
from malicious import Malicious

from diml_core.errors import InputError
from diml_core.network.checkpoints import load_model, save_model
from diml_core.network.model import DimlModel
from diml_core.network.model_config import InputConfig, ModelConfig

CONFIG = ModelConfig(
    name="tiny",
    title="A tiny network",
    architecture="test_efficientnet",
    input=InputConfig(size=64),
    head=8,
    defaults={"grid": 2},
)


# What happens in the other processes.


def tiny(seed):
    """A network whose weights float16 can hold, as those of a loaded one."""
    torch.manual_seed(seed)
    with tempfile.TemporaryDirectory() as folder:
        save_model(DimlModel(CONFIG), folder)
        return load_model(folder)


def embedding(model):
    images = torch.linspace(-1, 1, 3 * 64 * 64).reshape(1, 3, 64, 64)
    with torch.inference_mode():
        return model(images)[0].flatten().tolist()


def pushed(name, seed=0, token=TOKEN, **how):
    return tiny(seed).push_to_hub(name, token=token, **how)


def loaded(name, token=None):
    if token is not None:
        os.environ["HF_TOKEN"] = token
    try:
        model = load_model(name)
    finally:
        os.environ.pop("HF_TOKEN", None)
    return model.source, model.config, embedding(model)


def indexed(photos, folder, name):
    """The names that galleries of a named and of a loaded model carry, and what one finds when opened by it."""
    from diml_core.retrieval import Gallery, index_photos
    from diml_core.retrieval.store import Store

    index_photos(photos, folder / "named", model=name)
    index_photos(photos, folder / "loaded", model=load_model(name))
    found = Gallery.open(folder / "named").search(photos / "heron.jpg", top_k=1)
    return [Store(folder / each).spec.model for each in ("named", "loaded")], found[0].path.name


class Elsewhere:
    """Calls functions in a process with some environment."""

    def __init__(self, **environment):
        spawn = multiprocessing.get_context("spawn")
        self.pool = ProcessPoolExecutor(1, spawn, initializer=use_only, initargs=(environment,))

    def __call__(self, function, *arguments, **named):
        return self.pool.submit(function, *arguments, **named).result(timeout=600)

    def refuses(self, function, *arguments, **named):
        with pytest.raises(InputError) as caught:
            self(function, *arguments, **named)
        sentence = str(caught.value)
        assert "\n" not in sentence
        assert len(sentence) < 500
        return sentence


def that_of(seed):
    """The embedding of :func:`tiny`, as another process computes it."""
    return pytest.approx(embedding(tiny(seed)), abs=1e-5)


@pytest.fixture(scope="module")
def hub():
    with serving() as hub:
        yield hub


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return str(tmp_path_factory.mktemp("hf"))


@pytest.fixture(scope="module")
def online(hub, cache):
    there = Elsewhere(HF_ENDPOINT=hub.endpoint, HF_HOME=cache, HF_HUB_DISABLE_XET="1")
    yield there
    there.pool.shutdown()


@pytest.fixture(scope="module")
def offline(hub, cache):
    """The same cache, and no hub by choice of the user."""
    there = Elsewhere(HF_ENDPOINT=hub.endpoint, HF_HOME=cache, HF_HUB_OFFLINE="1")
    yield there
    there.pool.shutdown()


@pytest.fixture(scope="module")
def unconnected(cache):
    """The same cache, and a hub that does not answer."""
    there = Elsewhere(HF_ENDPOINT="http://127.0.0.1:9", HF_HOME=cache)
    yield there
    there.pool.shutdown()


def test_a_pushed_model_is_loaded_back(hub, online):
    assert online(pushed, "alice/tiny", commit_message="First") == f"{hub.endpoint}/alice/tiny"
    assert online(loaded, "hf:alice/tiny") == ("hf:alice/tiny", CONFIG, that_of(0))
    commits = hub.repositories["alice/tiny"]["commits"]
    assert [commit["title"] for commit in commits] == ["initial commit", "First"]
    assert set(hub.files("alice/tiny")) == {
        ".gitattributes",
        "README.md",
        "config.json",
        "model.safetensors",
    }


def test_the_card_says_how_to_load_it_and_leaves_the_licence_to_its_owner(hub, online):
    online(pushed, "alice/card")
    card = hub.files("alice/card")["README.md"].decode()
    assert card.startswith(
        "---\nlibrary_name: diml-explorer\ntags:\n- diml\n---\n\n# A tiny network\n"
    )
    assert 'model = load_model("hf:alice/card")' in card
    assert "license" not in card
    edited = card.replace("---\n", "---\nlicense: mit\n", 1).encode()
    hub.commit("alice/card", {"README.md": edited}, "Choose a licence")
    before = hub.files("alice/card")["model.safetensors"]
    online(pushed, "alice/card", seed=1)
    assert hub.files("alice/card")["README.md"] == edited
    assert hub.files("alice/card")["model.safetensors"] != before


def test_a_revision_is_the_model_of_that_commit(hub, online):
    online(pushed, "alice/twice")
    first = hub.repositories["alice/twice"]["commits"][-1]["sha"]
    assert online(loaded, "hf:alice/twice")[2] == that_of(0)
    online(pushed, "alice/twice", seed=1)
    name = f"hf:alice/twice@{first}"
    assert online(loaded, name) == (name, CONFIG, that_of(0))
    assert online(loaded, "hf:alice/twice")[2] == that_of(1)


def test_both_files_are_of_one_commit_also_if_a_push_comes_between(hub, online, monkeypatch):
    online(pushed, "alice/moving")

    def push_behind_the_config(name, file):
        if name == "alice/moving" and file == "config.json":
            hub.commit(name, {"model.safetensors": b"of another model"}, "Meanwhile")

    monkeypatch.setattr(hub, "on_resolve", push_behind_the_config)
    assert online(loaded, "hf:alice/moving")[2] == that_of(0)
    assert hub.files("alice/moving")["model.safetensors"] == b"of another model"


def test_a_private_model_is_for_those_who_may_see_it(hub, online):
    online(pushed, "alice/secret", private=True)
    assert hub.repositories["alice/secret"]["private"]
    assert "'alice/secret' on the Hugging Face hub that is open to you" in online.refuses(
        loaded, "hf:alice/secret"
    )
    assert online(loaded, "hf:alice/secret", token=TOKEN)[2] == that_of(0)


def test_a_public_repository_is_no_place_for_a_private_model(hub, online):
    online(pushed, "alice/open")
    before = hub.repositories["alice/open"]["commits"][:]
    assert "public" in online.refuses(pushed, "alice/open", seed=1, private=True)
    assert hub.repositories["alice/open"]["commits"] == before


def test_a_model_that_was_downloaded_is_not_downloaded_again(hub, online):
    online(pushed, "alice/kept")
    online(loaded, "hf:alice/kept")
    hub.requests.clear()
    online(loaded, "hf:alice/kept")
    assert hub.requests == [("HEAD", "/alice/kept/resolve/main/config.json")]


def test_without_the_hub_what_was_downloaded_still_loads(hub, online, offline, unconnected):
    online(pushed, "alice/taken-along")
    online(loaded, "hf:alice/taken-along")
    hub.requests.clear()
    for there in (offline, unconnected):
        assert there(loaded, "hf:alice/taken-along")[2] == that_of(0)
        assert "could not be pushed" in there.refuses(pushed, "alice/taken-along", seed=1)
    assert "cannot be reached, and its cache has no config.json" in offline.refuses(
        loaded, "hf:alice/never-seen"
    )
    assert hub.requests == []


def test_half_a_download_is_not_taken_for_a_repository_without_weights(hub, online, offline):
    hub.add("alice/half", {"config.json": json.dumps(CONFIG.to_dict()).encode()})
    assert "has no model.safetensors" in online.refuses(loaded, "hf:alice/half")
    sentence = offline.refuses(loaded, "hf:alice/half")
    assert "cannot be reached, and its cache has no model.safetensors" in sentence


@pytest.mark.parametrize(
    "name",
    ["", "tiny", "alice/", "/tiny", "a/b/c", "../alice/tiny", "alice/tiny@", "alice/ti ny", "alice/a\0b", "a/" + "b" * 5000],
)  # fmt: skip
def test_a_name_that_is_none(hub, online, name):
    hub.requests.clear()
    assert "hf:USER/REPO" in online.refuses(loaded, f"hf:{name}")
    assert "USER/REPO" in online.refuses(pushed, name)
    assert hub.requests == []


@pytest.mark.parametrize(
    "refusal", [(401, "RepoNotFound"), (401, "GatedRepo"), (403, "GatedRepo"), (403, None), (401, None)]
)  # fmt: skip
def test_a_repository_that_is_not_open(hub, online, refusal):
    hub.add("bob/closed", refusal=refusal)
    assert "'bob/closed' on the Hugging Face hub that is open" in online.refuses(
        loaded, "hf:bob/closed"
    )


@pytest.mark.parametrize("token", [None, "hf_of_bob"])
def test_a_repository_that_is_not_there(online, token):
    assert "'bob/none' on the Hugging Face hub that is open" in online.refuses(
        loaded, "hf:bob/none", token
    )


def test_a_revision_that_is_not_there(hub, online):
    hub.add("bob/one", {})
    for revision in ("nope", "0" * 40, "../main"):
        assert "has no revision" in online.refuses(loaded, f"hf:bob/one@{revision}")


def test_a_repository_of_something_else(hub, online):
    hub.add("bob/empty", {"README.md": b"hello"})
    assert "'bob/empty' has no config.json" in online.refuses(loaded, "hf:bob/empty")
    hub.add(
        "bob/other", {"config.json": b'{"model_type": "vit"}', "model.safetensors": b"gigabytes"}
    )
    hub.requests.clear()
    assert "'hf:bob/other' cannot be used" in online.refuses(loaded, "hf:bob/other")
    assert not [path for _, path in hub.requests if "safetensors" in path]


@pytest.mark.parametrize("through_torch", [False, True])
def test_nothing_from_the_hub_is_unpickled(hub, online, tmp_path, through_torch):
    target, payload = tmp_path / "executed", tmp_path / "payload"
    torch.save(Malicious(target), payload) if through_torch else payload.write_bytes(
        pickle.dumps(Malicious(target))
    )
    name = f"bob/evil-{through_torch}".lower()
    config = json.dumps(CONFIG.to_dict()).encode()
    hub.add(name, {"config.json": config, "model.safetensors": payload.read_bytes()})
    assert f"'hf:{name}' cannot be read" in online.refuses(loaded, f"hf:{name}")
    assert not target.exists()


def test_only_who_may_write_there_pushes(hub, online):
    assert "does not let you write to 'alice/mine'" in online.refuses(
        pushed, "alice/mine", token=False
    )
    assert "does not let you write to 'bob/mine'" in online.refuses(pushed, "bob/mine")
    assert not {"alice/mine", "bob/mine"} & set(hub.repositories)


def test_a_gallery_keeps_the_name_on_the_hub(online, hub, examples, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("heron.jpg", "cat.jpg"):
        (photos / name).write_bytes((examples / name).read_bytes())
    online(pushed, "alice/galleries")
    names, found = online(indexed, photos, tmp_path, "hf:alice/galleries")
    assert names == ["hf:alice/galleries"] * 2
    assert found == "heron.jpg"
