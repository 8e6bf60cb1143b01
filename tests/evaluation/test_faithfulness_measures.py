"""The measures on toys whose answers are known, and the tables of a tiny model."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from diml_core import explain, load_model
from diml_core.counterfactual import COVERS, counterfactual
from diml_core.data import known_truth, load_dataset
from diml_core.embedding.grids import cell_box
from diml_core.errors import InputError
from diml_core.evaluation.faithfulness import RANKINGS, Ranking, order_of
from diml_core.evaluation.faithfulness.agreement import (
    Falls,
    agreement,
    covered_regions,
    random_region,
)
from diml_core.evaluation.faithfulness.cells import grid_of, on_parts
from diml_core.evaluation.faithfulness.conservation import defects
from diml_core.evaluation.faithfulness.correlation import rank_correlation
from diml_core.evaluation.faithfulness.localisation import localised
from diml_core.evaluation.faithfulness.partners import (
    WAYS,
    cropped_photo,
    partner_falls,
    strongest_regions,
)
from diml_core.evaluation.faithfulness.randomisation import randomised
from diml_core.evaluation.faithfulness.speaking_against import falls_by_choice
from diml_core.evaluation.faithfulness.stability import CHANGES, changed_photo, relative_change
from diml_core.evaluation.faithfulness.tables import chosen_keys, faithfulness_tables
from diml_core.evaluation.faithfulness.trials import like_pairs
from diml_core.explain import explain_features
from diml_core.photo.images import load_photo


def test_rank_correlation_is_spearmans():
    stats = pytest.importorskip("scipy.stats")
    random = np.random.default_rng(0)
    for _ in range(5):
        x, y = random.integers(0, 6, 30), random.random(30)
        assert rank_correlation(x, y) == pytest.approx(stats.spearmanr(x, y).statistic)
    assert rank_correlation(np.arange(5), np.exp(np.arange(5))) == pytest.approx(1)
    assert rank_correlation(np.ones(5), np.arange(5)) == 0


def test_pairs_are_of_one_class_and_every_class_comes_once_before_any_comes_twice():
    labels = np.repeat([0, 1, 2, 3], [2, 5, 1, 3])
    a, b = like_pairs(labels, 100)
    assert (labels[a] == labels[b]).all()
    assert (a != b).all()
    assert set(labels[a][:3].tolist()) == {0, 1, 3}
    # Two images make one pair, five make five, three make three; the lonely one makes none.
    assert len(a) == 1 + 5 + 3
    assert len({frozenset(p) for p in zip(a.tolist(), b.tolist(), strict=True)}) == len(a)
    assert all(map(np.array_equal, like_pairs(labels, 4), (a[:4], b[:4])))
    with pytest.raises(InputError, match="No class of this split has two images"):
        like_pairs(np.arange(3), 5)


def test_diml_is_conserved_and_others_have_their_defect(tiny, pair):
    options = tiny.options()
    explanation = explain(tiny, *pair)
    for key in ("diml", "second-order"):
        assert max(defects(explanation, RANKINGS[key].weights(tiny, *pair, options))) < 1e-6
    uneven = (np.array([explanation.structural_similarity]), np.array([0.0]))
    assert defects(explanation, uneven)[0] + defects(explanation, uneven)[1] > 0.01
    marginals = RANKINGS["marginals"].weights(tiny, *pair, options)
    nearest = max(
        explanation.structural_similarity, explanation.global_similarity, explanation.similarity
    )
    assert defects(explanation, marginals)[0] == pytest.approx(1 - nearest)


@pytest.mark.parametrize("size", [1, 2, 9, 30])
def test_random_regions_are_connected(size):
    random = np.random.default_rng(0)
    grid = (5, 6)
    regions = [random_region(grid, size, random) for _ in range(20)]
    assert size in (1, 30) or len(set(regions)) > 10
    for region in regions:
        assert len(region) == size
        reached, front = set(), [next(iter(region))]
        while front:
            part = front.pop()
            reached.add(part)
            row, column = divmod(part, grid[1])
            for r, c in (
                (row, column + 1),
                (row, column - 1),
                (row + 1, column),
                (row - 1, column),
            ):
                beside = r * grid[1] + c
                if 0 <= c < grid[1] and beside in region and beside not in reached:
                    front.append(beside)
        assert reached == region


def test_agreement_is_1_with_what_was_measured_and_minus_1_with_its_opposite():
    worth = np.array([3.0, 1.0, 2.0, 5.0])
    regions = [frozenset(r) for r in ((0, 1), (1, 2), (2, 3), (0, 2))]
    measured = Falls(regions, np.array([worth[sorted(r)].sum() for r in regions]))
    found = agreement(measured, {"truth": worth, "opposite": -worth, "all the same": np.ones(4)})
    assert found["truth"] == pytest.approx(1)
    assert found["opposite"] == pytest.approx(-1)
    assert found["all the same"] == 0


def test_measured_falls_are_the_networks(tiny, pair):
    options = tiny.options()
    single = covered_regions(tiny, *pair, options, share=0, count=1000)
    covering, _ = RANKINGS["covering"].weights(tiny, *pair, options)
    assert sorted(min(region) for region in single.regions) == list(range(len(covering)))
    by_part = {min(region): fall for region, fall in zip(*single, strict=True)}
    # Batches of other photos: float32 sums in another order, then float16.
    assert np.allclose([by_part[p] for p in range(len(covering))], covering, atol=2e-3)


def test_weights_are_shuffled_from_the_head_down_and_the_model_stays(tiny, photos):
    before = {name: value.clone() for name, value in tiny.state_dict().items()}
    has_head = any(True for _ in tiny.head.parameters())
    names, changed_shares = [], []
    for name, changed in randomised(tiny):
        names.append(name)
        after = dict(changed.named_parameters())
        large = [n for n, p in tiny.named_parameters() if p.numel() > 100 and p.std() > 0]
        share = np.mean([not torch.equal(before[n], after[n]) for n in large])
        changed_shares.append(share)
        for n in large:
            assert torch.equal(before[n].flatten().sort().values, after[n].flatten().sort().values)
        if name == "head":
            moved = {n for n in large if not torch.equal(before[n], after[n])}
            assert moved == {"head.weight"}
    assert names[0] == ("head" if has_head else "from the top, 1/3")
    assert changed_shares == sorted(changed_shares)
    assert changed_shares[-1] == 1
    assert all(torch.equal(before[n], value) for n, value in tiny.state_dict().items())


def test_a_randomised_head_changes_the_explanation(cnn_folder, photos):
    model = load_model(cnn_folder)
    options = model.options()
    own = RANKINGS["diml"].weights(model, *(model.extract(p) for p in photos), options)
    _, changed = next(randomised(model))
    other = RANKINGS["diml"].weights(changed, *(changed.extract(p) for p in photos), options)
    assert not np.allclose(own[0], other[0], atol=1e-3)


def test_changes_are_small_and_of_one_size(photos):
    pixels = np.asarray(photos[0].image).astype(int)
    for change in CHANGES:
        after = np.asarray(changed_photo(photos[0], change).image).astype(int)
        assert after.shape == pixels.shape
        assert (after != pixels).any()
    shifted = np.asarray(changed_photo(photos[0], "shift").image)
    assert (shifted[1:, 1:] == pixels[:-1, :-1]).all()
    noise = np.asarray(changed_photo(photos[0], "noise").image) - pixels
    # The standard deviation of 15,360 numbers of standard deviation 4; clipping only takes.
    assert 3 < noise.std() < 4.1


def test_relative_change_is_relative():
    before = np.array([3.0, 4.0])
    assert relative_change(before, before) == 0
    assert relative_change(before, np.array([3.0, 5.0])) == pytest.approx(0.2)
    assert relative_change(10 * before, 10 * np.array([3.0, 5.0])) == pytest.approx(0.2)
    assert relative_change(np.zeros(2), np.zeros(2)) == 0


def test_the_largest_change_is_captums_max_sensitivity(tiny, pair):
    metrics = pytest.importorskip("captum.metrics", reason="no captum here: pip install captum")
    options = tiny.options()
    a, b = pair

    def weights(inputs):  # captum's tuples: of pictures, and of their explanations
        photos = [load_photo(Image.fromarray(each.numpy())) for each in inputs[0]]
        seen = [tiny.extract(photo, options.start_block) for photo in photos]
        found = [RANKINGS["diml"].weights(tiny, each, b, options)[0] for each in seen]
        return (torch.from_numpy(np.stack(found)),)

    def changed(pictures):  # one copy for each change
        pairs = zip(CHANGES.values(), pictures, strict=True)
        return (torch.from_numpy(np.stack([change(each.numpy()) for change, each in pairs])),)

    pixels = torch.from_numpy(np.array(a.photo.image))[None]
    expected = metrics.sensitivity_max(weights, pixels, changed, n_perturb_samples=len(CHANGES))
    before = RANKINGS["diml"].weights(tiny, a, b, options)[0]
    largest = max(
        relative_change(
            before,
            RANKINGS["diml"].weights(
                tiny, tiny.extract(changed_photo(a.photo, change), options.start_block), b, options
            )[0],
        )
        for change in CHANGES
    )
    assert largest > 0
    assert largest == pytest.approx(float(expected), rel=1e-6)


def test_covering_each_part_is_captums_feature_ablation(tiny, pair):
    """Of one photo beside a fixed other, its parts as features, and the blurred photo as what they are replaced by."""
    captum = pytest.importorskip("captum.attr", reason="no captum here: pip install captum")
    options = tiny.options()
    a, b = pair
    pixels = np.array(a.photo.image)
    rows, columns = grid = grid_of(a, options)
    parts = np.zeros(pixels.shape[:2], int)
    for part in range(rows * columns):
        left, top, right, bottom = (round(e) for e in cell_box(part, grid, a.photo.image.size))
        parts[top:bottom, left:right] = part

    def score(pictures):
        photos = [load_photo(Image.fromarray(each.numpy().astype(np.uint8))) for each in pictures]
        seen = [tiny.extract(photo, options.start_block) for photo in photos]
        return torch.tensor([explain_features(tiny, each, b, options).similarity for each in seen])

    falls = captum.FeatureAblation(score).attribute(
        torch.from_numpy(pixels)[None].float(),
        baselines=torch.from_numpy(COVERS["blur"](pixels))[None].float(),
        feature_mask=torch.from_numpy(parts)[None, :, :, None],
    )
    weights, _ = RANKINGS["covering"].weights(tiny, a, b, options)
    # Batches of other photos: float32 sums in another order, then float16.
    for part, weight in enumerate(weights):
        assert weight == pytest.approx(float(falls[0][parts == part].mean()), abs=2e-3)
    assert np.ptp(weights) > 2e-3


def test_the_other_kind_tells_a_ranking_that_ignores_b_from_one_that_b_turns_over(
    tiny, scenes, monkeypatch
):
    partners = {}

    def deaf(model, a, b, options):
        return tuple(on_parts(f.map.float().norm(dim=-1), options.grid).numpy() for f in (a, b))

    def turned(model, a, b, options):
        partner = partners.setdefault(a.photo.digest, b.photo.digest)
        in_a, in_b = deaf(model, a, b, options)
        return (in_a if partner == b.photo.digest else -in_a), in_b

    for key, weigh in (("marginals", deaf), ("nearest", turned)):
        monkeypatch.setitem(RANKINGS, key, replace(RANKINGS[key], weigh=weigh))
    dataset = load_dataset("scenes", scenes, "test")
    tables = faithfulness_tables(
        tiny, dataset, tiny.options(), keys=["marginals", "nearest"], pairs=3, progress=False
    )
    rows = next(table for table in tables if table.title == "Randomisation").rows
    assert rows[RANKINGS["marginals"].name]["other kind"].mean == pytest.approx(1)
    assert rows[RANKINGS["nearest"].name]["other kind"].mean == pytest.approx(-1)


def test_weights_on_the_object_are_counted_by_area():
    mask = np.zeros((8, 8), np.uint8)
    mask[:, :2] = 255  # half of the left parts
    weights = np.array([0.6, 0.2, 0.4, -1.0])
    assert localised(weights, mask, (2, 2)) == pytest.approx((0.5 * 1.0 / 1.2, 0.0))
    mask[:, :4] = 255
    assert localised(weights, mask, (2, 2)) == pytest.approx((1.0 / 1.2, 1.0))
    assert localised(-np.ones(4), mask, (2, 2))[0] == pytest.approx(0.5)


def test_the_strongest_regions_are_rectangles_side_by_side():
    contribution = np.zeros((6, 9))
    contribution[3:5, 4:7] = 1
    contribution[0:2, 0:3] = 0.5
    first, second = strongest_regions(contribution.ravel(), (6, 9))
    assert first == [r * 9 + c for r in (3, 4) for c in (4, 5, 6)]
    assert second == [r * 9 + c for r in (0, 1) for c in (0, 1, 2)]
    assert strongest_regions(np.ones(1), (1, 1)) == ([0], [0])


def test_a_photo_is_cropped_to_its_region(photos):
    cropped = cropped_photo(photos[0], [5, 6, 9, 10], (4, 4))
    assert np.array_equal(np.asarray(cropped.image), np.asarray(photos[0].image)[16:48, 20:60])


def test_a_choice_that_does_not_look_at_the_region_has_no_own_partners(tiny, pair):
    falls = partner_falls(tiny, *pair, tiny.options())
    assert list(falls) == list(WAYS)
    for way in ("marginals", "random"):  # the same parts for both regions, in the same batch
        assert falls[way].own == pytest.approx(0, abs=2e-3)
    assert all(math.isfinite(value) for fall in falls.values() for value in fall)


@pytest.mark.parametrize("side", ["a", "b"])
def test_what_is_covered_is_what_speaks_against_the_pair_and_for_it(tiny, pair, side):
    options = tiny.options()
    before = explain_features(tiny, *pair, options)
    falls = falls_by_choice(tiny, *pair, options, side, "grey")
    against, contributed = {
        "a": (before.against_a, before.contribution.sum(1)),
        "b": (before.against_b, before.contribution.sum(0)),
    }[side]
    for key, weights in (("against", against), ("for", contributed)):
        worst = order_of(weights)[: max(1, round(len(weights) / 8))].tolist()
        after = counterfactual(tiny, *pair, options, side, worst, "grey").after
        # Batches of other photos: float32 sums in another order, then float16.
        assert falls[key] == pytest.approx(before.similarity - after.similarity, abs=2e-3)


def test_the_rankings_to_try_are_checked_and_ours_is_among_them(tiny):
    assert chosen_keys(tiny, None)[0] == "diml"
    assert not {"rise", "covering"} & set(chosen_keys(tiny, None))
    assert chosen_keys(tiny, ["rise", "rise"]) == ["diml", "rise"]
    with pytest.raises(InputError, match="no ranking named 'lime'"):
        chosen_keys(tiny, ["lime"])


def test_the_tables_answer_every_question_and_ours_is_never_ahead_of_itself(tiny, scenes):
    dataset = load_dataset("scenes", scenes, "test")
    tables = list(
        faithfulness_tables(
            tiny, dataset, tiny.options(), truth=known_truth(dataset, scenes),
            keys=["marginals", "random"], pairs=3, progress=False,
        )
    )  # fmt: skip
    titles = [table.title for table in tables]
    assert titles == [
        "Deletion and insertion, A, blur",
        "Deletion and insertion, B, blur",
        "Deletion and insertion, both, blur",
        "Deletion and insertion, A, grey",
        "Deletion and insertion, A, mean",
        "Agreement with covering",
        "What the plan knows: partners in B",
        "What speaks against the pair",
        "Conservation",
        "Randomisation",
        "Stability",
        "Localisation",
        "Faithfulness, in short",
    ]
    for table in tables:
        assert table.note.startswith("3 pairs of one kind.")
        first = next(iter(table.rows.values()))
        assert all(set(row) == set(first) for row in table.rows.values())
        assert table.signed == {column for column in first if column.endswith(", ahead")}
        assert all(first[column].mean == 0 for column in table.signed)
        assert all(math.isfinite(e.mean) for row in table.rows.values() for e in row.values())
    by_title = dict(zip(titles, tables, strict=True))
    deletion = by_title["Deletion and insertion, A, blur"].rows
    ours, rival = deletion["DIML contributions"], deletion["random"]
    lead = rival["deletion"].mean - ours["deletion"].mean  # less is better
    assert rival["deletion, ahead"].mean == pytest.approx(lead)
    assert rival["insertion, ahead"].mean == pytest.approx(
        ours["insertion"].mean - rival["insertion"].mean
    )
    shown = by_title["Faithfulness, in short"].rows["random"]
    in_b = by_title["Deletion and insertion, B, blur"].rows["random"]
    for kind in ("deletion", "insertion"):
        one = (rival[kind].mean + in_b[kind].mean) / 2
        assert shown[f"{kind}, one photo"].mean == pytest.approx(one)
    # A network can be shuffled as much as one likes: what is drawn does not hear of it.
    assert "random" not in by_title["Randomisation"].rows
    conserved = by_title["Conservation"].rows["DIML contributions"]
    assert max(conserved["defect, A"].high, conserved["defect, B"].high) < 1e-6


def test_a_rival_that_raises_ends_in_one_sentence(tiny, scenes, monkeypatch):
    dataset = load_dataset("scenes", scenes, "test")
    broken = replace(RANKINGS["marginals"], weigh=lambda *_: {}["nothing"])
    assert isinstance(broken, Ranking)
    monkeypatch.setitem(RANKINGS, "marginals", broken)
    with pytest.raises(
        InputError, match=r"'marginals alone' failed \(KeyError: 'nothing'\): leave it out"
    ):
        next(
            faithfulness_tables(
                tiny, dataset, tiny.options(), keys=["marginals"], pairs=1, progress=False
            )
        )
