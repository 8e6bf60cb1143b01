"""A stand-in for an Apple GPU, for the one thing in which it differs: it has no float64.

Its tensors lie on ``meta``, a device that every torch knows, and are computed on the processor. As on a real
one, what lies on two devices cannot be computed with.
"""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter, tree_map

GPU = torch.device("meta")


_ANYWHERE = {  # what may have an argument on the processor: copies and, for indices, indexing
    torch.ops.aten.copy_.default, torch.ops.aten.index.Tensor, torch.ops.aten.index_put.default,
}  # fmt: skip


class _OnGpu(torch.Tensor):
    @staticmethod
    def __new__(cls, inner):
        if inner.dtype == torch.float64:
            raise TypeError("The MPS framework does not support float64.")
        made = torch.Tensor._make_wrapper_subclass(
            cls, inner.shape, strides=inner.stride(), dtype=inner.dtype, device=GPU
        )
        made.inner = inner
        return made

    def tolist(self):
        return self.inner.tolist()

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return _computed(func, args, kwargs or {})


class AppleGpu(TorchDispatchMode):
    """Inside, ``GPU`` is a device like any other."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return _computed(func, args, kwargs or {})


def _computed(func, args, kwargs):
    given = [x for x in tree_iter((args, kwargs)) if isinstance(x, torch.Tensor)]
    on_gpu = [x for x in given if isinstance(x, _OnGpu)]
    target = kwargs.get("device")
    strict = target is None and func not in _ANYWHERE
    if on_gpu and strict and any(x.ndim and not isinstance(x, _OnGpu) for x in given):
        raise RuntimeError(f"Expected all tensors to be on the same device ({func}).")
    wrappers = {id(x.inner): x for x in on_gpu}
    inner = tree_map(lambda x: x.inner if isinstance(x, _OnGpu) else x, (args, kwargs))
    there = bool(on_gpu) if target is None else torch.device(target) == GPU
    if target is not None:
        inner[1]["device"] = torch.device("cpu")
        if func is torch.ops.aten._to_copy.default and there and inner[1].get("dtype") is None:
            inner[1]["dtype"] = args[0].dtype
    found = func(*inner[0], **inner[1])
    if not there:
        return found

    def wrap(x):
        if not isinstance(x, torch.Tensor):
            return x
        return wrappers[id(x)] if id(x) in wrappers else _OnGpu(x)

    return tree_map(wrap, found)
