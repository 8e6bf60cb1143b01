"""One loss over the batches of all processes, with the gradients of a single process."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed


def gather(own: Tensor) -> Tensor:
    """Concatenate a tensor of every process, differentiable in this process's share.

    Every process computes the same loss of the whole batch. Data-parallel training then *averages*
    the gradients of the processes, each of which has seen the gradient of its own share only; so
    that share is scaled by their number, and the average is the gradient of a single process on the
    whole batch. Parameters of the loss itself get that gradient in every process alike.

    Args:
        own: ``[b, ...]``, of one shape in all processes.

    Returns:
        ``[b * processes, ...]`` in the order of the ranks; ``own`` itself in a single process.
    """
    if not (distributed.is_available() and distributed.is_initialized()):
        return own
    return _Gather.apply(own) if distributed.get_world_size() > 1 else own


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, own: Tensor) -> Tensor:
        shares = [torch.empty_like(own) for _ in range(distributed.get_world_size())]
        distributed.all_gather(shares, own.contiguous())
        return torch.cat(shares)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        (gradient,) = gradients
        processes = distributed.get_world_size()
        return gradient.chunk(processes)[distributed.get_rank()] * processes
