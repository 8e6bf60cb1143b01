"""One file of a Python package index, as it lies there.

``pip download`` would run the ``setup.py`` of a source archive to ask for its metadata, which fails for old
packages on a new setuptools, and is code that nobody here has read. Only the file is wanted.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from urllib.parse import urljoin
from urllib.request import Request, urlopen

_INDEX = "https://pypi.org/simple/"
_JSON = "application/vnd.pypi.simple.v1+json"  # PEP 691
_TIMEOUT = 60  # seconds without a byte


def download(package: str, file: str, folder: Path) -> None:
    """Write ``file`` of ``package`` into ``folder``; the index is PyPI, or ``PIP_INDEX_URL``.

    Raises:
        OSError: the index or the file cannot be reached (``URLError``), or the index has no such file.
    """
    index = os.environ.get("PIP_INDEX_URL", _INDEX).rstrip("/")
    page = Request(f"{index}/{package}/", headers={"Accept": _JSON})
    with urlopen(page, timeout=_TIMEOUT) as answer:
        address = answer.url
        try:
            files = {entry["filename"]: entry["url"] for entry in json.load(answer)["files"]}
        except (ValueError, KeyError, RecursionError) as error:
            raise OSError(f"{index} does not list files as JSON (PEP 691)") from error
    if file not in files:
        raise FileNotFoundError(f"{index} has no {file}")
    with (
        urlopen(urljoin(address, files[file]), timeout=_TIMEOUT) as answer,
        (folder / file).open("wb") as written,
    ):
        shutil.copyfileobj(answer, written)
