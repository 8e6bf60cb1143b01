"""A model as an ONNX graph gives torch's numbers, for any photo, on any thread; or there is a sentence and no graph."""

import copy
import json
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest
import torch
from torch.nn import functional

from diml_core import InputError, explain, load_model, load_photo
from diml_core.__main__ import main
from diml_core.network.checkpoints import load_model as load
from diml_core.network.checkpoints import save_model
from diml_core.network.fingerprint import model_fingerprint
from diml_core.network.model import DimlModel
from diml_core.network.model_config import InputConfig, ModelConfig
from diml_core.network.onnx import parity
from diml_core.network.onnx.export import in_onnx_runtime
from diml_core.network.onnx.parity import check_parity, glance, photographs
from diml_core.network.onnx.resampling import KERNELS, resampled
from diml_core.network.onnx.session import OnnxModel
from diml_core.retrieval import Gallery, index_photos
from scripts import export_onnx

# Upright, wide, square, and narrower than a photo may be.
SIZES = [(480, 640), (640, 316), (256, 256), (1000, 100)]
TINY = {
    "a CNN with one map": ("test_resnet", {}, -1),
    "a CNN with maps that are joined": ("test_efficientnet", {}, [-2, -1]),
    "a transformer": ("test_vit", {"img_size": 64}, -1),
    "one that takes its square only": ("test_vit", {"img_size": 64, "dynamic_img_size": False}, -1),
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A cache that the tests of this file share, so that every shipped model is exported once."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIML_CACHE", str(folder))
        yield folder / "onnx"


@pytest.fixture(scope="module")
def in_onnx(kept):
    """The shipped models in ONNX Runtime, by name, as they are asked for."""
    loaded = {}

    def get(name):
        if name not in loaded:
            loaded[name] = load_model(name, engine="onnx")
        return loaded[name]

    return get


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setenv("DIML_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "onnx"


def tiny(kind="a CNN with one map"):
    architecture, options, layer = TINY[kind]
    torch.manual_seed(0)
    config = ModelConfig(
        "tiny", architecture, architecture_options=options, input=InputConfig(64), layer=layer
    )
    return DimlModel(config)


def pictures(model, sizes):
    random = np.random.default_rng(0)
    for width, height in sizes:
        pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        yield model.preprocess(load_photo(pixels))[None]


def test_every_output_of_a_shipped_model_is_torchs_on_photographs(model, in_onnx):
    batches = list(photographs(model))
    assert len({images.shape for images in batches}) == len(batches) > 3
    check_parity(model, in_onnx(model.name), batches)


def test_only_the_attention_asked_for_comes(vit, in_onnx):
    (images,) = glance(vit)
    for start in (0, 7, None):
        with torch.inference_mode():
            expected, found = vit(images, start)[1], in_onnx("dinov2-s14")(images, start)[1]
        assert [a is None for a in found] == [a is None for a in expected]


def test_an_explanation_is_the_same_within_1e_4(model, in_onnx, examples):
    # Engines differ by 1e-6 of a number, which for one in a thousand decides between two neighbours in float16,
    # 2**-10 apart. Such a map is 2**-10 / sqrt(1000) = 3e-5 of its length away, and a cosine, of which the score is
    # a mean, moves by no more than its two photos do together.
    names = [("cat.jpg", "kitten.jpg"), ("taj-mahal-far.jpg", "taj-mahal-near.jpg")]
    for pair in names:
        photos = [examples / name for name in pair]
        one, other = (explain(each, *photos) for each in (model, in_onnx(model.name)))
        for score in ("similarity", "global_similarity", "structural_similarity"):
            assert abs(getattr(one, score) - getattr(other, score)) < 1e-4
        assert other.standing is not None  # the scale came along


def test_a_shipped_graph_uses_no_float64_which_graphics_cards_have_not(model, in_onnx, kept):
    in_onnx(model.name)
    graph = onnx.load(kept / f"{model_fingerprint(model)}-1.onnx").graph
    wide = {
        node.output[0]
        for node in graph.node
        if node.op_type == "Constant" and node.attribute[0].t.data_type == onnx.TensorProto.DOUBLE
    }
    assert not wide.intersection(name for node in graph.node for name in node.input)
    assert not [
        node.name
        for node in graph.node
        if node.op_type == "Cast" and node.attribute[0].i == onnx.TensorProto.DOUBLE
    ]


def test_a_shipped_graph_is_as_large_as_its_weights(model, in_onnx, kept):
    in_onnx(model.name)
    graph = onnx.load(kept / f"{model_fingerprint(model)}-1.onnx").graph
    assert {w.data_type for w in graph.initializer} <= {
        onnx.TensorProto.FLOAT16,
        onnx.TensorProto.INT64,
    }
    numbers = sum(value.numel() for value in model.state_dict().values())
    assert sum(len(w.raw_data) for w in graph.initializer) <= 2 * numbers


@pytest.mark.parametrize("kind", TINY)
def test_any_timm_model_takes_what_it_takes_in_torch(kind, cache):
    model = tiny(kind)
    found = in_onnx_runtime(model)
    check_parity(model, found, pictures(model, SIZES))
    assert found.has_rollout == model.has_rollout
    assert len(list(cache.iterdir())) == 1


def test_eight_threads_get_their_own_answers(in_onnx, cnn):
    model = in_onnx("efficientnet-lite0")
    images = [image for _ in range(6) for image in pictures(cnn, SIZES)]
    alone = [model(image)[0] for image in images]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda image: model(image)[0], images))
    for one, other in zip(alone, together, strict=True):
        torch.testing.assert_close(one, other, atol=0, rtol=0)


def test_a_gallery_of_one_engine_is_searched_with_the_other(in_onnx, cnn, examples, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("cat.jpg", "kitten.jpg", "koala.jpg", "crocodile.jpg"):
        shutil.copy(examples / name, photos)
    model = in_onnx("efficientnet-lite0")
    for engine, name in ((cnn, "torch"), (model, "onnx")):
        index_photos(photos, tmp_path / name, model=engine)
    again = index_photos(photos, tmp_path / "onnx", model=cnn)
    assert (again.embedded, again.reused) == (0, 4)
    query = examples / "gibbon.jpg"
    results = [
        Gallery.open(tmp_path / made, model=asked).search(query)
        for made, asked in (("torch", cnn), ("torch", model), ("onnx", cnn), ("onnx", model))
    ]
    for other in results[1:]:
        assert [result.path for result in other] == [result.path for result in results[0]]
        for one, same in zip(results[0], other, strict=True):
            assert abs(one.similarity - same.similarity) < 1e-4  # as of an explanation


def test_a_command_takes_the_engine(kept, examples, capsys):
    photos = [str(examples / name) for name in ("cat.jpg", "kitten.jpg")]
    assert main(["compare", *photos, "--engine", "onnx", "--device", "auto"]) == 0
    first = capsys.readouterr().out.splitlines()[2]
    assert main(["compare", *photos]) == 0
    # Four digits are printed: a score may be rounded the other way.
    numbers = [
        [
            float(word)
            for word in line.replace("(", " ").replace(")", " ").split()
            if word[0] in "+-" and len(word) > 1
        ]
        for line in (first, capsys.readouterr().out.splitlines()[2])
    ]
    assert numbers[0] == pytest.approx(numbers[1], abs=2e-4)


@pytest.mark.parametrize("damage", ["cut off", "rubbish", "of another model"])
def test_a_damaged_graph_is_made_anew(damage, cache):
    model = tiny()
    in_onnx_runtime(model)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    if damage == "cut off":
        file.write_bytes(whole[: len(whole) // 2])
    elif damage == "rubbish":
        file.write_bytes(b"rubbish" * 1000)
    else:
        other = copy.deepcopy(model)
        with torch.no_grad():
            next(other.parameters()).mul_(1.1)
        in_onnx_runtime(other)
        (theirs,) = set(cache.iterdir()) - {file}
        shutil.move(theirs, file)
    check_parity(model, in_onnx_runtime(model), glance(model))
    assert list(cache.iterdir()) == [file]
    assert len(file.read_bytes()) == len(whole)


def test_a_kept_graph_is_not_made_again(cache, monkeypatch):
    model = tiny()
    in_onnx_runtime(model)
    monkeypatch.setattr(torch.onnx, "export", None)
    assert isinstance(in_onnx_runtime(model), OnnxModel)


def test_a_graph_with_other_numbers_is_refused_and_leaves_nothing(cache, monkeypatch):
    monkeypatch.setattr(parity, "TOLERANCE", 0.0)
    with pytest.raises(InputError, match=r"has another map in ONNX Runtime than in torch \(\de-"):
        in_onnx_runtime(tiny())
    assert not list(cache.iterdir())


def test_a_size_that_a_trace_took_for_a_constant_is_noticed(cache, monkeypatch):
    model = tiny()
    network = model.backbone.network
    plain = network.forward_intermediates

    def by_width(images, **named):
        return plain(images * int(images.shape[-1]), **named)

    monkeypatch.setattr(network, "forward_intermediates", by_width)
    with pytest.raises(InputError, match="has another map in ONNX Runtime"):
        in_onnx_runtime(model)


def test_a_network_that_cannot_be_traced_is_one_sentence(cache, monkeypatch, capsys):
    model = tiny()
    network = model.backbone.network
    plain = network.forward_intermediates
    monkeypatch.setattr(
        network, "forward_intermediates", lambda i, **named: plain(torch.fft.fft(i).real, **named)
    )
    with pytest.raises(InputError, match="'tiny' cannot be written as an ONNX graph") as caught:
        in_onnx_runtime(model)
    assert "\n" not in str(caught.value)
    assert not list(cache.iterdir())
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ({"engine": "onnx", "device": "cuda"}, "ONNX Runtime runs on the processor here"),
        ({"engine": "tensorrt"}, "no engine 'tensorrt': choose torch or onnx"),
    ],
)
def test_an_engine_or_device_it_has_not_is_one_sentence(where, sentence):
    with pytest.raises(InputError, match=sentence):
        load_model(**where)


def test_it_does_not_train_nor_run_elsewhere(cache):
    model = in_onnx_runtime(tiny())
    assert model.eval() is model
    with pytest.raises(InputError, match="does not train"):
        model.train()
    with pytest.raises(InputError, match="load it with the engine torch"):
        model(torch.zeros(1, 3, 64, 64, device="meta"))


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_a_missing_package_is_one_sentence(package, cache, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match="pip install onnx onnxruntime"):
        in_onnx_runtime(tiny())


def test_a_cache_that_cannot_be_written_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DIML_CACHE", str(tmp_path / "file"))
    with pytest.raises(InputError, match="let \\$DIML_CACHE name another folder"):
        in_onnx_runtime(tiny())


def exported(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["export_onnx", *map(str, arguments)])
    return export_onnx.main()


def test_the_script_writes_the_graph_and_what_one_must_know(tmp_path, monkeypatch):
    model = tiny("a transformer")
    save_model(model, tmp_path / "model")
    with torch.no_grad():
        for value in model.parameters():
            value.copy_(value.half())
    assert exported(monkeypatch, tmp_path / "model", "-o", tmp_path / "graph") == 0
    check_parity(model, OnnxModel(model, tmp_path / "graph" / "model.onnx"), pictures(model, SIZES))
    told = json.loads((tmp_path / "graph" / "model.json").read_text())
    assert ModelConfig.from_dict(told["config"]) == model.config
    assert (told["unit"], told["attention_blocks"]) == (16, model.backbone.attention_blocks)


def test_the_script_halves_the_weights_of_any_model(tmp_path, monkeypatch):
    model = tiny()
    monkeypatch.setattr(
        export_onnx, "load_model", lambda name: model if name == "tiny" else load(name)
    )
    for how in ([], ["--half"]):
        assert exported(monkeypatch, "tiny", "-o", tmp_path / f"graph{len(how)}", *how) == 0
    whole, half = (tmp_path / f"graph{n}" / "model.onnx" for n in range(2))
    assert half.stat().st_size < 0.6 * whole.stat().st_size


def test_the_script_refuses_in_one_sentence_and_removes_what_it_wrote(
    tmp_path, monkeypatch, capsys
):
    save_model(tiny(), tmp_path / "model")
    monkeypatch.setattr(parity, "TOLERANCE", 0.0)
    assert exported(monkeypatch, tmp_path / "model", "-o", tmp_path / "graph") == 2
    assert "has another map in ONNX Runtime" in capsys.readouterr().err
    assert not list((tmp_path / "graph").iterdir())


@pytest.mark.parametrize("mode", KERNELS)
@pytest.mark.parametrize("size", [(1, 4), (7, 5), (16, 17), (22, 11), (40, 33)])
def test_resampling_by_matrices_is_torchs(mode, size):
    image = torch.randn(2, 3, 16, 17, generator=torch.Generator().manual_seed(0))
    expected = functional.interpolate(image, size, mode=mode, antialias=True)
    # Distances of up to 17 cells are rounded to 2**-20, and the kernels are no steeper than 2 per cell.
    torch.testing.assert_close(resampled(image, size, mode), expected, atol=2e-5, rtol=0)
