"""Fetching one file from a package index, here a small one of the test's own."""

import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from diml_core.photographs.python_index import download


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder that is served as an index."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/")
    yield folder
    server.shutdown()
    server.server_close()


def page(folder, text):
    (folder / "pictures").mkdir()
    (folder / "pictures" / "index.html").write_text(text)


def test_the_very_file_is_fetched_and_nothing_in_it_is_run(index, tmp_path):
    (index / "pictures-1.0.tar.gz").write_bytes(b"not even an archive")
    files = [{"filename": "pictures-1.0.tar.gz", "url": "../pictures-1.0.tar.gz"}]
    page(index, json.dumps({"files": files}))
    download("pictures", "pictures-1.0.tar.gz", tmp_path)
    assert (tmp_path / "pictures-1.0.tar.gz").read_bytes() == b"not even an archive"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"files": []}', "has no pictures-1.0.tar.gz"),
        ("<html>", "PEP 691"),
        ("[" * 200_000, "PEP 691"),
    ],
)
def test_an_index_without_the_file_says_so(index, tmp_path, text, reason):
    page(index, text)
    with pytest.raises(OSError, match=reason):
        download("pictures", "pictures-1.0.tar.gz", tmp_path)


def test_an_unknown_package_is_an_error(index, tmp_path):
    with pytest.raises(OSError, match="404"):
        download("pictures", "pictures-1.0.tar.gz", tmp_path)
