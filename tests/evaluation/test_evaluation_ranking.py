"""Embedding a set and ranking it, against one image and one pair at a time."""

import numpy as np
import pytest
import torch
from PIL import Image

from diml_core.comparison.options import ExplainOptions
from diml_core.errors import InputError
from diml_core.evaluation import embedding, retrieval
from diml_core.evaluation.embedding import Embedded, embed_all
from diml_core.evaluation.retrieval import rank, retrieval_metrics, without_self
from diml_core.explain import explain_features
from diml_core.network.batches import SPACE
from diml_core.photo.images import load_photo

SIZES = [(64, 64), (96, 48), (48, 80), (64, 64)]


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder, random = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for index in range(22):
        coarse = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        image = Image.fromarray(coarse).resize(SIZES[index % 4], Image.Resampling.BICUBIC)
        image.save(folder / f"{index:02}.png")
    return sorted(folder.glob("*.png"))


def test_embedding_a_set_is_embedding_each_image(tiny, paths, monkeypatch):
    monkeypatch.setattr(embedding, "batch_size", lambda *_: 4)  # whole batches, and rests
    options = [tiny.options(), tiny.options(grid=1), tiny.options(grid=tiny.max_grid)]
    if tiny.has_rollout:
        options.append(tiny.options(start_block=0, kept_mass=0.6))
    embedders = [tiny.embedder(o) for o in options]
    found = embed_all(tiny, paths, embedders, progress=False)
    for chosen, embedder in zip(options, embedders, strict=True):
        for index in (0, 1, 2, 21):
            features = tiny.extract(load_photo(paths[index]))
            one = tiny.embedder(chosen)(features)
            parts = len(one.parts)
            vectors = found[embedder].vectors[index].float()
            assert (vectors[:parts] - one.parts).abs().max() < 2e-3  # float16
            assert (vectors[-1] - one.pooled).abs().max() < 2e-3
            assert not vectors[parts:-1].any()
            assert found[embedder].grids[index].tolist() == list(one.grid)
            if tiny.has_rollout:
                torch.testing.assert_close(
                    found[embedder].weights[index, :parts],
                    one.rollout.float(),
                    atol=1e-5,
                    rtol=1e-4,
                )


def test_an_image_that_cannot_be_read_ends_it_with_its_name(tiny, paths, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff")
    with pytest.raises(InputError, match=r"'broken\.jpg' is damaged"):
        embed_all(
            tiny,
            [*paths[:5], broken, *paths[5:]],
            [tiny.embedder(tiny.options())],
            progress=False,
        )


def test_what_does_not_fit_into_memory_is_refused_before_anything_is_read(
    tiny, tmp_path, monkeypatch
):
    embedders = [tiny.embedder(tiny.options(grid=n)) for n in (1, 2)]
    paths = [tmp_path / "nowhere.jpg"] * 1000
    numbers = 1000 * (2 + 5) * tiny.dim
    masses = 1000 * (1 + 4) if tiny.has_rollout else 0
    needed = 2 * numbers + 4 * masses + 8 * 2 * 1000 * 2 + SPACE
    monkeypatch.setattr(embedding, "available_memory", lambda: needed - 1)
    with pytest.raises(InputError, match=r"1,000 images in 2 ways takes 1\.0 GiB of memory"):
        embed_all(tiny, paths, [*embedders, embedders[0]], progress=False)
    for enough in (needed, None):
        monkeypatch.setattr(embedding, "available_memory", lambda enough=enough: enough)
        with pytest.raises(InputError, match="does not exist"):
            embed_all(tiny, paths, embedders, progress=False)


def test_mean_pooling_is_the_mean_of_the_map(tiny, paths):
    options = tiny.options()
    embedder = tiny.embedder(options, pooling="mean")
    found = embed_all(tiny, paths[:1], [embedder], progress=False)[embedder]
    cells = tiny.extract(load_photo(paths[0])).map.flatten(0, 1)
    expected = torch.nn.functional.normalize(cells.mean(0), dim=-1)
    assert (found.vectors[0, -1].float() - expected).abs().max() < 2e-3


def test_ranking_is_explaining_every_pair(tiny, paths):
    options = tiny.options()
    embedder = tiny.embedder(options)
    embedded = embed_all(tiny, paths, [embedder], progress=False)[embedder]
    ranking = rank(embedded, options, neighbours=21, top_k=8)
    features = [tiny.extract(load_photo(path)) for path in paths]
    for query in (0, 5, 13):
        pairs = {
            other: explain_features(tiny, features[query], features[other], options)
            for other in range(len(paths))
            if other != query
        }
        by_global = [pairs[i.item()].global_similarity for i in ranking.by_global[query]]
        assert sorted(ranking.by_global[query].tolist()) == sorted(pairs)
        assert (np.diff(by_global) < 2e-3).all()  # non-increasing, but for float16
        expected = [pairs[i.item()].similarity for i in ranking.by_global[query, :8]]
        assert ranking.overall[query].tolist() == pytest.approx(expected, abs=2e-3)
        reranked = ranking.reranked(8)[query]
        assert (np.diff([pairs[i.item()].similarity for i in reranked[:8]]) < 3e-3).all()
        assert reranked[8:].tolist() == ranking.by_global[query, 8:].tolist()
        assert ranking.reranked(0)[query].tolist() == ranking.by_global[query].tolist()


def test_an_image_is_never_its_own_neighbour_even_among_its_copies():
    unit = torch.nn.functional.normalize(
        torch.randn(6, 4, generator=torch.Generator().manual_seed(0)), dim=1
    )
    pooled = torch.cat([unit[:1].expand(9, 4), unit])  # ten copies of one image
    found = without_self(pooled, 5)
    assert found.shape == (15, 5)
    assert not (found == torch.arange(15)[:, None]).any()
    assert without_self(pooled, 100).shape == (15, 14)


def test_reranked_neighbours_score_what_pytorch_metric_learning_gives_them():
    pytest.importorskip("pytorch_metric_learning", reason="pytorch-metric-learning is the oracle")
    from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator

    embedded, labels = clustered()
    options = ExplainOptions(grid=2)
    ranking = rank(embedded, options, neighbours=29, top_k=12)
    for k in (0, 12):
        neighbours = ranking.reranked(k)
        calculator = AccuracyCalculator(
            include=("precision_at_1", "r_precision", "mean_average_precision_at_r"),
            k="max_bin_count",
            # The oracle asks for the neighbours of its own; ours are for the same queries in order.
            knn_func=lambda _query, n, *_, ranked=neighbours: (torch.zeros(30, n), ranked[:, :n]),
            device=torch.device("cpu"),
        )
        pooled = embedded.vectors[:, -1].float()
        expected = calculator.get_accuracy(pooled, torch.from_numpy(labels))
        found = retrieval_metrics(embedded, labels, options, (0, 12))[k]
        assert found["R@1"].mean() == pytest.approx(expected["precision_at_1"])
        assert found["RP"].mean() == pytest.approx(expected["r_precision"])
        assert found["MAP@R"].mean() == pytest.approx(expected["mean_average_precision_at_r"])
        assert 0.1 < found["MAP@R"].mean() < 0.95


def clustered():
    """30 images of 2 x 2 random parts in six classes that overlap."""
    generator = torch.Generator().manual_seed(0)
    labels = np.repeat(np.arange(6), 5)
    centres = torch.randn(6, 5, 8, generator=generator)[torch.from_numpy(labels)]
    vectors = centres + torch.randn(30, 5, 8, generator=generator)
    vectors = torch.nn.functional.normalize(vectors, dim=-1).half()
    return Embedded(vectors, None, torch.full((30, 2), 2)), labels


def test_metrics_come_for_every_number_of_candidates_from_one_set_of_transports(monkeypatch):
    embedded, labels = clustered()
    calls = []
    original = retrieval.rerank
    monkeypatch.setattr(retrieval, "rerank", lambda *a, **k: calls.append(1) or original(*a, **k))
    found = retrieval_metrics(embedded, labels, ExplainOptions(grid=2), (0, 3, 29))
    assert sorted(found) == [0, 3, 29]
    assert len(calls) == 1
    assert all(v.shape == (30,) for metrics in found.values() for v in metrics.values())
    # Re-ranking three candidates cannot change which four come first.
    np.testing.assert_array_equal(found[0]["R@4"], found[3]["R@4"])
    assert (found[0]["MAP@R"] != found[29]["MAP@R"]).any()
