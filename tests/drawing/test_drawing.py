"""The printed figure: what it shows is what the explanation holds, for any names and shapes."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import warnings
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from made import explanation, photo
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.figure import Figure
from PIL import Image

from diml_core.drawing import explanation_figure, save_figure
from diml_core.drawing.layout import place_pair
from diml_core.drawing.names import printable, shortened
from diml_core.drawing.sentences import score_as_sum, what_lines_carry
from diml_core.embedding.grids import cell_box
from diml_core.errors import InputError
from diml_core.explanation import Explanation
from diml_core.photo.images import load_photo

MARGIN = 1e-9


def axes_of(figure: Figure, gid: str):
    (found,) = [axes for axes in figure.axes if axes.get_gid() == gid]
    return found


def lines_of(figure: Figure) -> LineCollection:
    (found,) = [c for c in axes_of(figure, "flow").collections if c.get_gid() == "flow-lines"]
    return found


def words(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.texts)


def photo_boxes(figure: Figure) -> list[tuple[float, float, float, float]]:
    """Left, top, right, bottom of A and B in the flow's data coordinates."""
    extents = [image.get_extent() for image in axes_of(figure, "flow").images]
    return [(left, top, right, bottom) for left, right, bottom, top in extents]


def bytes_of(e: Explanation, format: str, **options) -> bytes:
    file = io.BytesIO()
    save_figure(e, file, format=format, dpi=60, **options)
    return file.getvalue()


class TestFlow:
    @pytest.mark.parametrize("count", [1, 5, 24])
    def test_lines_join_the_cell_centres_of_the_strongest_pairs(self, count):
        e = explanation()
        figure = explanation_figure(e, flow_lines=count)
        lines = lines_of(figure)
        boxes = photo_boxes(figure)
        expected = []
        for pair in reversed(e.strongest(count)):  # the strongest is drawn last, on top
            ends = []
            for part, grid, box, size in (
                (pair.a, e.grid_a, boxes[0], e.size_a),
                (pair.b, e.grid_b, boxes[1], e.size_b),
            ):
                left, top, right, bottom = cell_box(part, grid, size)
                scale = (box[2] - box[0]) / size[0]
                ends.append(
                    (box[0] + (left + right) / 2 * scale, box[1] + (top + bottom) / 2 * scale)
                )
            expected.append(ends)
        np.testing.assert_allclose(np.array(lines.get_segments()), expected, atol=MARGIN)

    def test_width_and_colour_are_proportional_to_the_contribution(self):
        e = explanation()
        lines = lines_of(explanation_figure(e, flow_lines=10))
        points = 50 * np.array([pair.contribution for pair in e.strongest(10)[::-1]])
        ratios = lines.get_linewidths() / points
        np.testing.assert_allclose(ratios, ratios[0])
        np.testing.assert_array_equal(lines.get_array(), points)
        assert lines.get_clim() == (0, points[-1])
        assert lines.get_cmap().name == "magma"

    def test_legend_strokes_are_as_thick_as_lines_of_that_contribution(self):
        e = explanation()
        figure = explanation_figure(e)
        lines = lines_of(figure)
        per_unit = lines.get_linewidths()[-1] / lines.get_array()[-1]
        numbers = [float(t.get_text()) for t in axes_of(figure, "flow-scale").get_xticklabels()]
        (strokes,) = axes_of(figure, "flow-widths").collections
        expected = [per_unit * number for number in numbers if number > 0]
        assert len(expected) >= 2
        np.testing.assert_allclose(strokes.get_linewidths(), expected, rtol=1e-5)

    def test_parts_that_take_part_are_outlined_once(self):
        e = explanation()
        figure = explanation_figure(e, flow_lines=7)
        pairs = e.strongest(7)
        outlines = [c for c in axes_of(figure, "flow").collections if type(c) is PatchCollection]
        parts = [len({pair.a for pair in pairs}), len({pair.b for pair in pairs})]
        assert [len(c.get_paths()) for c in outlines] == [parts[0], parts[0], parts[1], parts[1]]

    def test_pairs_that_subtract_get_no_line(self):
        similarity = np.full((12, 6), -0.5)
        similarity[3, 2] = 0.9
        figure = explanation_figure(explanation(part_similarity=similarity), flow_lines=24)
        assert len(lines_of(figure).get_segments()) == 1

    @pytest.mark.parametrize(
        ("size_a", "size_b"), [((640, 480), (640, 480)), ((300, 400), (50, 900)), ((900, 90),) * 2]
    )
    def test_photos_are_undistorted_apart_and_on_the_page(self, size_a, size_b):
        figure = explanation_figure(explanation(size_a, size_b))
        boxes = photo_boxes(figure)
        for box, size in zip(boxes, (size_a, size_b), strict=True):
            aspect = (box[2] - box[0]) / (box[3] - box[1])
            assert aspect == pytest.approx(size[0] / size[1], rel=1e-6)
            axes = axes_of(figure, "flow")
            assert min(box) >= -MARGIN
            assert box[2] <= axes.get_xlim()[1] + MARGIN
            assert box[3] <= axes.get_ylim()[0] + MARGIN
        a, b = boxes
        assert a[2] + 0.5 < b[0] or a[3] + 0.5 < b[1]
        # One unit is one inch in both directions, or the boxes' aspect would mean nothing.
        place = axes.get_position()
        assert place.width * figure.get_figwidth() == pytest.approx(axes.get_xlim()[1])
        assert place.height * figure.get_figheight() == pytest.approx(axes.get_ylim()[0])


class TestHeatmaps:
    def test_values_are_those_of_the_explanation_and_share_one_scale(self):
        similarity = explanation().part_similarity.copy()
        similarity[0], similarity[:, 0] = 0.01, 0.02  # so that a part of each has no good match
        e = explanation(part_similarity=similarity)
        assert min(e.against_a.max(), e.against_b.max()) > 0
        figure = explanation_figure(e)
        expected = {
            "best-match": (e.part_similarity.max(1), e.part_similarity.max(0), "viridis"),
            "contribution": (50 * e.contribution.sum(1), 50 * e.contribution.sum(0), "magma"),
            "importance": (100 * e.marginals_a, 100 * e.marginals_b, "cividis"),
            "against": (100 * e.against_a, 100 * e.against_b, "viridis"),
            "rollout": (e.rollout_map_a, e.rollout_map_b, "inferno"),
        }
        for key, (a, b, colours) in expected.items():
            top = 1 if key == "best-match" else max(a.max(), b.max())
            for side, values, grid in (("a", a, e.grid_a), ("b", b, e.grid_b)):
                grey, overlay = axes_of(figure, f"{key}-{side}").images
                shape = values.shape if values.ndim == 2 else grid
                np.testing.assert_array_equal(overlay.get_array(), values.reshape(shape))
                assert overlay.get_clim() == (0, top)
                assert overlay.get_cmap().name == colours
                assert overlay.get_extent() == grey.get_extent()
                # The photo shows through, and not through an alpha that SVG applies twice.
                assert overlay.get_alpha() is None
                assert 0.3 < overlay.get_cmap()(0.5)[3] < 0.8
            assert axes_of(figure, f"{key}-scale").get_xlim() == (0, top)
            assert len(axes_of(figure, f"{key}-scale").get_xticklabels()) >= 3

    def test_without_rollout_there_is_no_rollout(self):
        figure = explanation_figure(explanation(rollout=False))
        assert not [axes for axes in figure.axes if axes.get_gid().startswith("rollout")]
        assert "ollout" not in words(figure)

    def test_only_negative_similarities_extend_the_fixed_scale(self):
        plain = explanation()
        negative = explanation(part_similarity=plain.part_similarity - 0.95)
        pieces = []
        for e in (plain, negative):
            scale = axes_of(explanation_figure(e), "best-match-scale")
            assert scale.get_xlim() == (0, 1)
            pieces.append(len(scale.patches))
        assert pieces[1] == pieces[0] + 1  # the triangle that stands for "below"


class TestWords:
    def test_title_says_names_model_sum_share_and_mass(self):
        e = explanation(mass=0.5)
        text = words(explanation_figure(e, flow_lines=6))
        carried = 50 * sum(pair.contribution for pair in e.strongest(6))
        assert "cat.jpg ↔ dog.jpg (toy)" in text
        assert score_as_sum(e) in text
        assert (
            f"the 6 strongest of 72 part pairs carry {carried:.1f} points "
            f"({carried / (100 * e.similarity):.1%}) of {100 * e.similarity:.1f}; transported mass 0.5"
        ) in text

    @pytest.mark.parametrize("seed", range(40))
    def test_the_printed_sum_adds_up_and_is_rounded_properly(self, seed):
        random = np.random.default_rng(seed)
        e = explanation(seed=seed, global_similarity=float(random.uniform(-1, 1)))
        sentence = score_as_sum(e)
        total, part, other = map(
            float,
            re.fullmatch(
                r"(-?\d+\.\d) points = (-?\d+\.\d) global part \+ (-?\d+\.\d) structural part",
                sentence,
            ).groups(),
        )
        assert total == pytest.approx(part + other, abs=1e-9)
        assert abs(total - 100 * e.similarity) <= 0.05 + MARGIN
        assert abs(part - 50 * e.global_similarity) <= 0.05 + MARGIN
        assert abs(other - 50 * e.structural_similarity) <= 0.1 + MARGIN

    def test_the_sum_has_no_negative_zero(self):
        e = explanation(part_similarity=np.full((12, 6), -1e-9), global_similarity=-1e-9)
        assert score_as_sum(e) == "0.0 points = 0.0 global part + 0.0 structural part"

    def test_a_share_of_nothing_is_not_claimed(self):
        similarity = np.full((12, 6), -0.5)
        similarity[3, 2] = 0.9
        e = explanation(part_similarity=similarity, global_similarity=-0.1)
        assert e.similarity < 0
        sentence = what_lines_carry(e, e.strongest(1), 24)
        assert "points (–) of -" in sentence

        nothing = explanation(part_similarity=np.zeros((12, 6)))
        assert what_lines_carry(nothing, [], 24) == (
            "none of 72 part pairs adds to the score; transported mass 1"
        )

    def test_settings_allow_to_compute_it_again(self):
        text = words(explanation_figure(explanation()))
        assert "parts 3 × 4 and 3 × 2" in text
        assert "marginals cross-correlation" in text
        assert "rollout from block 9" in text


HOSTILE = [
    "$\\frac{1}{0}$",
    "$",
    "100% {name} \\n $x$.jpg",
    "line\nbreak\r\n\ttab.jpg",
    "\x00\x07\x1b[31mred\u202egnp.exe\u2028",
    "</text><script>alert(1)</script>.svg",
    "--><script>alert(1)</script>",
    "]]>&amp;&lt;\"'",
    "猫と犬 ñandú Ω 🐈‍⬛ ܐ ﷽ a\u0301\u0489.jpg",
    "\ud800 lone surrogate",
    "\U0010ffff \ue000",
    "",
    " \u200b ",
    "x" * 1_000_000,
    "W" * 300 + ".jpg",
    "مرحبا שלום.jpg",
]


class TestHostileNames:
    @pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
    def test_every_format_is_drawn_without_a_warning(self, name):
        e = explanation(names=(name, name), model=name, rollout=False)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            contents = {format: bytes_of(e, format) for format in ("png", "svg", "pdf")}
        root = ET.fromstring(contents["svg"])
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert not tags & {"script", "foreignObject", "a", "iframe"}
        attributes = {key.lower() for element in root.iter() for key in element.attrib}
        assert not [key for key in attributes if key.startswith("on")]

    def test_dollars_stay_dollars(self):
        figure = explanation_figure(explanation(names=("$\\alpha$.jpg", "a$b")))
        assert "$\\alpha$.jpg ↔ a$b" in words(figure)
        assert not any(text.get_parse_math() for text in figure.texts)

    def test_one_line_without_controls(self):
        assert printable("a\r\n\tb\x00\x1b\u202ec\ud800") == "a bc"
        assert printable(" \u200b ", "photo A") == "photo A"
        assert printable(None) == "None"
        assert printable("\U00013000.jpg") == "□.jpg"  # a hieroglyph

    def test_shortened_keeps_beginning_and_ending_and_fits(self):
        text = shortened("holiday " * 20 + "cat.jpg", 2, 10)
        assert text.startswith("holiday")
        assert text.endswith("cat.jpg")
        assert text.count("…") == 1
        assert len(text) > 20
        assert shortened("cat.jpg", 2, 10) == "cat.jpg"

    def test_long_names_stay_on_the_page(self):
        e = explanation(names=("W" * 300, "M" * 300), model="Q" * 300)
        figure = explanation_figure(e, dpi=60)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        for text in figure.texts:
            extent = text.get_window_extent(canvas.get_renderer())
            assert extent.x0 >= 0
            assert extent.x1 <= canvas.get_width_height()[0]


class TestDegenerate:
    CASES = {  # noqa: RUF012
        "one part": {"grid_a": (1, 1), "grid_b": (1, 1)},
        "one part against many": {"grid_a": (1, 1)},
        "panorama and tower": {
            "size_a": (2000, 20),
            "size_b": (10, 1500),
            "grid_a": (1, 16),
            "grid_b": (16, 1),
        },
        "two panoramas": {"size_a": (1000, 20), "size_b": (1000, 20)},
        "one pixel": {"size_a": (1, 1), "size_b": (1, 1)},
        "a thread": {"size_a": (1, 20_000), "size_b": (20_000, 1)},
        "no rollout": {"rollout": False},
        "partial": {"mass": 0.05},
        "all contributions zero": {"part_similarity": np.zeros((12, 6))},
        "all negative": {"part_similarity": np.full((12, 6), -0.4)},
        "tiny": {"part_similarity": np.full((12, 6), 1e-300)},
        "perfect": {"part_similarity": np.ones((12, 6)), "global_similarity": 1.0},
        "no importance": {"marginals_a": np.zeros(12), "marginals_b": np.zeros(6)},
        "blank photos": {
            "photo_a": load_photo(Image.new("RGB", (64, 48), "black")),
            "photo_b": load_photo(Image.new("RGB", (40, 60), "white")),
        },
    }

    @pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
    @pytest.mark.parametrize("format", ["png", "svg", "pdf"])
    def test_is_drawn_without_a_warning(self, case, format):
        e = explanation(**case)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert len(bytes_of(e, format)) > 1000

    def test_identical_pair(self):
        same = photo((50, 50))
        e = explanation(
            (50, 50),
            (50, 50),
            (2, 2),
            (2, 2),
            part_similarity=np.eye(4),
            plan=np.eye(4) / 4,
            photo_a=same,
            photo_b=same,
            global_similarity=1.0,
        )
        figure = explanation_figure(e)
        assert len(lines_of(figure).get_segments()) == 4
        assert "100.0 points = 50.0 global part + 50.0 structural part" in words(figure)
        assert "the 4 strongest of 16 part pairs carry 50.0 points (50.0%) of 100.0" in words(
            figure
        )

    def test_no_lines_asked_for(self):
        figure = explanation_figure(explanation(), flow_lines=0)
        assert len(axes_of(figure, "flow").collections) == 0
        assert "72 part pairs; transported mass 1" in words(figure)

    @pytest.mark.parametrize("count", [-1, 1.5, "24", None, float("nan"), float("inf"), 10**9, []])
    def test_bad_number_of_lines(self, count):
        with pytest.raises(InputError, match="flow lines must be a whole number from 0 to 1000"):
            explanation_figure(explanation(), flow_lines=count)


class TestPhotos:
    def test_without_photos_is_refused_in_one_sentence(self, tmp_path):
        explanation().to_json(tmp_path / "e.json")
        loaded = Explanation.from_json(tmp_path / "e.json")
        with pytest.raises(InputError, match=r"NPZ file, or pass photos=\(A, B\)"):
            explanation_figure(loaded)
        with pytest.raises(InputError):
            save_figure(loaded, tmp_path / "e.png")
        assert not (tmp_path / "e.png").exists()

    def test_photos_can_be_passed(self, tmp_path):
        e = explanation()
        e.to_json(tmp_path / "e.json")
        loaded = Explanation.from_json(tmp_path / "e.json")
        given = bytes_of(loaded, "png", photos=(e.photo_a, e.photo_b))
        assert given == bytes_of(e, "png")

    @pytest.mark.parametrize("size", [(3000, 2000), (3, 5000), (5000, 3)])
    def test_photos_from_npz_are_smaller_and_fit(self, tmp_path, size):
        explanation(size_a=size).to_npz(tmp_path / "e.npz")
        explanation_figure(Explanation.from_npz(tmp_path / "e.npz"))

    def test_another_photo_is_refused(self):
        e = explanation()
        with pytest.raises(InputError, match="Photo B has 64 × 48 pixels"):
            explanation_figure(e, photos=(e.photo_a, e.photo_a))
        with pytest.raises(InputError):
            explanation_figure(e, photos=(e.photo_a,))
        with pytest.raises(InputError):
            explanation_figure(e, photos=("a.jpg", "b.jpg"))

    def test_photos_are_scaled_down_to_what_is_seen(self):
        e = explanation((2048, 1536), (2048, 1536))
        for axes in explanation_figure(e, dpi=100).axes:
            place = axes.get_position()
            for image in axes.images[:1]:
                rows, columns = image.get_array().shape[:2]
                assert columns <= place.width * 11 * 100 + 1
                assert rows <= 2000 * place.height


class TestSaving:
    @pytest.mark.parametrize("dpi", [50, 150])
    def test_png_has_the_size_of_the_page(self, tmp_path, dpi):
        e = explanation()
        save_figure(e, tmp_path / "e.png", dpi=dpi)
        with Image.open(tmp_path / "e.png") as image:
            size = image.size
            image.load()
            assert image.info["dpi"] == pytest.approx((dpi, dpi), rel=0.01)
        assert size[0] == 11 * dpi
        assert size[1] == int(explanation_figure(e).get_figheight() * dpi)
        assert size[1] <= 8.04 * dpi  # as wide and high as A4 and Letter can print

    @pytest.mark.parametrize("format", ["png", "svg", "pdf"])
    def test_equal_explanations_give_equal_bytes(self, format):
        first = bytes_of(explanation(), format)
        assert first == bytes_of(explanation(), format)
        assert first != bytes_of(explanation(seed=1), format)

    @pytest.mark.parametrize(
        ("name", "start"), [("e.png", b"\x89PNG"), ("e.SVG", b"<?xml"), ("e.pdf", b"%PDF")]
    )
    def test_format_follows_the_ending(self, tmp_path, name, start):
        save_figure(explanation(), str(tmp_path / name), dpi=50)
        assert (tmp_path / name).read_bytes().startswith(start)

    def test_format_wins_over_the_ending(self, tmp_path):
        save_figure(explanation(), tmp_path / "e.dat", format="PDF", dpi=50)
        assert (tmp_path / "e.dat").read_bytes().startswith(b"%PDF")
        file = io.BytesIO()
        save_figure(explanation(), file, dpi=50)
        assert file.getvalue().startswith(b"\x89PNG")
        assert not file.closed

    @pytest.mark.parametrize("name", ["e", "e.jpg", "e.$x$\n"])
    def test_other_formats_are_refused(self, tmp_path, name):
        with pytest.raises(InputError, match="choose png, svg, pdf"):
            save_figure(explanation(), tmp_path / name)
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("dpi", [0, -1, 49, 601, float("nan"), "150", None])
    def test_bad_resolutions_are_refused(self, tmp_path, dpi):
        with pytest.raises(InputError, match="50 to 600"):
            save_figure(explanation(), tmp_path / "e.png", dpi=dpi)

    def test_a_missing_folder_is_an_oserror_with_its_name(self, tmp_path):
        with pytest.raises(FileNotFoundError) as caught:
            save_figure(explanation(), tmp_path / "none" / "e.png", dpi=50)
        assert caught.value.filename

    def test_svg_text_is_text_and_undated(self):
        e = explanation(names=("cat & <dog>.jpg", "b.jpg"))
        content = bytes_of(e, "svg")
        root = ET.fromstring(content)
        texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
        assert score_as_sum(e) in texts
        assert "cat & <dog>.jpg ↔ b.jpg (toy)" in texts
        assert b"<dc:date>" not in content
        (lines,) = [g for g in root.iter() if g.get("id") == "flow-lines"]
        paths = list(lines.iter("{http://www.w3.org/2000/svg}path"))
        assert len(paths) == 24

    def test_svg_overlays_have_the_colours_of_the_bar(self):
        # matplotlib's vector writers apply an image's alpha twice; the overlays must not use it.
        root = ET.fromstring(bytes_of(explanation(), "svg"))
        for image in root.iter("{http://www.w3.org/2000/svg}image"):
            assert image.get("opacity") is None


class TestSharedProcess:
    def test_neither_follows_nor_changes_rcparams(self):
        contents = [bytes_of(explanation(), format) for format in ("png", "svg", "pdf")]
        hostile = {
            "font.size": 31,
            "font.family": "monospace",
            "text.color": "red",
            "text.parse_math": True,
            "axes.grid": True,
            "axes.facecolor": "green",
            "figure.facecolor": "black",
            "figure.constrained_layout.use": True,
            "savefig.bbox": "tight",
            "savefig.dpi": 33,
            "savefig.transparent": True,
            "image.cmap": "jet",
            "image.origin": "lower",
            "image.interpolation": "bicubic",
            "lines.linewidth": 9,
            "patch.linewidth": 9,
            "xtick.labelsize": 40,
            "xtick.color": "red",
            "xtick.top": True,
            "xtick.direction": "in",
            "xtick.minor.visible": True,
            "xtick.alignment": "left",
            "axes.axisbelow": True,
            "image.resample": False,
            "svg.fonttype": "path",
            "scatter.edgecolors": "red",
        }
        with matplotlib.rc_context(hostile):
            before = dict(matplotlib.rcParams)
            followed = [bytes_of(explanation(), format) for format in ("png", "svg", "pdf")]
            assert dict(matplotlib.rcParams) == before
        assert followed == contents

    def test_threads_draw_the_same_as_one(self):
        jobs = [(seed, format) for seed in (0, 1) for format in ("png", "svg", "svg", "pdf")]

        def draw(job: tuple[int, str]) -> bytes:
            return bytes_of(explanation(seed=job[0]), job[1])

        before = dict(matplotlib.rcParams)
        alone = [draw(job) for job in jobs]
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(draw, jobs)) == alone
        assert dict(matplotlib.rcParams) == before

    def test_pyplot_is_never_imported(self):
        code = "import diml_core.drawing, sys; sys.exit('matplotlib.pyplot' in sys.modules)"
        root = Path(__file__).resolve().parents[2]
        assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0

    def test_the_explanation_is_left_alone(self):
        e = explanation()
        before = e.photo_a.image.tobytes(), e.to_dict()
        explanation_figure(e)
        assert (e.photo_a.image.tobytes(), e.to_dict()) == before


class TestPlacement:
    @pytest.mark.parametrize("a", [0.01, 0.5, 1, 1.5, 3, 100])
    @pytest.mark.parametrize("b", [0.01, 0.5, 1, 1.5, 3, 100])
    def test_inside_undistorted_apart(self, a, b):
        place = place_pair(a, b, 10, 3.5, gap=1, stacked_gap=0.5, least_slot=1.8)
        for box, aspect in ((place.a, a), (place.b, b)):
            assert (box[2] - box[0]) / (box[3] - box[1]) == pytest.approx(aspect)
            assert min(box) >= -MARGIN
            assert box[2] <= 10 + MARGIN
            assert box[3] <= place.height + MARGIN <= 3.5 + 2 * MARGIN
        gap = place.b[1] - place.a[3] if place.stacked else place.b[0] - place.a[2]
        assert gap >= (0.5 if place.stacked else 1) - MARGIN

    def test_equal_pictures_get_equal_room(self):
        place = place_pair(1.5, 1.5, 10, 3.5, gap=1, stacked_gap=0.5)
        assert not place.stacked
        assert place.a[3] - place.a[1] == pytest.approx(place.b[3] - place.b[1])
        assert place.a[0] == pytest.approx(10 - place.b[2])

    def test_panoramas_are_stacked(self):
        assert place_pair(6, 6, 10, 3.5, gap=1, stacked_gap=0.5).stacked
