"""What the page needs from the core: models loaded once, features computed once per picture."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from app.hardware import forward_of
from app.lanes import LANES, side_by_side
from app.models import Loader, shipped
from diml_core.embedding.features import ImageFeatures
from diml_core.embedding.rollout import fused_heads
from diml_core.errors import InputError
from diml_core.explain import explain
from diml_core.explanation import Explanation
from diml_core.network.model import DimlModel
from diml_core.photo.images import Photo, load_photo

# An app at rest takes 0.8 GiB, and with 320 MiB here it came to 1.51 in benchmarks/visitors.py: less is kept, so that it
# stays below 1.5.
_CACHE_BYTES = 288 * 1024**2
_PHOTOS = 1 / 4  # of that, for photos whose features had to go: the ViT's take three times as much
_SESSIONS = 2000
_SEEN = 64  # photos that a session may ask about again


class Explorer:
    """Compares photos with the models it is given; safe to call from several threads.

    Features are cached by the *content* of a photo. One lock guards the dictionaries and is never held while
    anything is computed; forward passes run in a few lanes (:mod:`app.lanes`). The models take a lane themselves, in
    :meth:`DimlModel.forward`, so that whoever runs one, for a gallery or for a covered photo, holds it for that pass
    only.

    Args:
        models: how to load each, by the name in its config; the first is the page's default. None for those that come
            along.
        cache_bytes: bound of what is in memory, features with their photos, and photos whose features had to go.

    Attributes:
        names: of the models, the default first.
        default: name of the default model.
    """

    def __init__(
        self, models: Mapping[str, Loader] | None = None, cache_bytes: int = _CACHE_BYTES
    ) -> None:
        self._loaders = dict(shipped() if models is None else models)
        self.names = list(self._loaders)
        self.default = self.names[0]
        self._models: dict[str, DimlModel] = {}
        self._features: OrderedDict[tuple[str, str], ImageFeatures] = OrderedDict()
        self._photos: OrderedDict[tuple[str, str], Photo] = OrderedDict()
        self._cache_bytes = cache_bytes
        self._under_way: dict[Hashable, Future[Any]] = {}
        self._seen: OrderedDict[str, OrderedDict[tuple[str, str], None]] = OrderedDict()
        self._public: dict[str, Photo] = {}
        self._lock = threading.Lock()
        self._network = threading.Semaphore(LANES)

    def model(self, name: str) -> DimlModel:
        """A model, loaded on first use; the others can be used meanwhile.

        Only known names: a visitor must not make the server read paths or download models.

        Raises:
            InputError: no such model here.
        """
        self.check_name(name)
        with self._lock:
            known = self._models.get(name)
        return known or self._once(("model", name), lambda: self._load(name))

    def check_name(self, name: str) -> None:
        """Raise InputError unless there is a model of that name here."""
        if not isinstance(name, str) or name not in self._loaders:
            raise InputError(
                f"There is no model of that name here: choose one of {', '.join(self.names)}."
            )

    def titles(self) -> list[tuple[str, str]]:
        """Title and name of every model, to choose from; loads them."""
        return [(self.model(name).config.title or name, name) for name in self.names]

    def has_features(self, model_name: str, photo: Photo, session: str | None) -> bool:
        """Whether comparing this photo needs no forward pass, as far as this session may know.

        Args:
            model_name: the model that is to see it.
            photo: the photo.
            session: who asks. A photo that only others have compared is told to be new.
        """
        key = (model_name, photo.digest)
        with self._lock:
            may_know = photo.digest in self._public or key in self._seen.get(session or "", ())
            return may_know and key in self._features

    def remembered(self, model_name: str, digest: str, session: str | None) -> ImageFeatures:
        """The features of a photo that this session compared a while ago, by its digest.

        Where they had to go, the network looks at the photo again.

        Args:
            model_name: the model that saw it.
            digest: of the photo.
            session: who asks. Strangers are told the same whether or not somebody compared that photo.

        Raises:
            InputError: not seen by this session, or no longer in memory.
        """
        key = (model_name, digest)
        with self._lock:
            photo, known = self._public.get(digest), None
            if photo is None and key in self._seen.get(session or "", ()):
                photo, known = self._photos.get(key), self._features.get(key)
            if known is not None:
                self._features.move_to_end(key)
                return known
        if photo is None:
            raise InputError("This pair is no longer in memory: choose the photos again.")
        return self.features(model_name, photo)

    def features(self, model_name: str, photo: Photo, session: str | None = None) -> ImageFeatures:
        """The network's output for a photo, from the cache if it has seen these pixels.

        Attention is fused over heads as the model's defaults have it, or few photos would fit into memory.

        Args:
            model_name: one of :attr:`names`.
            photo: the photo.
            session: of the visitor it is shown to, who may then ask for it by :meth:`remembered`.

        Raises:
            InputError: no such model here.
        """
        key = (model_name, photo.digest)
        with self._lock:
            found = self._features.get(key)
            if found is not None:
                self._features.move_to_end(key)
        if found is None:
            found = self._once(key, lambda: self._extract(key, photo))
        if session:
            self._note(session, key)
        if found.photo.name == photo.name and found.photo.size == photo.size:
            return found
        # The same pixels under another name: the name is the caller's, not the first visitor's.
        return ImageFeatures(photo, found.map, found.attentions)

    def features_of(
        self, model_name: str, photos: Sequence[Photo], session: str | None = None
    ) -> list[ImageFeatures]:
        """:meth:`features` of several photos, side by side."""
        return side_by_side(lambda photo: self.features(model_name, photo, session), photos)

    def publish(self, photo: Photo) -> None:
        """Let every session ask for this photo by :meth:`remembered`: one that the page itself shows."""
        with self._lock:
            self._public[photo.digest] = photo

    def compare(self, model_name: str, image_a: Any, image_b: Any, **options: Any) -> Explanation:
        """Explain a pair; see :func:`diml_core.explain`. Raises InputError."""
        model = self.model(model_name)
        chosen = model.options(**options)  # a bad option should not wait for the network
        photos = side_by_side(load_photo, [image_a, image_b])
        if chosen.head_fusion == model.options().head_fusion:
            features = self.features_of(model_name, photos)
        else:  # what is kept has its heads fused in another way
            features = side_by_side(model.extract, photos)
        return explain(model, *features, **options)

    def _load(self, name: str) -> DimlModel:
        model = self._loaders[name]()
        forward = forward_of(model)

        def in_a_lane(*args: Any, **kwargs: Any) -> Any:
            with self._network:
                return forward(*args, **kwargs)

        model.forward = in_a_lane  # type: ignore[method-assign]
        with self._lock:
            return self._models.setdefault(name, model)

    def _extract(self, key: tuple[str, str], photo: Photo) -> ImageFeatures:
        with self._lock:
            if key in self._features:  # came in between the look and the turn
                return self._features[key]
        model = self.model(key[0])
        seen = model.extract(photo)
        attentions = fused_heads(seen.attentions, model.options().head_fusion)
        found = ImageFeatures(photo, seen.map, attentions)
        with self._lock:
            self._keep(key, found)
        return found

    def _keep(self, key: tuple[str, str], found: ImageFeatures) -> None:
        """Hold the lock meanwhile. The oldest go first, and of these the photos last."""
        self._features[key] = found
        self._photos.pop(key, None)
        while sum(map(_size, self._features.values())) > (1 - _PHOTOS) * self._cache_bytes:
            gone, features = self._features.popitem(last=False)
            self._photos[gone] = features.photo
        while sum(map(_pixels, self._photos.values())) > _PHOTOS * self._cache_bytes:
            self._photos.popitem(last=False)

    def _once(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        """What ``compute`` gives; who asks for the same meanwhile waits for it instead of computing it again."""
        with self._lock:
            work = self._under_way.get(key)
            mine = work is None
            if work is None:
                work = self._under_way[key] = Future()
        if mine:
            try:
                work.set_result(compute())
            except BaseException as error:
                work.set_exception(error)
            finally:
                with self._lock:
                    del self._under_way[key]
        return work.result()

    def _note(self, session: str, key: tuple[str, str]) -> None:
        with self._lock:
            seen = self._seen.setdefault(session, OrderedDict())
            self._seen.move_to_end(session)
            seen[key] = None
            seen.move_to_end(key)
            while len(seen) > _SEEN:
                seen.popitem(last=False)
            while len(self._seen) > _SESSIONS:
                self._seen.popitem(last=False)


def _size(features: ImageFeatures) -> int:
    """Bytes that stay in memory, those of the decoded photo, too."""
    return features.nbytes + _pixels(features.photo)


def _pixels(photo: Photo) -> int:
    """Bytes of a decoded photo."""
    width, height = photo.image.size
    return 3 * width * height
