"""DIML as a distance of pytorch-metric-learning, whose losses and miners then run on it unchanged.

Both classes compare every image of a batch with every other in one call: the part similarities of all
pairs are one matrix product, their transports one batched problem. As in the paper the plan is a
constant; gradients flow through what it weighs.

A batch of images is one tensor, channels first as those losses and miners expect:

- ``[B, D, R + 1]``: R part embeddings and the global embedding last (see :func:`pack`);
- ``[B, D + 1, R + 1]`` the same with the rollout mass of each part in a last channel, where
  ``rollout=True``;
- ``[B, D, H, W]``: a feature map; its cells are the parts, their mean is the global embedding;
- ``[C, D]``: images with a single part, which is also their global embedding. This is what a *proxy* is
  here: mass can only go to its one part, so that the structural similarity of an image and a proxy
  is the image's parts' similarity to the proxy, weighted by the image's marginal.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator
from typing import Any, cast

import torch
from pytorch_metric_learning.distances import BaseDistance, LpDistance
from torch import Tensor
from torch.nn import functional

from diml_core.comparison.marginals import marginal, named_marginal
from diml_core.comparison.transport import DEFAULT_EPSILON
from diml_core.embedding.features import Embedding
from diml_core.embedding.packing import packed
from diml_core.errors import InputError
from diml_core.learning.plans import plans

DEFAULT_ITERATIONS = 20

_CHORD_FLOOR = 1e-4  # of a squared distance: the slope of its root stays finite


def pack(embedding: Embedding, *, rollout: bool = False) -> Tensor:
    """A batch of images as one tensor.

    Args:
        embedding: parts ``[B, R, D]`` and pooled ``[B, D]``; with ``rollout`` its ``[B, R]``, too.
        rollout: add the rollout mass of the parts as a last channel (0 for the global embedding).

    Returns:
        ``[B, D, R + 1]``, or ``[B, D + 1, R + 1]``.
    """
    vectors, mass = packed(embedding)
    if not rollout:
        return vectors.mT
    return torch.cat([vectors.mT, functional.pad(cast(Tensor, mass), (0, 1))[:, None]], 1)


def unpack(packed: Tensor, *, rollout: bool = False) -> tuple[Tensor, Tensor, Tensor | None]:
    """The opposite of :func:`pack`.

    Returns:
        Parts ``[B, R, D]``, global ``[B, D]`` and, with ``rollout``, its mass ``[B, R]``.
    """
    mass = None
    if rollout:
        packed, mass = packed[:, :-1], packed[:, -1, :-1]
    return packed[..., :-1].mT, packed[..., -1], mass


class _LastPlans:
    """The plans of the last batch: a miner and then a loss ask for the same."""

    def __init__(self) -> None:
        self._batch: list[tuple[weakref.ref[Tensor], int]] = []
        self._plans: Tensor | None = None
        self._open = False

    @contextlib.contextmanager
    def of(self, *batches: Tensor) -> Iterator[None]:
        """Inside, ``get`` and ``keep`` are about these batches; elsewhere they do nothing."""
        if not self._holds(batches):
            self._batch = [(weakref.ref(batch), batch._version) for batch in batches]
            self._plans = None
        self._open = True
        try:
            yield
        finally:
            self._open = False

    def _holds(self, batches: tuple[Tensor, ...]) -> bool:
        """Whether these are the very tensors, not changed in place since."""
        return len(batches) == len(self._batch) and all(
            kept() is batch and version == batch._version
            for (kept, version), batch in zip(self._batch, batches, strict=True)
        )

    def get(self) -> Tensor | None:
        return self._plans if self._open else None

    def keep(self, plans: Tensor) -> None:
        if self._open:
            self._plans = plans


class _Structural(BaseDistance):
    """What similarity and distance share: unpacking, marginals and plans of all pairs."""

    def __init__(
        self,
        *,
        marginals: str = "cross-correlation",
        mass: float = 1.0,
        epsilon: float = DEFAULT_EPSILON,
        iterations: int = DEFAULT_ITERATIONS,
        rollout: bool = False,
        **kwargs: Any,
    ) -> None:
        """Decide how images are compared.

        Args:
            marginals: name in :data:`diml_core.comparison.marginals.MARGINALS`.
            mass: transported mass in (0, 1].
            epsilon: entropy of the transport.
            iterations: of every transport. 20 leave a score within about 1e-3 of the converged one.
            rollout: whether the last channel of a batch is rollout mass.
            **kwargs: for ``BaseDistance``.

        Raises:
            InputError: unknown marginals, or ones that need a rollout without one.
        """
        super().__init__(**kwargs)
        if named_marginal(marginals).rollout and not rollout:
            raise InputError(
                f"'{marginals}' marginals need the rollout mass of every part: give batches with that "
                "channel and say rollout=True, or choose 'cross-correlation' or 'uniform'."
            )
        self.marginals, self.mass, self.epsilon = marginals, mass, epsilon
        self.iterations, self.rollout = iterations, rollout
        self._last = _LastPlans()

    def forward(self, query_emb: Tensor, ref_emb: Tensor | None = None) -> Tensor:
        """``[B, C]`` similarities or distances of every query to every reference (by default itself)."""
        # Losses pass a batch as its own reference; knowing that halves the transports.
        ref_emb = None if ref_emb is query_emb else ref_emb
        with self._last.of(query_emb, *(() if ref_emb is None else (ref_emb,))):
            return super().forward(query_emb, ref_emb)

    def check_shapes(self, query_emb: Tensor, ref_emb: Tensor | None) -> None:
        """Raises ValueError unless both are one of the layouts above, of one D."""
        channels = set()
        for batch in (query_emb, query_emb if ref_emb is None else ref_emb):
            if batch.ndim not in (2, 3, 4) or (batch.ndim == 3 and batch.shape[2] < 2):
                raise ValueError(
                    "A batch must be [B, D, R + 1], [B, D, H, W] or [C, D], not "
                    f"{list(batch.shape)}."
                )
            channels.add(batch.shape[1] - (self.rollout and batch.ndim == 3))
        if len(channels) > 1:
            raise ValueError(f"Queries and references differ in D: {sorted(channels)}.")

    def normalize(self, embeddings: Tensor, dim: int = 1, **kwargs: Any) -> Tensor:
        """Scale every embedding, but no rollout mass, to unit length; a map becomes a packed batch."""
        packed = self._packed(embeddings)
        if not self.rollout:
            return super().normalize(packed, dim=dim, **kwargs)
        vectors = super().normalize(packed[:, :-1], dim=dim, **kwargs)
        return torch.cat([vectors, packed[:, -1:]], 1)

    def compute_mat(self, query_emb: Tensor, ref_emb: Tensor) -> Tensor:
        """``[B, C]``, the mean of the global and the structural term."""
        with torch.autocast(query_emb.device.type, enabled=False):
            own = ref_emb is query_emb
            query = self._packed(query_emb.float())
            parts_q, global_q, mass_q = unpack(query, rollout=self.rollout)
            ref = query if own else self._packed(ref_emb.float())
            parts_r, global_r, mass_r = unpack(ref, rollout=self.rollout)
            # [B, R, C, R']: every part with every part in one product.
            similarity = torch.tensordot(parts_q, parts_r, ([2], [2]))
            plan = self._last.get()
            if plan is None:
                with torch.no_grad():
                    weights_q = self._marginal(parts_q, global_r, mass_q)
                    weights_r = self._marginal(parts_r, global_q, mass_r)
                    plan = self._plans(similarity, weights_q, weights_r, own)
                self._last.keep(plan)
            structural = (plan * self._term(similarity)).sum((1, 3))
            return (self._term(global_q @ global_r.T) + structural / self.mass) / 2

    def pairwise_distance(self, query_emb: Tensor, ref_emb: Tensor) -> Tensor:
        """``[B]``: row b of one batch with row b of the other (both normalised)."""
        return torch.cat(
            [self.compute_mat(q[None], r[None])[0] for q, r in zip(query_emb, ref_emb, strict=True)]
        )

    def _term(self, cosine: Tensor) -> Tensor:
        """What is averaged and transported, from cosines."""
        raise NotImplementedError

    def _packed(self, batch: Tensor) -> Tensor:
        """Any layout as ``[B, D (+ 1), R + 1]``."""
        if batch.ndim == 3:
            return batch
        cells = batch[..., None] if batch.ndim == 2 else batch.flatten(2)
        packed = torch.cat([cells, cells.mean(-1, keepdim=True)], -1)
        if self.rollout:  # all parts are looked at alike
            packed = functional.pad(packed, (0, 0, 0, 1), value=1 / cells.shape[-1])
        return packed

    def _marginal(self, parts: Tensor, others: Tensor, mass: Tensor | None) -> Tensor:
        """``[B, C, R]``: the marginal of every image towards every other's global embedding."""
        correlation = torch.tensordot(others, parts, ([1], [2])).transpose(0, 1)
        return marginal(self.marginals, correlation, None if mass is None else mass[:, None])

    def _plans(self, similarity: Tensor, weights_q: Tensor, weights_r: Tensor, own: bool) -> Tensor:
        """``[B, R, C, R']`` plans from ``[B, R, C, R']``, ``[B, C, R]`` and ``[C, B, R']``."""
        count, other = similarity.shape[0], similarity.shape[2]
        pairs = similarity.permute(1, 3, 0, 2).flatten(2)
        u = weights_q.permute(2, 0, 1).flatten(1)
        v = weights_r.permute(2, 1, 0).flatten(1)
        if own:
            # A pair and its mirror image have transposed plans: solve for one of them.
            i, j = torch.triu_indices(count, count, device=similarity.device)
            chosen, mirrored = i * count + j, j * count + i
            half = self._solved(pairs[..., chosen], u[:, chosen], v[:, chosen])
            solved = torch.empty_like(pairs)
            solved[..., mirrored] = half.transpose(0, 1)
            solved[..., chosen] = half
        else:
            solved = self._solved(pairs, u, v)
        return solved.unflatten(2, (count, other)).permute(2, 0, 3, 1).contiguous()

    def _solved(self, pairs: Tensor, u: Tensor, v: Tensor) -> Tensor:
        return plans(pairs, u, v, mass=self.mass, epsilon=self.epsilon, iterations=self.iterations)


class StructuralSimilarity(_Structural):
    """Overall similarity, for losses that compare cosines (multi-similarity, proxy losses, ...).

    ``(<g_a, g_b> + sum_ij T_ij <z_ai, z_bj> / sum_ij T_ij) / 2``, in -1..1: Zhao et al. 2021, "Towards
    interpretable deep metric learning with structural matching", eq. 10; with multi-similarity it is
    the ``multisimilarity_diml`` of the authors' code.

    Example:
        >>> from pytorch_metric_learning.losses import MultiSimilarityLoss
        >>> loss = MultiSimilarityLoss(distance=StructuralSimilarity())
        >>> value = loss(torch.randn(8, 128, 4, 4), torch.arange(8) % 4)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(is_inverted=True, **kwargs)

    def _term(self, cosine: Tensor) -> Tensor:
        return cosine


class StructuralDistance(_Structural, LpDistance):
    """Overall Euclidean distance, for losses that compare distances (margin, triplet, contrastive).

    ``(|g_a - g_b| + sum_ij T_ij |z_ai - z_bj| / sum_ij T_ij) / 2``, in 0..2, of unit vectors; T is the
    plan for the cost ``1 - <z_ai, z_bj>`` as everywhere. It is the ``margin_diml`` distance of the
    authors' code. An ``LpDistance`` because distance-weighted mining asks for one.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(p=2, power=1, normalize_embeddings=True, **kwargs)

    def _term(self, cosine: Tensor) -> Tensor:
        return (2 - 2 * cosine).clamp_min(_CHORD_FLOOR).sqrt()
