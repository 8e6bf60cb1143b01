"""The container, as far as no docker is needed: what it copies, how it starts, and how it tells that it is well."""

import fnmatch
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import gradio as gr

from app import door
from scripts.publish_space import CONTENTS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HOSTING = (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS = re.findall(r"^([A-Z]+) ((?:.*\\\n)*.*)$", DOCKERFILE, re.M)


def all_of(name):
    return [rest.replace("\\\n", " ") for word, rest in INSTRUCTIONS if word == name]


def copied():
    for rest in all_of("COPY"):
        *sources, _ = rest.split()
        yield from sources


def environment():
    return dict(pair.split("=", 1) for rest in all_of("ENV") for pair in rest.split())


def health(port):
    """The health check's exit code, run as the container runs it."""
    command = json.loads(re.search(r"CMD (\[.*\])", all_of("HEALTHCHECK")[0])[1])
    assert command[0] == "python"
    given = os.environ | environment() | {"GRADIO_SERVER_PORT": str(port)}
    return subprocess.run([sys.executable, *command[1:]], env=given, capture_output=True).returncode


def test_it_holds_what_a_space_holds():
    assert sorted(copied()) == sorted([*CONTENTS, "requirements.txt"])
    assert all((ROOT / source).exists() for source in copied())


def test_docker_is_sent_what_is_copied_and_nothing_else():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert sorted(rule[1:] for rule in rules if rule.startswith("!")) == sorted(copied())
    again = [rule for rule in rules[1:] if not rule.startswith("!")]
    ours = [path for folder in ("app", "diml_core") for path in (ROOT / folder).rglob("*.py")]
    assert not [p for p in ours for rule in again if fnmatch.fnmatch(p.name, rule.split("/")[-1])]


def test_it_starts_as_the_readme_does_and_not_as_root():
    command = " ".join(json.loads(all_of("CMD")[-1]))
    assert f"pip install -r requirements.txt && {command}\n" in README
    assert all_of("USER") == ["1000"]
    assert [word for word, _ in INSTRUCTIONS].index("USER") > max(
        number for number, (word, _) in enumerate(INSTRUCTIONS) if word == "RUN"
    )


def test_it_listens_where_it_is_published():
    assert environment()["GRADIO_SERVER_NAME"] == "0.0.0.0"
    assert environment()["GRADIO_SERVER_PORT"] == all_of("EXPOSE")[0]


def test_the_documentation_and_ci_build_it_alike():
    command = re.search(r"^(docker build .*?) && docker run", HOSTING, re.M)[1]
    assert f"  {command}\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert f"#     {command}\n" in DOCKERFILE


def test_a_running_app_is_well_and_a_missing_one_is_not(server):
    assert health(urlsplit(server).port) == 0
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        assert health(probe.getsockname()[1]) != 0


def test_it_is_well_below_a_path_of_a_proxy():
    with gr.Blocks() as page:
        pass
    page.launch(
        root_path="/diml",
        server_name="127.0.0.1",
        prevent_thread_lock=True,
        quiet=True,
        app_kwargs=door.app_kwargs(),
    )
    try:
        assert health(page.server_port) == 0
    finally:
        page.close(verbose=False)
