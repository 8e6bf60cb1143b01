"""What the page needs from the core: models loaded once, features computed once per picture."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import AbstractContextManager
from typing import Any

from diml_core.embedding.features import ImageFeatures
from diml_core.errors import InputError
from diml_core.explain import explain
from diml_core.explanation import Explanation
from diml_core.network.checkpoints import load_model, shipped_models
from diml_core.network.model import DimlModel
from diml_core.photo.images import Photo, load_photo

_CACHE_BYTES = 512 * 1024**2  # about 26 photos of the ViT; small beside the 16 GB of a Space


class Explorer:
    """Compares photos with the shipped models; safe to call from several threads.

    Features are cached by the *content* of a photo, so everything a slider changes is recomputed
    without running the network.
    """

    def __init__(self, cache_bytes: int = _CACHE_BYTES) -> None:
        self._models: dict[str, DimlModel] = {}
        self._features: OrderedDict[tuple[str, str], ImageFeatures] = OrderedDict()
        self._cache_bytes = cache_bytes
        self._lock = threading.RLock()  # two threads must not load or run one model at once

    def model(self, name: str) -> DimlModel:
        """A shipped model, loaded on first use.

        Only shipped names: a visitor must not make the server read paths or download models.

        Raises:
            InputError: no such shipped model.
        """
        if name not in shipped_models():
            raise InputError(
                f"There is no model '{name}' here: choose one of {', '.join(shipped_models())}."
            )
        with self._lock:
            if name not in self._models:
                self._models[name] = load_model(name)
            return self._models[name]

    def has_features(self, model_name: str, photo: Photo) -> bool:
        """Whether comparing this photo needs no forward pass."""
        return (model_name, photo.digest) in self._features

    def remembered(self, model_name: str, digest: str) -> ImageFeatures:
        """The features of a photo that was compared a while ago, by its digest.

        Raises:
            InputError: no longer in memory.
        """
        with self._lock:
            if (key := (model_name, digest)) not in self._features:
                raise InputError("This pair is no longer in memory: choose the photos again.")
            self._features.move_to_end(key)
            return self._features[key]

    def network(self) -> AbstractContextManager[Any]:
        """Hold this while running a model: two forward passes at once only make both slower."""
        return self._lock

    def features(self, model_name: str, photo: Photo) -> ImageFeatures:
        """The network's output for a photo, from the cache if it has seen these pixels."""
        key = (model_name, photo.digest)
        with self._lock:
            if key not in self._features:
                self._features[key] = self.model(model_name).extract(photo)
            self._features.move_to_end(key)
            found = self._features[key]
            while sum(f.nbytes for f in self._features.values()) > self._cache_bytes:
                self._features.popitem(last=False)
        if found.photo.name == photo.name and found.photo.size == photo.size:
            return found
        # The same pixels under another name: the name is the caller's, not the first visitor's.
        return ImageFeatures(photo, found.map, found.attentions)

    def compare(self, model_name: str, image_a: Any, image_b: Any, **options: Any) -> Explanation:
        """Explain a pair; see :func:`diml_core.explain`. Raises InputError."""
        model = self.model(model_name)
        model.options(**options)  # a bad option should not wait for the network
        features = [self.features(model_name, load_photo(image)) for image in (image_a, image_b)]
        return explain(model, *features, **options)
