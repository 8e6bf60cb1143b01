"""The geometry of parts: grids of any picture, and pooling that loses nothing."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from diml_core.embedding.grids import cell_box, grid_for, grid_on_map
from diml_core.embedding.pooling import area_pooling, pooling_matrix, resampled_pooling


@pytest.mark.parametrize("side", range(1, 17))
def test_a_square_picture_gets_a_square_grid(side):
    assert grid_for(1.0, side * side) == (side, side)
    assert grid_on_map((16, 16), side) == (side, side)


@given(st.floats(0.25, 4), st.integers(1, 16))
def test_a_grid_fits_its_picture(aspect, side):
    rows, columns = grid_for(aspect, side * side)
    assert 1 <= rows * columns <= side * side
    if side >= 4:  # few cells cannot follow every shape
        assert 0.5 < aspect / (columns / rows) < 2


def test_landscape_and_portrait_are_turned_grids():
    assert grid_for(1.5, 64) == grid_for(1 / 1.5, 64)[::-1]


def test_a_grid_is_never_finer_than_the_map():
    for shape in ((1, 9), (4, 16), (7, 7), (9, 2)):
        for side in range(1, 17):
            rows, columns = grid_on_map(shape, side)
            assert 1 <= rows <= shape[0]
            assert 1 <= columns <= shape[1]


def test_cell_boxes_tile_the_picture():
    boxes = [cell_box(part, (2, 3), (300, 100)) for part in range(6)]
    assert boxes[0] == (0, 0, 100, 50)
    assert boxes[5] == (200, 50, 300, 100)
    assert sum((right - left) * (bottom - top) for left, top, right, bottom in boxes) == 300 * 100


@given(st.integers(1, 20), st.integers(1, 20))
def test_area_pooling_shares_every_cell_out(cells_in, cells_out):
    weights = area_pooling(cells_in, min(cells_in, cells_out))
    torch.testing.assert_close(weights.sum(0), torch.ones(cells_in))
    sizes = torch.full((len(weights),), cells_in / len(weights))
    torch.testing.assert_close(weights.sum(1), sizes)


def test_area_pooling_is_average_pooling_where_sizes_divide():
    image = torch.rand(1, 1, 8, 12)
    weights = pooling_matrix((8, 12), (4, 3))
    pooled = weights @ image.flatten() / weights.sum(1)
    expected = torch.nn.functional.adaptive_avg_pool2d(image, (4, 3)).flatten()
    torch.testing.assert_close(pooled, expected)


def test_resampled_pooling_is_the_authors_7_16_4():
    image = torch.rand(1, 5, 7, 7)
    large = torch.nn.functional.interpolate(image, size=16, mode="bilinear", align_corners=True)
    expected = torch.nn.functional.avg_pool2d(large, 4).flatten(2)[0]
    weights = pooling_matrix((7, 7), (4, 4), "resampled")
    torch.testing.assert_close(image.flatten(2)[0] @ weights.T, expected, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(resampled_pooling(7, 4).sum(1), torch.ones(4))
