"""Write a model as an ONNX graph, for programs without torch: a browser, or ONNX Runtime in any language.

    python -m scripts.export_onnx efficientnet-lite0 -o graphs/efficientnet-lite0

What ``model.onnx`` computes is at the head of ``diml_core/network/onnx/graph.py``, what ``model.json`` holds in
``export.py`` beside it. All outputs are compared with torch's on photographs of several shapes as the graph is written;
where one differs by more than 1e-4 of its largest number, there is a sentence and no file. Needs
``pip install onnx onnxruntime``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from diml_core import load_model
from diml_core.errors import InputError
from diml_core.network.checkpoints import model_names, save_model
from diml_core.network.onnx.export import GRAPH, export_onnx


def main() -> int:
    """Export, and say how large the graph is; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", metavar="MODEL", help=model_names())
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, required=True, help="folder to write"
    )
    parser.add_argument(
        "--half",
        action="store_true",
        help="round all weights to float16 first, as a checkpoint has them: those of a shipped or saved model are",
    )
    arguments = parser.parse_args()
    try:
        model = load_model(arguments.model)
        if arguments.half:
            with tempfile.TemporaryDirectory() as folder:
                save_model(model, folder)
                model = load_model(folder)
        export_onnx(model, arguments.output)
    except InputError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    size = (arguments.output / GRAPH).stat().st_size
    print(f"{arguments.output / GRAPH}: {size / 1e6:.1f} MB, the numbers of torch.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
