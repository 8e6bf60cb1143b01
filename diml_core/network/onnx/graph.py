"""A model as an ONNX graph: one format for the library's engine and for a browser.

``images`` is the input, ``[batch, 3, height, width]`` float32 as ``model.preprocess`` gives it: any batch, and any
multiples of ``backbone.unit`` where the backbone is flexible, else its square. Outputs, float32:

- ``map`` ``[batch, rows, columns, D]``, the head applied, neither normalised nor rounded to float16;
- ``attention_0`` ... of a transformer ``[batch, heads, T, T]``, the softmax attention of every block, for a visitor may
  let the rollout start at any. They are numbers on the way to the map: who asks for some of them gets no others, and
  those nobody asks for cost nothing.

A weight is stored as float16 where that loses nothing, followed by a cast that a runtime does once as it loads; so the
graph of a saved model (:func:`diml_core.network.checkpoints.save_model`) is as large as its ``model.safetensors``, and
computes in float32, as torch does. For the same reason batch norms stay apart: folded into the convolutions, which
runtimes do by themselves, they would make weights that float16 has not.
"""

from __future__ import annotations

import contextlib
import io
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from diml_core.errors import InputError
from diml_core.network.model import DimlModel
from diml_core.network.onnx.packages import needs
from diml_core.network.onnx.resampling import resampled

INPUT, MAP = "images", "map"
_OPSET = 17  # the first with layer norms, and known to every runtime of today
_TRACED = (6, 5)  # rows and columns of coarsest cells: no square, and not the model's own

# Torch's exporter keeps what it is doing in globals.
_ONE_AT_A_TIME = threading.Lock()


def attention_name(block: int) -> str:
    """The output with a block's attention."""
    return f"attention_{block}"


def write_graph(model: DimlModel, file: Path) -> None:
    """Write ``model`` as a graph; see the head of this file. Its numbers are not checked here.

    Args:
        model: on the processor.
        file: to write.

    Raises:
        InputError: no ``onnx`` package, or a network that torch cannot trace.
    """
    onnx = needs("onnx")
    backbone = model.backbone
    attentions = [attention_name(block) for block in range(backbone.attention_blocks)]
    axes = {INPUT: {0: "batch"}, MAP: {0: "batch"}, **{name: {0: "batch"} for name in attentions}}
    sides = [backbone.input_size] * 2
    if backbone.flexible:
        sides = [cells * backbone.unit for cells in _TRACED]
        axes[INPUT] |= {2: "height", 3: "width"}
        axes[MAP] |= {1: "rows", 2: "columns"}
        for name in attentions:
            axes[name] |= {2: "tokens", 3: "tokens"}
    try:
        with _exporting():
            torch.onnx.export(
                _Outputs(model),
                (torch.zeros(2, 3, *sides),),
                str(file),
                # The exporter by tracing is the one that torch 2.8 to 2.13 share; it needs no further package.
                dynamo=False,
                opset_version=_OPSET,
                input_names=[INPUT],
                output_names=[MAP, *attentions],
                dynamic_axes=axes,
                # As the weights are: nothing folded, see above.
                training=torch.onnx.TrainingMode.PRESERVE,
                do_constant_folding=False,
            )
    except Exception as error:  # every operator that the exporter does not know is its own error
        raise InputError(
            f"'{model.name}' cannot be written as an ONNX graph ({_first_line(error)}): use it with torch."
        ) from error
    graph = onnx.load(file)
    _cast_constants(onnx, graph.graph)
    _halve_what_stays_exact(onnx, graph.graph)
    onnx.save(graph, file)


class _Outputs(nn.Module):
    """The outputs in a row, as an exporter wants them."""

    def __init__(self, model: DimlModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> tuple[Tensor | None, ...]:
        feature_map, attentions = self.model(images)
        return feature_map, *attentions


class _Traceable(TorchFunctionMode):
    """What a trace would lose, said otherwise, in this thread alone."""

    def __torch_function__(
        self, function: Callable, types: Any, inputs: Any = (), named: dict | None = None
    ) -> Any:
        named = named or {}
        if function is functional.interpolate and named.get("antialias"):
            return resampled(inputs[0], named["size"], named["mode"])
        if function is functional.pad:
            # "Same" padding follows from the size, but not for multiples of the unit; and only with padding
            # that it knows beforehand does a runtime join it to the convolution (an eighth of the CNN's time).
            image, amounts, *others = inputs
            return function(image, [int(amount) for amount in amounts], *others, **named)
        return function(*inputs, **named)


@contextlib.contextmanager
def _exporting() -> Iterator[None]:
    with (
        _ONE_AT_A_TIME,
        torch.inference_mode(False),
        torch.no_grad(),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),  # of a network it cannot trace it prints all
        _Traceable(),
    ):
        # Of values that a trace takes for constants; whether they are, the parity check tells.
        warnings.simplefilter("ignore")
        yield


def _cast_constants(onnx: Any, graph: Any) -> None:
    """Python's numbers are traced as float64 and cast where they are used; a browser's graphics card has no float64."""
    constants = {
        node.output[0]: onnx.numpy_helper.to_array(node.attribute[0].t)
        for node in graph.node
        if node.op_type == "Constant" and node.attribute[0].name == "value"
    }
    for node in graph.node:
        if node.op_type != "Cast" or node.input[0] not in constants:
            continue
        kind = onnx.helper.tensor_dtype_to_np_dtype(node.attribute[0].i)
        value = onnx.numpy_helper.from_array(constants[node.input[0]].astype(kind))
        node.CopyFrom(
            onnx.helper.make_node("Constant", [], list(node.output), name=node.name, value=value)
        )


def _halve_what_stays_exact(onnx: Any, graph: Any) -> None:
    casts = []
    for weight in graph.initializer:
        if weight.data_type != onnx.TensorProto.FLOAT:
            continue
        values = onnx.numpy_helper.to_array(weight)
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), values):
            continue
        name = weight.name
        weight.CopyFrom(onnx.numpy_helper.from_array(half, f"{name}.half"))
        casts.append(
            onnx.helper.make_node("Cast", [weight.name], [name], to=onnx.TensorProto.FLOAT)
        )
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend(casts + nodes)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
