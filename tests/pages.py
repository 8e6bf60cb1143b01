"""The code of a page of docs/, block by block."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
_BLOCK = re.compile(r"^```\{code-block\} (\w+)\n(?::caption: (\S+)\n)?\n?(.*?)^```$", re.M | re.S)


class Block(NamedTuple):
    """A block of code.

    Attributes:
        language: as the page calls it.
        file: what the page names above it; None for code that is run as it stands.
        text: the code.
    """

    language: str
    file: str | None
    text: str


def blocks(page: Path) -> list[Block]:
    """The blocks of a page in order; plain ``bash`` ones, which are no directive, are left out."""
    found = (Block(*match) for match in _BLOCK.findall(page.read_text(encoding="utf-8")))
    return [block._replace(file=block.file or None) for block in found]


def script(page: Path) -> str:
    """All that a page runs, as one program."""
    return "\n".join(b.text for b in blocks(page) if b.language == "python" and b.file is None)


def put(block: Block, folder: Path) -> None:
    """Write a new file, or change the lines that a diff shows, below ``folder``."""
    path = folder / block.file
    if block.language != "diff":
        assert not path.exists(), f"{block.file} is called new, and is there"
        path.write_text(block.text, encoding="utf-8")
        return
    lines = block.text.splitlines()
    before = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "+")
    after = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "-")
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{block.file} does not have once:\n{before}"
    path.write_text(text.replace(before, after), encoding="utf-8")
