"""Why two images are similar, as one immutable object.

Data flows one way, image -> features -> Explanation -> views: every view, figure, table, export and
API answer is a rendering of an :class:`Explanation`.
"""

from __future__ import annotations

import csv
import json
import math
from dataclasses import asdict, dataclass, field
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from diml_core.comparison.marginals import named_marginal
from diml_core.comparison.options import ExplainOptions
from diml_core.comparison.scale import Standing
from diml_core.comparison.transport import FINEST_TOLERANCE
from diml_core.embedding.features import ImageFeatures
from diml_core.embedding.grids import Grid
from diml_core.errors import InputError
from diml_core.network.model import DimlModel
from diml_core.photo.images import Photo, clean_name, load_photo
from diml_core.validation import from_object
from diml_core.viewer.modules import frame, page
from diml_core.viewer.pair import fixed_pair, inside, is_computed, live_pair
from diml_core.viewer.texts import text

FORMAT = 1
_STORED_SIDE = 1024  # px; photos are stored in NPZ files at most this large
_ARRAYS = (
    "part_similarity",
    "plan",
    "marginals_a",
    "marginals_b",
    "rollout_a",
    "rollout_b",
    "rollout_map_a",
    "rollout_map_b",
    "part_rollout_a",
    "part_rollout_b",
)


class PartPair(NamedTuple):
    """One line of the sum.

    Attributes:
        a, b: part indices, row-major in the grids of A and B.
        cell_a, cell_b: (row, column) of each.
        mass: transported mass T_ij.
        cosine: part similarity S_ij.
        contribution: T_ij S_ij / transported mass; these sum to the structural similarity.
        share: contribution / structural similarity (0 where that is 0).
    """

    a: int
    b: int
    cell_a: tuple[int, int]
    cell_b: tuple[int, int]
    mass: float
    cosine: float
    contribution: float
    share: float


class Observation(NamedTuple):
    """What the network saw of a pair: enough to explain it anew under other options.

    Attributes:
        model: the network.
        a, b: its features of the two photos.
    """

    model: DimlModel
    a: ImageFeatures
    b: ImageFeatures


@dataclass(frozen=True, eq=False)
class Explanation:
    """Everything about one compared pair. Arrays are float64 and read-only.

    The parts add up: ``similarity == (global_similarity + contribution.sum()) / 2``.

    Attributes:
        model: name of the model.
        options: how the pair was compared.
        name_a, name_b: the photos' names.
        size_a, size_b: (width, height) of the upright originals, pixels.
        grid_a, grid_b: (rows, columns); Ra and Rb are their products.
        global_similarity: cosine of the global embeddings, -1..1.
        part_similarity: S ``[Ra, Rb]``, cosines.
        plan: T ``[Ra, Rb]``, non-negative; sums to ``mass``.
        marginals_a, marginals_b: ``[Ra]``, ``[Rb]``, each summing to 1.
        rollout_a, rollout_b: ``[Ra]``, ``[Rb]`` rollout mass per part, or None (no attention).
        rollout_map_a, rollout_map_b: ``[h, w]`` the same at the resolution of the map, or None.
        part_rollout_a, part_rollout_b: ``[Ra, h, w]``, ``[Rb, h, w]``: where each part looked, the
            rollout rows of its tokens, each part summing to 1; or None. Too bulky for JSON: None
            after loading from it.
        iterations: of the transport.
        marginal_error: L1 distance of the plan's marginals from what they must be.
        photo_a, photo_b: the pictures, or None after loading from JSON.
        observed: what the explanation was made from; None after loading from a file, and where one photo was
            compared with many.
        saved_standing: what a file says of :attr:`standing`.
    """

    model: str
    options: ExplainOptions
    name_a: str
    name_b: str
    size_a: tuple[int, int]
    size_b: tuple[int, int]
    grid_a: Grid
    grid_b: Grid
    global_similarity: float
    part_similarity: np.ndarray
    plan: np.ndarray
    marginals_a: np.ndarray
    marginals_b: np.ndarray
    rollout_a: np.ndarray | None
    rollout_b: np.ndarray | None
    rollout_map_a: np.ndarray | None
    rollout_map_b: np.ndarray | None
    iterations: int
    marginal_error: float
    part_rollout_a: np.ndarray | None = None
    part_rollout_b: np.ndarray | None = None
    photo_a: Photo | None = field(default=None, repr=False)
    photo_b: Photo | None = field(default=None, repr=False)
    observed: Observation | None = field(default=None, repr=False)
    saved_standing: Standing | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            if (value := getattr(self, name)) is not None:
                value = np.array(value, dtype=np.float64)
                value.flags.writeable = False
                object.__setattr__(self, name, value)

    @cached_property
    def contribution(self) -> np.ndarray:
        """``[Ra, Rb]``: what each pair adds to the structural similarity, ``T_ij S_ij / mass``."""
        value = self.plan * self.part_similarity / self.mass
        value.flags.writeable = False
        return value

    @cached_property
    def against_a(self) -> np.ndarray:
        """``[Ra]``: by how much each part of A keeps the overall similarity down; non-negative.

        ``max(0, v_i (max(0, s) - max_j S_ij) + max(0, g) (v_i - u_i)) / 2``, with ``s`` and ``g`` the structural and
        the global similarity, ``u`` the marginals, and ``v`` what the parts counted for before the other photo was
        looked at: rollout, where the marginals have that factor, or all alike. The first term is how far even the best
        match of the part lies below the mean cosine at which mass moves, whether the plan moved its mass or left it
        behind; the second, what it is short of where it does not resemble the other photo as a whole. What was crowded
        out of a good match does not speak against the pair.
        """
        return self._against(self.marginals_a, self.rollout_a, self.part_similarity.max(1))

    @cached_property
    def against_b(self) -> np.ndarray:
        """``[Rb]``: :attr:`against_a` of the parts of B."""
        return self._against(self.marginals_b, self.rollout_b, self.part_similarity.max(0))

    def _against(
        self, marginals: np.ndarray, rollout: np.ndarray | None, best: np.ndarray
    ) -> np.ndarray:
        counted: np.ndarray | float = 1 / len(marginals)
        if named_marginal(self.options.marginals).rollout:
            assert rollout is not None  # these marginals were made of it
            counted = rollout
        mean, whole = max(0.0, self.structural_similarity), max(0.0, self.global_similarity)
        short = counted * (mean - best) + whole * (counted - marginals)
        value: np.ndarray = np.maximum(0.0, short) / 2
        value.flags.writeable = False
        return value

    @cached_property
    def mass(self) -> float:
        """Transported mass: 1, or the fraction asked for."""
        return float(self.plan.sum())

    @cached_property
    def structural_similarity(self) -> float:
        """Sum of all contributions, -1..1."""
        return float(self.contribution.sum())

    @property
    def converged(self) -> bool:
        """Whether the plan's marginals are what they must be, to the tolerance that was asked for."""
        return self.marginal_error <= max(self.options.tolerance, FINEST_TOLERANCE)

    @property
    def similarity(self) -> float:
        """Overall similarity, ``(global + structural) / 2``."""
        return (self.global_similarity + self.structural_similarity) / 2

    @property
    def standing(self) -> Standing | None:
        """Where the score stands among those of other pairs of photographs; None where nobody has measured it.

        For the options that were measured, the model's defaults.
        """
        if self.observed is None:
            return self.saved_standing
        scale = self.observed.model.scale
        if scale is None or not scale.serves(self.options):
            return None
        return scale.standing(self.similarity)

    def strongest(self, count: int) -> list[PartPair]:
        """The ``count`` pairs that add most to the score, largest first."""
        flat = self.contribution.ravel()
        order = np.argsort(-flat, kind="stable")[: max(count, 0)]
        total = self.structural_similarity
        pairs = []
        for a, b in zip(*np.unravel_index(order, self.plan.shape), strict=True):
            contribution = float(self.contribution[a, b])
            pairs.append(
                PartPair(
                    a=int(a),
                    b=int(b),
                    cell_a=(int(a) // self.grid_a[1], int(a) % self.grid_a[1]),
                    cell_b=(int(b) // self.grid_b[1], int(b) % self.grid_b[1]),
                    mass=float(self.plan[a, b]),
                    cosine=float(self.part_similarity[a, b]),
                    contribution=contribution,
                    share=contribution / total if total else 0.0,
                )
            )
        return pairs

    def to_dict(self) -> dict[str, Any]:
        """The stable JSON form: plain lists, parts of A as rows, photos left out."""
        pair = {side: {k: getattr(self, f"{k}_{side}") for k in _PER_SIDE} for side in "ab"}
        rolled = self.rollout_a is not None

        def both(key: str) -> dict[str, Any]:
            return {side: _plain(pair[side][key]) for side in "ab"}

        return {
            "format": FORMAT,
            "model": self.model,
            "similarity": self.similarity,
            "global_similarity": self.global_similarity,
            "structural_similarity": self.structural_similarity,
            "mass": self.mass,
            "standing": None if self.standing is None else self.standing._asdict(),
            "names": both("name"),
            "sizes": both("size"),
            "grid": both("grid"),
            "plan": self.plan.tolist(),
            "part_similarity": self.part_similarity.tolist(),
            "contribution": self.contribution.tolist(),
            "marginals": both("marginals"),
            "rollout": both("rollout") if rolled else None,
            "rollout_map": both("rollout_map") if rolled else None,
            "solver": {
                "iterations": self.iterations,
                "marginal_error": self.marginal_error,
                "converged": self.converged,
            },
            "options": asdict(self.options),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Explanation:
        """Rebuild from :meth:`to_dict`; scores and contributions are recomputed, not trusted.

        Raises:
            InputError: keys are missing or of another format.
        """
        try:
            if values["format"] != FORMAT:
                raise InputError(
                    f"This explanation has format {values['format']}, which this version cannot read "
                    f"(it reads {FORMAT}): update DIML Explorer."
                )
            fields: dict[str, Any] = {
                f"{key}_{side}": None if values[group] is None else values[group][side]
                for key, group in _PER_SIDE.items()
                for side in "ab"
            }
            for key in ("size_a", "size_b", "grid_a", "grid_b"):
                fields[key] = _two_counts(fields[key])
            for side in "ab":
                fields[f"part_rollout_{side}"] = values.get("part_rollout", {}).get(side)
            for key in ("part_similarity", "plan"):
                fields[key] = values[key]
            for key in _ARRAYS:
                fields[key] = _numbers(fields[key])
            rebuilt = cls(
                model=values["model"],
                options=from_object(ExplainOptions, values["options"]),
                global_similarity=values["global_similarity"],
                iterations=values["solver"]["iterations"],
                marginal_error=values["solver"]["marginal_error"],
                saved_standing=_standing(values.get("standing")),
                **fields,
            )
            rebuilt._check()
            return rebuilt
        except InputError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise InputError(
                f"This is not an explanation saved by DIML Explorer ({clean_name(repr(error))} does not fit): "
                "save it again."
            ) from error

    def _check(self) -> None:
        """Raises ValueError or TypeError unless every array has the shape that the grids say, and all numbers sense."""
        parts = {side: math.prod(getattr(self, f"grid_{side}")) for side in "ab"}
        for name in ("plan", "part_similarity"):
            if getattr(self, name).shape != (parts["a"], parts["b"]):
                raise ValueError(f"{name} is not {parts['a']} x {parts['b']}")
        for side in "ab":
            rollout, rolled, looked = (
                getattr(self, f"{name}_{side}")
                for name in ("rollout", "rollout_map", "part_rollout")
            )
            if getattr(self, f"marginals_{side}").shape != (parts[side],):
                raise ValueError(f"marginals_{side} has not one number per part")
            if len({x is None for x in (self.rollout_a, rollout, rolled)}) > 1:
                raise ValueError("there is half a rollout")
            if rollout is not None and (rollout.shape != (parts[side],) or rolled.ndim != 2):
                raise ValueError(f"rollout_{side} has not one number per part, or no map")
            if looked is not None and (
                rolled is None or looked.shape != (parts[side], *rolled.shape)
            ):
                raise ValueError(f"part_rollout_{side} has not one map per part")
        for name in _ARRAYS:
            value = getattr(self, name)
            if value is not None and not np.isfinite(value).all():
                raise ValueError(f"{name} holds what is no number")
        if (self.plan < 0).any() or not self.plan.any():
            raise ValueError("the plan moves no mass, or less than none")
        for value in (self.global_similarity, self.marginal_error, self.iterations):
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise TypeError("a score is no number")
            if not math.isfinite(value):
                raise ValueError("a score is no number")
        if not all(isinstance(x, str) for x in (self.model, self.name_a, self.name_b)):
            raise TypeError("a name is no text")

    def to_json(self, path: str | PathLike[str]) -> None:
        """Write :meth:`to_dict` as JSON."""
        Path(path).write_text(json.dumps(self.to_dict()), encoding="utf-8")

    @classmethod
    def from_json(cls, path: str | PathLike[str]) -> Explanation:
        """Read what :meth:`to_json` wrote. Raises InputError for anything else."""
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(
                f"'{path}' cannot be read as JSON ({error}): give another file."
            ) from error
        return cls.from_dict(values)

    def to_html(self, path: str | PathLike[str]) -> None:
        """Write the interactive viewer as one HTML file, photos inside, that needs no network.

        Where the explanation still knows what the network saw (see ``observed``) its options can be moved
        in the file, unless its marginals are some that the viewer does not compute.

        Raises:
            InputError: an explanation without photos, as after loading from JSON.
        """
        Path(path).write_text(self._page(), encoding="utf-8")

    def _repr_html_(self) -> str | None:
        """The interactive viewer in a notebook; None, for its plain text, without photos."""
        return None if self.photo_a is None or self.photo_b is None else frame(self._page())

    def viewer_pair(self) -> dict[str, Any]:
        """What the viewer is given to show this, photos and features inside: JSON-serialisable.

        Raises:
            InputError: an explanation without photos, as after loading from JSON.
        """
        if self.photo_a is None or self.photo_b is None:
            raise InputError(
                "This explanation has no photos to draw on (JSON leaves them out): compare them again, or load it "
                "from .npz."
            )
        if self.observed is not None and is_computed(self.observed.model, self.options):
            return live_pair(*self.observed, self.options, inside)
        return fixed_pair(self.to_dict(), self.photo_a, self.photo_b, inside)

    def _page(self) -> str:
        return page(text("report.title", a=self.name_a, b=self.name_b), self.viewer_pair())

    def to_csv(self, path: str | PathLike[str]) -> None:
        """Write every pair of parts that carries mass as a row of CSV, strongest first.

        Columns: row and column of the part of A and of B (0-based), mass, cosine, contribution, share.
        """
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_CSV_COLUMNS)
            for pair in self.strongest(self.plan.size):
                if pair.mass > 0:
                    numbers = (pair.mass, pair.cosine, pair.contribution, pair.share)
                    writer.writerow([*pair.cell_a, *pair.cell_b, *numbers])

    def to_npz(self, path: str | PathLike[str]) -> None:
        """Write arrays, scalars and photos (at most 1024 px a side) as a compressed ``.npz``."""
        arrays = {name: getattr(self, name) for name in _ARRAYS if getattr(self, name) is not None}
        for name in arrays.keys() & {"part_rollout_a", "part_rollout_b"}:
            arrays[name] = arrays[name].astype(np.float32)  # what the network gave; half the file
        for side in "ab":
            if (photo := getattr(self, f"photo_{side}")) is not None:
                small = photo.image.copy()
                small.thumbnail((_STORED_SIDE, _STORED_SIDE))
                arrays[f"photo_{side}"] = np.asarray(small)
        rest = {k: v for k, v in self.to_dict().items() if k not in _BULKY}
        with open(path, "wb") as file:  # given a name, numpy would add an ending to it
            np.savez_compressed(
                file, contribution=self.contribution, meta=np.array(json.dumps(rest)), **arrays
            )

    @classmethod
    def from_npz(cls, path: str | PathLike[str]) -> Explanation:
        """Read what :meth:`to_npz` wrote, never unpickling. Raises InputError for anything else."""
        try:
            with np.load(path, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            values = dict(json.loads(str(arrays["meta"])))
        except Exception as error:  # zipfile, zlib and numpy raise many kinds for damaged bytes
            raise InputError(
                f"'{path}' is not an explanation saved as .npz ({clean_name(error)}): give another file."
            ) from error
        values |= {key: arrays.get(key) for key in ("plan", "part_similarity")}
        for group in ("marginals", "rollout", "rollout_map", "part_rollout"):
            values[group] = {side: arrays.get(f"{group}_{side}") for side in "ab"}
        explanation = cls.from_dict(values)
        for side in "ab":
            if (pixels := arrays.get(f"photo_{side}")) is not None:
                photo = load_photo(pixels, name=getattr(explanation, f"name_{side}"))
                object.__setattr__(explanation, f"photo_{side}", photo)
        return explanation


_PER_SIDE = {
    "name": "names",
    "size": "sizes",
    "grid": "grid",
    "marginals": "marginals",
    "rollout": "rollout",
    "rollout_map": "rollout_map",
}
_CSV_COLUMNS = (
    "row_a",
    "column_a",
    "row_b",
    "column_b",
    "mass",
    "cosine",
    "contribution",
    "share",
)
_BULKY = ("plan", "part_similarity", "contribution", "marginals", "rollout", "rollout_map")


def _standing(values: Any) -> Standing | None:
    if values is None:
        return None
    standing = Standing(**values)
    shares = (standing.different_below, standing.same_above, standing.same_above_threshold)
    if not all(isinstance(s, int | float) and 0 <= s <= 1 for s in shares):
        raise ValueError("a standing has a share that is none")
    if not isinstance(standing.threshold, int | float) or not -1 <= standing.threshold <= 1:
        raise ValueError("a standing has a threshold that is no score")
    counts = (standing.photographs, standing.kinds, standing.pairs_different, standing.pairs_same)
    if not all(type(n) is int and n >= 0 for n in counts):
        raise ValueError("a standing has a count that is none")
    return standing


def _two_counts(values: Any) -> tuple[int, int]:
    first, second = values
    if not all(type(n) is int and n > 0 for n in (first, second)):
        raise ValueError(f"{values} are no two counts")
    return first, second


def _numbers(values: Any) -> np.ndarray | None:
    """As an array, where numpy would also make numbers of texts."""
    if values is None:
        return None
    array = np.asarray(values)
    if array.dtype.kind not in "fiu":
        raise TypeError("an array holds what is no number")
    return array


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return list(value) if isinstance(value, tuple) else value
