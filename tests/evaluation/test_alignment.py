"""Masses on objects and right matches, on made-up images whose answers are known."""

import numpy as np
import pytest
import torch

from diml_core.comparison.matching import centres, matched_points
from diml_core.comparison.options import ExplainOptions
from diml_core.data.scenes import SceneTruth
from diml_core.evaluation.alignment import measure_alignment, view_pairs
from diml_core.evaluation.embedding import Embedded

SIDE, GRID = 64, 8


def image(offset):
    """An 8 x 8 grid of vectors, each like no other, shifted right by some cells (cyclic); one global."""
    parts = torch.eye(GRID * GRID).view(GRID, GRID, -1).roll(offset, 1).flatten(0, 1)
    return torch.cat([parts, torch.full((1, GRID * GRID), 1 / GRID)])


def made(offsets, box, moved):
    """Images shifted by ``offsets`` cells with an object at ``box`` (left, top, right, bottom)."""
    vectors = torch.stack([image(o) for o in offsets]).half()
    masks, warps = [], []
    for offset in offsets:
        mask = np.zeros((SIDE, SIDE), np.uint8)
        left, top, right, bottom = box
        mask[top:bottom, left + 8 * offset : right + 8 * offset] = 255
        masks.append(mask)
        warps.append(np.array([[1, 0, offset * moved / GRID], [0, 1, 0], [0, 0, 1]]))
    grids = torch.full((len(offsets), 2), GRID)
    return Embedded(vectors, None, grids), SceneTruth(np.stack(masks), np.stack(warps))


PAIR = (np.array([0]), np.array([1]))
UNIFORM = ExplainOptions(grid=GRID, marginals="uniform", epsilon=0.02)


def test_parts_that_go_where_the_object_went_are_right():
    embedded, truth = made([0, 3], (8, 16, 32, 48), moved=1)
    found = measure_alignment(embedded, truth, PAIR, UNIFORM)
    assert found.parts.tolist() == [3 * 4]
    for name in ("plan", "plan, mean", "nearest part", "best part"):
        assert found.pck[name].tolist() == [1.0], name
    assert found.weighted[0] == pytest.approx(1)
    assert found.sent[0] == pytest.approx(12 / 64, abs=1e-4)


def test_parts_that_go_elsewhere_are_wrong_though_a_right_one_exists():
    embedded, truth = made([0, 3], (8, 16, 32, 48), moved=0)  # the object is said to have stayed
    found = measure_alignment(embedded, truth, PAIR, UNIFORM)
    assert found.pck["plan"].tolist() == found.pck["nearest part"].tolist() == [0.0]
    assert found.pck["best part"].tolist() == [1.0]
    assert found.weighted.tolist() == [0.0]


def test_parts_are_followed_through_a_quarter_turn():
    embedded, truth = made([0, 0], (8, 16, 32, 48), moved=1)
    turned = embedded.vectors.clone()
    turned[1, :-1] = turned[1, :-1].view(GRID, GRID, -1).rot90(-1, (0, 1)).flatten(0, 1)
    warps = np.stack(
        [np.eye(3), [[0, -1, 1], [1, 0, 0], [0, 0, 1]]]
    )  # clockwise: (x, y) to (1 - y, x)
    found = measure_alignment(
        Embedded(turned, None, embedded.grids), SceneTruth(truth.masks, warps), PAIR, UNIFORM
    )
    assert found.parts.tolist() == [12]
    assert found.pck["plan"].tolist() == found.pck["nearest part"].tolist() == [1.0]


def test_parts_that_left_the_image_are_not_counted():
    embedded, truth = made([0, 3], (32, 16, 64, 48), moved=1)  # columns 4 to 7 go to 7 and beyond
    assert measure_alignment(embedded, truth, PAIR, UNIFORM).parts.tolist() == [1 * 4]
    nowhere = made([0, 3], (40, 16, 64, 48), moved=1)
    found = measure_alignment(*nowhere, PAIR, UNIFORM)
    assert found.parts.tolist() == [0]
    assert np.isnan(found.pck["plan"]).all()


def test_a_uniform_marginal_puts_the_objects_area_on_it_and_a_good_one_more():
    embedded, truth = made([0, 0], (8, 16, 32, 48), moved=1)
    uniform = measure_alignment(embedded, truth, PAIR, UNIFORM)
    assert uniform.object_area[0] == pytest.approx(24 * 32 / 64**2)
    assert uniform.object_mass[0] == pytest.approx(uniform.object_area[0], abs=1e-6)
    assert uniform.pointed.tolist() == [0.0]  # the first of equals is the corner
    on_object = (torch.from_numpy(truth.masks[0])[4::8, 4::8] > 0).flatten()
    seeing = embedded.vectors.clone()
    seeing[:, -1] = on_object / on_object.sum() ** 0.5  # correlates with the object's parts alone
    correlated = ExplainOptions(grid=GRID, marginals="cross-correlation")
    found = measure_alignment(Embedded(seeing, None, embedded.grids), truth, PAIR, correlated)
    assert found.object_mass[0] == pytest.approx(1, abs=1e-3)
    assert found.pointed.tolist() == [1.0]


def test_half_of_a_cell_on_the_object_counts_half():
    embedded, truth = made([0, 0], (4, 0, 12, 8), moved=1)  # half of each of two cells
    found = measure_alignment(embedded, truth, PAIR, UNIFORM)
    assert found.object_mass[0] == pytest.approx(1 / 64, abs=1e-6)


def test_every_image_meets_the_next_of_its_class():
    a, b = view_pairs(np.array([5, 2, 5, 2, 5, 9]))
    assert sorted(zip(a.tolist(), b.tolist(), strict=True)) == [
        (0, 2),
        (1, 3),
        (2, 4),
        (3, 1),
        (4, 0),
    ]


def test_points_are_read_off_a_plan():
    points = centres((1, 4))
    assert points[:, 0].tolist() == [0.125, 0.375, 0.625, 0.875]
    assert centres((2, 3))[4].tolist() == [0.5, 0.75]
    plan = torch.tensor([[0.3, 0.0, 0.1, 0.0], [0.0, 0.0, 0.0, 0.0]])
    similarity = torch.tensor([[0.0, 0.9, 0.1, 0.2], [0.1, 0.2, 0.3, 0.9]])
    found = matched_points(plan, similarity, points)
    assert found["plan"][0].tolist() == [0.125, 0.5]
    assert found["plan, mean"][0].tolist() == pytest.approx([0.25, 0.5])
    assert found["nearest part"].tolist() == [[0.375, 0.5], [0.875, 0.5]]
    assert found["plan"][1].isnan().all()  # nothing is sent from there
    assert found["plan, mean"][1].isnan().all()
