"""The hand-marked keypoints, and their scoring."""

import json

import numpy as np
import pytest

from diml_core import InputError, explain
from diml_core.evaluation.keypoints import (
    ASSETS,
    KeypointPair,
    keypoint_tables,
    load_keypoints,
    score,
)


def test_the_marked_pairs_are_many_distinct_and_within_their_photos():
    pairs = load_keypoints()
    assert len(pairs) >= 20
    assert len({frozenset((p.photo_a, p.photo_b)) for p in pairs}) == len(pairs)
    assert sum(len(p.names) for p in pairs) >= 100
    for pair in pairs:
        assert pair.photo_a.is_file()
        assert pair.photo_b.is_file()
        assert pair.points_a.shape == pair.points_b.shape == (len(pair.names), 2)
        assert len(pair.names) >= 2


def test_a_photo_matches_its_own_keypoints(tiny):
    photo = ASSETS / "examples" / "cat.jpg"
    points = np.array([[0.1, 0.2], [0.6, 0.7], [0.9, 0.9]])
    pair = KeypointPair(photo, photo, ("a", "b", "c"), points, points)
    # On this grid a cell's centre is within a tenth of the larger side of all of the cell.
    explanation = explain(
        tiny, photo, photo, grid=tiny.max_grid, marginals="uniform", mass=1, epsilon=0.005
    )
    found = score(explanation, pair)
    assert found["nearest part"].tolist() == found["best part"].tolist()
    assert found["plan"].tolist() == found["best part"].tolist()


def test_distances_are_in_the_second_photos_larger_side(tiny):
    photo = ASSETS / "examples" / "crocodile.jpg"  # 640 x 316
    explanation = explain(tiny, photo, photo, marginals="uniform", mass=1, grid=1)
    assert explanation.grid_b == (1, 1)  # its centre is the only place to go
    points = np.array([[0.5, 0.5], [0.59, 0.5], [0.61, 0.5], [0.5, 0.69], [0.5, 0.71]])
    pair = KeypointPair(photo, photo, tuple("abcde"), points, points)
    assert score(explanation, pair)["plan"].tolist() == [True, True, False, True, False]


def test_the_table_has_the_given_grid_and_the_finest(tiny):
    pairs = load_keypoints()[:3]
    (table,) = keypoint_tables(tiny, pairs, tiny.options(grid=1))
    assert list(table.rows) == ["1 × 1", f"{tiny.max_grid} × {tiny.max_grid}"]
    for row in table.rows.values():
        assert 0 <= row["PCK plan"].mean <= row["PCK best part"].mean <= 1


def test_damaged_keypoints_are_refused(tmp_path):
    file = tmp_path / "keypoints.json"
    stored = {"photos": {"a.jpg": {"eye": [0.5, 0.5]}, "b.jpg": {"nose": [0.5, 0.5]}}}
    for pairs in ([["a.jpg", "b.jpg"]], [["a.jpg", "c.jpg"]], "ab", None):
        file.write_text(json.dumps(stored | {"pairs": pairs}))
        with pytest.raises(InputError, match="holds no keypoints"):
            load_keypoints(file)
