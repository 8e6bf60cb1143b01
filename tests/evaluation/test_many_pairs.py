"""``compare --pairs``: what the table says is what one comparison says, and every failure is named."""

import csv
import os
import shutil
from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from diml_core import explain, load_model
from diml_core.__main__ import main
from diml_core.commands import many_pairs
from diml_core.errors import InputError
from diml_core.evaluation.pair_list import read_pairs
from diml_core.network.model import DimlModel

SIZES = {"a.png": (64, 64), "b.png": (96, 48), "c.png": (48, 80), "d.png": (64, 60)}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(0)
    for name, size in SIZES.items():
        cells = random.integers(0, 256, (4, 4, 3)).astype(np.uint8)
        Image.fromarray(cells).resize(size).save(folder / name)
    return folder


def compare(*arguments):
    return main(["compare", *map(str, arguments)])


def rows_of(output):
    with (output / "pairs.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def list_of(folder, text, name="list.csv"):
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("model", ["vit_folder", "cnn_folder"])
def test_a_folder_gives_all_its_pairs_as_one_comparison_gives_them(
    photos, model, request, tmp_path, monkeypatch, capsys
):
    model = request.getfixturevalue(model)
    seen = []
    extract = DimlModel.extract
    monkeypatch.setattr(
        DimlModel, "extract", lambda self, photo, *a: seen.append(photo.name) or extract(self, photo, *a)
    )  # fmt: skip
    options = {"grid": 2, "marginals": "uniform", "mass": 0.7}
    given = [text for name, value in options.items() for text in (f"--{name}", value)]
    assert compare("--pairs", photos, "--output", tmp_path / "out", "--model", model, *given) == 0
    assert sorted(seen) == sorted(SIZES)  # once each
    rows = rows_of(tmp_path / "out")
    assert [(row["a"], row["b"]) for row in rows] == list(combinations(SIZES, 2))
    network = load_model(model)
    for row in rows:
        one = explain(network, photos / row["a"], photos / row["b"], **options)
        expected = {
            "similarity": one.similarity,
            "global": one.global_similarity,
            "structural": one.structural_similarity,
            "mass": one.mass,
            "marginal_error": one.marginal_error,
        }
        assert {n: float(row[n]) for n in expected} == pytest.approx(expected, abs=1e-9)
        assert row["iterations"] == str(one.iterations)
        assert (row["converged"], row["problem"]) == ("True", "")
    with Image.open(tmp_path / "out" / "sheet.png") as sheet:
        assert sheet.format == "PNG"
    assert "Pairs compared: 6" in capsys.readouterr().out


@pytest.mark.parametrize("header", ["", "first,second\n", "\ufefffirst,second\n"])
def test_a_list_is_read_with_and_without_a_header(photos, header):
    file = list_of(photos, f"{header}a.png, b.png\n\n./c.png,a.png\n")
    pairs = read_pairs(file)
    assert [(p.name_a, p.name_b) for p in pairs] == [("a.png", "b.png"), ("./c.png", "a.png")]
    assert [(p.path_a, p.path_b) for p in pairs] == [
        (photos / "a.png", photos / "b.png"),
        (photos / "c.png", photos / "a.png"),
    ]


def test_a_misspelt_first_line_is_no_header(photos):
    assert len(read_pairs(list_of(photos, "aa.png,bb.png\na.png,b.png\n"))) == 2


def test_photos_that_cannot_be_read_fail_their_own_pairs_only(photos, cnn_folder, tmp_path, capsys):
    folder = tmp_path / "some"
    shutil.copytree(photos, folder)
    (folder / "broken.png").write_bytes(b"no picture")
    file = list_of(
        folder, "a.png,b.png\nbroken.png,a.png\nmissing.png,broken.png\nc.png,c.png\nbroken.png,d.png\n"
    )  # fmt: skip
    assert compare("--pairs", file, "--output", tmp_path / "out", "--model", cnn_folder) == 2
    out, err = capsys.readouterr()
    rows = rows_of(tmp_path / "out")
    assert [bool(row["similarity"]) for row in rows] == [True, False, False, True, False]
    assert [bool(row["problem"]) for row in rows] == [False, True, True, False, True]
    assert all(name in rows[2]["problem"] for name in ("missing.png", "broken.png"))
    assert out.count("'broken.png'") == out.count("'missing.png'") == 1
    assert "3 of 5 pairs failed" in err.splitlines()[-1]  # below the progress bar
    assert (tmp_path / "out" / "sheet.png").is_file()


def test_where_all_fail_no_sheet_of_a_former_run_is_left(photos, cnn_folder, tmp_path, capsys):
    arguments = ["--output", tmp_path / "out", "--model", cnn_folder]
    assert compare("--pairs", list_of(photos, "a.png,b.png\n"), *arguments) == 0
    assert compare("--pairs", list_of(photos, "a.png,nowhere.png\n"), *arguments) == 2
    assert "1 of 1 pairs failed" in capsys.readouterr().err
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["pairs.csv"]


def test_an_interruption_leaves_the_rows_so_far(photos, cnn_folder, tmp_path, monkeypatch):
    compare_pairs = many_pairs.compare_pairs

    def interrupted(*arguments):
        for number, one in enumerate(compare_pairs(*arguments)):
            if number == 4:
                raise KeyboardInterrupt
            yield one

    monkeypatch.setattr(many_pairs, "compare_pairs", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compare("--pairs", photos, "--output", tmp_path / "out", "--model", cnn_folder)
    assert len(rows_of(tmp_path / "out")) == 4


def test_the_sheet_has_the_most_similar_pairs_in_order(photos, cnn_folder, tmp_path, monkeypatch):
    from diml_core.drawing import contact_sheet

    drawn = []
    monkeypatch.setattr(contact_sheet, "MOST_TILES", 3)
    monkeypatch.setattr(
        contact_sheet, "save_contact_sheet", lambda shown, of, path: drawn.append((shown, of))
    )
    assert compare("--pairs", photos, "--output", tmp_path / "out", "--model", cnn_folder) == 0
    ((shown, of),) = drawn
    scores = sorted((float(r["similarity"]) for r in rows_of(tmp_path / "out")), reverse=True)
    assert [e.similarity for e in shown] == scores[:3]
    assert of == 6


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no pair"),
        ("a,b\n", "no pair"),
        (f"{'first ' * 100},second\n", "no pair"),
        ("a.png,b.png\na.png\n", "Line 2"),
        ("a.png,b.png,c.png\n", "Line 1"),
        ("a.png,\n", "Line 1"),
        ("a.png;b.png\n", "comma"),
    ],
)
def test_a_list_without_two_paths_per_line_is_refused(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        read_pairs(list_of(tmp_path, text))


def test_a_picture_and_a_missing_file_are_no_list(photos, tmp_path):
    for source in (photos / "a.png", tmp_path / "nowhere"):
        with pytest.raises(InputError, match="two paths per line, or a folder of photos"):
            read_pairs(source)


@pytest.mark.parametrize("count", [0, 1])
def test_a_folder_of_fewer_than_two_photos_is_refused(photos, tmp_path, count):
    for name in list(SIZES)[:count]:
        shutil.copy(photos / name, tmp_path)
    (tmp_path / "notes.txt").write_text("no photo")
    (tmp_path / "._a.png").write_bytes(b"")
    with pytest.raises(InputError, match="give one with two or more"):
        read_pairs(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--pairs", "{photos}"], "go together"),
        (["--output", "{out}"], "go together"),
        (["a.png", "b.png", "--pairs", "{photos}", "--output", "{out}"], "not both"),
        (["a.png", "--pairs", "{photos}", "--output", "{out}"], "not both"),
        (["--pairs", "{photos}", "--output", "{out}", "--json", "x.json"], "--json is for one pair"),
        (["--pairs", "{photos}", "--output", "{out}", "--npz", "x.npz"], "--npz is for one pair"),
        (["--pairs", "{photos}", "--output", "{out}", "--csv", "x.csv"], "--csv is for one pair"),
        (["--pairs", "{photos}", "--output", "{out}", "--figure", "x.png"], "--figure is for one"),
        (["--pairs", "{photos}", "--output", "{out}", "--top", "0"], "--top is for one pair"),
        (["--pairs", "{photos}", "--output", "{photos}"], "choose another --output"),
        (["--pairs", "{photos}", "--output", "{out}", "--grid", "0"], "grid must be"),
        (["--pairs", "{photos}", "--output", "{photos}/a.png"], "cannot be written"),
        ([], "Give two photos"),
        (["a.png"], "Give two photos"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_before_anything_is_written(
    photos, cnn_folder, tmp_path, capsys, arguments, words
):
    before = sorted(os.listdir(photos))
    values = {"photos": photos, "out": tmp_path / "out"}
    arguments = [text.format(**values) for text in arguments]
    assert compare(*arguments, "--model", cnn_folder) == 2
    out, err = capsys.readouterr()
    assert words in err
    assert (out, len(err.strip().splitlines())) == ("", 1)
    assert not list(tmp_path.iterdir())
    assert sorted(os.listdir(photos)) == before


def test_the_table_does_not_overwrite_the_list(photos, cnn_folder, capsys):
    file = list_of(photos, "a.png,b.png\n", "pairs.csv")
    assert compare("--pairs", file, "--output", photos, "--model", cnn_folder) == 2
    assert "choose another --output" in capsys.readouterr().err
    assert file.read_text() == "a.png,b.png\n"
