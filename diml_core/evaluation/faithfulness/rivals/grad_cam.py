"""Grad-CAM of the global similarity, the other photo's global embedding held fixed.

Selvaraju et al. 2017, "Grad-CAM: visual explanations from deep networks", with the target that the package ``grad-cam``
teaches for embeddings (``SimilarityToConceptTarget``): the cosine with a concept, here the other photo. The activations
are those of the map that the head is given; tokens of a transformer without those in front of the patches, put back
into their map. What follows the map is differentiated, nothing else need be.
"""

from __future__ import annotations

import torch
from torch import Tensor

from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.features import ImageFeatures
from diml_core.evaluation.faithfulness.cells import on_parts
from diml_core.evaluation.faithfulness.ranking import Ranking, Weights
from diml_core.network.model import DimlModel


@torch.inference_mode(False)
def _weigh(
    model: DimlModel, a: ImageFeatures, b: ImageFeatures, options: ExplainOptions
) -> Weights:
    pooled_a, pooled_b = (model.embedder(options)(f).pooled for f in (a, b))
    cam_a = _cam(model, a, pooled_b, options)
    cam_b = _cam(model, b, pooled_a, options)
    return on_parts(cam_a, options.grid).numpy(), on_parts(cam_b, options.grid).numpy()


def _cam(
    model: DimlModel, features: ImageFeatures, concept: Tensor, options: ExplainOptions
) -> Tensor:
    """``[h, w]``, non-negative."""
    embedder = model.embedder(options)
    weights = embedder.rollout_weights(features.attentions)
    with torch.no_grad():
        image = model.preprocess(features.photo)[None].to(model.device)
        activations = model.backbone(image, None).map
    with torch.enable_grad():
        activations.requires_grad_()
        feature_map = model.head(activations.permute(0, 2, 3, 1))[0].cpu().double()
        pooled = embedder.pool(feature_map, None if weights is None else weights.double()).pooled
        (gradient,) = torch.autograd.grad(pooled @ concept, activations)
    channels = gradient.mean((2, 3), keepdim=True)
    return (channels * activations.detach()).sum(1)[0].relu().cpu()


RANKING = Ranking(
    "Grad-CAM",
    "Where the network's last features would raise the similarity of the photos as wholes.",
    2,
    _weigh,
)
