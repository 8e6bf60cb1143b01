"""What the repository promises about itself: the README's commands, the Space's front matter, its size."""

import re
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from diml_core.network.checkpoints import SHIPPED, shipped_models

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MODELS, LEADS = (
    README.split(f"## {title}\n")[1].split("\n## ")[0]
    for title in ("Models", "Is the explanation true?")
)
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted(ROOT.glob("checkpoints/*/README.md")),
    *sorted(path for path in ROOT.glob("docs/**/*.md") if "_build" not in path.parts),
]
MEBIBYTE = 1024**2


def prose(page):
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def anchors(page):
    """What GitHub and MyST make of the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.M)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


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


def test_nothing_was_left_to_fill_in():
    for page in PAGES:
        assert not re.search(r"\bTODO\b|\bTBD\b|\bTIMES\b|XXX", page.read_text("utf-8")), page


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 100


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    """To a file of the repository; and to a heading, where it names one."""
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", prose(page)):
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.is_relative_to(ROOT), target
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_the_badges_are_true():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    oldest, after = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', project).groups()
    said = {
        path.stem: re.search('aria-label="(.*?)"', path.read_text("utf-8"))[1]
        for path in (ROOT / "assets" / "badges").glob("*.svg")
    }
    assert said == {
        "python": f"Python: 3.{oldest} – 3.{int(after) - 1}",
        "licence": "licence: " + re.search(r'^license = "(.*)"', project, re.M)[1],
        "weights": "weights: Apache-2.0",  # which test_checkpoints reads in every card
        "paper": "paper: arXiv 2108.05889",
    }
    for name in said:
        text = (ROOT / "assets" / "badges" / f"{name}.svg").read_text(encoding="utf-8")
        assert ": ".join(re.findall(r"<text.*?>(.*?)</text>", text)) == said[name]
        assert f"](assets/badges/{name}.svg)](" in README


def test_the_picture_of_the_readme_moves_for_ever_and_loads_at_once():
    path = ROOT / re.search(r"^!\[.*?\]\((.*?)\)$", README, re.M)[1]
    with Image.open(path) as picture:
        assert picture.info["loop"] == 0  # 0 is without an end
        assert picture.n_frames > 10
        assert picture.width == 800  # GitHub's column: its letters are not made smaller there
    assert path.stat().st_size < 900_000


def test_the_figures_of_the_readme_are_those_of_the_model_cards():
    figures = {
        row[1]: [cell.strip() for cell in row[2].split("|")]
        for row in re.finditer(r"^\| `([\w-]+)`[^|]*\|[^|]*\|(.*)\|$", MODELS, re.M)
    }
    assert sorted(figures) == sorted(shipped_models())
    for name in ("efficientnet-lite0", "dinov2-s14"):
        card = (SHIPPED / name / "README.md").read_text(encoding="utf-8")
        table = card.split("### Against the start, photos")[1]
        row = re.search(r"^\| re-ranked \|(.*)\|$", table, re.M)[1].split("|")
        recall_before, recall, _, precision_before, precision, gain = map(str.strip, row)
        assert figures[name] == [recall.split()[0], precision.split()[0], gain]
        if name == "efficientnet-lite0":
            before = [recall_before.split()[0], precision_before.split()[0], ""]
            assert figures[f"{name}-imagenet"] == before


def test_the_leads_of_the_readme_are_those_of_the_model_cards():
    heads, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in LEADS.splitlines()
        if line.startswith("|") and not line.startswith("|-")
    ]
    assert len(rows) == 4
    name = ""
    for row in rows:
        name = (re.search("`(.*)`", row[0]) or [name, name])[1]
        kind = "deletion" if row[0].endswith("covering") else "insertion"
        card = (SHIPPED / name / "README.md").read_text(encoding="utf-8")
        table = card.split("## Is its explanation true?")[1].split("\n## ")[0]
        columns, *rivals = [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in table.splitlines()
            if line.startswith("|") and not line.startswith("|-")
        ]
        at = columns.index(f"{kind}, one photo, ahead")
        leads = {rival[0]: rival[at] for rival in rivals}
        for head, shown in zip(heads[1:], row[1:], strict=True):
            lead = next((value for key, value in leads.items() if head in key), "")
            mean, low = (*lead.split(), "", "")[:2]
            assert shown == (f"*{mean}*" if low.startswith("[-") else mean), (name, head)


def test_the_tree_stays_small():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    files = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    assert sum(file.stat().st_size for file in files if file.exists()) < 60 * MEBIBYTE
