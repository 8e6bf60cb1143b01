"""What a visitor takes away from the page without a server."""

import csv
import json
from urllib.parse import urlencode

import numpy as np
import pytest
from static_site import PARITY

from diml_core import Explanation, explain, load_model


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("efficientnet-lite0", {}),  # stands on its scale, and has no attention
        ("dinov2-s14", {"grid": 5, "mass": 0.9, "start_block": 7}),
    ],
)
def test_saved_numbers_are_the_librarys(visit_site, examples, tmp_path, name, options):
    query = urlencode({"a": "cat.jpg", "b": "kitten.jpg", "model": name} | options)
    page = visit_site(f"?{query}")
    for ending in ("json", "csv"):
        with page.expect_download() as download:
            page.click(f"#downloads [value={ending}]")
        assert download.value.suggested_filename == f"cat--kitten.{ending}"
        download.value.save_as(tmp_path / f"saved.{ending}")
    expected = explain(load_model(name), examples / "cat.jpg", examples / "kitten.jpg", **options)
    saved = json.loads((tmp_path / "saved.json").read_text(encoding="utf-8"))
    assert_same(saved, expected.to_dict())
    found = Explanation.from_json(tmp_path / "saved.json")
    for key in ("similarity", "global_similarity", "structural_similarity", "mass"):
        assert getattr(found, key) == pytest.approx(getattr(expected, key), abs=PARITY)
    arrays = ["plan", "part_similarity", "contribution", "marginals_a", "marginals_b"]
    if expected.rollout_a is not None:
        arrays += ["rollout_a", "rollout_b", "rollout_map_a", "rollout_map_b"]
    for key in arrays:
        assert np.abs(getattr(found, key) - getattr(expected, key)).max() <= PARITY, key
    # The table is that of the numbers that were saved beside it, in the library's own words.
    found.to_csv(tmp_path / "again.csv")
    tables = []
    for path in ("saved.csv", "again.csv"):
        with open(tmp_path / path, encoding="utf-8", newline="") as file:
            tables.append(list(csv.reader(file)))
    (head, *rows), (head_again, *rows_again) = tables
    assert head == head_again
    assert len(rows) == len(rows_again)
    # Where two contributions agree to the last digits of a sum, either may stand first.
    by_cell = [sorted([float(x) for x in row] for row in each) for each in (rows, rows_again)]
    assert np.abs(np.array(by_cell[0]) - np.array(by_cell[1])).max() <= 1e-9


def assert_same(found, expected, where="saved"):
    """The same keys, lengths and kinds of values; numbers of JSON are one kind, apart from truth values."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for key in expected:
            assert_same(found[key], expected[key], f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for k, each in enumerate(expected):
            assert_same(found[k], each, f"{where}[{k}]")
    elif isinstance(expected, str | bool | None):
        assert found == expected, where
    else:
        assert type(found) in (int, float), where
