"""What a training run leaves behind: config, classes, metrics, curves, a state to go on from, and the model."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from diml_core.drawing.curves import draw_curves
from diml_core.errors import InputError
from diml_core.learning.config import TrainConfig
from diml_core.network.checkpoints import save_model
from diml_core.network.model import DimlModel

_CONFIG, _CLASSES, _METRICS, _CURVES, _STATE, _MODEL = (
    "config.json", "classes.json", "metrics.csv", "curves.png", "state.pt", "model",
)  # fmt: skip


class RunFolder:
    """The folder of one run.

    Attributes:
        path: the folder.
        cache: where activations are kept.
    """

    def __init__(
        self, path: Path, config: TrainConfig, trained: Sequence[str], held_out: Sequence[str]
    ) -> None:
        """Create it, or open one of the same config and, where training has begun, the same classes.

        Args:
            path: the folder.
            config: of the run.
            trained, held_out: names of the classes that are trained and of those that are held out to validate.

        Raises:
            InputError: a run of another config or on other classes is there, or it cannot be written.
        """
        self.path, self.cache = path, path / "activations"
        classes = {"trained": list(trained), "held_out": list(held_out)}
        texts = {
            name: json.dumps(values, indent=2) + "\n"
            for name, values in ((_CONFIG, config.to_dict()), (_CLASSES, classes))
        }
        try:
            path.mkdir(parents=True, exist_ok=True)
            if not self._is_of(_CONFIG, texts) and TrainConfig.read(path / _CONFIG) != config:
                raise InputError(
                    f"'{path}' holds a run of another config: choose another run folder, or delete that one."
                )
            if not self._is_of(_CLASSES, texts) and (path / _STATE).is_file():
                raise InputError(
                    f"'{path}' holds a run on other classes: choose another run folder, or delete that one."
                )
            for name, text in texts.items():
                (path / name).write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError(
                f"'{path}' cannot be written ({error.strerror}): choose another."
            ) from error

    def _is_of(self, name: str, texts: dict[str, str]) -> bool:
        """Whether a file has its text, or none yet; one that was cut short while it was written has some of it."""
        file = self.path / name
        stored = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
        return texts[name].startswith(stored)

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
            raise self.damaged_state(error) from error

    def damaged_state(self, error: Exception) -> InputError:
        """What to say of a state that nothing can go on from."""
        return InputError(
            f"'{self.path / _STATE}' is no state to go on from ({type(error).__name__}): delete it to start "
            "the run again."
        )

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
