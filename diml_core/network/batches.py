"""Photos on their way to the network: read ahead by other threads, and put together by shape.

By threads, for decoding, resizing and hashing leave Python's lock to each other. The processes of torch's
DataLoader would start this program anew wherever they cannot be forked, which a plain script does not survive; a
fork would copy locks that threads hold, and keep a gallery's lock after its writer was killed. Nor can a
DataLoader make batches of one shape before it has seen the photos.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor

from diml_core.network.model import DimlModel

Item = TypeVar("Item")
Loaded = TypeVar("Loaded")
Key = TypeVar("Key")

# On a processor, batches beyond the cache and what malloc keeps are slower (a CNN's 16 by a third).
_CPU_BYTES = 256 << 20
SPACE = 1 << 30
"""Bytes that a batch may take while the network runs; more only where one photo takes more."""

_MOST = 32  # photos: more of them gain nothing
_AHEAD = 4  # batches
_MOST_DECODING = 8  # photos: one of 64 megapixels takes some 400 MB until it has been scaled down
_WIDEST = (
    64  # input, output and scratch of a layer over the network's input: VGG's largest has 21 each
)


def batch_size(model: DimlModel, attention_from: int | None) -> int:
    """Photos that the network should see at a time, so that their memory stays bounded.

    Args:
        model: the model; photos of any shape have about as many pixels as its square.
        attention_from: first block whose attention is recorded; None records none.

    Returns:
        At least 1, even where a single photo takes more than :data:`SPACE`.
    """
    backbone = model.backbone
    pixels = 3 * backbone.input_size**2
    numbers = _WIDEST * pixels
    if attention_from is not None and backbone.attention_blocks:
        tokens = backbone.prefix_tokens + backbone.map_side**2
        # What is recorded stays; the running block has its scores twice, before and after the softmax.
        matrices = backbone.attention_blocks - attention_from + 2
        numbers += matrices * backbone.attention_heads * tokens**2
    on_cpu = model.device.type == "cpu"
    space = _CPU_BYTES if on_cpu else SPACE
    return min(max(space // (numbers * torch.float32.itemsize), 1), _MOST)


@contextmanager
def loaded_ahead(
    load: Callable[[Item], Loaded], items: Iterable[Item], batch: int
) -> Iterator[Iterator[Loaded]]:
    """``load`` of every item, in their order, while the network is busy with earlier ones.

    As many run at once as torch uses threads, and at most a few batches wait, so ``load`` should give no more
    than the network takes. What it raises is raised in the item's turn; to go on with the others it must return it.
    On leaving, what runs is waited for, and what has not begun is dropped.

    Args:
        load: safe to call from several threads.
        items: paths, for instance.
        batch: from :func:`batch_size`.
    """
    pool = ThreadPoolExecutor(min(torch.get_num_threads(), _MOST_DECODING), "photos")
    try:
        yield _in_order(pool, load, items, _AHEAD * batch)
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order(
    pool: ThreadPoolExecutor, load: Callable[[Item], Loaded], items: Iterable[Item], ahead: int
) -> Iterator[Loaded]:
    begun: deque[Future[Loaded]] = deque()
    for item in items:
        begun.append(pool.submit(load, item))
        if len(begun) > ahead:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()


def by_shape(
    images: Iterable[tuple[Key, Tensor]], batch: int
) -> Iterator[tuple[list[Key], Tensor]]:
    """Images of one shape together, for every photo keeps its own.

    The batches depend on the order of the images only. When a few batches of images wait for others of their
    shape, the largest group goes as it is.

    Args:
        images: each with what its caller knows it by.
        batch: most images in one; from :func:`batch_size`.

    Yields:
        What they are known by, and the images, ``[B, ...]``.
    """
    groups: dict[torch.Size, list[tuple[Key, Tensor]]] = {}
    waiting = 0
    for key, image in images:
        group = groups.setdefault(image.shape, [])
        group.append((key, image))
        waiting += 1
        if len(group) == batch or waiting == _AHEAD * batch:
            shape = max(groups, key=lambda shape: len(groups[shape]))
            waiting -= len(groups[shape])
            yield _stacked(groups.pop(shape))
    for group in groups.values():
        yield _stacked(group)


def _stacked(group: list[tuple[Key, Tensor]]) -> tuple[list[Key], Tensor]:
    return [key for key, _ in group], torch.stack([image for _, image in group])
