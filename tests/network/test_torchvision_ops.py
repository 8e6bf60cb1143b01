"""The cure for PyPI's torchvision beside a CPU-only torch, each case in a process of its own."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(code):
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_timm_can_be_imported_after_it():
    assert run("import diml_core, timm; print(timm.create_model('resnet18').num_classes)") == "1000"


def test_it_does_nothing_the_second_time():
    code = (
        "from diml_core.network._torchvision_ops import ensure_torchvision_ops as ensure\n"
        "print(ensure() == ensure())"
    )
    assert run(code) == "True"


def test_it_declares_the_operators_where_they_cannot_load():
    code = (
        "import torch\n"
        "from unittest import mock\n"
        "import diml_core.network._torchvision_ops as cure\n"
        "with mock.patch.object(cure, '_compiled_ops_load', lambda: False):\n"
        "    fresh = cure._declarations is None and not cure._registered('nms')\n"
        "    print(not fresh or cure.ensure_torchvision_ops())\n"
        "print(hasattr(torch.ops.torchvision, 'nms'))"
    )
    assert run(code).split() == ["True", "True"]


def test_it_leaves_operators_alone_that_load():
    # The file by itself: the package would import timm, and with it a torchvision that works here or does not.
    code = (
        "import torch\n"
        "from importlib.util import module_from_spec, spec_from_file_location\n"
        "spec = spec_from_file_location('cure', 'diml_core/network/_torchvision_ops.py')\n"
        "cure = module_from_spec(spec)\n"
        "spec.loader.exec_module(cure)\n"
        "if not cure._compiled_ops_load():\n"
        "    working = torch.library.Library('torchvision', 'DEF')\n"
        "    for name in ('nms', 'qnms'):\n"
        "        working.define(name + '(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')\n"
        "print(cure.ensure_torchvision_ops())"
    )
    assert run(code) == "False"
