"""Where a network runs, and what runs it."""

from __future__ import annotations

import argparse

import torch

from diml_core.errors import InputError

DEVICES = ("auto", "cpu", "cuda", "mps")
"""Names that every computer understands, whether or not it has the device."""

ENGINES = ("torch", "onnx")
"""What runs a network. ONNX Runtime does so on the processor, a CNN in less than half of torch's time."""


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


def device_of(engine: str, name: str) -> torch.device:
    """The device that an engine runs on, of those a name allows.

    Args:
        engine: one of :data:`ENGINES`.
        name: as :func:`device_named` takes it; ``auto`` is the fastest that the engine knows.

    Raises:
        InputError: no such engine or device, or a device that the engine does not know.
    """
    if engine not in ENGINES:
        raise InputError(f"There is no engine '{engine}': choose {' or '.join(ENGINES)}.")
    if engine == "torch":
        return device_named(name)
    if name not in ("auto", "cpu"):
        raise InputError(
            f"ONNX Runtime runs on the processor here, not on '{name}': leave the device out, or take the engine torch."
        )
    return torch.device("cpu")


def add_device(parser: argparse.ArgumentParser, default: str = "auto") -> None:
    """Give a command the option ``--device``."""
    parser.add_argument(
        "--device",
        default=default,
        metavar="NAME",
        help=f"where the network runs: {', '.join(DEVICES)} (default: %(default)s)",
    )


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Give a command the option ``--engine``."""
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default=ENGINES[0],
        help="what runs the network: onnx is faster for CNNs on a processor, and needs pip install onnx onnxruntime "
        "(default: %(default)s)",
    )
