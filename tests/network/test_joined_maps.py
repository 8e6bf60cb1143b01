"""Several maps of a network joined into one: detail from an early one, meaning from a late one."""

import pytest
import torch
from PIL import Image

from diml_core.network.backbones import Backbone, joined
from diml_core.network.model import DimlModel
from diml_core.network.model_config import InputConfig, ModelConfig
from diml_core.photo.images import load_photo


def maps(*shapes):
    random = torch.Generator().manual_seed(0)
    return [torch.randn(2, *shape, generator=random) for shape in shapes]


def mean_square_length(part):
    return part.square().sum(1).mean((1, 2))


def test_one_map_stays_as_it_is():
    (only,) = maps((3, 4, 5))
    assert joined([only]) is only


def test_the_finest_map_decides_the_cells_and_none_outweighs_the_other():
    early, late = maps((3, 4, 6), (5, 2, 3))
    both = joined([1000 * early, late])
    assert both.shape == (2, 8, 4, 6)
    torch.testing.assert_close(both, joined([early, 7 * late]))
    torch.testing.assert_close(mean_square_length(both[:, :3]), torch.ones(2))
    # Of the same size nothing is resampled, so the second is as long as the first.
    same = joined([early, early.flip(1)])
    torch.testing.assert_close(same[:, :3], same[:, 3:].flip(1))


def test_the_mean_of_the_joined_map_is_that_of_the_coarsest():
    early, late = maps((3, 4, 6), (5, 2, 3))
    texture = torch.tensor([3.0, -1.0, 2.0])[:, None, None]
    means = joined([early + texture, late]).mean((2, 3))
    assert means[:, :3].abs().max() < 1e-6
    of_late = late.mean((2, 3)) / mean_square_length(late)[:, None].sqrt()
    torch.testing.assert_close(means[:, 3:], of_late, atol=0.15, rtol=0)  # but for the border
    torch.testing.assert_close(joined([early + texture, late]), joined([early, late]))


def test_a_coarse_cell_lands_on_the_fine_cells_it_covers():
    late = torch.zeros(1, 1, 2, 3)
    late[0, 0, 1, 2] = 1
    fine = joined([torch.ones(1, 1, 4, 6), late])[0, 1]
    assert set(map(tuple, (fine == fine.max()).nonzero().tolist())) == {(3, 5)}
    assert (fine[2:, 4:] > fine.max() / 2).all()
    assert fine[:1].abs().max() == 0
    assert fine[:, :3].abs().max() == 0


def test_maps_of_zeros_stay_zeros():
    assert joined([torch.zeros(1, 2, 4, 4), torch.zeros(1, 2, 2, 2)]).abs().max() == 0


@pytest.mark.parametrize(("width", "height"), [(640, 480), (300, 900), (64, 64)])
def test_a_photo_is_a_whole_number_of_the_coarsest_cells(width, height, tmp_path):
    Image.new("RGB", (width, height), "teal").save(tmp_path / "photo.png")
    config = ModelConfig("two", "test_efficientnet", input=InputConfig(64), layer=[-2, -1])
    model = DimlModel(config)
    assert model.backbone.unit == 2 * 64 // model.max_grid
    features = model.extract(load_photo(tmp_path / "photo.png"))
    rows, columns = features.map.shape[:2]
    assert rows % 2 == columns % 2 == 0
    assert features.map.isfinite().all()


def test_the_joined_map_is_made_of_both():
    one = Backbone("test_efficientnet", input_size=64, layer=-2)
    two = Backbone("test_efficientnet", input_size=64, layer=[-1, -2])
    two.load_state_dict(one.state_dict())
    image = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        early, both = one(image).map, two(image).map
    assert both.shape[-2:] == early.shape[-2:]
    direction = torch.nn.functional.normalize
    torch.testing.assert_close(
        direction(both[:, : early.shape[1]], dim=1),
        direction(early - early.mean((2, 3), keepdim=True), dim=1),
    )
