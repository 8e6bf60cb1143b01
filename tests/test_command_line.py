"""The command line: the keys that others rely on, and one sentence for everything that goes wrong."""

import json
import subprocess
import sys

import numpy as np
import pytest

from diml_core import Explanation, explain
from diml_core.__main__ import main
from diml_core.commands.compare import share_of_pairs

KEYS = {
    "model", "similarity", "global_similarity", "structural_similarity", "mass", "grid", "plan",
    "part_similarity", "contribution", "marginals", "rollout", "options",
}  # fmt: skip


@pytest.fixture
def pair(examples):
    return [str(examples / "heron.jpg"), str(examples / "harrier.jpg")]


def test_compare_says_where_the_score_stands_and_among_which_pairs(pair, capsys, cnn, examples):
    assert main(["compare", *pair]) == 0
    printed = capsys.readouterr().out
    standing = explain(cnn, examples / "heron.jpg", examples / "harrier.jpg").standing
    assert f"{100 * standing.threshold:.1f} points; so do" in printed
    assert f"{standing.photographs} photographs of {standing.kinds} kinds of things" in printed
    assert f"{standing.pairs_different:,} and {standing.pairs_same:,} pairs" in printed
    assert main(["compare", *pair, "--grid", "3"]) == 0
    assert "standing" not in capsys.readouterr().out


def test_nearly_all_pairs_are_not_told_as_all_nor_hardly_any_as_none():
    told = [share_of_pairs(share) for share in (1, 0.99988, 0.97, 0.004, 0.00001, 0)]
    assert told == [
        "all pairs", "99.9% of pairs", "97% of pairs", "0.4% of pairs", "0.1% of pairs", "no pairs"
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["dinov2-s14", "efficientnet-lite0"])
def test_compare_writes_the_explanation(pair, tmp_path, capsys, name, vit, cnn):
    files = {key: tmp_path / f"pair.{key}" for key in ("json", "npz", "csv", "png", "svg")}
    arguments = [
        "compare",
        *pair,
        "--model",
        name,
        "--grid",
        "5",
        "--marginals",
        "uniform",
        "--mass",
        "0.8",
    ]
    arguments += [
        "--json",
        str(files["json"]),
        "--npz",
        str(files["npz"]),
        "--csv",
        str(files["csv"]),
    ]
    assert main([*arguments, "--figure", str(files["png"]), "--top", "3"]) == 0
    out = capsys.readouterr().out
    expected = explain(
        {m.name: m for m in (vit, cnn)}[name], *pair, grid=5, marginals="uniform", mass=0.8
    )
    assert f"similarity  {100 * expected.similarity:.1f} points  =  " in out
    assert len([line for line in out.splitlines() if line.startswith("  (")]) == 3
    written = json.loads(files["json"].read_text())
    assert written.keys() >= KEYS
    assert set(written["grid"]) == {"a", "b"}
    assert (written["rollout"] is None) == (name == "efficientnet-lite0")
    np.testing.assert_allclose(written["plan"], expected.plan, atol=1e-7)
    total = (written["global_similarity"] + np.sum(written["contribution"])) / 2
    assert written["similarity"] == pytest.approx(total, abs=1e-6)
    assert Explanation.from_npz(files["npz"]).similarity == pytest.approx(
        expected.similarity, abs=1e-9
    )
    assert files["png"].read_bytes().startswith(b"\x89PNG")
    assert files["csv"].read_text().startswith("row_a,")


def test_it_runs_as_a_module(pair, examples):
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "diml_core",
            "compare",
            *pair,
            "--model",
            "efficientnet-lite0",
            "--top",
            "0",
        ],
        cwd=examples.parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stderr == ""
    assert "similarity" in run.stdout


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["--grid", "0"], "grid must be"),
        (["--grid", "99"], "grid must be"),
        (["--grid", "x"], "grid"),
        (["--marginals", "entropy"], "choose one of"),
        (["--mass", "0"], "mass"),
        (["--mass", "nan"], "mass"),
        (["--start-block", "99"], "start block"),
        (["--start-block", "1", "--model", "efficientnet-lite0"], "no attention rollout"),
        (["--marginals", "product", "--model", "efficientnet-lite0"], "no attention rollout"),
        (["--model", "gpt-4"], "efficientnet-lite0, dinov2-s14"),
        (["--top", "-1"], "--top must be 0 or more"),
        (["--figure", "picture.bmp"], "end the name in"),
        (["--json", "/nowhere/pair.json"], "create it first"),
        (["--json", "{tmp}"], "is a folder"),
        (["--epsilon", "0"], "epsilon"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(pair, tmp_path, capsys, change, words):
    change = [part.replace("{tmp}", str(tmp_path)) for part in change]
    with_code = run_main(["compare", *pair, *change])
    out, err = capsys.readouterr()
    assert with_code == 2
    assert words in err
    assert "Traceback" not in err
    assert out == ""
    assert len(err.strip().splitlines()) == 1 or err.startswith("usage")


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_a_bad_picture_is_named(pair, tmp_path, capsys, content):
    broken = tmp_path / "broken.png"
    broken.write_bytes(content)
    assert run_main(["compare", str(broken), pair[0]]) == 2
    err = capsys.readouterr().err
    assert "broken.png" in err
    assert len(err.strip().splitlines()) == 1


def test_a_missing_picture_is_named(pair, capsys):
    assert run_main(["compare", pair[0], "nowhere.jpg"]) == 2
    assert "nowhere.jpg" in capsys.readouterr().err


def run_main(arguments):
    try:
        return main(arguments)
    except SystemExit as stop:  # argparse's own refusals
        return stop.code
