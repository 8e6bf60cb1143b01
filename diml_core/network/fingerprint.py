"""What tells one model from another, whatever they are called."""

from __future__ import annotations

import hashlib
import json

import torch

from diml_core.network.model import DimlModel


def model_fingerprint(model: DimlModel) -> str:
    """SHA-256 (hex) of a model's config and weights: equal for models that embed alike."""
    digest = hashlib.sha256()
    config = model.config.to_dict()
    for descriptive in ("title", "defaults", "trained_with_diml"):  # these change no embedding
        config.pop(descriptive)
    digest.update(json.dumps(config, sort_keys=True).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()
