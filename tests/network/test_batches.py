"""Photos on their way to the network: their order, how many wait, and what a batch may take."""

import itertools
import threading

import pytest
import timm
import torch

from diml_core.network import batches
from diml_core.network.batches import batch_size, by_shape, loaded_ahead
from diml_core.network.model import DimlModel
from diml_core.network.model_config import InputConfig, ModelConfig


@pytest.fixture(autouse=True)
def two_threads(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)


def test_what_is_ready_early_waits_for_its_turn():
    third = threading.Event()

    def load(item):
        if item == 0:
            assert third.wait(timeout=60)
        if item == 2:
            third.set()
        return item, threading.get_ident()

    with loaded_ahead(load, range(10), batch=2) as loaded:
        found = list(loaded)
    assert [item for item, _ in found] == list(range(10))
    assert threading.get_ident() not in {thread for _, thread in found}


def test_no_more_than_some_batches_are_read_ahead():
    begun = []
    with loaded_ahead(begun.append, itertools.count(), batch=3) as loaded:
        for consumed in range(1, 50):
            next(loaded)
            assert len(begun) <= consumed + 4 * 3


def test_an_error_is_raised_in_its_turn():
    def load(item):
        return 1 / (item - 5)

    with loaded_ahead(load, range(100), batch=2) as loaded:
        assert len(list(itertools.islice(loaded, 5))) == 5
        with pytest.raises(ZeroDivisionError):
            next(loaded)


def test_who_leaves_early_waits_for_nothing_that_has_not_begun(monkeypatch):
    begun, dropped = [], threading.Event()

    class Pool(batches.ThreadPoolExecutor):
        def shutdown(self, wait=True, *, cancel_futures=False):
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            dropped.set()
            super().shutdown(wait=wait)

    def load(item):
        begun.append(item)
        assert item == 0 or dropped.wait(timeout=60)

    monkeypatch.setattr(batches, "ThreadPoolExecutor", Pool)
    with loaded_ahead(load, range(100), batch=20) as loaded:
        next(loaded)
    assert len(begun) <= 3  # the first, and what two threads had in hand
    assert not [t for t in threading.enumerate() if t.name.startswith("photos")]


def images(shapes):
    return [(key, torch.full((3, *shape), float(key))) for key, shape in enumerate(shapes)]


def test_a_batch_has_one_shape_and_every_image_is_in_one():
    given = images([(4, 4), (2, 8), (4, 4), (8, 2), (4, 4), (2, 8)] * 5)
    found = list(by_shape(given, batch=4))
    assert sorted(key for keys, _ in found for key in keys) == list(range(30))
    assert max(len(keys) for keys, _ in found) == 4
    for keys, stacked in found:
        assert stacked[:, 0, 0, 0].tolist() == keys
        assert {given[key][1].shape for key in keys} == {stacked.shape[1:]}


def test_odd_shapes_do_not_pile_up():
    shapes = [(n // 2 + 1, 1) for n in range(100)]  # two of each
    taken = 0

    def counted():
        nonlocal taken
        for taken, each in enumerate(images(shapes), 1):  # noqa: B007
            yield each

    given = 0
    for keys, _ in by_shape(counted(), batch=5):
        given += len(keys)
        assert taken - given < 4 * 5
        assert len(keys) == 2  # the largest group there is
    assert given == 100


def vit(side, **options):
    config = ModelConfig(
        name="vit",
        architecture="test_vit",
        architecture_options={"img_size": side, **options},
        input=InputConfig(size=side),
    )
    return DimlModel(config)


def test_recorded_attention_stays_within_the_space_of_a_batch(monkeypatch):
    model = vit(512)
    with torch.inference_mode():
        _, attentions = model(torch.zeros(1, 3, 512, 512), 0)
    one = sum(attention.nbytes for attention in attentions)
    monkeypatch.setattr(batches, "_WIDEST", 1)  # so that attention alone decides
    for space in (5 * one, 12 * one):
        monkeypatch.setattr(batches, "_CPU_BYTES", space)
        assert space / 2 < batch_size(model, 0) * one <= space
        assert batch_size(model, 0) < batch_size(model, len(attentions) - 1)
        assert batch_size(model, len(attentions) - 1) < batch_size(model, None)
    monkeypatch.setattr(batches, "_CPU_BYTES", one // 2)
    assert batch_size(model, 0) == 1


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "resnet18", "test_vit"])
def test_no_layer_takes_more_than_a_batch_allows_for(name):
    network = timm.create_model(name, pretrained=False).eval()
    side = network.pretrained_cfg["input_size"][-1]
    image = torch.zeros(1, 3, side, side)
    taken = []
    for module in network.modules():
        if not list(module.children()):
            module.register_forward_hook(
                lambda _, given, output: taken.append(given[0].nbytes + output.nbytes)
            )
    with torch.inference_mode():
        network(image)
    assert 0 < max(taken) <= batches._WIDEST * image.nbytes
