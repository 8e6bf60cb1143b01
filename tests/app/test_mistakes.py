"""What re-ranking fixes and breaks: counted as the evaluation ranks, kept, and said in a sentence."""

import pytest
import torch
from torch.nn.functional import normalize

from app.mistakes import Change, Mistakes, mistakes_in, summary_of
from diml_core.comparison.options import ExplainOptions
from diml_core.evaluation.embedding import Embedded
from diml_core.evaluation.retrieval import rank
from diml_core.retrieval.records import PhotoRecord
from diml_core.retrieval.spec import GallerySpec, PackedPhoto
from diml_core.retrieval.store import Store, StoreWriter

COUNT, PARTS, DIM, TOP_K = 30, 4, 8, 20
OPTIONS = ExplainOptions(grid=2, marginals="cross-correlation")


@pytest.fixture
def store(tmp_path):
    """Photos whose parts and wholes are drawn apart, so that the two orders have little to do with each other."""
    random = torch.Generator().manual_seed(0)
    vectors = normalize(torch.randn(COUNT, PARTS + 1, DIM, generator=random), dim=-1)
    records = [PhotoRecord(f"{i}.jpg", 0, 0, f"{i:064x}", (2, 2)) for i in range(COUNT)]
    spec = GallerySpec("random", "", OPTIONS, PARTS, DIM, has_rollout=False)
    rows = (PackedPhoto(photo, None, (2, 2)) for photo in vectors.half().numpy())
    StoreWriter(tmp_path).write(spec, ".", records, rows, [])
    return Store(tmp_path)


def no_pause():
    pass


def refuse():
    raise AssertionError("this was counted already")


def firsts(store):
    """First of every photo by the global similarity, and after re-ranking, as the evaluation has them."""
    grids = torch.tensor([record.grid for record in store.records])
    ranking = rank(Embedded(store.vectors, store.weights, grids), OPTIONS, TOP_K, TOP_K)
    return ranking.by_global[:, 0].tolist(), ranking.reranked(TOP_K)[:, 0].tolist()


def test_fixed_and_broken_are_those_of_the_evaluation(store):
    before, after = firsts(store)
    kinds = [None if row % 5 == 0 else "even" if row % 2 == 0 else "odd" for row in range(COUNT)]
    queries = [row for row in range(COUNT) if kinds[row]]

    def right(found):
        return {row for row in queries if kinds[found[row]] == kinds[row]}

    found = mistakes_in(store, kinds, TOP_K, no_pause)
    assert found.queries == len(queries)
    assert found.right == len(right(before))
    assert found.right_after == len(right(after))
    assert {each.query for each in found.fixed} == right(after) - right(before)
    assert {each.query for each in found.broken} == right(before) - right(after)
    assert found.fixed
    assert found.broken
    for each in (*found.fixed, *found.broken):
        assert each == (each.query, before[each.query], after[each.query])


def test_the_only_one_of_its_kind_is_no_query(store):
    kinds = [None] * COUNT
    kinds[:3] = ["pair", "pair", "alone"]
    assert mistakes_in(store, kinds, TOP_K, no_pause).queries == 2


def test_they_are_counted_once_until_something_else_is_asked(store):
    kinds = ["even" if row % 2 == 0 else "odd" for row in range(COUNT)]
    counted = mistakes_in(store, kinds, TOP_K, no_pause)
    assert mistakes_in(store, kinds, TOP_K, refuse) == counted
    with pytest.raises(AssertionError, match="counted already"):
        mistakes_in(store, kinds[::-1], TOP_K, refuse)
    file = store.folder / "mistakes.json"
    file.write_bytes(file.read_bytes()[:-10])  # of a process that was killed
    assert mistakes_in(store, kinds, TOP_K, no_pause) == counted


@pytest.mark.parametrize(
    ("mistakes", "sentence"),
    [
        (
            Mistakes(96, 70, (Change(0, 1, 2),) * 3, (Change(0, 1, 2),)),
            "Of 96 photos that were each searched by, 72 find the right thing first after re-ranking by parts, "
            "70 before: it fixes 3 and breaks 1.",
        ),
        (
            Mistakes(96, 70, (), ()),
            "Of 96 photos that were each searched by, 70 find the right thing first, before re-ranking by parts as "
            "after it: it fixes none and breaks none.",
        ),
        (Mistakes(0, 0, (), ()), "Nobody has said of these photos what would be right to find."),
    ],
)
def test_the_counts_are_said_in_a_sentence(mistakes, sentence):
    assert summary_of(mistakes) == sentence
