"""The quickstart: its code runs on the shipped model, and prints what the page says."""

import contextlib
import io
import re
import shutil

from pages import DOCS, blocks

from diml_core.__main__ import main

PAGE = DOCS / "quickstart.md"
NAMES = ("neuschwanstein-near.jpg", "neuschwanstein-far.jpg")


def test_the_code_of_the_quickstart_prints_what_it_says(examples, tmp_path, monkeypatch):
    for name in NAMES:
        shutil.copy(examples / name, tmp_path)
    (tmp_path / "photos").mkdir()
    for name in ("cat.jpg", *NAMES):
        shutil.copy(examples / name, tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    compare, said, search = blocks(PAGE)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compare.text, {})
    assert printed.getvalue() == said.text
    assert {"pair.json", "pair.png"} <= {path.name for path in tmp_path.iterdir()}
    with contextlib.redirect_stdout(printed):
        exec(search.text, {})
    assert printed.getvalue().removeprefix(said.text).startswith(f"1 1 {NAMES[0]}\n2 2 {NAMES[1]}")

    for line in re.findall(r"^diml (.*)$", PAGE.read_text(encoding="utf-8"), re.M):
        assert main(line.split()) == 0, line
