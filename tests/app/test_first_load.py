"""What the first visit loads of our own: little, compressed, and once."""

import gzip
import re
from posixpath import join, normpath

import httpx
import pytest

MOST = 150_000
"""Bytes of modules and style sheets, compressed. The aim is 250 KB before photos; Gradio's own come beside it."""

IMPORTED = re.compile(r"""^(?:import|export)\s[^;"'()]*?["'](\.[^"']+)["']""", re.MULTILINE)
"""Not what a function imports: that is loaded when somebody opens what it is for."""


@pytest.fixture(scope="module")
def client(server):
    with httpx.Client(base_url=server, headers={"accept-encoding": "br, gzip"}) as client:
        yield client


def fetch(client, url):
    """A text, its headers, and how many bytes came."""
    with client.stream("GET", url) as response:
        response.raise_for_status()
        sent = sum(map(len, response.iter_raw()))
    return client.get(url).text, response.headers, sent


def test_our_share_of_the_first_load_is_small_and_sent_once(client):
    page, headers, _ = fetch(client, "/")
    assert headers["content-encoding"] in ("br", "gzip")
    head = client.get("/config").json()["head"]  # the style sheets
    assert ".diml" in head
    total = len(gzip.compress(head.encode()))
    (place,) = set(re.findall(r"/gradio_api/file=[^\"'`\\]*/viewer-[0-9a-f]{16}", page))
    # What the components of the page import as they start, and all that this imports.
    waiting = set(re.findall(r"dimlPlaced\([^)]*\)\}/([\w/]+\.js)`", page))
    assert {"mount.js", "view/strip.js", "view/beside.js"} <= waiting
    waiting = {name for name in waiting if not name.startswith("quiz/")}  # that tab's, once seen
    seen = set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        text, headers, sent = fetch(client, f"{place}/{name}")
        assert sent < 500 or headers.get("content-encoding") in ("br", "gzip"), name
        assert "immutable" in headers["cache-control"], name
        total += sent
        folder = name.rpartition("/")[0]
        waiting |= {normpath(join(folder, path)) for path in IMPORTED.findall(text)} - seen
    assert len(seen) > 30
    assert total <= MOST
