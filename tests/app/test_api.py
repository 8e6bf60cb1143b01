"""``/compare``, ``/search`` and ``/embed`` from outside, with gradio_client: the library's numbers, and clear refusals."""

import base64
import json
import time
import urllib.request

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from diml_core import explain, load_model
from diml_core.__main__ import main
from diml_core.network.checkpoints import DEFAULT_MODEL


@pytest.fixture(scope="module")
def client(server):
    return Client(server, verbose=False)


@pytest.fixture
def pair(examples):
    return handle_file(examples / "heron.jpg"), handle_file(examples / "harrier.jpg")


@pytest.mark.parametrize("model", ["dinov2-s14", "efficientnet-lite0"])
def test_compare_returns_what_the_command_line_writes(client, pair, examples, tmp_path, model):
    answer = client.predict(*pair, model=model, grid=5, detail="full", api_name="/compare")
    file = tmp_path / "pair.json"
    paths = [str(examples / name) for name in ("heron.jpg", "harrier.jpg")]
    assert main(["compare", *paths, "--model", model, "--grid", "5", "--json", str(file)]) == 0
    written = json.loads(file.read_text())
    assert answer.keys() == written.keys()
    for key in ("similarity", "plan", "part_similarity", "contribution"):
        # Two processes may sum in another order, and a dozen layers of float32 carry that on.
        np.testing.assert_allclose(answer[key], written[key], atol=1e-5)
    for key in ("model", "names", "sizes", "grid", "options"):
        assert answer[key] == written[key]


def test_two_files_are_enough(client, pair):
    answer = client.predict(*pair, detail="full", api_name="/compare")
    total = sum(map(sum, answer["contribution"]))
    assert answer["model"] == DEFAULT_MODEL
    assert answer["similarity"] == pytest.approx(
        (answer["global_similarity"] + total) / 2, abs=1e-6
    )


def test_a_summary_is_short_and_has_the_same_scores(client, pair, cnn, examples):
    answer = client.predict(*pair, api_name="/compare")
    assert len(json.dumps(answer)) <= 2048
    expected = explain(cnn, examples / "heron.jpg", examples / "harrier.jpg")
    for name in ("similarity", "global_similarity", "structural_similarity"):
        assert answer[name] == pytest.approx(getattr(expected, name), abs=1e-5)
        assert name in answer["scale"]
    assert answer["scale"]["range"] == [-1, 1]
    assert answer["standing"] == pytest.approx(expected.standing._asdict(), abs=1e-4)
    pairs = expected.strongest(len(answer["strongest"]))
    assert [each["a"] for each in answer["strongest"]] == [list(p.cell_a) for p in pairs]
    for each in answer["strongest"]:
        told = each["mass"] * each["cosine"] / answer["transported_mass"]
        assert told == pytest.approx(each["contribution"], abs=4e-6)  # each has six digits
    carried = sum(each["contribution"] for each in answer["strongest"])
    assert carried / answer["structural_similarity"] == pytest.approx(
        answer["share_of_strongest"], abs=1e-4
    )


def test_a_summary_is_short_whatever_photos_are_called(client, pair):
    long = [photo | {"orig_name": "\N{GRINNING FACE}" * 200 + ".jpg"} for photo in pair]
    answer = client.predict(*long, api_name="/compare")
    assert len(json.dumps(answer, ensure_ascii=False).encode()) <= 2048


def test_a_picture_comes_as_a_file(client, pair):
    answer = client.predict(*pair, grid=4, picture=True, api_name="/compare")
    with Image.open(answer["picture"]) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 300
    assert "picture" not in client.predict(*pair, grid=4, api_name="/compare")


@pytest.fixture(scope="module")
def offered(server):
    """What "Use via API" shows."""
    with urllib.request.urlopen(f"{server}gradio_api/info") as answer:
        return json.load(answer)["named_endpoints"]


def prepared(call):
    """The answer, once the gallery is there."""
    deadline = time.monotonic() + 240
    while True:
        try:
            return call()
        except AppError as error:
            if "being prepared" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(1)


@pytest.mark.parametrize("name", ["/compare", "/search", "/embed"])
def test_the_call_that_the_page_shows_works_when_pasted(offered, name):
    code = offered[name]["code_snippets"]["python"]
    pasted = {}
    prepared(lambda: exec(code, pasted))
    assert pasted["result"]["model"] == DEFAULT_MODEL


@pytest.mark.parametrize("name", ["/compare", "/search", "/embed"])
def test_every_argument_is_typed_and_described(offered, name):
    assert "Addresses on the internet are not fetched." in offered[name]["description"]
    for parameter in offered[name]["parameters"]:
        assert parameter["type"].keys() & {"type", "enum", "oneOf"}, parameter
        assert parameter["python_type"]["description"].endswith((".", ").")), parameter
    types = {
        each["parameter_name"]: each["python_type"]["type"] for each in offered[name]["parameters"]
    }
    assert types["model"].startswith("Literal['efficientnet-lite0', ")
    assert "filepath" in types.values()
    if name == "/compare":
        assert "'product'" in types["marginals"]
        assert types["detail"] == "Literal['summary', 'full']"


def test_search_gives_what_the_gallery_finds(client, pair, examples):
    answer = prepared(lambda: client.predict(pair[0], top_k=100, api_name="/search"))
    results = answer["results"]
    assert answer["searched"] > 150
    assert len(results) in (99, 100)
    assert "heron.jpg" not in {each["photo"] for each in results}
    assert all((examples / each["photo"]).is_file() for each in results)
    assert [each["rank"] for each in results] == [*range(1, len(results) + 1)]
    assert sorted(each["global_rank"] for each in results) == [*range(1, len(results) + 1)]
    scores = [each["similarity"] for each in results]
    assert scores == sorted(scores, reverse=True)
    best = client.predict(pair[0], handle_file(examples / results[0]["photo"]), api_name="/compare")
    assert best["similarity"] == pytest.approx(scores[0], abs=2e-3)  # stored as float16


@pytest.mark.parametrize("top_k", [0, 101, -3, 2.5, True, "ten"])
def test_a_search_has_its_bounds(client, pair, top_k):
    with pytest.raises(AppError, match="top_k must be a whole number from 1 to 100"):
        client.predict(pair[0], top_k=top_k, api_name="/search")


@pytest.mark.parametrize("model", ["dinov2-s14", "efficientnet-lite0"])
def test_embeddings_are_those_that_scores_are_made_of(client, pair, examples, model):
    def vectors(answer, key):
        numbers = np.frombuffer(base64.b64decode(answer[key]), "<f2").astype(np.float64)
        return numbers.reshape(-1, answer["dim"])

    a, b = (client.predict(photo, model=model, grid=3, api_name="/embed") for photo in pair)
    expected = explain(load_model(model), examples / "heron.jpg", examples / "harrier.jpg", grid=3)
    assert (a["grid"], b["grid"]) == (list(expected.grid_a), list(expected.grid_b))
    # A float16 is within 2^-11 of its number, and so a product of two within 2^-10 of a sum of at most 1.
    cosines = vectors(a, "parts") @ vectors(b, "parts").T
    np.testing.assert_allclose(cosines, expected.part_similarity, atol=1e-3)
    assert "parts" not in client.predict(pair[0], model=model, parts=False, api_name="/embed")
    both = (vectors(a, "global") @ vectors(b, "global").T).item()
    assert both == pytest.approx(expected.global_similarity, abs=1e-3)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"model": "../../etc"}, "no model"),
        ({"model": "timm:resnet50"}, "no model"),
        ({"grid": 99}, "grid"),
        ({"mass": 0}, "mass"),
        ({"marginals": "loud"}, "marginals"),
        ({"model": "efficientnet-lite0", "start_block": 3}, "start block"),
        ({"detail": "everything"}, "detail"),
        ({"picture": "yes"}, "picture"),
    ],
)
def test_a_bad_option_is_refused_with_a_sentence(client, pair, options, word):
    with pytest.raises(AppError, match=word):
        client.predict(*pair, **options, api_name="/compare")


def test_a_file_that_is_no_image_is_refused_by_name(client, pair, tmp_path):
    bad = tmp_path / "notes.jpg"
    bad.write_text("not a photo")
    with pytest.raises(AppError, match=r"notes\.jpg"):
        client.predict(handle_file(bad), pair[1], api_name="/compare")


@pytest.mark.parametrize("path", ["/etc/hostname", "assets/examples/heron.jpg", "../app.py"])
def test_a_caller_cannot_make_the_server_read_its_own_files(client, pair, path):
    for name, more in (("/compare", [pair[1]]), ("/search", []), ("/embed", [])):
        with pytest.raises(AppError, match="not uploaded here"):
            client.predict({"path": path}, *more, api_name=name)


def test_a_data_url_is_an_upload_too(client, pair, examples):
    encoded = base64.b64encode((examples / "heron.jpg").read_bytes()).decode()
    inline = {"path": None, "url": f"data:image/jpeg;base64,{encoded}", "orig_name": "heron.jpg"}
    there = client.predict(inline, pair[1], grid=4, api_name="/compare")
    here = client.predict(*pair, grid=4, api_name="/compare")
    assert there["similarity"] == pytest.approx(here["similarity"], abs=1e-9)
    assert there["names"]["a"] == "heron.jpg"


def test_three_endpoints_are_offered(client):
    offered = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert list(offered) == ["/compare", "/search", "/embed"]
