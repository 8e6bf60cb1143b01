"""A model whose network runs in ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from diml_core.errors import InputError
from diml_core.network.model import DimlModel
from diml_core.network.onnx.graph import INPUT, MAP, attention_name
from diml_core.network.onnx.packages import needs


class OnnxModel(DimlModel):
    """A model as it was, but that :meth:`forward` asks ONNX Runtime, on the processor.

    Weights, options and name are those of the model it was made of, so galleries of the one can be searched with the
    other. Any number of threads may use it at once; Python's lock is free while the network runs.
    """

    def __init__(self, model: DimlModel, graph: Path) -> None:
        """Open a graph.

        Args:
            model: on the processor; its weights are shared.
            graph: what :func:`diml_core.network.onnx.graph.write_graph` wrote of it. A run takes as many
                threads as torch takes now.

        Raises:
            InputError: no ``onnxruntime`` package.
            Exception: whatever ONNX Runtime raises for a file that is no graph.
        """
        super().__init__(model.config, backbone=model.backbone)
        self.head, self.source, self.scale = model.head, model.source, model.scale
        self._session = _opened(graph)

    def forward(
        self, images: Tensor, attention_from: int | None = 0
    ) -> tuple[Tensor, tuple[Tensor | None, ...]]:
        """Run network and head, see :meth:`diml_core.network.model.DimlModel.forward`; without gradients.

        Raises:
            InputError: images on another device than the processor.
        """
        if images.device.type != "cpu":
            raise InputError(
                f"'{self.name}' runs in ONNX Runtime, on the processor: load it with the engine torch for "
                f"'{images.device}'."
            )
        blocks = self.backbone.attention_blocks
        first = blocks if attention_from is None else max(attention_from, 0)
        wanted = [MAP, *(attention_name(block) for block in range(first, blocks))]
        found = self._session.run(wanted, {INPUT: images.numpy()})
        feature_map, *recorded = (torch.from_numpy(values) for values in found)
        if attention_from is None:
            return feature_map, ()
        return feature_map, (*[None] * (blocks - len(recorded)), *recorded)

    def train(self, mode: bool = True) -> OnnxModel:
        """Stay in eval mode.

        Raises:
            InputError: ``mode`` is true.
        """
        if mode:
            raise InputError(
                f"'{self.name}' runs in ONNX Runtime, which does not train: load it with the engine torch."
            )
        super().train(False)
        return self


def _opened(graph: Path) -> Any:
    onnxruntime = needs("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors; it warns of what it optimises away
    options.intra_op_num_threads = torch.get_num_threads()
    # Its threads would go round in circles for a while after every photo, where the next one is being read.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
