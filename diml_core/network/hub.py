"""Checkpoints on the Hugging Face Hub: downloaded into the hub's own cache, and pushed with a card."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi, hf_hub_download
from huggingface_hub.errors import (
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import validate_repo_id
from torch import Tensor

from diml_core.errors import InputError
from diml_core.network.checkpoint_files import CONFIG, WEIGHTS, read_config, write_checkpoint
from diml_core.network.model_config import ModelConfig

HUB_PREFIX = "hf:"

_CARD = "README.md"
# No licence: it is for the owner of the weights to choose.
_CARD_TEXT = """\
---
library_name: diml-explorer
tags:
- diml
---

# {title}

A model of DIML Explorer (backbone `{architecture}`), which says how similar two images are and which parts make
them so.

```python
from diml_core import load_model
model = load_model("{prefix}{repository}")
```
"""


def fetch(name: str) -> Path:
    """The folder of a checkpoint, in the hub's cache (``$HF_HOME``); what is there already is not downloaded again.

    Args:
        name: ``USER/REPO`` or ``USER/REPO@REVISION``, a branch, a tag or a commit.

    Raises:
        InputError: a bad name, no such repository or none that is open to the user, not a checkpoint of ours,
            or a hub that cannot be reached while the cache lacks it.
    """
    repository, at, revision = name.partition("@")
    if not _names_repository(repository) or (at and not revision):
        raise InputError(
            f"'{HUB_PREFIX}{name[:100]}' names no repository of the Hugging Face hub: write "
            f"{HUB_PREFIX}USER/REPO, or {HUB_PREFIX}USER/REPO@REVISION."
        )
    folder = _fetched(repository, revision or None, CONFIG).parent
    # Before gigabytes of another kind of model are downloaded.
    read_config(folder, HUB_PREFIX + name)
    # The cache names a snapshot's folder by its commit: two files of one commit, whatever is pushed meanwhile.
    _fetched(repository, folder.name, WEIGHTS)
    return folder


def _fetched(repository: str, revision: str | None, file: str) -> Path:
    try:
        return Path(hf_hub_download(repository, file, revision=revision))
    except Exception as error:  # every network and cache library has errors of its own
        raise InputError(_why_not(error, repository, revision, file)) from error


def _why_not(error: Exception, repository: str, revision: str | None, file: str) -> str:
    if isinstance(error, RevisionNotFoundError):
        return f"The repository '{repository}' has no revision '{revision}': give a branch, a tag or a commit."
    if isinstance(error, RemoteEntryNotFoundError):
        return (
            f"The repository '{repository}' has no {file}, so it is no DIML checkpoint: give one that "
            "push_to_hub made."
        )
    # The client reports most answers as a file that its cache lacks; the cause has the answer.
    status = _status(error) or _status(error.__cause__)
    if isinstance(error, RepositoryNotFoundError) or status in (401, 403):
        return (
            f"There is no repository '{repository}' on the Hugging Face hub that is open to you: check the "
            "name, and for a private or gated one log in with 'hf auth login'."
        )
    if isinstance(error, LocalEntryNotFoundError):
        return (
            f"The Hugging Face hub cannot be reached, and its cache has no {file} of '{repository}': check the "
            "connection, and that HF_HUB_OFFLINE is not set."
        )
    return (
        f"The {file} of '{repository}' could not be downloaded ({_first_line(error)}): check the connection "
        "to the Hugging Face hub and the room on the disk."
    )


def push(
    config: ModelConfig,
    state: dict[str, Tensor],
    repository: str,
    *,
    private: bool,
    token: str | None,
    commit_message: str,
) -> str:
    """Upload a checkpoint; see :meth:`diml_core.network.model.DimlModel.push_to_hub`."""
    api = HfApi(token=token)
    with writing(repository, "model"), tempfile.TemporaryDirectory() as folder:
        write_checkpoint(config, state, Path(folder))
        url = api.create_repo(repository, private=private, exist_ok=True)
        if private and not api.model_info(repository).private:
            raise InputError(
                f"The repository '{repository}' is there already and public: make it private on the "
                "hub, or push to another."
            )
        added = [CommitOperationAdd(file, Path(folder) / file) for file in (CONFIG, WEIGHTS)]
        if not api.file_exists(repository, _CARD):  # else its owner's words would be lost
            added.append(CommitOperationAdd(_CARD, _card(config, repository).encode()))
        # One commit, so that no revision has the config of one model and the weights of another.
        api.create_commit(repository, added, commit_message=commit_message)
    return str(url)


@contextmanager
def writing(repository: str, what: str) -> Iterator[None]:
    """Turn whatever the hub's client raises while it writes to a repository into one sentence.

    Args:
        repository: ``USER/REPO``.
        what: is written, in the sentence.

    Raises:
        InputError: on entering, a bad name; from inside, the sentence.
    """
    if not _names_repository(repository):
        raise InputError(
            f"'{repository[:100]}' cannot name a repository of the Hugging Face hub: write USER/REPO."
        )
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # every network library has errors of its own
        status = _status(error)
        if status in (401, 403, 404):
            raise InputError(
                f"The Hugging Face hub does not let you write to '{repository}': check the name, and log in with "
                "'hf auth login' or give a token that may write there."
            ) from error
        if status is not None:
            raise InputError(
                f"The Hugging Face hub does not take the {what} '{repository}': {_words(error)}"
            ) from error
        raise InputError(
            f"The {what} could not be pushed to '{repository}' ({_first_line(error)}): check the connection "
            "to the Hugging Face hub, and that HF_HUB_OFFLINE is not set."
        ) from error


def _card(config: ModelConfig, repository: str) -> str:
    return _CARD_TEXT.format(
        title=config.title or config.name,
        architecture=config.architecture,
        prefix=HUB_PREFIX,
        repository=repository,
    )


def _names_repository(text: str) -> bool:
    try:
        validate_repo_id(text)
    except HFValidationError:
        return False
    return "/" in text  # the hub's own rule admits a bare REPO


def _status(error: BaseException | None) -> int | None:
    return error.response.status_code if isinstance(error, HfHubHTTPError) else None


def _words(error: Exception) -> str:
    """What the hub itself says about a request that it refused."""
    said = getattr(error, "server_message", None) or _first_line(error)
    return " ".join(said.split())[:200]


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
