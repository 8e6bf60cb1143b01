"""A stand-in of the Hugging Face Hub on this machine: what its client asks for when it downloads, creates and commits.

A Space is a repository whose name begins with ``spaces/``.

Written after the client (huggingface_hub 1.16 and 2.4) and the hub's answers to it: statuses, error codes and headers.
Large files go through Git LFS, so the client must run with HF_HUB_DISABLE_XET.
"""

import base64
import hashlib
import json
import os
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

OWNER, TOKEN = "alice", "hf_of_alice"
BINARIES = (".safetensors", ".jpg")  # which go through LFS
PAID = "This hardware is part of a paid plan."


def use_only(environment):
    """Make these the only settings of the client in this process, which must not have imported it yet."""
    for name in [name for name in os.environ if name.startswith(("HF_", "HUGGING"))]:
        del os.environ[name]
    os.environ.update(environment, NO_PROXY="127.0.0.1")


class Hub:
    """Attributes: repositories by name, every request as (method, path), and what accounts may not have."""

    def __init__(self):
        self.repositories, self.large, self.requests = {}, {}, []
        self.endpoint, self.paid = "", ()

    def on_resolve(self, name, file):
        """After a file was asked for; for tests to replace."""

    def add(self, name, files=None, *, private=False, refusal=None):
        self.repositories[name] = {"private": private, "refusal": refusal, "commits": []}
        self.commit(name, files or {}, "initial commit")

    def commit(self, name, files, title, deleted=()):
        commits = self.repositories[name]["commits"]
        tree = {**(commits[-1]["files"] if commits else {}), **files}
        tree = {path: content for path, content in tree.items() if path not in deleted}
        sha = hashlib.sha1(repr((name, len(commits), sorted(tree.items()))).encode()).hexdigest()
        commits.append({"sha": sha, "files": tree, "title": title})
        return sha

    def files(self, name):
        return self.repositories[name]["commits"][-1]["files"]


def named(kind, name):
    """What a repository is called here."""
    return name if kind == "models" else f"{kind}/{name}"


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.hub.requests.append((self.command, self.path))
        if match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self.path):
            self.resolve(*match.groups())
        elif match := re.fullmatch(r"/api/(models|spaces)/([^/]+/[^/]+)", self.path):
            self.info(named(*match.groups()))
        elif match := re.fullmatch(
            r"/api/(models|spaces)/(.+)/tree/main", urlsplit(self.path).path
        ):
            self.tree(named(*match.groups()))
        else:
            self.answer(404)

    do_GET = do_HEAD

    def do_POST(self):
        self.hub.requests.append((self.command, self.path))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/api/validate-yaml":
            self.answer(200, {})
        elif not self.token:
            self.answer(401, {"error": "Invalid username or password."})
        elif self.path == "/api/repos/create":
            self.create(json.loads(body))
        elif match := re.fullmatch(r"/api/spaces/(.+)/hardware", self.path):
            self.hardware(named("spaces", *match.groups()), json.loads(body))
        elif match := re.fullmatch(r"/api/(models|spaces)/(.+)/preupload/main", self.path):
            self.preupload(named(*match.groups()), json.loads(body))
        elif re.fullmatch(r"/.+\.git/info/lfs/objects/batch", self.path):
            self.batch(json.loads(body))
        elif match := re.fullmatch(r"/api/(models|spaces)/(.+)/commit/main", self.path):
            lines = [json.loads(line) for line in body.splitlines()]
            self.commit(named(*match.groups()), lines)
        else:
            self.answer(404)

    def do_PUT(self):
        self.hub.requests.append((self.command, self.path))
        content = self.rfile.read(int(self.headers["Content-Length"]))
        assert hashlib.sha256(content).hexdigest() == self.path.removeprefix("/large/")
        self.hub.large[self.path.removeprefix("/large/")] = content
        self.answer(200)

    @property
    def token(self):
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def seen(self, name):
        """The repository, if it is there and open to who asks; else it is answered."""
        repository = self.hub.repositories.get(name)
        if repository is None or (repository["private"] and self.token != TOKEN):
            self.answer(404 if self.token else 401, code="RepoNotFound")
        elif repository["refusal"]:
            status, code = repository["refusal"]
            self.answer(status, code=code)
        else:
            return repository
        return None

    def resolve(self, name, revision, file):
        if not (repository := self.seen(name)):
            return
        commits = {commit["sha"]: commit for commit in repository["commits"]}
        commits["main"] = repository["commits"][-1]
        if revision not in commits:
            self.answer(404, code="RevisionNotFound")
            return
        commit = commits[revision]
        headers = {"X-Repo-Commit": commit["sha"]}
        if file not in commit["files"]:
            self.answer(404, code="EntryNotFound", headers=headers)
            return
        content = commit["files"][file]
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        self.answer(200, content, headers=headers | {"ETag": etag})
        self.hub.on_resolve(name, file)

    def info(self, name):
        if repository := self.seen(name):
            sha = repository["commits"][-1]["sha"]
            self.answer(200, {"id": name, "sha": sha, "private": repository["private"]})

    def create(self, asked):
        name = named(asked.get("type", "model") + "s", f"{asked['organization']}/{asked['name']}")
        url = {"url": f"{self.hub.endpoint}/{name}"}
        if asked["organization"] != OWNER or self.token != TOKEN:
            self.answer(403, {"error": "You don't have the rights to create a model here"})
        elif name in self.hub.repositories:
            self.answer(409, {"error": "You already created this model repo"} | url)
        elif asked.get("hardware") in self.hub.paid:
            self.answer(402, {"error": PAID})
        else:
            private = asked.get("visibility") == "private" or asked.get("private", False)
            self.hub.add(name, {".gitattributes": b""}, private=private)
            told = {key: asked[key] for key in ("sdk", "hardware") if key in asked}
            self.hub.repositories[name].update(told)
            self.answer(200, url)

    def hardware(self, name, asked):
        if repository := self.seen(name):
            if asked["flavor"] in self.hub.paid:
                self.answer(402, {"error": PAID})
                return
            repository["hardware"] = asked["flavor"]
            runtime = {
                "stage": "BUILDING",
                "hardware": {"current": None, "requested": asked["flavor"]},
            }
            self.answer(200, runtime | {"storage": None, "gcTimeout": None})

    def tree(self, name):
        if repository := self.seen(name):
            files = repository["commits"][-1]["files"].items()
            self.answer(
                200,
                [{"type": "file", "path": p, "size": len(c), "oid": "0" * 40} for p, c in files],
            )

    def preupload(self, name, asked):
        if self.seen(name):
            modes = [
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if file["path"].endswith(BINARIES) else "regular",
                    "shouldIgnore": False,
                }
                for file in asked["files"]
            ]
            self.answer(200, {"files": modes})

    def batch(self, asked):
        objects = [
            each | {"actions": {"upload": {"href": f"{self.hub.endpoint}/large/{each['oid']}"}}}
            for each in asked["objects"]
        ]
        self.answer(200, {"transfer": "basic", "objects": objects})

    def commit(self, name, lines):
        files, title, deleted = {}, "", set()
        for line in lines:
            value = line["value"]
            if line["key"] == "header":
                title = value["summary"]
            elif line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.large[value["oid"]]
            elif line["key"] == "deletedFile":
                deleted.add(value["path"])
        sha = self.hub.commit(name, files, title, deleted)
        url = f"{self.hub.endpoint}/{name}/commit/{sha}"
        self.answer(200, {"success": True, "commitOid": sha, "commitUrl": url})

    def answer(self, status, content=b"", *, code=None, headers=None):
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(raw)


@contextmanager
def serving():
    """A :class:`Hub` that answers at its ``endpoint``."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
