"""The folder of the site: what lies in it, and where from."""

from __future__ import annotations

import hashlib
import html
import json
import re
import shutil
from pathlib import Path
from typing import Any

from diml_core.errors import InputError
from diml_core.photo.images import load_photo
from diml_core.version import VERSION
from diml_core.viewer import modules
from diml_core.viewer.pair import jpeg
from diml_core.viewer.texts import glossary_html, text
from scripts.site import icons, runtime
from scripts.site.models import write_models

ROOT = Path(__file__).resolve().parents[2]
PAGE = Path(__file__).with_name("page")
_EXAMPLES = ROOT / "assets" / "examples"
_THUMBNAIL_SIDE = 176  # px, twice what is shown
# The page's modules name the viewer's where they lie in the repository; in the site both are neighbours.
_VIEWER_THERE, _VIEWER_HERE = "../../../diml_core/viewer/", "../viewer/"
_DIGITS = 12


def write_site(folder: Path) -> None:
    """Write everything that the site is.

    Args:
        folder: new or empty.

    Raises:
        InputError: there is something in it; or what :func:`scripts.site.runtime.unpack_runtime` and
            :func:`scripts.site.models.write_models` raise.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            f"There is something in '{folder}' already: name a new or an empty folder."
        )
    folder.mkdir(parents=True, exist_ok=True)
    runtime.unpack_runtime(folder / runtime.FOLDER)
    models = write_models(folder)
    _write_json(folder / "models.json", {"models": models, "runtimes": _runtimes(folder)})
    _write_modules(folder)
    _write_examples(folder / "examples")
    icons.write_icons(folder / "icons")
    _write_page(folder)
    _write_service_worker(folder)  # of all that is there


def _runtimes(folder: Path) -> dict[str, Any]:
    found = {}
    for engine, names in runtime.RUNTIMES.items():
        script, glue, wasm = (f"{runtime.FOLDER}/{name}" for name in names)
        size = (folder / wasm).stat().st_size
        found[engine] = {"script": script, "glue": glue, "wasm": {"url": wasm, "bytes": size}}
    return found


def _write_modules(folder: Path) -> None:
    shutil.copytree(
        modules.FOLDER, folder / "viewer", ignore=shutil.ignore_patterns("*.py", "__*", "*.html")
    )
    (folder / "page").mkdir()
    for path in sorted(PAGE.iterdir()):
        if path.suffix in (".js", ".css") and path.name != "sw.js":
            source = path.read_text(encoding="utf-8").replace(_VIEWER_THERE, _VIEWER_HERE)
            (folder / "page" / path.name).write_text(source, encoding="utf-8")


def _write_examples(folder: Path) -> None:
    (folder / "small").mkdir(parents=True)
    names = set()
    for file in ("pairs.json", "triples.json"):
        examples = json.loads((_EXAMPLES / file).read_text(encoding="utf-8"))
        _write_json(folder / file, examples)
        names |= {each[side] for each in examples for side in "abc" if side in each}
    shutil.copyfile(_EXAMPLES / "CREDITS.md", folder / "CREDITS.md")
    for name in sorted(names):
        shutil.copyfile(_EXAMPLES / name, folder / name)
        small = jpeg(load_photo(_EXAMPLES / name), _THUMBNAIL_SIDE)
        (folder / "small" / name).write_bytes(small)


def _write_page(folder: Path) -> None:
    source = (PAGE / "index.html").read_text(encoding="utf-8")
    source = re.sub(r' data-text="(.*?)">', lambda key: f">{_text(key[1])}", source)
    source = re.sub(r'="((?:site|present|triple)\..*?)"', lambda key: f'="{_text(key[1])}"', source)
    source = source.replace("%WORDS%", glossary_html())
    (folder / "index.html").write_text(source, encoding="utf-8")
    (folder / "report.html").write_text(modules.template(), encoding="utf-8")
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    notice = (PAGE / "LICENSES.txt").read_text(encoding="utf-8")
    (folder / "LICENSES.txt").write_text(notice.replace("%LICENSE%", licence), encoding="utf-8")
    _write_json(
        folder / "manifest.webmanifest",
        {
            "name": "DIML Explorer",
            "short_name": "DIML",
            "description": text("site.description"),
            "start_url": "./",
            "scope": "./",
            "display": "standalone",
            "background_color": "#f6f7fa",
            "theme_color": "#f6f7fa",
            "icons": [
                {
                    "src": f"icons/{side}.png",
                    "sizes": f"{side}x{side}",
                    "type": "image/png",
                    "purpose": purpose,
                }
                for side in icons.SIDES
                for purpose in ("any", "maskable")
            ],
        },
    )


def _write_service_worker(folder: Path) -> None:
    files = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    large = [name for name in files if name.endswith((".onnx", ".wasm"))]
    kept = [name for name in files if name not in large]
    digest = hashlib.sha256()
    for name in kept:
        digest.update(name.encode() + b"\0" + (folder / name).read_bytes())
    values = {
        "VERSION": f"{VERSION}-{digest.hexdigest()[:_DIGITS]}",
        "FILES": kept,
        "LARGE_FILES": large,
    }
    constants = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in values.items())
    source = (PAGE / "sw.js").read_text(encoding="utf-8")
    (folder / "sw.js").write_text(constants + source, encoding="utf-8")


def _text(key: str) -> str:
    return html.escape(text(key))


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
