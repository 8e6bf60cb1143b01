"""The endpoints as tools, through the client of the package ``mcp`` on an app started with ``GRADIO_MCP_SERVER=True``."""

import base64
import io
import json
import logging
from concurrent.futures import ThreadPoolExecutor

import anyio
import httpx
import pytest
from gradio_client import Client
from launching import launched
from PIL import Image
from visiting import Visitor

from app import files, tools
from app.door import MOST_JSON
from app.galleries import Galleries
from app.service import Explorer
from diml_core.errors import InputError
from diml_core.explain import explain

mcp = pytest.importorskip("mcp", reason="no mcp here: pip install '.[mcp]'")
from mcp.client.streamable_http import streamablehttp_client  # noqa: E402


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_MCP_SERVER", "True")
        tools.install()
        explorer = Explorer()
        galleries = Galleries(explorer, tmp_path_factory.mktemp("cache"))
        with launched(explorer, galleries) as page:
            galleries.build(explorer.default)
            patch.undo()
            yield page


@pytest.fixture(scope="module")
def address(page):
    return f"{page.local_url}gradio_api/mcp/"


def ask(address, work):
    """What ``work`` makes of a session."""

    async def run():
        async with (
            streamablehttp_client(address) as (read, write, _),
            mcp.ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await work(session)

    # Not in this thread: the browser of other tests keeps a loop running in it.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(anyio.run, run).result()


def call(address, tool, **arguments):
    return ask(address, lambda session: session.call_tool(tool, arguments))


def data_url(path):
    return "data:image/jpeg;base64," + base64.b64encode(path.read_bytes()).decode()


@pytest.fixture
def pair(examples):
    return {
        f"image_{k}": data_url(examples / f"{n}.jpg") for k, n in (("a", "heron"), ("b", "harrier"))
    }


def test_the_tools_say_what_they_take(address):
    listed = {tool.name: tool for tool in ask(address, lambda s: s.list_tools()).tools}
    assert set(listed) == {"compare", "search", "embed"}
    for tool in listed.values():
        assert "Addresses on the internet are not fetched." in tool.description
        assert "http" not in json.dumps(tool.inputSchema)
        for argument in tool.inputSchema["properties"].values():
            assert argument["description"]
    photo = listed["compare"].inputSchema["properties"]["image_a"]
    assert photo["type"] == "string"
    assert "data:image/jpeg;base64" in photo["description"]
    assert listed["compare"].inputSchema["required"] == ["image_a", "image_b"]


@pytest.mark.parametrize("progress", [False, True])
def test_a_comparison_is_short_and_comes_with_its_picture(address, pair, cnn, examples, progress):
    async def note(*_):
        pass

    answer = ask(
        address,
        lambda s: s.call_tool("compare", pair, progress_callback=note if progress else None),
    )
    assert not answer.isError
    text, image = answer.content
    assert len(text.text) <= 2048
    expected = explain(cnn, examples / "heron.jpg", examples / "harrier.jpg")
    assert json.loads(text.text)["similarity"] == pytest.approx(expected.similarity, abs=1e-5)
    assert (image.type, image.mimeType) == ("image", "image/png")
    with Image.open(io.BytesIO(base64.b64decode(image.data))) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 300


def test_the_picture_can_be_left_out_and_options_given(address, pair):
    (text,) = call(address, "compare", **pair, picture=False, grid=3, detail="full").content
    answer = json.loads(text.text)
    assert answer["options"]["grid"] == 3
    assert len(answer["plan"]) == answer["grid"]["a"][0] * answer["grid"]["a"][1]


def test_searching_and_embedding(address, examples):
    query = data_url(examples / "cat.jpg")
    (text,) = call(address, "search", photo=query, top_k=3).content
    assert [each["rank"] for each in json.loads(text.text)["results"]] == [1, 2, 3]
    (text,) = call(address, "embed", photo=query).content
    answer = json.loads(text.text)
    assert len(base64.b64decode(answer["global"])) == 2 * answer["dim"]
    assert "parts" not in answer
    (text,) = call(address, "embed", photo=query, parts=True, grid=2).content
    assert "parts" in json.loads(text.text)


def test_a_file_that_was_uploaded_here_is_a_photo_too(page, address, pair, examples):
    visitor = Visitor(page.local_url)
    sent = visitor.upload((examples / "heron.jpg").read_bytes(), "heron.jpg")
    visitor.leave()
    uploaded = {"image_a": f"{page.local_url}gradio_api/file={sent['path']}"}
    texts = [
        call(address, "compare", **(pair | more), picture=False).content[0].text
        for more in (uploaded, {})
    ]
    assert json.loads(texts[0])["similarity"] == json.loads(texts[1])["similarity"]


@pytest.mark.parametrize(
    ("photo", "word"),
    [
        ("https://example.com/a.jpg", "not fetched here"),
        ("/etc/passwd", "not fetched here"),
        ("http://127.0.0.1/gradio_api/file=/etc/passwd", "not uploaded here"),
        ("data:image/png;base64,é", "not valid base64"),
        ("data:application/pdf;base64," + base64.b64encode(b"%PDF-1.7").decode(), "'photo' is a PDF"),
    ],
)  # fmt: skip
def test_what_is_no_photo_is_refused_in_a_sentence(address, photo, word):
    answer = call(address, "embed", photo=photo)
    assert answer.isError
    (told,) = answer.content
    assert word in told.text
    assert told.text.endswith(".")
    assert "Traceback" not in told.text


def test_a_bad_option_is_refused_with_a_sentence(address, pair):
    answer = call(address, "compare", **pair, grid=99)
    assert answer.isError
    assert "The grid must be a whole number from 1 to 14" in answer.content[0].text


def test_the_door_holds_here_too(page, address, caplog, capfd):
    caplog.set_level(logging.ERROR)
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    with httpx.Client(headers=headers) as http:
        large = http.post(address, content=b"x" * (MOST_JSON + 1))
        assert large.status_code == 413
        pieces = http.post(address, content=iter([b" " * (1 << 20)] * 5))
        assert pieces.status_code == 413
        for junk in (b"", b"{", b"[]", b"5", b"null", b'{"jsonrpc": "2.0", "method": 5}'):
            answer = http.post(address, content=junk)
            assert 400 <= answer.status_code < 500, (junk, answer.text)
            assert "Traceback" not in answer.text
        assert "MCP" in http.get(address, headers={"accept": "text/html"}).text
    assert not [record.getMessage() for record in caplog.records]
    assert "Traceback" not in "".join(capfd.readouterr())


def test_photos_and_pictures_leave_nothing_beyond_the_apps_own_folder(address, pair, monkeypatch):
    elsewhere = []
    save = tools.gradio.mcp.processing_utils.save_base64_to_cache
    monkeypatch.setattr(
        tools.gradio.mcp.processing_utils,
        "save_base64_to_cache",
        lambda *given: elsewhere.append(given) or save(*given),
    )
    before = {*(files.root() / "uploads").iterdir()}
    assert not call(address, "compare", **pair).isError
    assert {*(files.root() / "uploads").iterdir()} == before
    assert elsewhere == []


def test_without_the_package_the_app_says_what_is_missing(monkeypatch):
    monkeypatch.setenv("GRADIO_MCP_SERVER", "True")
    monkeypatch.setattr(tools.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"needs the package mcp: pip install"):
        tools.install()
    monkeypatch.delenv("GRADIO_MCP_SERVER")
    tools.install()


def test_the_app_that_is_started_offers_them(start, pair):
    with start(GRADIO_MCP_SERVER="True") as url:
        text, image = call(f"{url}gradio_api/mcp/", "compare", **pair).content
    assert json.loads(text.text)["model"] == "efficientnet-lite0"
    assert image.mimeType == "image/png"


def test_the_api_stays_as_it_is_beside_them(page):
    offered = Client(page.local_url, verbose=False).view_api(return_format="dict", print_info=False)
    defaults = {
        each["parameter_name"]: each["parameter_default"]
        for each in offered["named_endpoints"]["/compare"]["parameters"]
    }
    assert defaults["picture"] is False
