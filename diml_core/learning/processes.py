"""In how many processes, and on which devices, a model is trained."""

from __future__ import annotations

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs

from diml_core.errors import InputError
from diml_core.network.devices import device_named


def accelerator_on(name: str) -> Accelerator:
    """What trains on a device.

    Args:
        name: ``auto`` for the choice of the environment: that of ``accelerate launch``, or else the fastest there
            is; or as :func:`diml_core.network.devices.device_named` takes it.

    Raises:
        InputError: no such device here, or another than ``accelerate launch`` gave this process.
    """
    handlers = [DistributedDataParallelKwargs(find_unused_parameters=True)]
    if name == "auto":
        return Accelerator(kwargs_handlers=handlers)
    wanted = device_named(name)
    if wanted.type == "cuda" and wanted.index is not None:
        torch.cuda.set_device(wanted)  # accelerate takes the current one
    made = Accelerator(cpu=wanted.type == "cpu", kwargs_handlers=handlers)
    elsewhere = None not in (wanted.index, made.device.index) and made.device.index != wanted.index
    if made.device.type != wanted.type or elsewhere:
        raise InputError(
            f"The environment has this process train on '{made.device}', not on '{name}': leave the device out."
        )
    return made
