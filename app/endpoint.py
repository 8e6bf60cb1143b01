"""What other programs may call: ``/compare``, ``/search`` and ``/embed``."""

# Not postponed: Gradio reads these annotations, and the models' names are known only when the page is built.

import base64
import hashlib
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import gradio as gr
import torch
from gradio.context import get_blocks_context
from gradio.utils import get_function_description
from PIL import Image

from app import files
from app.examples import FOLDER
from app.galleries import MOST_FOUND, Galleries, found_in
from app.inputs import upload_from
from app.lanes import side_by_side
from app.service import Explorer
from app.summary import summary
from diml_core.comparison.marginals import MARGINALS
from diml_core.drawing import save_figure
from diml_core.embedding.rollout import HEAD_FUSIONS
from diml_core.errors import InputError
from diml_core.explanation import Explanation

DETAILS = ("summary", "full")

_EXAMPLE_SIDE = 48  # px: a photo that fits into a line of code
_PICTURE_DPI = 100


def offer(explorer: Explorer, galleries: Galleries, model_queue: str, search_queue: str) -> None:
    """Add the endpoints to the page that is being built.

    Args:
        explorer: shared with the page.
        galleries: of which the built-in one is searched.
        model_queue: ``concurrency_id`` of what compares photos.
        search_queue: of what searches.
    """
    _add(
        compare_endpoint(explorer), model_queue, {"image_a": "heron.jpg", "image_b": "harrier.jpg"}
    )
    _add(search_endpoint(explorer, galleries), search_queue, {"photo": "heron.jpg"})
    _add(embed_endpoint(explorer), model_queue, {"photo": "heron.jpg"})


def compare_endpoint(explorer: Explorer) -> Callable[..., dict]:
    """The function behind ``/compare``."""
    Model, Marginals, HeadFusion = (
        Literal[tuple(names)] for names in (explorer.names, MARGINALS, HEAD_FUSIONS)
    )

    def compare(
        image_a: gr.FileData,
        image_b: gr.FileData,
        model: Model = explorer.default,
        grid: int | None = None,
        marginals: Marginals | None = None,
        mass: float | None = None,
        start_block: int | None = None,
        head_fusion: HeadFusion | None = None,
        kept_mass: float | None = None,
        epsilon: float | None = None,
        detail: Literal[DETAILS] = "summary",
        picture: bool = False,
    ) -> dict:
        """Say how similar a vision model finds two photos, and which of their parts make it so.

        Photos are files that were uploaded here, or data: URLs. Addresses on the internet are not fetched.

        Args:
            image_a: photo A: an uploaded file (gradio_client.handle_file), or a data: URL (data:image/jpeg;base64,...).
            image_b: photo B, likewise.
            model: the model that looks at them. None of the following options are needed: each model has its own.
            grid: parts per side of a square photo, 1 up to the model's map.
            marginals: how much each part counts.
            mass: transported mass, above 0 to 1; below 1 the worst-matching rest stays unmatched.
            start_block: first block of the attention rollout, for vision transformers.
            head_fusion: how the rollout fuses attention heads.
            kept_mass: share of the rollout that truncation keeps, above 0 to 1.
            epsilon: entropy of the transport, 0.005 to 1.
            detail: summary for scores, scale and strongest pairs; full for what `diml_core compare --json` writes.
            picture: whether the answer has a PNG, too, in which the strongest pairs are drawn.

        Returns:
            scores, their scale, and the strongest pairs of parts as [row, column] of each photo's grid
        """
        if detail not in DETAILS:
            raise InputError(f"The detail must be {' or '.join(DETAILS)}: choose one of them.")
        _check_flag("picture", picture)
        photos = side_by_side(lambda image: upload_from(image).load(), [image_a, image_b])
        explanation = explorer.compare(
            model,
            *photos,
            grid=grid,
            marginals=marginals,
            mass=mass,
            start_block=start_block,
            head_fusion=head_fusion,
            kept_mass=kept_mass,
            epsilon=epsilon,
        )
        answer = summary(explanation) if detail == "summary" else explanation.to_dict()
        return answer | {"picture": _drawn(explanation)} if picture else answer

    return compare


def search_endpoint(explorer: Explorer, galleries: Galleries) -> Callable[..., dict]:
    """The function behind ``/search``."""
    Model = Literal[tuple(explorer.names)]

    def search(photo: gr.FileData, model: Model = explorer.default, top_k: int = 10) -> dict:
        """Find the photos of the built-in gallery that a vision model finds most similar to a photo.

        The 100 most similar as a whole are re-ranked by their parts; a photo that is in the gallery does not find itself.
        Photos are files that were uploaded here, or data: URLs. Addresses on the internet are not fetched.

        Args:
            photo: the query: an uploaded file (gradio_client.handle_file), or a data: URL (data:image/jpeg;base64,...).
            model: the model that looks at it.
            top_k: how many results, 1 to 100.

        Returns:
            results, best first, with the place that each had before its parts were looked at; scores are -1 to 1
        """
        if isinstance(top_k, bool) or not isinstance(top_k, int) or not 1 <= top_k <= MOST_FOUND:
            raise InputError(f"top_k must be a whole number from 1 to {MOST_FOUND}.")
        explorer.check_name(model)
        query = upload_from(photo).load()
        gallery = galleries.built_in(model)
        found = found_in(explorer, gallery, model, query)
        return {
            "model": model,
            "searched": len(gallery),
            "results": [
                {
                    "photo": each.result.path.relative_to(FOLDER).as_posix(),
                    "rank": each.rank,
                    "global_rank": each.global_rank,
                    "similarity": each.result.similarity,
                    "global_similarity": each.result.global_similarity,
                    "structural_similarity": each.result.structural_similarity,
                }
                for each in found.places[:top_k]
            ],
        }

    return search


def embed_endpoint(explorer: Explorer) -> Callable[..., dict]:
    """The function behind ``/embed``."""
    Model = Literal[tuple(explorer.names)]

    def embed(
        photo: gr.FileData,
        model: Model = explorer.default,
        grid: int | None = None,
        parts: bool = True,
    ) -> dict:
        """Give the unit embeddings of a photo and of its parts, whose dot products are cosine similarities.

        Numbers are base64 of little-endian float16: numpy.frombuffer(base64.b64decode(parts), "<f2").reshape(-1, dim).
        Photos are files that were uploaded here, or data: URLs. Addresses on the internet are not fetched.

        Args:
            photo: the photo: an uploaded file (gradio_client.handle_file), or a data: URL (data:image/jpeg;base64,...).
            model: the model that looks at it.
            grid: parts per side of a square photo, 1 up to the model's map; None for the model's own.
            parts: whether the answer has the embeddings of the parts, too.

        Returns:
            the global embedding, and those of the parts, row by row in the grid [rows, columns]
        """
        _check_flag("parts", parts)
        network = explorer.model(model)
        embedder = network.embedder(network.options(grid=grid))
        features = explorer.features(model, upload_from(photo).load())
        with torch.inference_mode():
            embedding = embedder(features)
        answer = {
            "model": model,
            "name": features.photo.name,
            "grid": list(embedding.grid),
            "dim": network.dim,
            "global": _float16(embedding.pooled),
        }
        return answer | {"parts": _float16(embedding.parts)} if parts else answer

    return embed


def _check_flag(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise InputError(f"'{name}' must be true or false: send one of them.")


def _add(function: Callable[..., dict], queue: str, examples: Mapping[str, str]) -> None:
    """Offer a function under its name, described, and with photos in the call that "Use via API" shows.

    Args:
        function: what is called; its docstring describes it.
        queue: its ``concurrency_id``.
        examples: which example photo each of its photos may be.
    """
    made = gr.api(function, api_name=function.__name__, concurrency_id=queue)
    components = get_blocks_context().fns[made["id"]].inputs
    _, described, _ = get_function_description(function)
    for component, (name, words) in zip(components, described.items(), strict=True):
        component._api_info["additional_description"] = words
        if name in examples:
            shown = _example(FOLDER / examples[name])
            # As a value it would be the default of a photo that one left out.
            component.example_payload = lambda shown=shown: shown


def _example(path: Path) -> dict[str, str]:
    """A small photo that travels in the call: this server fetches nothing, and a path would be one of its own."""
    small = Image.open(path).convert("RGB")
    small.thumbnail((_EXAMPLE_SIDE, _EXAMPLE_SIDE))
    content = io.BytesIO()
    small.save(content, "WEBP", quality=30)
    encoded = base64.b64encode(content.getvalue()).decode()
    return {"url": f"data:image/webp;base64,{encoded}", "orig_name": path.name}


def _drawn(explanation: Explanation) -> dict[str, Any]:
    """The annotated picture as Gradio's file data."""
    drawn = io.BytesIO()
    save_figure(explanation, drawn, dpi=_PICTURE_DPI)
    content = drawn.getvalue()
    path = files.by_digest("picture.png", hashlib.sha256(content).hexdigest(), lambda: content)
    given = {"path": str(path), "url": files.url(path), "orig_name": "pair.png"}
    return gr.FileData(**given, mime_type="image/png").model_dump()


def _float16(vectors: torch.Tensor) -> str:
    # A quarter of the same numbers as text; and what features have, and galleries keep, is no more precise.
    return base64.b64encode(vectors.numpy().astype("<f2").tobytes()).decode()
