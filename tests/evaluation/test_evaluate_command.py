"""The command from end to end on tiny scenes: tables that are whole, and refusals in one sentence."""

import csv

import pytest

from diml_core.__main__ import main
from diml_core.data import DATASETS, LabelledImages


def evaluate(*arguments):
    return main(["evaluate", *map(str, arguments)])


def rows_of(path):
    with path.open(encoding="utf-8") as file:
        return {(r["table"], r["row"], r["column"]): float(r["mean"]) for r in csv.DictReader(file)}


def test_every_table_of_a_transformer_from_one_command(scenes, vit_folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert (
        evaluate(
            "--model", vit_folder, "--data", "scenes", "--root", scenes, "--tables", "--output", out,
            "--top-k", 7,
        )
        == 0
    )  # fmt: skip
    found = rows_of(out / "tables.csv")
    tables = {table for table, _, _ in found}
    assert tables == {
        "Re-ranked candidates", "Marginals", "Grid", "Transported mass", "Rollout", "Parts on the object",
    }  # fmt: skip
    assert {row for t, row, _ in found if t == "Re-ranked candidates"} == {
        "global only", "K = 5", "K = 7",
    }  # fmt: skip
    differences = ("gain", "−", "against")
    assert all(0 <= v <= 1 for (*_, c), v in found.items() if not any(d in c for d in differences))
    # One setting is in several tables, and must be the same number in all of them.
    given = {
        v for (_, row, column), v in found.items()
        if column == "MAP@R" and (row.endswith("(as given)") or row == "K = 7")
    }  # fmt: skip
    assert len(given) == 1
    against = {r: v for (_, r, c), v in found.items() if c == "MAP@R, against given"}
    assert {v for row, v in against.items() if row.endswith("(as given)")} == {0}
    assert any(against.values())
    text = (out / "tables.md").read_text(encoding="utf-8")
    assert capsys.readouterr().out == text + "\n"
    assert all(f"### {table}\n" in text for table in tables)
    assert "mass 0.5" in text.splitlines()[2]


def test_a_convolutional_network_has_no_rollout_table(scenes, cnn_folder, tmp_path):
    assert (
        evaluate(
            "--model", cnn_folder, "--data", "scenes", "--root", scenes, "--tables", "--output", tmp_path
        )
        == 0
    )  # fmt: skip
    found = rows_of(tmp_path / "tables.csv")
    assert {row for t, row, _ in found if t == "Marginals"} == {
        "cross-correlation (as given)", "uniform",
    }  # fmt: skip
    assert not any(t == "Rollout" for t, _, _ in found)


def test_the_authors_protocol_scores_lower(scenes, cnn_folder, tmp_path):
    for protocol in ("usual", "authors"):
        assert (
            evaluate(
                "--model", cnn_folder, "--data", "folder", "--root", scenes / "test", "--ratio", 0,
                "--protocol", protocol, "--output", tmp_path / protocol,
            )
            == 0
        )  # fmt: skip
    usual, authors = (rows_of(tmp_path / p / "tables.csv") for p in ("usual", "authors"))
    key = ("Re-ranked candidates", "global only", "RP")
    assert 0 < authors[key] < usual[key]
    assert usual[key[0], key[1], "R@1"] == authors[key[0], key[1], "R@1"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "nothing to measure"),
        (["--data", "cub200"], "--data and --root go together"),
        (["--data", "cub200", "--root", "nowhere"], "CUB-200-2011 was not found"),
        (["--data", "scenes", "--root", "nowhere"], "There are no scenes in 'nowhere'"),
        (["--data", "scenes", "photos", "--root", "nowhere"], "name each data set"),
        (["--data", "scenes", "scenes", "--root", "a", "b"], "names a data set twice"),
        (
            ["--data", "photos", "--root", "nowhere", "--split", "train"],
            "Nothing of 'photos' is trained on",
        ),
        (["--keypoints", "--against", "dinov2-s14"], "--against compares on data"),
        (["--keypoints", "--faithfulness"], "--faithfulness tries pairs of a data set"),
        (
            ["--data", "photos", "--root", "nowhere", "--faithfulness", "--engine", "onnx"],
            "torch alone can do",
        ),
        (
            ["--keypoints", "--rivals", "rise", "--slow-rivals"],
            "--rivals names them all",
        ),
        (["--keypoints", "--pairs-limit", "0"], "--pairs-limit must be at least 1"),
        (
            ["--data", "photos", "--root", "nowhere", "--faithfulness", "--rivals", "lime"],
            "There is no ranking named 'lime'",
        ),
        (
            ["--data", "photos", "--root", "nowhere", "--faithfulness", "--rivals", "rollout"],
            "needs a model with attention",
        ),
        (["--keypoints", "--top-k", "0"], "--top-k must be at least 1"),
        (["--keypoints", "--ratio", "0.3"], "--ratio is for --data folder"),
        (["--keypoints", "--grid", "99"], "The grid must be a whole number from 1"),
        (["--keypoints", "--output", "/dev/null/x"], "cannot be written"),
    ],
)
def test_bad_input_is_one_sentence(arguments, sentence, cnn_folder, capsys):
    assert evaluate("--model", cnn_folder, *arguments) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_faithfulness_comes_with_the_rivals_that_were_named(scenes, vit_folder, tmp_path):
    assert (
        evaluate(
            "--model", vit_folder, "--data", "scenes", "--root", scenes, "--faithfulness", "--pairs-limit", 2,
            "--rivals", "rollout", "covering", "--output", tmp_path,
        )
        == 0
    )  # fmt: skip
    found = rows_of(tmp_path / "tables.csv")
    rows = {}
    for table, row, _ in found:
        rows.setdefault(table, set()).add(row)
    ours, cheap, slow = "DIML contributions", "attention rollout", "covering each part"
    assert rows["Deletion and insertion, A, blur"] == {ours, cheap, slow}
    assert rows["Stability"] == rows["Randomisation"] == {ours, cheap}
    assert found["Conservation", ours, "defect, A"] == 0
    # What looks at one photo only says the same beside any other.
    assert found["Randomisation", cheap, "other kind"] == 1


def test_several_data_sets_end_side_by_side_real_photographs_first(
    scenes, cnn_folder, tmp_path, monkeypatch
):
    kinds = {c: [] for c in ("one", "two")}
    for number, path in enumerate(sorted((scenes / "test").rglob("*.jpg"))[:6]):
        kinds[("one", "two")[number % 2]].append(path)
    photos = LabelledImages.from_pairs(
        "photos", "test", [(k, p) for k, ps in kinds.items() for p in ps]
    )
    monkeypatch.setitem(DATASETS, "photos", lambda root, split: photos)
    assert (
        evaluate(
            "--model", cnn_folder, "--data", "scenes", "photos", "--root", scenes, tmp_path, "--output",
            tmp_path,
        )
        == 0
    )  # fmt: skip
    found = rows_of(tmp_path / "tables.csv")
    rows = list(dict.fromkeys(r for t, r, _ in found if t == "Data sets side by side"))
    assert rows == ["photos, global", "photos, re-ranked", "scenes, global", "scenes, re-ranked"]
    for name in ("photos", "scenes"):
        for row, own in (("global", "global only"), ("re-ranked", "K = 100")):
            for column in ("R@1", "MAP@R", "MAP@R, gain"):
                assert (
                    found["Data sets side by side", f"{name}, {row}", column]
                    == found[f"Re-ranked candidates, {name}", own, column]
                )


def test_a_model_against_another_is_the_difference_of_what_each_scores(
    scenes, cnn_folder, vit_folder, tmp_path
):
    for model, more in (
        (cnn_folder, ["--against", vit_folder]),
        (vit_folder, ["--against", vit_folder]),
    ):
        out = tmp_path / model.name
        assert (
            evaluate("--model", model, "--data", "scenes", "--root", scenes, "--output", out, *more)
            == 0
        )
    cnn, vit = (rows_of(tmp_path / m.name / "tables.csv") for m in (cnn_folder, vit_folder))
    title = "Against the start, scenes"
    for scale, row in (("global", "global only"), ("re-ranked", "K = 100")):
        for metric in ("R@1", "MAP@R"):
            key = ("Re-ranked candidates", row, metric)
            # Written with six decimals each.
            assert cnn[title, scale, f"{metric}, gain"] == pytest.approx(
                cnn[key] - vit[key], abs=2e-6
            )
            assert vit[title, scale, f"{metric}, gain"] == 0
