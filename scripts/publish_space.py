"""Publish the app as a Space of Hugging Face, or write the folder that would be uploaded.

    hf auth login
    python -m scripts.publish_space USER/NAME --hardware zero-gpu
    python -m scripts.publish_space USER/NAME --hardware cpu --dry-run space/
    python -m scripts.publish_space USER/NAME --static

A Space that is there already is replaced, its README too; what it was stays in its history. ``zero-gpu`` is what free
accounts get (``app/hardware.py``), ``cpu`` is a paid plan; ``--static`` is the page without a server
(:mod:`scripts.build_site`), which is free and computes in the visitor's browser. To see that a written folder is complete, on a machine that
has nothing of this repository:

    cd space/ && python3.12 -m venv ../fresh && ../fresh/bin/pip install -r requirements.txt && ../fresh/bin/python app.py

Not tried, for no hub and no ZeroGPU could be reached where this was written: the upload to the hub itself, the
platform's build, and the loan of a GPU. Tried were the upload to a stand-in, through the hub's client; the command above,
for ``cpu``; that pip finds a set of packages that meets the requirements for ``zero-gpu``; and, with ``spaces`` 0.51
itself on a processor, that it takes the models for ones on ``cuda`` and packs them for the launch. Python and torch are
those that the platform's documentation listed in July 2026.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi, SpaceHardware

from diml_core.errors import InputError
from diml_core.network.hub import writing
from scripts.site.folder import write_site

ROOT = Path(__file__).resolve().parent.parent
CONTENTS = (
    "LICENSE",
    "app.py",
    "app",
    "diml_core",
    "checkpoints",
    "assets/examples",
    "assets/keypoints.json",
)
_NOT_SOURCES = ("__pycache__", "*.py[cod]", "*.pyi", ".*")  # Gradio writes the .pyi


@dataclass(frozen=True)
class Hardware:
    """What a Space runs on.

    Attributes:
        flavour: the hub's name for it.
        python: version, for the front matter.
        torch: its line of requirements.txt; None leaves the repository's.
        first, last: lines of requirements.txt before and after the repository's.
    """

    flavour: SpaceHardware
    python: str
    torch: str | None = None
    first: tuple[str, ...] = ()
    last: tuple[str, ...] = ()


HARDWARE = {
    "zero-gpu": Hardware(
        SpaceHardware.ZERO_A10G,  # as it is still called; the GPUs are others by now
        python="3.12.12",
        torch="torch==2.11.0",  # of 2.8.0, 2.9.1, 2.10.0 and 2.11.0, and no release between them
        last=("spaces>=0.50,<1",),
    ),
    "cpu": Hardware(
        SpaceHardware.CPU_BASIC,
        python="3.12",
        # Spares gigabytes of CUDA libraries: of one version, pip prefers the build with a local name, +cpu.
        first=("--extra-index-url https://download.pytorch.org/whl/cpu",),
    ),
}

_STATIC: dict[str, str | None] = {
    "sdk": "static",
    "app_file": "index.html",
    "sdk_version": None,
    "python_version": None,
    # With these a browser gives WebAssembly more than one thread, from the first visit on.
    "custom_headers": "{cross-origin-embedder-policy: require-corp, cross-origin-opener-policy: same-origin}",
}

_TEXT = """
# DIML Explorer

Drop in two photos and see *why* a vision model finds them similar: which part matches which, how much each match
counts, and how the parts add up to the score, exactly.

The method is *Towards Interpretable Deep Metric Learning with Structural Matching*, Zhao et al., ICCV 2021:
https://arxiv.org/abs/2108.05889

Code: MIT. Model weights: Apache-2.0{cards}. Example photos: each its own licence, see
`{above}examples/CREDITS.md`.
"""


def main(arguments: list[str] | None = None) -> int:
    """Write the folder, or upload it; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "repository", metavar="USER/NAME", help="the Space; made if it is not there"
    )
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--hardware", choices=sorted(HARDWARE))
    kind.add_argument(
        "--static", action="store_true", help="the page without a server; see scripts.build_site"
    )
    parser.add_argument(
        "--dry-run", type=Path, metavar="DIR", help="write the folder there, and upload nothing"
    )
    given = parser.parse_args(arguments)
    hardware = None if given.static else HARDWARE[given.hardware]
    try:
        if given.dry_run:
            write_space(given.dry_run, hardware)
            print(f"{given.dry_run}: what would be uploaded to {given.repository}")
        else:
            with tempfile.TemporaryDirectory() as temporary:
                write_space(Path(temporary), hardware)
                print(publish(Path(temporary), given.repository, hardware))
    except (InputError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def write_space(folder: Path, hardware: Hardware | None) -> None:
    """Write everything that the Space holds, and nothing else.

    Args:
        folder: new or empty.
        hardware: which requirements and which front matter; None for the page without a server.

    Raises:
        InputError: there is something in the folder; or see :func:`scripts.site.folder.write_site`.
    """
    if hardware is None:
        write_site(folder)
        text = _TEXT.format(cards="", above="")
        (folder / "README.md").write_text(_front_matter(_STATIC) + text, encoding="utf-8")
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            f"There is something in '{folder}' already: name a new or an empty folder."
        )
    for name in CONTENTS:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns(*_NOT_SOURCES))
        else:
            shutil.copyfile(source, target)
    python = {"python_version": f'"{hardware.python}"'}
    text = _TEXT.format(cards=", each with a card in `checkpoints/`", above="assets/")
    (folder / "README.md").write_text(_front_matter(python) + text, encoding="utf-8")
    (folder / "requirements.txt").write_text(_requirements(hardware), encoding="utf-8")


def publish(folder: Path, repository: str, hardware: Hardware | None) -> str:
    """Upload a folder of :func:`write_space`; what the Space has and the folder lacks is deleted there.

    Returns:
        The address of the Space.

    Raises:
        InputError: a bad name, a Space that you may not write to or that the hub refuses to make, or a hub that
            cannot be reached.
    """
    api = HfApi()
    with writing(repository, "Space"):
        if not api.repo_exists(repository, repo_type="space"):
            # Made with its hardware: a free account may not make one on the default.
            api.create_repo(
                repository,
                repo_type="space",
                space_sdk="gradio" if hardware else "static",
                space_hardware=hardware and hardware.flavour,
            )
        elif hardware:
            api.request_space_hardware(repository, hardware.flavour)
        api.upload_folder(
            repo_id=repository,
            repo_type="space",
            folder_path=folder,
            delete_patterns="*",
            commit_message="Publish DIML Explorer",
        )
    return f"{api.endpoint}/spaces/{repository}"


def _front_matter(changes: dict[str, str | None]) -> str:
    """The repository's, which makes it a Space, too, with other values; None takes a key out. No model or data set of
    the hub is used."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    front = dict(line.split(": ", 1) for line in text.split("---\n")[1].splitlines()) | changes
    lines = [f"{key}: {value}" for key, value in front.items() if value is not None]
    return "\n".join(["---", *lines, "---", ""])


def _requirements(hardware: Hardware) -> str:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    ours = [
        hardware.torch if hardware.torch and line.startswith("torch>") else line
        for line in lines
        if not line.startswith("#")
    ]
    return "\n".join([*hardware.first, *ours, *hardware.last, ""])


if __name__ == "__main__":
    sys.exit(main())
