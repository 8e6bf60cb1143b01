"""The built wheel, installed outside the clone: it finds its weights, compares photos, and has its command."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import diml_core

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10, where pytest brings it along
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
COMPARE = """
import sys
from diml_core import explain, load_model
from diml_core.network.checkpoints import shipped_models
from diml_core.shipped_files import shipped_folder

photos = [shipped_folder("assets") / "examples" / name for name in ("cat.jpg", "kitten.jpg")]
for name in shipped_models():
    print(name, explain(load_model(name), *photos).similarity > 0.2)
assert not {"gradio", "app"} & set(sys.modules)
"""


def requirements(*files):
    for file in files:
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
            if line and not line.startswith(("#", "-r ")):
                yield line


def test_the_ranges_are_the_same_everywhere():
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    assert set(requirements("requirements.txt")) == {
        *project["dependencies"],
        *extras["app"],
        *extras["search"],
    }
    assert set(requirements("requirements-train.txt")) == set(extras["train"])
    assert set(requirements("requirements-test.txt")) == set(extras["test"])
    optional = (extras[name] for name in ("faiss", "mcp", "notebook", "onnx", "qdrant"))
    assert set().union(*optional) < set(extras["test"])


def test_every_folder_of_the_library_is_in_the_wheel():
    folders = {path.parent for path in (ROOT / "diml_core").rglob("*.py")}
    packages = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    listed = set(PROJECT["tool"]["setuptools"]["packages"])
    assert listed - set(PROJECT["tool"]["setuptools"]["package-dir"]) == packages


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the wheel in it, built from a copy: setuptools leaves things where it builds."""
    out = tmp_path_factory.mktemp("wheel")
    source = out / "source"
    for folder in ("diml_core", "assets", "checkpoints"):
        shutil.copytree(
            ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    build = [*pip, "wheel", "--no-deps", "-w", str(out), str(source)]
    run = subprocess.run(build, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    wheel = next(out.glob("*.whl"))
    assert wheel.name.startswith(f"diml_explorer-{diml_core.__version__}-")
    put = [*pip, "install", "--no-deps", "--target", str(out / "site"), str(wheel)]
    run = subprocess.run(put, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return out / "site"


def run_there(installed, *command, **variables):
    environment = {k: v for k, v in os.environ.items() if k != "DIML_CHECKPOINTS"} | variables
    return subprocess.run(
        [sys.executable, *command],
        cwd=installed.parent,
        env=environment | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
    )


def test_an_installed_library_compares_with_each_model(installed):
    run = run_there(installed, "-c", COMPARE)
    assert run.returncode == 0, run.stderr
    models = [line.split()[0] for line in run.stdout.splitlines()]
    assert models == diml_core.network.checkpoints.shipped_models()
    assert all(line.endswith("True") for line in run.stdout.splitlines()), run.stdout
    assert (installed / "diml_core" / "py.typed").is_file()


def test_the_installed_command_is_diml(installed):
    command = str(installed / "bin" / "diml")
    run = run_there(installed, command, "--version")
    assert run.stdout.strip() == f"diml-explorer {diml_core.__version__}", run.stderr
    help_text = run_there(installed, command, "--help").stdout
    assert help_text.startswith("usage: diml")
    for name in ("compare", "index", "search", "photos", "scenes", "train", "evaluate"):
        assert name in help_text


def test_a_folder_of_ones_own_checkpoints_comes_first(installed, cnn, tmp_path):
    from diml_core.network.checkpoints import save_model

    save_model(cnn, tmp_path / "mine")
    code = "from diml_core import load_model; print(load_model('mine').name)"
    run = run_there(installed, "-c", code, DIML_CHECKPOINTS=str(tmp_path))
    assert run.stdout.strip() == cnn.name, run.stderr
