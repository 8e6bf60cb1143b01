"""The sheet of many pairs: every tile shows its own pair, and nothing lies over anything else."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from made import explanation
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from diml_core.drawing.contact_sheet import MOST_TILES, contact_sheet, save_contact_sheet

SHAPES = {
    "usual": {},
    "panorama and tower": {"size_a": (2000, 20), "size_b": (10, 1500)},
    "two panoramas": {"size_a": (1000, 60), "size_b": (1000, 60)},
    "long names": {"names": ("W" * 300, "M" * 300)},
    "long model": {"model": "Q" * 300},
    "nothing added": {"part_similarity": np.full((12, 6), -0.4)},
}


def drawn_boxes(figure):
    """Pixels of all texts and photos."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    pictures = [image for axes in figure.axes for image in axes.images]
    boxes = [artist.get_window_extent(renderer) for artist in (*figure.texts, *pictures)]
    return boxes, canvas.get_width_height()


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("shape", SHAPES)
def test_texts_and_photos_stay_apart_and_on_the_sheet(shape, count):
    boxes, (width, height) = drawn_boxes(contact_sheet([explanation(**SHAPES[shape])] * count, 5))
    for box in boxes:
        assert min(box.x0, box.y0) >= 0
        assert box.x1 <= width
        assert box.y1 <= height
    for one, other in itertools.combinations(boxes, 2):
        assert min(one.x1, other.x1) <= max(one.x0, other.x0) + 0.5 or (
            min(one.y1, other.y1) <= max(one.y0, other.y0) + 0.5
        ), (one, other)


def test_a_tile_has_the_links_and_the_score_of_its_own_pair():
    pairs = [explanation(seed=seed, names=(f"{seed}.jpg", "b.jpg")) for seed in range(4)]
    figure = contact_sheet(pairs, 4)
    words = [text.get_text() for text in figure.texts]
    tiles = [axes for axes in figure.axes if axes.get_gid() == "flow"]
    assert len(tiles) == 4
    for number, (e, axes) in enumerate(zip(pairs, tiles, strict=True), 1):
        at = words.index(f"{number}. {e.name_a} ↔ b.jpg")
        numbers = re.findall(r"\d+\.\d", words[at + 1])
        # The sum adds up in print, so that the last part of it may be off by one in the last place.
        exact = (100 * e.similarity, 50 * e.global_similarity, 50 * e.structural_similarity)
        assert [float(n) for n in numbers] == pytest.approx(exact, abs=0.1 + 1e-9)
        (lines,) = [c for c in axes.collections if c.get_gid() == "flow-lines"]
        strongest = [50 * pair.contribution for pair in e.strongest(len(lines.get_segments()))]
        np.testing.assert_allclose(lines.get_array(), strongest[::-1])


def test_the_title_says_when_pairs_are_left_out():
    def title(count, of):
        return contact_sheet([explanation()] * count, of).texts[0].get_text()

    assert title(2, 190) == "The 2 most similar of 190 pairs (toy)"
    assert title(2, 2) == "2 pairs, the most similar first (toy)"
    assert title(1, 1) == "1 pair (toy)"


def test_the_largest_sheet_can_be_opened(tmp_path):
    e = explanation((60, 60), (60, 60), names=("a.jpg", "b.jpg"))
    save_contact_sheet([e] * MOST_TILES, 1000, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as image:
        assert max(image.size) < 2**14  # what browsers show
        assert np.asarray(image.convert("L")).std() > 0


def test_a_score_that_is_near_and_not_exact_says_so():
    figure = contact_sheet([explanation(marginal_error=0.1)], 1)
    assert figure.texts[-1].get_text().endswith("(not converged)")
