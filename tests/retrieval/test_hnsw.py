"""The optional graph of stage one: what it finds, when it is used, and what is said without FAISS."""

import numpy as np
import pytest
import torch
from tiny import write_photos

from diml_core.__main__ import main
from diml_core.errors import InputError
from diml_core.retrieval import Gallery, hnsw, index_photos
from diml_core.retrieval.store import Store

pytest.importorskip("faiss", reason="no FAISS here: pip install faiss-cpu")


@pytest.fixture
def gallery(tmp_path, model, photos):
    index_photos(photos, tmp_path / "gallery", model=model)
    return tmp_path / "gallery"


def test_a_graph_gives_the_same_results_on_a_small_gallery(gallery, model, photos):
    query = next(photos.glob("*.png"))
    exact = Gallery.open(gallery, model=model).search(query, top_k=10)
    assert Store(gallery).build_graph() > 0.99
    opened = Gallery.open(gallery, model=model)
    assert opened.collection.graph is not None
    found = opened.search(query, top_k=10)
    assert [r.path for r in found] == [r.path for r in exact]
    np.testing.assert_allclose(
        [r.similarity for r in found], [r.similarity for r in exact], atol=1e-5
    )


def test_rows_and_cosines_are_those_of_the_exact_search(gallery):
    Store(gallery).build_graph()
    store = Store(gallery)
    queries = torch.nn.functional.normalize(store.pooled[:5].float(), dim=-1)
    rows, cosines = store.graph.nearest(queries, 7)
    assert rows.shape == cosines.shape == (5, 7)
    expected = torch.gather(queries @ store.pooled.float().T, 1, rows)
    torch.testing.assert_close(cosines, expected, atol=1e-4, rtol=0)
    assert (cosines.diff(dim=1) <= 1e-6).all()
    assert store.graph.nearest(queries, 10_000)[0].shape == (5, len(store))


def test_a_graph_belongs_to_one_state_of_the_gallery(tmp_path, model):
    photos = write_photos(tmp_path / "photos", 12)
    index_photos(photos, tmp_path / "gallery", model=model)
    Store(tmp_path / "gallery").build_graph()
    former = Store(tmp_path / "gallery").graph_path
    index_photos(photos, tmp_path / "gallery", model=model)  # nothing new: the graph stays
    assert Store(tmp_path / "gallery").graph is not None
    next(photos.glob("*.png")).unlink()
    index_photos(photos, tmp_path / "gallery", model=model)
    assert Store(tmp_path / "gallery").graph is None
    assert not former.exists()


def test_a_damaged_graph_is_one_sentence(gallery):
    Store(gallery).build_graph()
    Store(gallery).graph_path.write_bytes(b"no graph")
    with pytest.raises(InputError, match="damaged: delete it, or build it again with --hnsw"):
        Store(gallery)


def test_without_faiss_the_search_is_exact(gallery, monkeypatch):
    Store(gallery).build_graph()
    monkeypatch.setattr(hnsw, "find_spec", lambda name: None)
    assert Store(gallery).graph is None
    with pytest.raises(InputError, match="pip install faiss-cpu"):
        Store(gallery).build_graph()


def test_the_command_says_what_the_graph_finds(tmp_path, photos, cnn_folder, capsys):
    arguments = [
        "index",
        str(photos),
        "-o",
        str(tmp_path / "g"),
        "--model",
        str(cnn_folder),
        "--hnsw",
    ]
    assert main(arguments) == 0
    assert "of the 100 nearest photos" in capsys.readouterr().out
