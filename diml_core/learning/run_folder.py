"""What a training run leaves behind: config, metrics, curves, a state to go on from, and the model."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import torch

from diml_core.drawing.curves import draw_curves
from diml_core.errors import InputError
from diml_core.learning.config import TrainConfig
from diml_core.network.checkpoints import save_model
from diml_core.network.model import DimlModel

_CONFIG, _METRICS, _CURVES, _STATE, _MODEL = (
    "config.json", "metrics.csv", "curves.png", "state.pt", "model",
)  # fmt: skip


class RunFolder:
    """The folder of one run.

    Attributes:
        path: the folder.
        cache: where activations are kept.
    """

    def __init__(self, path: Path, config: TrainConfig) -> None:
        """Create it, or open one of the same config.

        Raises:
            InputError: another config has run there, or it cannot be written.
        """
        self.path, self.cache = path, path / "activations"
        text = json.dumps(config.to_dict(), indent=2) + "\n"
        try:
            path.mkdir(parents=True, exist_ok=True)
            stored = path / _CONFIG
            if stored.is_file() and TrainConfig.read(stored) != config:
                raise InputError(
                    f"'{path}' holds a run of another config: choose another run folder, or delete that one."
                )
            stored.write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError(
                f"'{path}' cannot be written ({error.strerror}): choose another."
            ) from error

    def load_state(self) -> dict[str, Any] | None:
        """The state to go on from, or None.

        Raises:
            InputError: a file that cannot be read.
        """
        file = self.path / _STATE
        if not file.is_file():
            return None
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # torch raises many kinds for a damaged file
            raise InputError(
                f"'{file}' cannot be read ({type(error).__name__}): delete it to start the run again."
            ) from error

    def save_state(self, state: dict[str, Any]) -> None:
        """Replace the state; an interruption leaves the old one or the new one."""
        temporary = self.path / (_STATE + ".part")
        torch.save(state, temporary)
        os.replace(temporary, self.path / _STATE)

    def save_metrics(self, history: list[dict[str, float]]) -> None:
        """Write the metrics of every step so far as CSV and as curves."""
        names = list(dict.fromkeys(name for row in history for name in row))
        with (self.path / _METRICS).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(history)
        draw_curves(history, self.path / _CURVES)

    def save_model(self, model: DimlModel) -> Path:
        """Save the model as one that ``load_model`` takes."""
        save_model(model, self.path / _MODEL)
        return self.path / _MODEL
