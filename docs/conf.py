"""How Sphinx builds these pages: offline, formulas as MathML, and with ``-W`` any warning an error."""

import importlib
import inspect
import os
import re
import shutil
import sys
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.ext.napoleon import GoogleDocstring

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the library of this checkout, whatever else is installed

from diml_core.version import VERSION  # noqa: E402

project = "DIML Explorer"
version = release = VERSION
extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode", "myst_nb"]
exclude_patterns = ["_build", "jupyter_execute"]

html_theme = "furo"
html_title = f"{project} {VERSION}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_copyright = html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}
html_math_renderer = "mathml"  # of setup() below

# The page without a server, where scripts.build_site has written it: the documentation shows it then.
SITE = os.environ.get("DIML_SITE")
if SITE:
    tags.add("explorer")  # noqa: F821  (Sphinx's)

myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # a test runs the notebook; here is shown what it gave

autoclass_content = "both"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_default_options = {
    "members": True,
    "no-value": True,
    "show-inheritance": True,
}
napoleon_custom_sections = [("Attributes", "params_style")]  # several names may share a line
napoleon_use_rtype = False
add_module_names = False
python_display_short_literal_types = True

nitpicky = True
# What other projects document, and this one does not link to: the site is built without a connection.
_OTHERS = (
    "torch|numpy|np|PIL|matplotlib|timm|accelerate|pathlib|collections|argparse|os|qdrant_client|"
)
_OTHERS += "pytorch_metric_learning|weakref|typing|io|pydantic|anywidget|t"
nitpick_ignore_regex = [
    (r"py:.*", rf"({_OTHERS})(\..*)?"),
    (r"py:.*", r"(int|str|float|bool|bytes|dict|list|tuple|set|frozenset|object|None|Any|Path)"),
    (
        r"py:.*",
        r"(PydanticUndefined|FieldInfo|NoneType|Ge|Le)",
    ),  # what an alias of a range is made of
    (r"py:.*", r"(ValueError|KeyError|TypeError|OSError)"),
    (r"py:.*", r"(.*\.)?(_\w+|Tensor|Piece|Item|Loaded|Key)"),
]


def setup(app):
    """Register what Sphinx does not have."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
    app.connect("source-read", _with_model_cards)
    app.connect("missing-reference", _as_python_reads_it)
    app.connect("autodoc-process-docstring", _without_type, priority=400)  # before napoleon
    app.connect("autodoc-process-signature", _readable_defaults)
    app.connect("autodoc-skip-member", _skip_aliases)
    app.connect("build-finished", _with_site)


def _with_site(app, exception):
    if SITE and exception is None:
        shutil.copytree(SITE, Path(app.outdir) / "explorer", dirs_exist_ok=True)


def _with_model_cards(app, docname, source):
    """A model card lies with its weights, where a hub looks for it; here it is a page, and linked to as one."""
    if docname.startswith("cards/"):
        card = ROOT / "checkpoints" / docname.removeprefix("cards/") / "README.md"
        source[0] = card.read_text(encoding="utf-8")
    source[0] = re.sub(
        r"\]\((?:\.\./)+(?:checkpoints/)?([\w-]+)/README\.md", r"](/cards/\1.md", source[0]
    )


def _inline(writer, node):
    writer.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _display(writer, node):
    writer.body.append(f'<div class="formula">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def _as_python_reads_it(app, env, node, contents):
    """A name in a docstring means what it means in that file, wherever it was imported from."""
    if node.get("refdomain") != "py":
        return None
    python = env.get_domain("py")
    target = node["reftarget"]
    for home, name in ((node.get("py:module"), target), target.rpartition(".")[::2]):
        meant = _looked_up(home, name)
        for full in python.objects if meant is not None else ():
            module, _, last = full.rpartition(".")
            if last == name.rpartition(".")[2] and _looked_up(module, last) is meant:
                return python.resolve_xref(
                    env, node["refdoc"], app.builder, "obj", full, node, contents
                )
    return None


def _looked_up(module, name):
    try:
        found = importlib.import_module(module) if module else None
        for part in name.split("."):
            found = getattr(found, part)
        return found
    except (ImportError, AttributeError):
        return None


def _without_type(app, what, name, obj, options, lines):
    """napoleon would take the first words of a property or a constant, up to a colon, for its type."""
    if what in ("attribute", "data", "property"):
        read = GoogleDocstring(lines, app.config, app, "function", name, obj, options)
        lines[:] = ["..", "", *read.lines()]  # an empty comment, without a colon


def _readable_defaults(app, what, name, obj, options, signature, returns):
    """A default that a factory makes has no Python to write it in; ranges of settings are said in words below."""
    if what == "class" and hasattr(obj, "__pydantic_fields__"):
        fields = inspect.signature(obj).parameters.values()
        return f"({', '.join(map(_field, fields))})", None
    return signature and signature.replace("<factory>", "..."), returns


def _field(parameter):
    if parameter.default is parameter.empty:
        return parameter.name
    plain = isinstance(parameter.default, str | int | float | tuple | None)
    return f"{parameter.name}={parameter.default!r}" if plain else f"{parameter.name}=..."


def _skip_aliases(app, what, name, member, skip, options):
    """The fields of a named tuple, which its class describes."""
    return (
        True if str(getattr(member, "__doc__", "")).startswith("Alias for field number") else skip
    )
