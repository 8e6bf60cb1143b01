"""Deep interpretable metric learning: score two images by their parts, and show which parts."""

from diml_core.network._torchvision_ops import ensure_torchvision_ops

ensure_torchvision_ops()  # before anything here imports timm

from diml_core.errors import InputError  # noqa: E402
from diml_core.explain import explain  # noqa: E402
from diml_core.explanation import Explanation  # noqa: E402
from diml_core.network.checkpoints import load_model  # noqa: E402
from diml_core.photo.images import load_photo  # noqa: E402
from diml_core.version import VERSION as __version__  # noqa: E402
from diml_core.widget import widget  # noqa: E402

__all__ = [
    "Explanation",
    "InputError",
    "__version__",
    "explain",
    "load_model",
    "load_photo",
    "widget",
]
