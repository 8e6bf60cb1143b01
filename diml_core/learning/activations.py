"""What the frozen part of a network makes of every view of every image: computed once, kept on disk."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import DTypeLike
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from diml_core.data import LabelledImages
from diml_core.errors import InputError
from diml_core.learning.split_network import SplitNetwork
from diml_core.learning.views import square_input, view
from diml_core.photo.images import Photo, load_photo

_BATCH = 32
_STATES, _WARPS, _IMAGES, _KEY = "states.f16", "warps.f64", "images.sha256", "key.json"
_WORTH_SAYING = 1 << 30  # bytes: what takes more room is announced


@dataclass(frozen=True)
class ViewPlan:
    """Which views: ``count`` per image, or the whole image alone where ``count`` is 0.

    Attributes:
        count, least_crop, colour_jitter: see :class:`diml_core.learning.config.TrainConfig`.
        seed: the same gives the same views.
        precision: of the network, ``float32`` or ``bfloat16``.
    """

    count: int
    least_crop: float = 1.0
    colour_jitter: float = 0.0
    seed: int = 0
    precision: str = "float32"


@dataclass(frozen=True, eq=False)
class Activations:
    """Memory-mapped arrays.

    Attributes:
        states: ``[N, V, ...]`` float16, see :meth:`.SplitNetwork.enter`.
        warps: ``[N, V, 3, 3]`` float64, points of the image to points of the view.
    """

    states: np.ndarray
    warps: np.ndarray

    def fetch(self, rows: np.ndarray, views: np.ndarray, device: torch.device) -> Tensor:
        """``[n, ...]`` float32 states of some views."""
        return torch.from_numpy(self.states[rows, views]).to(device).float()


@torch.no_grad()
def compute_activations(
    split: SplitNetwork,
    images: LabelledImages,
    plan: ViewPlan,
    folder: Path,
    *,
    rank: int = 0,
    processes: int = 1,
    barrier: Callable[[], None] = lambda: None,
    progress: bool = True,
) -> Activations:
    """Compute what is missing in ``folder``; an interrupted run goes on where it was.

    Every row knows the content that it was made of: an image that was changed, or has another place among
    the images because others came or went, is computed again, the rest is kept.

    Args:
        split: the network; its frozen part has the weights that training starts from.
        images: the images.
        plan: the views.
        folder: where to keep the arrays; emptied if they were made by another network or plan.
        rank, processes, barrier: share the work among processes that wait for each other.
        progress: whether to show a bar.

    Raises:
        InputError: an image that cannot be read, a folder that cannot be written, or too little room on its disk.
    """
    device = next(split.parameters()).device
    side = split.model.config.input.size
    probe = split.enter(torch.zeros(1, 3, side, side, device=device))
    shape = (len(images), max(1, plan.count), *probe.shape[1:])
    wanted = contents(images)
    if rank == 0:
        _prepare(folder, shape, _key(split, plan))
        computed = _opened(folder, shape, "r")[_IMAGES]
        _check_room(folder, shape, int((computed != wanted).any(1).sum()))
    barrier()
    arrays = _opened(folder, shape, "r+")
    missing = np.flatnonzero((arrays[_IMAGES] != wanted).any(1))
    # By number, not by place among the missing: another process may have filled some by now.
    share = missing[missing % processes == rank]
    size = sum(_row_bytes(shape).values()) * len(images)
    name = f"views ({_gib(size)})" if size > _WORTH_SAYING else "views"
    with tqdm(total=len(share), desc=name, unit="image", disable=not progress) as bar:
        for start in range(0, len(share), max(1, _BATCH // shape[1])):
            rows = share[start : start + max(1, _BATCH // shape[1])]
            arrays[_IMAGES][rows] = 0  # of no content while they are written
            inputs, digests = [], []
            for row in rows:
                # What is hashed is what is computed, even if the file is being written meanwhile.
                path = images.samples[row].path
                data = _read(path)
                digests.append(_digest(data))
                drawn = planned_views(load_photo(data, name=path.name), int(row), plan)
                arrays[_WARPS][row] = np.stack([warp for _, warp in drawn])
                inputs += [square_input(split.model, image) for image, _ in drawn]
            with torch.autocast(device.type, torch.bfloat16, enabled=plan.precision == "bfloat16"):
                entered = split.enter(torch.stack(inputs).to(device))
            arrays[_STATES][rows] = entered.half().cpu().numpy().reshape(len(rows), *shape[1:])
            arrays[_IMAGES][rows] = np.stack(digests)
            bar.update(len(rows))
    barrier()
    arrays = _opened(folder, shape, "r")
    return Activations(arrays[_STATES], np.array(arrays[_WARPS]))


def planned_views(photo: Photo, row: int, plan: ViewPlan) -> list[tuple[Image.Image, np.ndarray]]:
    """The views of one image, each with the ``[3, 3]`` map of points of the image to points of the view.

    They depend on nothing but the arguments, so that another model sees the same ones.

    Args:
        photo: the image.
        row: its place in the data set.
        plan: which views.
    """
    if not plan.count:
        return [(photo.image, np.eye(3))]
    randoms = (np.random.default_rng([plan.seed, 4, row, n]) for n in range(plan.count))
    return [view(photo, random, plan.least_crop, plan.colour_jitter) for random in randoms]


def contents(images: LabelledImages) -> np.ndarray:
    """``[N, 32]`` uint8 SHA-256 of the files, in the order of the samples.

    Raises:
        InputError: a file that cannot be read.
    """
    return np.stack([_digest(_read(sample.path)) for sample in images.samples])


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"'{path}' cannot be read ({error.strerror}): restore it, or take it out of the data set."
        ) from error


def _digest(data: bytes) -> np.ndarray:
    return np.frombuffer(hashlib.sha256(data).digest(), np.uint8)


def _key(split: SplitNetwork, plan: ViewPlan) -> dict:
    """Everything but the images that the arrays depend on."""
    config = split.model.config
    weights = hashlib.sha256()
    for name, tensor in split.model.backbone.state_dict().items():
        weights.update(name.encode())
        weights.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return {
        "weights": weights.hexdigest(),
        "entered": split.entered,
        "input": list(vars(config.input).values()),
        "plan": list(vars(plan).values()),
    }


def _row_bytes(shape: tuple[int, ...]) -> dict[str, int]:
    """What one image takes in each file."""
    return {_STATES: 2 * math.prod(shape[1:]), _WARPS: 8 * shape[1] * 9, _IMAGES: 32}


def _opened(
    folder: Path, shape: tuple[int, ...], mode: Literal["r", "r+"]
) -> dict[str, np.ndarray]:
    files: tuple[tuple[str, DTypeLike, tuple[int, ...]], ...] = (
        (_STATES, np.float16, shape),
        (_WARPS, np.float64, (*shape[:2], 3, 3)),
        (_IMAGES, np.uint8, (shape[0], 32)),
    )
    return {name: np.memmap(folder / name, dtype, mode, shape=dims) for name, dtype, dims in files}


def _prepare(folder: Path, shape: tuple[int, ...], key: dict) -> None:
    """Keep the rows of the same key, as many as there are images; new ones have the digest 0."""
    text = json.dumps(key)
    try:
        if not _holds(folder, shape, text):
            if folder.is_dir():
                shutil.rmtree(folder)
            folder.mkdir(parents=True)
            (folder / _KEY).write_text(text, encoding="utf-8")
        for name, size in _row_bytes(shape).items():
            with (folder / name).open("ab") as file:
                file.truncate(shape[0] * size)
    except OSError as error:
        raise InputError(
            f"'{folder}' cannot hold the activations ({error.strerror}): choose another run folder."
        ) from error


def _holds(folder: Path, shape: tuple[int, ...], key: str) -> bool:
    """Whether there are whole rows of that key: a file that was cut short ends nowhere in particular."""
    if not (folder / _KEY).is_file() or (folder / _KEY).read_bytes() != key.encode():
        return False
    sizes = _row_bytes(shape)
    if not all((folder / name).is_file() for name in sizes):
        return False
    rows = {divmod((folder / name).stat().st_size, size) for name, size in sizes.items()}
    return len(rows) == 1 and not rows.pop()[1]


def _check_room(folder: Path, shape: tuple[int, ...], missing: int) -> None:
    # The files are as long as they will be, but take no room before they are written.
    needed, free = missing * sum(_row_bytes(shape).values()), shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"The views of {missing:,} images take {_gib(needed)} in '{folder}', where {_gib(free)} are free: "
            "lower 'views', make room, or choose another run folder."
        )


def _gib(size: int) -> str:
    return f"{size / (1 << 30):.1f} GiB"
