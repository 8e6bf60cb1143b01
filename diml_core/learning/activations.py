"""What the frozen part of a network makes of every view of every image: computed once, kept on disk."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from diml_core.data import LabelledImages
from diml_core.errors import InputError
from diml_core.learning.split_network import SplitNetwork
from diml_core.learning.views import square_input, view
from diml_core.photo.images import Photo, load_photo

_BATCH = 32
_STATES, _WARPS, _DONE, _KEY = "states.npy", "warps.npy", "done.npy", "key.json"


@dataclass(frozen=True)
class ViewPlan:
    """Which views: ``count`` per image, or the whole image alone where ``count`` is 0.

    Attributes:
        count, least_crop, colour_jitter: see :class:`TrainConfig`.
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
        states: ``[N, V, ...]`` float16, see :meth:`SplitNetwork.enter`.
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
    barrier=lambda: None,
    progress: bool = True,
) -> Activations:
    """Compute what is missing in ``folder``; an interrupted run goes on where it was.

    Args:
        split: the network; its frozen part has the weights that training starts from.
        images: the images.
        plan: the views.
        folder: where to keep the arrays; emptied if they were made by another network or plan.
        rank, processes, barrier: share the work among processes that wait for each other.
        progress: whether to show a bar.

    Raises:
        InputError: an image that cannot be read, or a folder that cannot be written.
    """
    device = next(split.parameters()).device
    side = split.model.config.input.size
    probe = split.enter(torch.zeros(1, 3, side, side, device=device))
    shape = (len(images), max(1, plan.count), *probe.shape[1:])
    if rank == 0:
        _prepare(folder, shape, _key(split, images, plan))
    barrier()
    states = np.lib.format.open_memmap(folder / _STATES, mode="r+")
    warps = np.lib.format.open_memmap(folder / _WARPS, mode="r+")
    done = np.lib.format.open_memmap(folder / _DONE, mode="r+")
    missing = np.flatnonzero(~done)
    share = missing[rank::processes]
    with tqdm(total=len(share), desc="views", unit="image", disable=not progress) as bar:
        for start in range(0, len(share), max(1, _BATCH // shape[1])):
            rows = share[start : start + max(1, _BATCH // shape[1])]
            inputs = []
            for row in rows:
                drawn = planned_views(load_photo(images.samples[row].path), int(row), plan)
                warps[row] = np.stack([warp for _, warp in drawn])
                inputs += [square_input(split.model, image) for image, _ in drawn]
            with torch.autocast(device.type, torch.bfloat16, enabled=plan.precision == "bfloat16"):
                entered = split.enter(torch.stack(inputs).to(device))
            states[rows] = entered.half().cpu().numpy().reshape(len(rows), *shape[1:])
            done[rows] = True
            bar.update(len(rows))
    barrier()
    return Activations(np.load(folder / _STATES, mmap_mode="r"), np.load(folder / _WARPS))


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


def _key(split: SplitNetwork, images: LabelledImages, plan: ViewPlan) -> dict:
    """Everything that the arrays depend on."""
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
        "images": hashlib.sha256(
            "\n".join(str(s.path) for s in images.samples).encode()
        ).hexdigest(),
    }


def _prepare(folder: Path, shape: tuple[int, ...], key: dict) -> None:
    text = json.dumps(key)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / _KEY).is_file() and (folder / _KEY).read_text(encoding="utf-8") == text:
            return
        (folder / _KEY).unlink(missing_ok=True)
        for name, dtype, dims in (
            (_STATES, np.float16, shape),
            (_WARPS, np.float64, (*shape[:2], 3, 3)),
            (_DONE, np.bool_, shape[:1]),
        ):
            array = np.lib.format.open_memmap(folder / name, mode="w+", dtype=dtype, shape=dims)
            array.flush()
        (folder / _KEY).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"'{folder}' cannot hold the activations ({error.strerror}): choose another run folder."
        ) from error
