"""No model is published that is worse than its start on real photographs, unless it says so."""

import csv
import sys

import pytest
from tiny_model import save_tiny

from diml_core import InputError
from scripts import publish_model
from scripts.publish_model import faithfulness_in_short, losses_on_photographs


def evaluated(folder, gains, table="Against the start, photos"):
    with (folder / "tables.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["table", "row", "column", "mean", "low", "high"])
        for (row, metric), gain in gains.items():
            writer.writerow([table, row, f"{metric} of start", 0.5, 0.4, 0.6])
            writer.writerow([table, row, f"{metric}, gain", gain, gain - 0.01, gain + 0.01])
    return folder


GAINS = {
    ("global", "R@1"): 0.0, ("global", "MAP@R"): 0.012, ("re-ranked", "R@1"): 0.02, ("re-ranked", "MAP@R"): 0.05,
}  # fmt: skip


def test_a_model_that_lost_nothing_passes(tmp_path):
    assert losses_on_photographs(evaluated(tmp_path, GAINS)) == []


@pytest.mark.parametrize("lost", GAINS)
def test_one_figure_that_fell_is_enough(tmp_path, lost):
    losses = losses_on_photographs(evaluated(tmp_path, GAINS | {lost: -0.031}))
    assert losses == [f"{' '.join(lost)} -3.1"]


@pytest.mark.parametrize("table", ["Against the start, scenes", "Re-ranked candidates"])
def test_composites_do_not_count(tmp_path, table):
    with pytest.raises(InputError, match="--data photos and --against"):
        losses_on_photographs(evaluated(tmp_path, GAINS, table))


TABLES = """## tiny on photos, test

Options: grid 2.

### Conservation

{other}

### Faithfulness, in short

1 pair.

| | deletion |
|---|---:|
| DIML contributions | 1.0 |
"""


def test_a_card_has_the_one_table_of_faithfulness(tmp_path):
    (tmp_path / "tables.md").write_text(TABLES, encoding="utf-8")
    table = faithfulness_in_short(tmp_path)
    assert table.startswith("1 pair.")
    assert table.endswith("| DIML contributions | 1.0 |")


def test_no_card_is_made_without_it(tmp_path):
    (tmp_path / "tables.md").write_text(TABLES.partition("### Faith")[0], encoding="utf-8")
    with pytest.raises(InputError, match="evaluate it with --faithfulness"):
        faithfulness_in_short(tmp_path)


@pytest.fixture
def lost(tmp_path, monkeypatch):
    """The command's arguments for a model that lost on photographs, and the shipped folder that it would replace."""
    shipped = tmp_path / "checkpoints"
    old = shipped / "efficientnet-lite0"
    old.mkdir(parents=True)
    (old / "README.md").write_text("the card of before", encoding="utf-8")
    monkeypatch.setattr(publish_model, "SHIPPED", shipped)
    evaluated(tmp_path, GAINS | {("global", "R@1"): -0.031})
    (tmp_path / "tables.md").write_text(TABLES, encoding="utf-8")
    save_tiny(tmp_path / "model")
    (tmp_path / "config.json").write_text('{"steps": 3}', encoding="utf-8")
    (tmp_path / "metrics.csv").write_text("step,loss\n3,0.5\n", encoding="utf-8")
    tables = [
        f"--{of}={tmp_path}" for of in ("run", "before", "after", "ablations", "faithfulness")
    ]
    monkeypatch.setattr(sys, "argv", ["publish_model", "efficientnet-lite0", *tables])
    return old


def test_a_model_that_lost_is_refused_and_nothing_is_replaced(lost, capsys):
    assert publish_model.main() == 2
    assert "worse than its start (global R@1 -3.1)" in capsys.readouterr().err
    assert [path.name for path in lost.iterdir()] == ["README.md"]
    assert (lost / "README.md").read_text(encoding="utf-8") == "the card of before"


def test_published_as_such_its_card_says_so_first(lost, monkeypatch):
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--worse-than-start"])
    assert publish_model.main() == 0
    card = (lost / "README.md").read_text(encoding="utf-8").partition("# efficientnet-lite0")[2]
    assert card.split("\n\n")[1].startswith(
        "**On real photographs it is worse than its start: global R@1 -3.1 points.**"
    )
    assert "<!--" not in card
