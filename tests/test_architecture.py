"""Data flows one way: the app imports the core, the core imports neither the app nor Gradio."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORE = sorted((ROOT / "diml_core").rglob("*.py"))


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
