"""Where a network runs."""

from __future__ import annotations

import argparse

import torch

from diml_core.errors import InputError

DEVICES = ("auto", "cpu", "cuda", "mps")
"""Names that every computer understands, whether or not it has the device."""


def device_named(name: str) -> torch.device:
    """The device of that name.

    Args:
        name: one of :data:`DEVICES`, or what torch calls a device (``cuda:1``); ``auto`` is an NVIDIA or
            AMD GPU, else an Apple one, else the processor.

    Raises:
        InputError: no such device here.
    """
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if there[kind]))
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    count = torch.cuda.device_count() if device is not None and device.type == "cuda" else 1
    if device is None or not there.get(device.type) or (device.index or 0) >= count:
        found = ", ".join(kind for kind, is_there in there.items() if is_there)
        raise InputError(f"There is no device '{name}' here: choose auto, or one of {found}.")
    return device


def add_device(parser: argparse.ArgumentParser) -> None:
    """Give a command the option ``--device``."""
    parser.add_argument(
        "--device",
        default="auto",
        metavar="NAME",
        help=f"where the network runs: {', '.join(DEVICES)} (default: %(default)s)",
    )
