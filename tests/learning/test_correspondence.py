"""The loss on known correspondences, and where cells of a view lie."""

import numpy as np
import pytest
import torch

from diml_core.learning.correspondence import (
    correspondence_loss,
    neighbours_in_class,
    points_on_object,
)

GRID = (3, 4)
R = GRID[0] * GRID[1]
PAIRS = neighbours_in_class(1, 2)


def mirror():
    """A view and its mirror image; the object fills both."""
    flipped = torch.tensor([[-1.0, 0, 1], [0, 1, 0], [0, 0, 1]], dtype=torch.float64)
    return torch.stack([torch.eye(3, dtype=torch.float64), flipped])


def test_parts_of_a_mirrored_view_belong_to_the_mirrored_cells():
    cells = torch.eye(R)  # every part like itself alone
    mirrored = cells.view(*GRID, R).flip(1).reshape(R, R)
    everywhere = torch.ones(2, R, dtype=torch.bool)
    right = correspondence_loss(torch.stack([cells, mirrored]), GRID, PAIRS, mirror(), everywhere)
    wrong = correspondence_loss(torch.stack([cells, cells]), GRID, PAIRS, mirror(), everywhere)
    assert right.item() == pytest.approx(R * 2e-9, abs=1e-6)  # 11 exp(-20) per part
    assert wrong > 10


def test_a_place_between_two_cells_is_shared():
    warp = torch.eye(3, dtype=torch.float64).repeat(2, 1, 1)
    warp[1, 0, 2] = 0.5 / GRID[1]  # half a cell to the right
    counted = torch.zeros(2, R, dtype=torch.bool)
    counted[0, 0] = True
    cells = torch.zeros(2, R, 2)
    cells[0, 0] = torch.tensor([1.0, 0])
    cells[1, 0] = cells[1, 1] = torch.tensor([1.0, 0])
    cells[1, 2:, 1] = 1
    loss = correspondence_loss(cells, GRID, PAIRS, warp, counted)
    assert loss.item() == pytest.approx(np.log(2), abs=1e-4)  # two equally likely, both half right


def test_parts_off_the_object_or_out_of_view_do_not_count():
    warp = torch.eye(3, dtype=torch.float64).repeat(2, 1, 1)
    warp[1, 0, 2] = 2.0
    cells = torch.randn(2, R, 5, requires_grad=True)
    everywhere = torch.ones(2, R, dtype=torch.bool)
    for warps, on_object in ((warp, everywhere), (mirror(), ~everywhere)):
        loss = correspondence_loss(cells, GRID, PAIRS, warps, on_object)
        loss.backward()
        assert loss.item() == 0
        assert not cells.grad.any()


def test_every_image_is_paired_with_the_next_of_its_class():
    a, b = neighbours_in_class(2, 3)
    assert a.tolist() == [0, 1, 2, 3, 4, 5]
    assert b.tolist() == [1, 2, 0, 4, 5, 3]


def test_cells_of_a_cropped_view_are_looked_up_in_the_whole_image():
    mask = np.zeros((1, 40, 40), np.uint8)
    mask[0, :, 30:] = 255  # the right quarter
    right_half = np.array([[[2.0, 0, -1], [0, 1, 0], [0, 0, 1]]])
    on_object = points_on_object(mask, right_half, (1, 4))
    assert on_object.tolist() == [[False, False, True, True]]
