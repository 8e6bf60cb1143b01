"""Data flows one way: the app imports the core, no floor imports one above it, no file itself in a circle."""

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORE = sorted((ROOT / "diml_core").rglob("*.py"))
EVERYTHING = [*CORE, *sorted((ROOT / "app").rglob("*.py")), ROOT / "app.py"]
# From the ground up.
FLOORS = (
    "ground", "photo", "embedding", "comparison", "network", "viewer", "explanation", "photographs", "data", "scenes",
    "retrieval", "drawing", "evaluation", "learning", "commands", "app",
)  # fmt: skip
# What else lies in diml_core/ itself explains.
GROUND = {"cache_folder", "errors", "shipped_files", "steps", "validation", "version"}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_imports_neither_app_nor_gradio(path):
    assert not {"app", "gradio", "gradio_client"} & set(imported(path))


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_drawing_imports_matplotlib(path):
    assert "matplotlib" not in set(imported(path)) or "drawing" in path.parts


def test_importing_the_core_loads_neither_gradio_nor_matplotlib():
    code = "import sys, diml_core; print({'gradio', 'matplotlib'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout.strip() == "set()", run.stderr


def module(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {
    module(path): path for path in EVERYTHING if path.name != "app.py" or path.parent != ROOT
}


def own_imports(path):
    """The modules of the project that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, (
                f"{path}, line {node.lineno}: imports are written out from the package on"
            )
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in MODULES else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def floor(name):
    first, _, rest = name.partition(".")
    if first == "app":
        return "app"
    inner = rest.partition(".")[0]
    if inner == "__main__":
        return "commands"
    if (ROOT / "diml_core" / inner).is_dir() and inner:
        return inner
    return "ground" if inner in GROUND else "explanation"


GRAPH = {
    name: {other for other in own_imports(path) if other in MODULES and other != name}
    for name, path in MODULES.items()
}


def test_no_file_imports_itself_in_a_circle():
    order = graphlib.TopologicalSorter(GRAPH)
    try:
        order.prepare()
    except graphlib.CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


@pytest.mark.parametrize("name", MODULES)
def test_no_floor_imports_one_above_it(name):
    own = FLOORS.index(floor(name))
    above = [other for other in GRAPH[name] if FLOORS.index(floor(other)) > own]
    assert not above, f"{name} is on the floor '{floor(name)}' and imports {above}"


def test_every_folder_has_a_floor():
    assert {floor(name) for name in MODULES} == set(FLOORS)
