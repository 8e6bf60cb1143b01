"""The same search over Qdrant, with its client's in-process server."""

import pytest

from diml_core import InputError
from diml_core.network.checkpoints import load_model
from diml_core.retrieval import Gallery, index_photos

qdrant_client = pytest.importorskip("qdrant_client", reason="qdrant-client is not installed")

from diml_core.retrieval.qdrant import (  # noqa: E402
    QdrantCollection,
    export_gallery,
    import_gallery,
)


@pytest.fixture(params=["memory", "path"])
def client(request, tmp_path):
    where = {"memory": {"location": ":memory:"}, "path": {"path": str(tmp_path / "qdrant")}}
    client = qdrant_client.QdrantClient(**where[request.param])
    yield client
    client.close()


@pytest.fixture(scope="session")
def local(model, photos, tmp_path_factory):
    folder = tmp_path_factory.mktemp("qdrant") / model.name
    index_photos(photos, folder, model=model)
    return Gallery.open(folder, model=model)


def test_results_equal_those_of_the_local_gallery(local, photos, client):
    remote = Gallery(import_gallery(local.collection, client, "photos"), local.model)
    assert len(remote) == len(local)
    queries = [photos / "001.png", photos / "002.png"]
    expected = local.search_many(queries, top_k=15)
    for ours, theirs in zip(expected, remote.search_many(queries, top_k=15), strict=True):
        assert [(r.path.name, r.global_rank) for r in theirs] == [
            (r.path.name, r.global_rank) for r in ours
        ]
        scores = pytest.approx([r.similarity for r in ours], abs=1e-5)
        assert [r.similarity for r in theirs] == scores
    assert theirs[0].explanation.similarity == pytest.approx(theirs[0].similarity, abs=2e-4)


def test_export_gives_back_the_bytes_that_were_imported(local, client, tmp_path, monkeypatch):
    collection = import_gallery(local.collection, client, "photos")
    folder = local.collection.folder
    copy = folder.parent / f"copy-{tmp_path.name}"
    export_gallery(collection, copy)
    for path in folder.iterdir():
        if path.name != ".lock":
            assert (copy / path.name).read_bytes() == path.read_bytes()


def test_a_collection_opens_again_and_refuses_what_does_not_fit(
    local, client, cnn_folder, vit_folder
):
    with pytest.raises(InputError, match="no complete gallery"):
        QdrantCollection(client, "photos")
    import_gallery(local.collection, client, "photos")
    assert QdrantCollection(client, "photos").spec == local.collection.spec
    with pytest.raises(InputError, match="already has"):
        import_gallery(local.collection, client, "photos")
    other = vit_folder if local.model.name == "tiny-cnn" else cnn_folder
    with pytest.raises(InputError, match="another model"):
        Gallery(QdrantCollection(client, "photos"), load_model(other))
