"""The app as a Space: the folder that is written, and its way to the hub, through the hub's client to a stand-in."""

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from hub_stand_in import PAID, TOKEN, serving
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from diml_core.errors import InputError
from diml_core.network.checkpoints import shipped_models
from scripts.publish_space import HARDWARE, ROOT, write_space

SOURCES = ("app", "diml_core")


@pytest.fixture(scope="module", params=sorted(HARDWARE))
def hardware(request):
    return request.param


@pytest.fixture(scope="module")
def space(hardware, tmp_path_factory):
    """The folder of a Space, as the command writes it."""
    folder = tmp_path_factory.mktemp("space") / hardware
    run = publish("alice/diml", "--hardware", hardware, "--dry-run", str(folder))
    assert run.returncode == 0, run.stderr
    return folder


def publish(*arguments, **environment):
    """The command, in a process of its own, whose client has no other settings."""
    return in_process("-m", "scripts.publish_space", *arguments, **environment)


def in_process(*arguments, **environment):
    """Python in a process of its own."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING"))}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=ours | {"NO_PROXY": "127.0.0.1"} | environment,
        capture_output=True,
        text=True,
    )


def files_of(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def requirements(folder):
    lines = (folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return {
        r.name: r for r in map(Requirement, (x for x in lines if not x.startswith(("--", "#"))))
    }


# What is written.


def test_it_has_what_the_app_needs_and_nothing_else(space):
    there = files_of(space)
    assert {path.partition("/")[0] for path in there} == {
        *SOURCES, "README.md", "LICENSE", "app.py", "requirements.txt", "assets", "checkpoints",
    }  # fmt: skip
    assert {Path(path).parts[1] for path in there if path.startswith("assets/")} == {
        "examples",
        "keypoints.json",
    }
    assert {f"checkpoints/{name}/model.safetensors" for name in shipped_models()} < there
    assert not [path for path in there if "__pycache__" in path or "/." in path]
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode == 0:
        assert there <= {*tracked.stdout.splitlines(), "requirements.txt"}


def test_the_front_matter_is_the_hardwares(space, hardware):
    text = (space / "README.md").read_text(encoding="utf-8")
    front = dict(line.split(": ", 1) for line in text.split("---\n")[1].splitlines())
    assert (front["sdk"], front["app_file"]) == ("gradio", "app.py")
    assert front["python_version"] == f'"{HARDWARE[hardware].python}"'
    assert front["sdk_version"] in requirements(space)["gradio"].specifier
    assert len(front["short_description"]) <= 60  # or the hub refuses it
    assert not {"models", "datasets", "preload_from_hub"} & set(front)


def test_the_hub_lists_it_with_the_paper(space):
    assert "https://arxiv.org/abs/2108.05889\n" in (space / "README.md").read_text(encoding="utf-8")


def test_its_versions_are_within_those_of_the_repository(space, hardware):
    ours, theirs = requirements(ROOT), requirements(space)
    extra = set(theirs) - set(ours)
    assert extra == ({"spaces"} if hardware == "zero-gpu" else set())
    assert set(ours) <= set(theirs)
    for name in set(ours) - {"torch"}:
        assert theirs[name].specifier == ours[name].specifier
    pinned = re.fullmatch(r"==(2\.\d+\.\d)", str(theirs["torch"].specifier))
    assert bool(pinned) == (hardware == "zero-gpu")
    if pinned:
        # What the platform has.
        assert pinned[1] in ("2.8.0", "2.9.1", "2.10.0", "2.11.0")
        assert pinned[1] in ours["torch"].specifier


def imported(path):
    """Full names that a file imports when it is imported itself."""
    waiting = list(ast.parse(path.read_text(encoding="utf-8")).body)
    for node in waiting:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            waiting.extend(ast.iter_child_nodes(node))


def own_file(folder, name):
    """The file of the Space that a name stands for: a module, or something in one."""
    while name:
        path = folder / name.replace(".", "/")
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return file
        name = name.rpartition(".")[0]
    return None


def test_what_the_app_imports_is_there_or_required(space):
    """Everything that is imported when the app starts, from its own requirements: none of the tests'."""
    waiting, seen, packages = [space / "app.py"], set(), set()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        for name in imported(file):
            first = name.partition(".")[0]
            if first in SOURCES:
                waiting.append(own_file(space, name))
                assert waiting[-1], f"{file} imports {name}, which the Space lacks"
            elif first not in sys.stdlib_module_names:
                packages.add(first)
    assert len(seen) > 30
    assert {"gradio", "torch", "timm", "cv2"} <= packages
    of_package = distributions_by_package()
    available = with_dependencies(requirements(space))
    for package in packages:
        names = {canonicalize_name(name) for name in of_package[package]}
        assert names & available, f"nothing that the Space requires brings {package}"


def distributions_by_package():
    """Names of the distributions that hold a file of each package. (Python 3.10's own table has not all of them.)"""
    found = defaultdict(set)
    for distribution in importlib.metadata.distributions():
        for file in distribution.files or ():
            found[file.parts[0].partition(".")[0]].add(distribution.metadata["Name"])
    return found


def with_dependencies(names):
    """Distributions that come with these, as those installed here say."""
    found, waiting = set(), [canonicalize_name(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        try:
            needed = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:  # spaces, which is only there
            continue
        for each in map(Requirement, needed):
            if each.marker is None or each.marker.evaluate({"extra": ""}):
                waiting.append(canonicalize_name(each.name))
    return found


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(InputError, match="something in"):
        write_space(tmp_path, HARDWARE["cpu"])
    assert files_of(tmp_path) == {"mine"}


# What is uploaded.


@pytest.fixture(scope="module")
def hub():
    with serving() as hub:
        yield hub


def uploaded(hub, name, hardware="zero-gpu", token=TOKEN):
    return publish(
        name,
        "--hardware",
        hardware,
        HF_ENDPOINT=hub.endpoint,
        HF_TOKEN=token,
        HF_HUB_DISABLE_XET="1",
    )


def test_the_hub_gets_that_folder_on_that_hardware(hub, space, hardware):
    run = uploaded(hub, f"alice/{hardware}", hardware)
    assert run.stdout.strip() == f"{hub.endpoint}/spaces/alice/{hardware}", run.stderr
    there = hub.repositories[f"spaces/alice/{hardware}"]
    assert (there["sdk"], there["hardware"]) == ("gradio", HARDWARE[hardware].flavour.value)
    files = hub.files(f"spaces/alice/{hardware}")
    assert set(files) == files_of(space) | {".gitattributes"}
    assert all(files[name] == (space / name).read_bytes() for name in files_of(space))


def test_a_space_that_is_there_is_replaced_and_moves_to_the_hardware(hub):
    hub.add("spaces/alice/again", {".gitattributes": b"", "old.py": b"", "README.md": b"old"})
    run = uploaded(hub, "alice/again")
    assert run.returncode == 0, run.stderr
    files = hub.files("spaces/alice/again")
    assert "old.py" not in files
    assert files["README.md"].startswith(b"---\ntitle: DIML Explorer")
    assert hub.repositories["spaces/alice/again"]["hardware"] == "zero-a10g"


STATIC = """
import sys
from scripts import publish_space

def write_site(folder):
    folder.mkdir(exist_ok=True)
    (folder / "index.html").write_text("<h1>a site</h1>")

publish_space.write_site = write_site
sys.exit(publish_space.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("there", [False, True], ids=["new", "replaced"])
def test_the_page_without_a_server_is_a_static_space(hub, there):
    name = f"alice/static-{there}"
    if there:
        hub.add(f"spaces/{name}", {".gitattributes": b"", "app.py": b"", "README.md": b"old"})
    run = in_process(
        "-c", STATIC, name, "--static",
        HF_ENDPOINT=hub.endpoint, HF_TOKEN=TOKEN, HF_HUB_DISABLE_XET="1",
    )  # fmt: skip
    assert run.stdout.strip() == f"{hub.endpoint}/spaces/{name}", run.stderr
    space = hub.repositories[f"spaces/{name}"]
    assert "hardware" not in space
    assert space.get("sdk") == (None if there else "static")
    files = hub.files(f"spaces/{name}")
    assert set(files) == {".gitattributes", "README.md", "index.html"}
    text = files["README.md"].decode()
    front = dict(line.split(": ", 1) for line in text.split("---\n")[1].splitlines())
    assert (front["sdk"], front["app_file"]) == ("static", "index.html")
    assert not {"sdk_version", "python_version"} & set(front)
    assert "`examples/CREDITS.md`" in text  # as build_site has it
    assert "checkpoints" not in text


@pytest.mark.parametrize("name", ["diml", "alice/di ml"])
def test_a_name_that_is_none(hub, name):
    hub.requests.clear()
    run = uploaded(hub, name)
    assert (run.returncode, run.stdout) == (2, "")
    assert "write USER/REPO" in run.stderr
    assert hub.requests == []


def test_only_who_may_write_there_publishes(hub):
    for name, token in (("bob/diml", TOKEN), ("alice/mine", "hf_of_bob")):
        run = uploaded(hub, name, token=token)
        assert run.returncode == 2
        assert f"does not let you write to '{name}'" in run.stderr
        assert f"spaces/{name}" not in hub.repositories


def test_hardware_that_the_account_may_not_have_is_refused_in_the_hubs_words(hub, monkeypatch):
    monkeypatch.setattr(hub, "paid", ("cpu-basic",))
    run = uploaded(hub, "alice/free", "cpu")
    assert run.returncode == 2
    assert run.stderr == (f"The Hugging Face hub does not take the Space 'alice/free': {PAID}\n")


def test_without_the_hub_nothing_is_uploaded():
    run = publish("alice/diml", "--hardware", "cpu", HF_ENDPOINT="http://127.0.0.1:9")
    assert run.returncode == 2
    assert "The Space could not be pushed to 'alice/diml'" in run.stderr
    assert len(run.stderr.splitlines()) == 1
