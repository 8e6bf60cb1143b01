"""What the repository promises about itself: the README's commands, the Space's front matter, its size."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MEBIBYTE = 1024**2


def test_ci_runs_the_readmes_test_command():
    command = re.search(r"\*\*Run the tests.*?```bash\n(.*?)\n```", README, re.DOTALL).group(1)
    assert f"\n{command}\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_ci_builds_the_documentation_as_the_readme_does():
    command = re.search(r"`(pip install [^`]*sphinx-build[^`]*)`", README).group(1)
    assert f"\n{command}\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "package",
    [
        "embedding",
        "comparison",
        "network",
        "retrieval",
        "drawing",
        "data",
        "evaluation",
        "evaluation.faithfulness",
        "learning",
    ],
)
def test_the_reference_has_every_public_module(package):
    folder = (ROOT / "diml_core").joinpath(*package.split("."))
    page = ROOT / "docs" / "reference" / f"{folder.name}.rst"
    listed = re.findall(
        rf"automodule:: diml_core\.{package}\.(\w+)$", page.read_text("utf-8"), re.M
    )
    there = {path.stem for path in (*folder.glob("*.py"), *folder.glob("*/__init__.py"))}
    there |= {path.parent.name for path in folder.glob("*/__init__.py")}
    assert sorted(listed) == sorted(name for name in there if name and name[0] != "_")


def test_the_front_matter_makes_a_space():
    front = dict(
        line.split(": ", 1) for line in README.split("---\n")[1].splitlines() if ": " in line
    )
    assert front["sdk"] == "gradio"
    assert re.fullmatch(r"6\.\d+\.\d+", front["sdk_version"])
    assert front["python_version"].strip('"') in ("3.10", "3.11", "3.12")
    assert (ROOT / front["app_file"]).is_file()


def test_nothing_in_the_readme_was_left_to_fill_in():
    assert not re.search(r"\bTODO\b|\bTBD\b|\bTIMES\b|XXX", README)
    for target in re.findall(r"\]\((?!https?:|#)([^)]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_tree_stays_small():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    files = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    assert sum(file.stat().st_size for file in files if file.exists()) < 60 * MEBIBYTE
