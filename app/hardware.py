"""Where the network runs: on the processor, or on a GPU that ZeroGPU lends for one call at a time.

ZeroGPU is what Hugging Face gives a Space for free (huggingface.co/docs/hub/spaces-zerogpu). Its package ``spaces``
makes a fork of this process for a decorated function, with the models that are on ``cuda`` by then, and pickles what
goes in and out. The visitor who asks pays with a daily quota. So nothing is decorated but the network, features in the
cache cost nothing, and what nobody asked for, such as the built-in gallery, runs on the processor.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import gradio as gr
import torch
from gradio.context import LocalContext
from torch import Tensor

from diml_core.errors import InputError
from diml_core.network.checkpoints import load_model
from diml_core.network.model import DimlModel

ZERO_GPU = os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
"""Whether this is a Space on ZeroGPU, as its package tells."""

SECONDS = 15
"""What a call asks for: most of it for the GPU to get ready. Whoever has less quota left than that is refused."""

_on_gpu: dict[str, DimlModel] = {}

if ZERO_GPU:
    # Features of the processor, of a gallery for instance, are compared with those of the GPU.
    torch.backends.cudnn.allow_tf32 = False


def _lent_a_gpu(function: Callable[..., Any]) -> Callable[..., Any]:
    if not ZERO_GPU:
        return function
    import spaces

    return spaces.GPU(duration=SECONDS)(function)


@_lent_a_gpu
@torch.inference_mode()
def _forward_there(name: str, images: Tensor, attention_from: int | None) -> Any:
    model = _on_gpu[name]
    feature_map, attentions = model(images.to(model.device), attention_from)
    return feature_map.cpu(), tuple(None if each is None else each.cpu() for each in attentions)


def forward_of(model: DimlModel) -> Callable[..., Any]:
    """What is to run a model's network: its own ``forward``, or on ZeroGPU one that borrows a GPU for a visitor.

    There it loads the model a second time, onto the GPU, which ``spaces`` allows until the page is launched, and in
    the main thread.

    Args:
        model: on the processor, and loaded by :func:`diml_core.load_model`.

    Returns:
        Takes and returns what ``forward`` does, on the processor. On ZeroGPU it raises InputError if there is no
        GPU, or no quota.
    """
    here = model.forward
    if not ZERO_GPU:
        return here
    _on_gpu[model.source] = load_model(model.source, device="cuda")

    def forward(images: Tensor, attention_from: int | None = 0) -> Any:
        if LocalContext.request.get(None) is None:
            return here(images, attention_from)
        try:
            return _forward_there(model.source, images, attention_from)
        except gr.Error as error:  # how the platform refuses
            raise InputError(f"{error.title}: {error.message}") from error

    return forward
