"""The notebook of the documentation: it runs from top to bottom, and shows what it gives.

After a change, ``jupyter execute --inplace docs/notebook.ipynb`` in an empty folder (with its path) writes it anew.
"""

import pytest
from pages import DOCS, ROOT

nbclient = pytest.importorskip(
    "nbclient", reason="no nbclient here: pip install nbclient ipykernel"
)
nbformat = pytest.importorskip("nbformat")
pytest.importorskip(
    "accelerate", reason="no accelerate here: pip install -r requirements-train.txt"
)

pytestmark = pytest.mark.slow
NOTEBOOK = DOCS / "notebook.ipynb"
SECONDS = 600  # for one cell, on a busy machine


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Every cell of code as it is stored, and as it ran just now in an empty folder."""
    stored = nbformat.read(NOTEBOOK, nbformat.NO_CONVERT)
    ran = nbformat.read(NOTEBOOK, nbformat.NO_CONVERT)
    place = {"metadata": {"path": tmp_path_factory.mktemp("notebook")}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        nbclient.NotebookClient(ran, timeout=SECONDS, resources=place).execute()
    return [
        pair for pair in zip(stored.cells, ran.cells, strict=True) if pair[0].cell_type == "code"
    ]


def printed(cell):
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def kinds(cell):
    return [set(output.get("data", ())) for output in cell.outputs if "data" in output]


def test_what_is_stored_is_what_the_cells_print_and_show(runs):
    for stored, ran in runs:
        if "trained" not in stored.metadata.get("tags", ()):  # else its digits are the machine's
            assert printed(ran) == printed(stored), stored.source
        assert kinds(ran) == kinds(stored), stored.source
    shown = set().union(*(kind for _, ran in runs for kind in kinds(ran)))
    assert {"application/vnd.jupyter.widget-view+json", "image/png", "text/html"} <= shown


def test_the_loss_falls(runs):
    (line,) = (printed(ran) for _, ran in runs if printed(ran).startswith("loss "))
    first, last = (float(number) for number in line.removeprefix("loss ").split(" -> "))
    assert last < first / 2


def test_nothing_of_this_machine_is_stored():
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert str(ROOT) not in text
    assert "/tmp/" not in text
