"""Searching as a user does it: the library, its explanations, and the two commands."""

import json
import re
from pathlib import Path

import pytest
import torch
from tiny import saved_model, tiny_config, write_photos

from diml_core import InputError, explain
from diml_core.__main__ import main
from diml_core.network.checkpoints import load_model
from diml_core.retrieval import Gallery, index_photos
from diml_core.retrieval.first_stage import nearest
from diml_core.retrieval.kernels import has_numba

STORED = 2e-4  # what rounding to float16 may change in a score


@pytest.fixture(scope="session")
def gallery(model, photos, tmp_path_factory):
    folder = tmp_path_factory.mktemp("galleries") / model.name
    index_photos(photos, folder, model=model)
    return Gallery.open(folder, model=model)


def test_scores_and_order_are_those_of_explain(gallery, photos):
    query = photos / "001.png"
    results = gallery.search(query, top_k=25)
    assert [r.rank for r in results] == list(range(1, 26))
    assert sorted(r.global_rank for r in results) == list(range(1, 26))
    explained = [explain(gallery.model, query, r.path) for r in results]
    for result, explanation in zip(results, explained, strict=True):
        assert result.similarity == pytest.approx(explanation.similarity, abs=STORED)
        assert result.global_similarity == pytest.approx(explanation.global_similarity, abs=STORED)
        structural = pytest.approx(explanation.structural_similarity, abs=STORED)
        assert result.structural_similarity == structural
    # The order of brute force, but for neighbours that float16 storage cannot tell apart.
    scores = [explanation.similarity for explanation in explained]
    assert all(b - a < 2 * STORED for i, a in enumerate(scores) for b in scores[i + 1 :])
    by_global = sorted(results, key=lambda r: r.global_rank)
    cosines = [r.global_similarity for r in by_global]
    assert all(b - a < 1e-6 for i, a in enumerate(cosines) for b in cosines[i + 1 :])


def test_a_notebook_shows_the_results_as_a_table(gallery, photos):
    results = gallery.search(photos / "001.png", top_k=25)
    table = results._repr_html_()
    rows = re.findall(
        r"<td>(\d+)</td><td>(\d+)</td><td>(<img [^>]+>)</td><td>([^<]+)</td>(.*?)</tr>", table
    )
    assert [(int(rank), int(global_rank), name) for rank, global_rank, _, name, _ in rows] == [
        (r.rank, r.global_rank, f"{r.path.parent.name}/{r.path.name}") for r in results[:20]
    ]
    scores = [
        [float(cell) for cell in re.findall(r"<td>(-?\d+\.\d)</td>", row[-1])] for row in rows
    ]
    for (total, whole, parts), result in zip(scores, results[:20], strict=True):
        assert total == pytest.approx(whole + parts)  # as it is shown
        assert total == pytest.approx(100 * result.similarity, abs=0.05 + 1e-9)
        assert whole == pytest.approx(50 * result.global_similarity, abs=0.05 + 1e-9)
    assert len(set(re.findall(r'src="data:image/jpeg;base64,([^"]+)"', table))) > 1
    assert "5 more are not shown" in table


def test_a_table_says_which_photo_has_gone_and_takes_no_name_for_html(model, tmp_path):
    photos = write_photos(tmp_path / "photos", 2)
    (photos / "001.png").rename(photos / "<b>.png")
    index_photos(photos, tmp_path / "gallery", model=model)
    results = Gallery.open(tmp_path / "gallery", model=model).search(photos / "<b>.png")
    (photos / "<b>.png").unlink()
    table = results._repr_html_()
    assert table.count("<img") == 2  # the query, which is in memory, and the other photo
    assert "<b>" not in table
    assert "does not exist" in table


def test_candidates_are_the_globally_nearest_of_the_whole_gallery(gallery, photos):
    query = photos / "001.png"
    found = {r.path for r in gallery.search(query, top_k=10)}
    everything = [
        (explain(gallery.model, query, p).global_similarity, p) for p in photos.rglob("*.png")
    ]
    everything.sort(reverse=True)
    assert everything[9][0] - everything[10][0] > STORED  # so that the ten are well defined
    assert found == {p.resolve() for _, p in everything[:10]}


def test_a_photo_finds_itself_and_the_explanation_is_that_of_the_pair(gallery, photos):
    best = gallery.search(photos / "002.png", top_k=3)[0]
    assert best.path.name == "002.png"
    assert "explanation" not in vars(best)  # nothing is computed before it is asked for
    assert best.explanation is best.explanation
    assert (best.explanation.name_a, best.explanation.name_b) == ("002.png", "002.png")
    assert best.similarity == pytest.approx(best.explanation.similarity, abs=STORED)


def test_many_queries_at_once_give_the_same_as_one_by_one(gallery, photos):
    queries = [photos / "001.png", photos / "002.png", photos / "deep" / "er" / "003.png"]
    together = gallery.search_many(queries, top_k=12)
    for query, results in zip(queries, together, strict=True):
        alone = gallery.search(query, top_k=12)
        assert [r.path for r in results] == [r.path for r in alone]
        assert [r.similarity for r in results] == pytest.approx(
            [r.similarity for r in alone], abs=5e-6
        )


def test_search_options_change_the_score_as_they_do_in_explain(gallery, photos):
    query = photos / "001.png"
    result = gallery.search(query, top_k=5, marginals="uniform", mass=0.3)[0]
    expected = explain(gallery.model, query, result.path, marginals="uniform", mass=0.3)
    assert result.similarity == pytest.approx(expected.similarity, abs=STORED)
    assert result.explanation.options.mass == 0.3


def test_top_k_beyond_the_gallery_and_an_empty_gallery(gallery, photos, tmp_path):
    assert len(gallery.search(photos / "001.png", top_k=1000)) == len(gallery) == 40
    (tmp_path / "none").mkdir()
    index_photos(tmp_path / "none", tmp_path / "empty", model=gallery.model)
    assert Gallery.open(tmp_path / "empty", model=gallery.model).search(photos / "001.png") == []
    assert gallery.search_many([]) == []


def test_refusals_are_one_sentence(gallery, photos, tmp_path):
    for top_k in (0, -1, 2.5, True):
        with pytest.raises(InputError, match="top_k"):
            gallery.search(photos / "001.png", top_k=top_k)
    with pytest.raises(InputError, match="cannot change 'grid'"):
        gallery.search(photos / "001.png", grid=2)
    with pytest.raises(InputError, match="mass"):
        gallery.search(photos / "001.png", mass=0)
    config = tiny_config("stranger", "test_resnet", head=24, defaults={"grid": 2})
    stranger = load_model(saved_model(tmp_path / "stranger", config, seed=5))
    with pytest.raises(InputError, match="made with another model"):
        Gallery.open(gallery.collection.folder, model=stranger)


@pytest.mark.parametrize("count", [1, 7, 3000])
def test_stage_one_is_exact_across_blocks(count, monkeypatch):
    monkeypatch.setattr("diml_core.retrieval.first_stage._BLOCK", 100)
    random = torch.Generator().manual_seed(0)
    pooled = torch.nn.functional.normalize(torch.randn(1050, 16, generator=random), dim=-1).half()
    queries = pooled[:4].float()
    rows, cosines = nearest(pooled, queries, count)
    expected = (queries @ pooled.float().T).sort(descending=True, stable=True)
    kept = min(count, 1050)
    assert rows.shape == (4, kept)
    assert (rows == expected.indices[:, :kept]).all()
    assert cosines.numpy() == pytest.approx(expected.values[:, :kept].numpy(), abs=1e-6)


def test_equal_photos_keep_the_order_of_the_gallery():
    pooled = torch.ones(300, 4).half() / 8
    where = [3, 70, 71, 150, 299]
    pooled[where] *= 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("diml_core.retrieval.first_stage._BLOCK", 64)
        rows, _ = nearest(pooled, torch.ones(1, 4) / 2, 5)
    assert rows.tolist() == [where]


def test_the_commands_index_and_search(cnn_folder, photos, tmp_path, capsys):
    gallery = str(tmp_path / "gallery")
    arguments = ["index", str(photos), "-o", gallery, "--model", str(cnn_folder)]
    assert main(arguments) == 0
    assert "40 photos" in capsys.readouterr().out
    assert main(arguments) == 0
    assert "0 embedded, 40 known" in capsys.readouterr().out
    file = tmp_path / "found.json"
    query = str(photos / "001.png")
    assert main(["search", gallery, query, "--top-k", "7", "--json", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8
    results = json.loads(file.read_text())["results"]
    assert [r["rank"] for r in results] == list(range(1, 8))
    for line, result in zip(lines[1:], results, strict=True):
        assert line.endswith(result["path"])
        assert line.split()[:2] == [str(result["rank"]), str(result["global_rank"])]
    expected = Gallery.open(gallery).search(query, top_k=7)
    assert [r["similarity"] for r in results] == [r.similarity for r in expected]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["search", "nowhere", "QUERY"], "no finished gallery"),
        (["search", "nowhere", "missing.jpg"], "no photo 'missing.jpg'"),
        (["index", "nowhere", "-o", "gallery"], "no folder 'nowhere'"),
        (["index", "empty", "-o", "gallery", "--model", "MODEL"], "no photos below"),
    ],
)
def test_the_commands_refuse_in_one_sentence(
    arguments, sentence, cnn_folder, photos, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    real = {"QUERY": str(photos / "001.png"), "MODEL": str(cnn_folder)}
    assert main([real.get(argument, argument) for argument in arguments]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert sentence in error


def test_without_numba_the_plain_engine_finds_the_same(gallery, photos, monkeypatch):
    fast = gallery.search(photos / "001.png", top_k=20)
    has_numba.cache_clear()
    monkeypatch.setattr("diml_core.retrieval.kernels.find_spec", lambda name: None)
    plain = gallery.search(photos / "001.png", top_k=20)
    monkeypatch.undo()
    has_numba.cache_clear()
    assert [r.path for r in plain] == [r.path for r in fast]
