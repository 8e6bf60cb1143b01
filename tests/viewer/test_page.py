"""An explanation as one HTML file, and in a notebook."""

import base64
import html
import json
import re

import pytest

from diml_core import Explanation, InputError, explain
from diml_core.viewer import modules


@pytest.fixture(scope="module")
def explanation(cnn, examples):
    return explain(cnn, examples / "heron.jpg", examples / "harrier.jpg")


@pytest.fixture
def page(explanation, tmp_path):
    explanation.to_html(tmp_path / "pair.html")
    return (tmp_path / "pair.html").read_text(encoding="utf-8")


def import_map(page):
    return json.loads(re.search(r'<script type="importmap">(.*?)</script>', page, re.S)[1])[
        "imports"
    ]


def test_every_module_is_inside_and_imports_by_a_name_that_is_there(page):
    imports = import_map(page)
    files = {p.relative_to(modules.FOLDER).as_posix() for p in modules.FOLDER.rglob("*.js")}
    files = {name for name in files if not name.startswith("quiz/")}  # the page's alone
    assert set(imports) == {f"diml/{name}" for name in files} >= {"diml/mount.js"}
    for url in imports.values():
        source = base64.b64decode(url.partition(",")[2]).decode()
        imported = re.findall(r"""(?:\bfrom|^import)\s+["']([^"']+)["']""", source, re.M)
        assert set(imported) <= set(imports)


def test_nothing_in_the_file_leads_elsewhere(page):
    outside = re.findall(r"""(?:src|href)=["']?(?!data:)([^"'> ]+)""", page)
    assert not outside


def test_a_notebook_gets_the_same_page_in_a_frame(explanation, page):
    frame = explanation._repr_html_()
    assert html.unescape(re.search(r'srcdoc="([^"]*)"', frame)[1]) == page


def test_a_name_cannot_end_the_script(cnn, examples):
    from diml_core import load_photo

    photos = [load_photo(examples / "heron.jpg", name=f"</script><b>{n}") for n in "ab"]
    page = explain(cnn, *photos)._page()
    assert "</script><b>" not in page


def test_without_photos_there_is_nothing_to_show(explanation, tmp_path):
    explanation.to_json(tmp_path / "pair.json")
    loaded = Explanation.from_json(tmp_path / "pair.json")
    assert loaded._repr_html_() is None
    with pytest.raises(InputError, match="has no photos"):
        loaded.to_html(tmp_path / "pair.html")


def test_what_was_saved_with_photos_is_shown_as_it_was(explanation, tmp_path):
    explanation.to_npz(tmp_path / "pair.npz")
    loaded = Explanation.from_npz(tmp_path / "pair.npz")
    loaded.to_html(tmp_path / "pair.html")
    assert '"fixed": {' in (tmp_path / "pair.html").read_text(encoding="utf-8")
