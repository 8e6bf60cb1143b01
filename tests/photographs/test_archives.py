"""Packages as archives: every form that photographs come in, and what is said where one does not come."""

import io
import struct
import tarfile
import zipfile

import pytest

from diml_core import InputError
from diml_core.photographs import archives
from diml_core.photographs.archives import fetch, read_members
from diml_core.photographs.qt_resources import rcc_files
from diml_core.photographs.recipe import Package

FILES = {"a/cat.jpg": b"cat", "a/b/dog.jpg": b"dog", "other.txt": b"text"}


def tar_of(files, prefix=""):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(prefix + name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def rcc_of(files):
    """A Qt resource, format 1, of one folder: the layout that Qt's documentation gives."""
    names, data, nodes = b"", b"", []
    for name, content in sorted(files.items()):
        at = len(names)
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
        nodes.append(struct.pack(">IHHHI", at, 0, 0, 0, len(data)))
        data += struct.pack(">I", len(content)) + content
    root = struct.pack(">IHII", 0, 2, len(nodes), 1)
    tree = b"".join([root, *nodes])
    start = 4 + 16
    header = b"qres" + struct.pack(
        ">4I", 1, start, start + len(tree), start + len(tree) + len(data)
    )
    return header + tree + data + names


@pytest.mark.parametrize("kind", ["wheel", "sdist", "npm"])
def test_wanted_files_are_read_and_no_others(tmp_path, kind):
    path = (
        tmp_path / {"wheel": "x-1-py3-none-any.whl", "sdist": "x-1.tar.gz", "npm": "x-1.tgz"}[kind]
    )
    if kind == "wheel":
        with zipfile.ZipFile(path, "w") as wheel:
            for name, content in FILES.items():
                wheel.writestr(name, content)
    else:
        path.write_bytes(tar_of(FILES, "./" if kind == "npm" else ""))
    assert read_members(path, {"a/cat.jpg", "a/b/dog.jpg", "absent.jpg"}) == {
        "a/cat.jpg": b"cat", "a/b/dog.jpg": b"dog",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["x.whl", "x.tar.gz", "x.deb"])
def test_a_damaged_archive_is_named(tmp_path, name):
    (tmp_path / name).write_bytes(b"no archive")
    with pytest.raises(InputError, match="delete it"):
        read_members(tmp_path / name, {"a"})


def test_a_resource_gives_back_what_it_holds():
    assert dict(rcc_files(rcc_of({"cat.webp": b"cat", "a dog.webp": b"dog"}))) == {
        "cat.webp": b"cat", "a dog.webp": b"dog",
    }  # fmt: skip
    with pytest.raises(ValueError, match="not a Qt resource"):
        list(rcc_files(b"PNG"))


def package(registry="npm"):
    return Package(registry, "pictures", "1.0", "pictures-1.0.tgz", "MIT")


def test_an_archive_that_lies_there_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(archives.subprocess, "run", lambda *a, **k: pytest.fail("nothing to fetch"))
    (tmp_path / "pictures-1.0.tgz").write_bytes(b"x")
    assert fetch(package(), tmp_path) == tmp_path / "pictures-1.0.tgz"


def test_a_registry_that_says_no_is_quoted(tmp_path, monkeypatch):
    monkeypatch.setattr(archives.shutil, "which", lambda client: client)
    answer = archives.subprocess.CompletedProcess([], 1, "", "E404 no such package\n")
    monkeypatch.setattr(archives.subprocess, "run", lambda *a, **k: answer)
    with pytest.raises(InputError, match=r"E404 no such package.*put pictures-1.0.tgz into"):
        fetch(package(), tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def test_a_missing_client_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(archives.shutil, "which", lambda client: None)
    with pytest.raises(InputError, match="needs 'npm'"):
        fetch(package(), tmp_path)


def test_a_newer_debian_package_stands_in_for_one_that_is_gone(tmp_path, monkeypatch):
    monkeypatch.setattr(archives.shutil, "which", lambda client: client)
    asked = []

    def run(command, cwd, **_):
        asked.append(command[-1])
        if "=" in command[-1]:
            return archives.subprocess.CompletedProcess(command, 100, "", "E: version not found")
        (cwd / "pictures_1.1_all.deb").write_bytes(b"newer")
        return archives.subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(archives.subprocess, "run", run)
    got = fetch(package("debian"), tmp_path)
    assert asked == ["pictures=1.0", "pictures"]
    assert got.read_bytes() == b"newer"
    assert got.name == "pictures-1.0.tgz"  # where the next build looks for it
