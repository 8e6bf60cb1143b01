"""Measure where a model's scores lie: every photograph of a set with every other."""

from __future__ import annotations

import torch
from tqdm import tqdm

from diml_core.comparison.scale import Scale, histogram
from diml_core.data.base import LabelledImages
from diml_core.embedding.features import EmbeddedPhoto
from diml_core.explain import explain_embedded
from diml_core.network.model import DimlModel
from diml_core.photo.images import load_photo


@torch.inference_mode()
def measure_scale(model: DimlModel, images: LabelledImages, *, progress: bool = True) -> Scale:
    """The scale of a model at its default options.

    Args:
        model: the model.
        images: photographs of several kinds; two or more of at least one.
        progress: whether to show a bar.

    Raises:
        InputError: a photograph that cannot be read.
    """
    options = model.options()
    embedder = model.embedder(options)
    photos = []
    for sample in tqdm(images.samples, "Looking", unit=" photos", disable=not progress):
        features = model.extract(load_photo(sample.path), options.start_block)
        photos.append(EmbeddedPhoto(features.photo, embedder(features)))
    scores: dict[bool, list[float]] = {True: [], False: []}
    labels = images.labels
    for i in tqdm(range(len(photos)), "Comparing", unit=" photos", disable=not progress):
        for j in range(i):
            pair = explain_embedded(model.name, photos[i], photos[j], options)
            scores[bool(labels[i] == labels[j])].append(pair.similarity)
    return Scale(
        photographs=len(photos),
        kinds=len(set(labels.tolist())),
        same=tuple(histogram(scores[True])),
        different=tuple(histogram(scores[False])),
        options=vars(options).copy(),
    )
