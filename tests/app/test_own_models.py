"""Models of whoever starts the app: offered first, told apart, refused in a sentence; never those of a visitor."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from launching import launched
from tiny_model import save_tiny
from visiting import endpoint, events_of, tiny_photo

from app.galleries import Galleries, search_payload
from app.models import with_own
from app.service import Explorer
from diml_core.comparison.marginals import MARGINALS
from diml_core.errors import InputError
from diml_core.network import checkpoints
from diml_core.network.checkpoints import load_model, shipped_models
from diml_core.network.onnx.session import OnnxModel

ROOT = Path(__file__).resolve().parents[2]
EVIL = "../../<b>évil"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("tiny"), title="A tiny one")


def titles(models):
    return [load().config.title for load in models.values()]


def test_the_given_ones_come_first_and_the_shipped_ones_stay(tiny):
    models = with_own([tiny])
    assert list(models) == ["tiny", *shipped_models()]
    assert all(load().name == name for name, load in models.items())
    assert titles(models)[0] == "A tiny one"
    assert Explorer(models).default == "tiny"
    assert list(with_own([])) == shipped_models()


def test_a_shipped_one_can_be_made_the_default(tiny):
    dino, cnn, before = "dinov2-s14", "efficientnet-lite0", "efficientnet-lite0-imagenet"
    assert list(with_own([dino, tiny, dino])) == [dino, "tiny", cnn, before]


def test_a_model_given_twice_is_offered_once(tiny):
    assert list(with_own([tiny, os.path.relpath(tiny)])) == ["tiny", *shipped_models()]


def test_two_of_one_name_are_told_apart_and_the_shipped_one_keeps_its_own(tmp_path):
    shipped = load_model("efficientnet-lite0").config
    folders = [
        save_tiny(tmp_path / which, shipped.name, title=shipped.title, defaults={"grid": grid})
        for which, grid in (("one", 1), ("two", 2))
    ]
    models = with_own(folders)
    assert list(models)[:3] == [f"{shipped.name}-2", f"{shipped.name}-3", shipped.name]
    grids = [load().options().grid for load in models.values()]
    assert grids[:3] == [1, 2, shipped.defaults["grid"]]
    assert len(set(titles(models))) == 5
    assert models[shipped.name]().config == shipped


def test_one_of_the_hub_is_named_by_its_address(tiny, monkeypatch):
    monkeypatch.setattr(checkpoints, "fetch", lambda name: Path(tiny))
    models = with_own(["hf:user/repo", tiny])
    assert list(models)[:2] == ["hf:user/repo", "tiny"]
    assert titles(models)[:2] == ["A tiny one (hf:user/repo)", "A tiny one (tiny)"]


def test_what_the_viewer_cannot_compute_is_refused_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(MARGINALS, "loud", replace(MARGINALS["uniform"]))
    folder = save_tiny(tmp_path, title="A tiny one", defaults={"grid": 2, "marginals": "loud"})
    with pytest.raises(InputError, match=r"cannot offer the model .* 'loud' marginals[^.]*\.$"):
        with_own([folder])


def test_onnx_runtime_can_run_what_the_page_offers(tiny, examples, tmp_path, monkeypatch):
    monkeypatch.setenv("DIML_CACHE", str(tmp_path))
    monkeypatch.setattr("app.models.shipped_models", lambda: [])
    by_engine = {engine: Explorer(with_own([tiny], engine)) for engine in ("torch", "onnx")}
    assert isinstance(by_engine["onnx"].model("tiny"), OnnxModel)
    photos = [examples / f"{name}.jpg" for name in ("heron", "harrier")]
    found = {
        engine: explorer.compare("tiny", *photos).similarity
        for engine, explorer in by_engine.items()
    }
    # Features are rounded to float16, eleven bits, and what lies between two of its numbers may go either way.
    assert found["onnx"] == pytest.approx(found["torch"], abs=2**-11)


def app(*arguments):
    return subprocess.run(
        [sys.executable, "app.py", *arguments],
        cwd=ROOT,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )


def test_the_command_says_what_it_takes_and_refuses_before_it_serves():
    usage = app("--help")
    assert usage.returncode == 0
    assert "--model PATH|timm:NAME|hf:USER/REPO" in usage.stdout
    elsewhere = app("--device", "nowhere")
    assert elsewhere.returncode == 2
    assert elsewhere.stderr.startswith("app.py: There is no device 'nowhere' here: ")
    refused = app("--model", "nowhere")
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert refused.stderr.startswith("app.py: There is no model 'nowhere': ")
    assert refused.stderr.count("\n") == 1


@pytest.fixture(scope="module")
def explorer(tiny):
    return Explorer(with_own([tiny]))


@pytest.fixture(scope="module")
def page(explorer, tmp_path_factory):
    galleries = Galleries(explorer, tmp_path_factory.mktemp("cache"))
    with launched(explorer, galleries) as page:
        yield page


def test_the_page_offers_them_and_starts_with_the_first(visitor):
    components = {c["props"].get("elem_id"): c["props"] for c in visitor.config()["components"]}
    for chooser in ("model", "retrieve-model"):
        assert components[chooser]["value"] == "tiny"
        assert components[chooser]["choices"][0] == ["A tiny one", "tiny"]
        assert len(components[chooser]["choices"]) == 4
    assert components["viewer"]["value"]["model"]["name"] == "tiny"


@pytest.mark.parametrize(
    ("named", "shown"), [("", "tiny"), ("&model=dinov2-s14", "dinov2-s14"), ("&model=tiny", "tiny")]
)
def test_a_link_names_the_model_or_means_the_default(visitor, named, shown):
    config = visitor.config()
    (follow,) = events_of(config, "viewer", "restore")
    (restore,) = (d["id"] for d in config["dependencies"] if d["trigger_after"] == follow)
    query = f"a=heron.jpg&b=harrier.jpg&grid=2{named}"
    a, b, *_, model = visitor.call(follow, [query])
    assert [photo["path"].rsplit("/", 1)[-1] for photo in (a, b)] == ["heron.jpg", "harrier.jpg"]
    assert model == shown
    _, pair = visitor.call(restore, [query])
    assert pair["model"]["name"] == shown
    assert pair["options"]["grid"] == 2


def test_a_program_gets_the_default_and_only_what_was_given(visitor, tiny):
    number = endpoint(visitor.config(), "compare")
    photos = [visitor.upload(tiny_photo(seed)) for seed in range(2)]
    rest = [*[None] * 7, "summary", False]
    (answer,) = visitor.call(number, [*photos, "tiny", *rest])
    assert answer["model"] == "tiny"
    for name in (tiny, "timm:resnet18", "hf:user/repo"):
        assert "There is no model of that name" in visitor.call(number, [*photos, name, *rest])


def test_their_gallery_is_built_kept_and_built_anew_for_other_weights(tmp_path, examples):
    folders = [save_tiny(tmp_path / which, EVIL, title="A tiny one") for which in "ab"]
    cache = tmp_path / "cache"
    for count, folder in enumerate(folders, 1):
        explorer = Explorer({EVIL: lambda folder=folder: load_model(folder)})
        galleries = Galleries(explorer, cache)
        galleries.build_ahead()
        galleries._builder.join(120)
        found = search_payload(explorer, galleries.built_in(EVIL), EVIL, examples / "cat.jpg")
        assert found["shown"] == 10
        kept = [path.name for path in cache.iterdir()]
        assert len(kept) == count
        assert all(name.startswith("gallery-") for name in kept)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "cache"]
