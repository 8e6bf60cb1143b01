"""The promise: what is displayed adds up to the score. On real photos, with every option."""

import csv
import dataclasses
import functools
import json
import sys

import numpy as np
import pytest
from PIL import Image

from diml_core import Explanation, explain, load_photo
from diml_core.commands.compare import report
from diml_core.comparison.marginals import MARGINALS
from diml_core.comparison.options import ExplainOptions
from diml_core.comparison.transport import partial_transport
from diml_core.drawing.sentences import settings
from diml_core.errors import InputError

ARRAYS = ("plan", "part_similarity", "marginals_a", "marginals_b", "rollout_a", "rollout_map_b")


@pytest.fixture(scope="module")
def features(vit, cnn, examples):
    """Three photos through both networks, once: two birds and something else, of unlike shapes."""
    names = ("heron.jpg", "harrier.jpg", "rocket.jpg")
    return {m.name: [m.extract(load_photo(examples / n)) for n in names] for m in (vit, cnn)}


@pytest.mark.parametrize("mass", [1.0, 0.5, 0.05])
@pytest.mark.parametrize("marginals", MARGINALS)
def test_the_parts_add_up_to_the_score(model, features, marginals, mass):
    if MARGINALS[marginals].rollout and not model.has_rollout:
        pytest.skip("this model has no attention")
    heron, harrier, rocket = features[model.name]
    for pair in ((heron, harrier), (heron, rocket), (heron, heron)):
        for grid in (1, 4, model.max_grid):
            e = explain(model, *pair, marginals=marginals, mass=mass, grid=grid)
            assert abs(e.similarity - (e.global_similarity + e.contribution.sum()) / 2) < 1e-6
            assert e.plan.sum() == pytest.approx(mass, abs=2e-5)
            assert e.marginals_a.sum() == pytest.approx(1, abs=1e-6)
            assert (e.plan >= 0).all()
            assert np.isfinite(e.contribution).all()
            assert -1 - 1e-6 <= e.structural_similarity <= 1 + 1e-6


def test_swapping_the_photos_transposes_everything(model, features):
    heron, harrier, _ = features[model.name]
    there, back = explain(model, heron, harrier), explain(model, harrier, heron)
    assert there.similarity == pytest.approx(back.similarity, abs=1e-4)
    np.testing.assert_allclose(there.part_similarity, back.part_similarity.T, atol=1e-6)
    np.testing.assert_allclose(there.plan, back.plan.T, atol=1e-4)
    np.testing.assert_allclose(there.marginals_a, back.marginals_b, atol=1e-7)


@pytest.mark.parametrize("mass", [1.0, 0.5])
def test_against_the_pair_speaks_what_matches_worse_than_the_mean(model, features, mass):
    """Raised to the mean, each such part would add as much to the best that the plan could do."""
    heron, _, rocket = features[model.name]
    e = explain(model, heron, rocket, mass=mass, marginals="uniform")
    mean = e.structural_similarity
    assert mean > 0
    for against, marginals, best in (
        (e.against_a, e.marginals_a, e.part_similarity.max(1)),
        (e.against_b, e.marginals_b, e.part_similarity.max(0)),
    ):
        below = best < mean
        assert below.any()
        assert (against[~below] == 0).all()
        np.testing.assert_allclose(
            2 * against[below] + (marginals * best)[below], (marginals * mean)[below]
        )


def test_against_the_pair_speaks_what_does_not_resemble_the_other_photo(model, features):
    """By what a part counted for before that photo was looked at, whatever its own marginal makes of it."""
    heron, _, rocket = features[model.name]
    e = explain(model, heron, rocket)
    mean, whole = e.structural_similarity, e.global_similarity
    assert min(mean, whole) > 0
    for against, marginals, rollout, best in (
        (e.against_a, e.marginals_a, e.rollout_a, e.part_similarity.max(1)),
        (e.against_b, e.marginals_b, e.rollout_b, e.part_similarity.max(0)),
    ):
        alone = np.full(len(marginals), 1 / len(marginals)) if rollout is None else rollout
        assert ((best < mean) & (marginals < alone)).any()
        assert (against[(best >= mean) & (marginals >= alone)] == 0).all()
        short = alone * (mean - best) + whole * (alone - marginals)
        np.testing.assert_allclose(2 * against, np.maximum(0, short))


def test_where_nothing_matches_only_what_is_opposite_speaks_against(model, features):
    """The reference is not below 0, or parts that lower the score would not count."""
    found = explain(model, *features[model.name][:2], marginals="uniform")
    e = dataclasses.replace(found, part_similarity=found.part_similarity - 1)
    assert e.structural_similarity < 0
    best = e.part_similarity.max(1)
    assert best.min() < 0
    np.testing.assert_allclose(2 * e.against_a, e.marginals_a * np.maximum(0, -best))


def test_similar_things_score_higher(model, features, examples):
    heron, harrier, rocket = features[model.name]
    itself = explain(model, heron, heron)
    assert itself.similarity > 0.97
    assert explain(model, heron, harrier).similarity > explain(model, heron, rocket).similarity


def test_a_photo_matches_itself_part_by_part(model, features):
    heron = features[model.name][0]
    e = explain(model, heron, heron, marginals="uniform", mass=1.0)
    assert (e.plan.argmax(1) == np.arange(len(e.plan))).mean() > 0.9


@pytest.mark.parametrize("turn", ["portrait", "landscape", "exif"])
def test_parts_map_back_to_the_right_place(vit, examples, tmp_path, turn):
    """A bright disc on a plain ground: the part most unlike the rest must be where the disc is."""
    size = (300, 480) if turn == "portrait" else (480, 300)
    image = Image.new("RGB", size, (90, 110, 90))
    with Image.open(examples / "macaw.jpg") as macaw:
        patch = macaw.convert("RGB").resize((100, 100))
    at = (round(size[0] * 0.7), round(size[1] * 0.2))
    image.paste(patch, (at[0] - 50, at[1] - 50))
    file = tmp_path / "picture.png"
    if turn == "exif":
        exif = Image.Exif()
        exif[0x0112] = 8
        image.transpose(Image.Transpose.ROTATE_270).save(file, exif=exif)
    else:
        image.save(file)
    e = explain(vit, file, file, marginals="rollout", grid=8)
    assert e.size_a == size
    rows, columns = e.grid_a
    assert (rows > columns) == (size[1] > size[0])
    row, column = divmod(int(e.marginals_a.argmax()), columns)
    assert abs((column + 0.5) / columns - 0.7) < 0.2
    assert abs((row + 0.5) / rows - 0.2) < 0.2


def test_json_round_trip(model, features, tmp_path):
    e = explain(model, *features[model.name][:2])
    e.to_json(tmp_path / "pair.json")
    again = Explanation.from_json(tmp_path / "pair.json")
    assert again.to_dict() == e.to_dict()
    assert again.similarity == e.similarity
    assert again.options == e.options
    assert again.photo_a is None


def test_npz_round_trip(model, features, tmp_path):
    e = explain(model, *features[model.name][:2])
    e.to_npz(tmp_path / "pair")  # whatever it is called, numpy must not rename it
    again = Explanation.from_npz(tmp_path / "pair")
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(again, name), getattr(e, name))
    if model.has_rollout:
        np.testing.assert_allclose(again.part_rollout_a, e.part_rollout_a, atol=1e-9)
    assert again.to_dict() == e.to_dict()
    assert max(again.photo_a.image.size) <= 1024
    stored = np.load(tmp_path / "pair", allow_pickle=False)
    np.testing.assert_array_equal(stored["contribution"], e.contribution)


def test_csv_lists_every_pair_with_mass(vit, features, tmp_path):
    e = explain(vit, *features[vit.name][:2])
    e.to_csv(tmp_path / "pairs.csv")
    with (tmp_path / "pairs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == np.count_nonzero(e.plan)
    assert sum(float(row["contribution"]) for row in rows) == pytest.approx(
        e.structural_similarity, abs=1e-6
    )
    assert sum(float(row["mass"]) for row in rows) == pytest.approx(e.mass, abs=1e-9)
    first = rows[0]
    a = int(first["row_a"]) * e.grid_a[1] + int(first["column_a"])
    b = int(first["row_b"]) * e.grid_b[1] + int(first["column_b"])
    assert e.contribution[a, b] == e.contribution.max()


def test_strongest_pairs(vit, features):
    e = explain(vit, *features[vit.name][:2])
    pairs = e.strongest(5)
    assert [p.contribution for p in pairs] == sorted(e.contribution.ravel())[::-1][:5]
    for pair in pairs:
        assert e.contribution[pair.a, pair.b] == pair.contribution
        assert pair.contribution == pytest.approx(pair.mass * pair.cosine / e.mass)
        assert pair.cell_a == divmod(pair.a, e.grid_a[1])
    everything = e.strongest(e.plan.size + 9)
    assert sum(p.share for p in everything) == pytest.approx(1)
    assert e.strongest(0) == []


def test_an_explanation_cannot_be_changed(cnn, features):
    e = explain(cnn, *features[cnn.name][:2])
    with pytest.raises(dataclasses.FrozenInstanceError):
        e.global_similarity = 1
    with pytest.raises(ValueError, match="read-only"):
        e.plan[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        e.contribution[0, 0] = 1


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"format": 99}', "not json", json.dumps({"format": 1, "model": "x"})],
)
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "other"
    path.write_text(content)
    for read in (Explanation.from_json, Explanation.from_npz):
        with pytest.raises(InputError):
            read(path)


def test_a_missing_file_is_refused(tmp_path):
    for read in (Explanation.from_json, Explanation.from_npz):
        with pytest.raises(InputError, match="nowhere"):
            read(tmp_path / "nowhere")


def test_a_transport_that_has_not_settled_is_said_everywhere(cnn, features, monkeypatch):
    heron, harrier, _ = features[cnn.name]
    assert explain(cnn, heron, harrier).converged
    early = functools.partial(partial_transport, max_iterations=1)
    # The package has a function of the module's name, which a dotted path would find.
    monkeypatch.setattr(sys.modules["diml_core.explain"], "partial_transport", early)
    with pytest.warns(UserWarning, match="has not converged .* take a larger epsilon"):
        e = explain(cnn, heron, harrier)
    assert not e.converged
    assert e.to_dict()["solver"]["converged"] is False
    assert not Explanation.from_dict(e.to_dict()).converged
    assert "NOT CONVERGED" in report(e, 3)
    assert "not converged" in settings(e)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (["plan"], None), (["plan"], [[1.0]]), (["plan"], "no"), (["part_similarity"], [[float("nan")]]),
        (["marginals"], []), (["marginals", "a"], [0.5, 0.5]), (["marginals", "b"], None),
        (["sizes", "a"], ["wide", "high"]), (["sizes"], 3), (["grid", "a"], [1]), (["grid", "b"], None),
        (["options"], {"colour": 1}), (["options"], []), (["solver"], []), (["rollout"], 7),
        (["global_similarity"], "high"), (["format"], 99), (["names"], None),
    ],
)  # fmt: skip
def test_a_damaged_explanation_is_one_sentence(cnn, features, keys, value, tmp_path):
    heron, harrier, _ = features[cnn.name]
    values = explain(cnn, heron, harrier, grid=2).to_dict()
    inner = values
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    with pytest.raises(InputError) as caught:
        Explanation.from_dict(values)
    assert "\n" not in str(caught.value)
    (tmp_path / "damaged.json").write_text(json.dumps(values))
    with pytest.raises(InputError):
        Explanation.from_json(tmp_path / "damaged.json")


@pytest.mark.parametrize("content", ["[]", "3", "null", "{", '"text"'])
def test_json_of_something_else_is_one_sentence(tmp_path, content):
    (tmp_path / "other.json").write_text(content)
    with pytest.raises(InputError):
        Explanation.from_json(tmp_path / "other.json")


@pytest.fixture
def small():
    """Two by one parts against one by two, with rollout and pictures."""
    maps = np.full((2, 2), 0.25)
    picture = load_photo(np.full((20, 10, 3), 90, np.uint8), name="a")
    return Explanation(
        model="tiny",
        options=ExplainOptions(grid=2, marginals="rollout", start_block=1),
        name_a="a",
        name_b="b",
        size_a=(10, 20),
        size_b=(20, 10),
        grid_a=(2, 1),
        grid_b=(1, 2),
        global_similarity=0.5,
        part_similarity=np.array([[0.9, 0.1], [0.2, 0.8]]),
        plan=np.array([[0.5, 0.0], [0.0, 0.5]]),
        marginals_a=np.array([0.5, 0.5]),
        marginals_b=np.array([0.5, 0.5]),
        rollout_a=np.array([0.5, 0.5]),
        rollout_b=np.array([0.5, 0.5]),
        rollout_map_a=maps,
        rollout_map_b=maps,
        iterations=5,
        marginal_error=0.0,
        part_rollout_a=np.stack([maps, maps]),
        part_rollout_b=np.stack([maps, maps]),
        photo_a=picture,
        photo_b=picture,
    )


def refused(read, *arguments):
    with pytest.raises(InputError) as caught:
        read(*arguments)
    assert "\n" not in str(caught.value)


NOT_FINITE = float("nan")


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (["plan"], [["0.5", "0"], ["0", "0.5"]]), (["plan"], [[True, False], [False, True]]),
        (["plan"], [[0, 0], [0, 0]]), (["plan"], [[1.5, 0], [0, -0.5]]), (["plan"], [[0.5, 0], [0.5]]),
        (["plan"], [[10**400, 0], [0, 1]]), (["part_similarity"], {"a": 1}), (["grid", "a"], [-2, -1]),
        (["grid", "a"], [2, 1, 1]), (["grid", "a"], ["2", "1"]), (["grid", "b"], [1.0, 2.0]), (["sizes", "b"], [20]),
        (["sizes", "a"], [float("inf"), 2]), (["sizes", "a"], [0, 2]), (["global_similarity"], NOT_FINITE),
        (["global_similarity"], True), (["solver", "iterations"], "many"), (["solver", "marginal_error"], NOT_FINITE),
        (["options", "marginals"], 3), (["options", "tolerance"], "fine"), (["options", "start_block"], "first"),
        (["options", "grid"], [7]), (["rollout", "a"], None), (["rollout", "b"], [0.5, NOT_FINITE]),
        (["rollout"], None), (["rollout_map", "b"], [0.5, 0.5]), (["rollout_map"], None), (["rollout_map", "a"], 3),
        (["part_rollout"], 3), (["part_rollout"], {"a": [1, 2]}), (["names", "a"], None), (["model"], 7),
    ],
)  # fmt: skip
def test_a_field_of_another_type_or_shape_is_one_sentence(small, keys, value, tmp_path):
    values = small.to_dict()
    assert Explanation.from_dict(values).to_dict() == values
    inner = values
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    refused(Explanation.from_dict, values)


def test_json_nested_without_end_is_one_sentence(tmp_path):
    (tmp_path / "deep.json").write_text("[" * 200_000)
    refused(Explanation.from_json, tmp_path / "deep.json")


@pytest.mark.parametrize(
    "changes",
    [
        {"plan": None}, {"part_similarity": None}, {"marginals_a": None}, {"rollout_b": None},
        {"rollout_map_a": None}, {"meta": None}, {"plan": np.eye(3)}, {"plan": np.array("text")},
        {"plan": np.eye(2) * 1j}, {"plan": np.array([["0.5", "0"], ["0", "0.5"]])},
        {"marginals_b": np.ones(3)}, {"part_rollout_a": np.ones((2, 3, 2))}, {"part_rollout_b": np.array("text")},
        {"part_rollout_a": np.full((2, 2, 2), NOT_FINITE)}, {"photo_a": np.ones(3)}, {"photo_b": np.array("text")},
        {"meta": np.array("[]")}, {"meta": np.array("[[1, 2]]")}, {"meta": np.array("3")}, {"meta": np.zeros(3)},
        {"meta": np.array('{"format": 1}')}, {"meta": np.array("[" * 200_000)},
    ],
)  # fmt: skip
def test_an_array_that_is_missing_or_another_is_one_sentence(small, changes, tmp_path):
    small.to_npz(tmp_path / "pair.npz")
    with np.load(tmp_path / "pair.npz") as stored:
        arrays = dict(stored) | changes
    np.savez(tmp_path / "damaged.npz", **{k: v for k, v in arrays.items() if v is not None})
    refused(Explanation.from_npz, tmp_path / "damaged.npz")


def test_npz_that_is_cut_off_or_rubbish_is_one_sentence(small, tmp_path):
    path = tmp_path / "pair.npz"
    small.to_npz(path)
    assert Explanation.from_npz(path).to_dict() == small.to_dict()
    data = path.read_bytes()
    for end in range(0, len(data), 97):
        path.write_bytes(data[:end])
        refused(Explanation.from_npz, path)
    # In the middle of the first member: what is compressed no longer is, or not to the same sum.
    path.write_bytes(data[:100] + b"\xff" * 60 + data[160:])
    refused(Explanation.from_npz, path)
    np.save(tmp_path / "plan.npy", small.plan)
    refused(Explanation.from_npz, tmp_path / "plan.npy")
