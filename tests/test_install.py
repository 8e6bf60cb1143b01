"""The built wheel, installed outside the clone: it finds its weights, compares photos, and has its command."""

import ast
import os
import re
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
# As where the dependencies are installed and none of the extras.
COMPARE = """
import shutil, sys
for name in sys.argv[1:]:
    sys.modules[name] = None
from pathlib import Path
from diml_core import explain, load_model
from diml_core.network.checkpoints import shipped_models
from diml_core.retrieval import Gallery, index_photos
from diml_core.shipped_files import shipped_folder

photos = [shipped_folder("assets") / "examples" / name for name in ("cat.jpg", "kitten.jpg")]
for name in shipped_models():
    print(name, explain(load_model(name), *photos).similarity > 0.2)
Path("photos").mkdir()
for photo in photos:
    shutil.copy(photo, "photos")
index_photos("photos", "gallery")
assert [found.path.name for found in Gallery.open("gallery").search(photos[0])] == ["cat.jpg", "kitten.jpg"]
"""
# Modules that are not called like their package; what a package of an extra brings along counts as that.
PACKAGES = {
    "PIL": "pillow", "cv2": "opencv-python-headless", "faiss": "faiss-cpu", "gradio_client": "gradio",
    "llvmlite": "numba", "pydantic_core": "pydantic", "traitlets": "anywidget",
}  # fmt: skip


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


def names(specifiers):
    return {re.match(r"[\w.-]+", each)[0] for each in specifiers}


def extras():
    """Packages that the library works without."""
    optional = PROJECT["project"]["optional-dependencies"]
    return set().union(
        *(names(optional[extra]) for extra in optional if extra not in ("docs", "test"))
    )


def test_the_dependencies_are_what_the_library_imports():
    modules = set()
    for path in (ROOT / "diml_core").rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import):
                modules |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                modules.add(node.module.split(".")[0])
    modules -= {*sys.stdlib_module_names, "diml_core"}
    imported = {PACKAGES.get(name, name.replace("_", "-")) for name in modules}
    dependencies = names(PROJECT["project"]["dependencies"])
    assert dependencies <= imported
    assert imported - dependencies <= extras()


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


def test_an_installed_library_compares_with_each_model_and_needs_no_extra(installed):
    modules = {name.replace("-", "_") for name in extras()}
    modules |= {module for module, package in PACKAGES.items() if package in extras()}
    run = run_there(installed, "-c", COMPARE, *modules, "app")
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
