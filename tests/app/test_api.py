"""``/compare`` from outside, with gradio_client: the command line's JSON, and clear refusals."""

import json

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

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
    answer = client.predict(*pair, model=model, grid=5, api_name="/compare")
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
    answer = client.predict(*pair, api_name="/compare")
    total = sum(map(sum, answer["contribution"]))
    assert answer["model"] == DEFAULT_MODEL
    assert answer["similarity"] == pytest.approx(
        (answer["global_similarity"] + total) / 2, abs=1e-6
    )


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"model": "../../etc"}, "no model"),
        ({"model": "timm:resnet50"}, "no model"),
        ({"grid": 99}, "grid"),
        ({"mass": 0}, "mass"),
        ({"marginals": "loud"}, "marginals"),
        ({"model": "efficientnet-lite0", "start_block": 3}, "start block"),
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
    with pytest.raises(AppError, match="not uploaded here"):
        client.predict({"path": path}, pair[1], api_name="/compare")


def test_a_data_url_is_an_upload_too(client, pair, examples):
    import base64

    encoded = base64.b64encode((examples / "heron.jpg").read_bytes()).decode()
    inline = {"path": None, "url": f"data:image/jpeg;base64,{encoded}", "orig_name": "heron.jpg"}
    there = client.predict(inline, pair[1], grid=4, api_name="/compare")
    here = client.predict(*pair, grid=4, api_name="/compare")
    assert there["similarity"] == pytest.approx(here["similarity"], abs=1e-9)
    assert there["names"]["a"] == "heron.jpg"


def test_compare_is_the_only_endpoint_offered(client):
    assert list(client.view_api(return_format="dict", print_info=False)["named_endpoints"]) == [
        "/compare"
    ]
