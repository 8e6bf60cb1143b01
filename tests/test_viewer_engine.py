"""The viewer's engine, run in node: it makes of the same bytes what the library makes of them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests" / "viewer"


@pytest.mark.skipif(shutil.which("node") is None, reason="the engine's tests need node")
def test_the_browser_computes_what_the_library_computes(tmp_path):
    written = subprocess.run(
        [sys.executable, TESTS / "write_golden.py", tmp_path],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert written.returncode == 0, written.stderr
    run = subprocess.run(
        ["node", "--test", *sorted(TESTS.glob("*.test.js"))],
        env=os.environ | {"DIML_GOLDEN": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
