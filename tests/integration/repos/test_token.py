"""A token over HTTP, against git's own server program: it opens the repository, and is found nowhere afterwards."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from komodo_agent.repos import clones
from tests.unit.repos.lab import ENVIRONMENT, Author, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "correct-horse-battery-staple"


class GitServer(ThreadingHTTPServer):
    """Serves a folder by ``git http-backend`` to who has the token."""

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.root = root
        self.redirect = ""
        """Where everything is sent to, instead."""
        self.logins: list[str] = []
        self.asked = threading.Event()
        """Somebody waits for the commits."""
        self.go_on = threading.Event()
        self.go_on.set()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: GitServer

    def do_GET(self) -> None:
        given = self.headers.get("Authorization", "")
        if given:
            self.server.logins.append(base64.b64decode(given.removeprefix("Basic ")).decode())
        if self.server.redirect:
            self.send_response(302)
            self.send_header("Location", f"{self.server.redirect}{self.path}")
            self.end_headers()
        elif not given.startswith("Basic ") or not self.server.logins[-1].endswith(f":{TOKEN}"):
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
        else:
            self._backend()

    do_POST = do_GET

    def _backend(self) -> None:
        url = urlsplit(self.path)
        if self.command == "POST":
            self.server.asked.set()
            self.server.go_on.wait(30)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        environment = {
            **ENVIRONMENT, "GIT_PROJECT_ROOT": str(self.server.root), "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command, "PATH_INFO": url.path, "QUERY_STRING": url.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""), "REMOTE_USER": "ana",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }  # fmt: skip
        done = subprocess.run(["git", "http-backend"], env=environment, input=body, capture_output=True, check=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        status = next((value.split()[0] for name, value in fields if name == "Status"), "200")
        self.send_response(int(status))
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def author(tmp_path: Path) -> Author:
    """One commit is pushed."""
    return Author(tmp_path)


@pytest.fixture
def web(author: Author) -> Iterator[GitServer]:
    """A running one."""
    with GitServer(author.bare.parent) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


async def test_a_token_opens_a_repository_and_stays_out_of_everything(
    tmp_path: Path, author: Author, web: GitServer
) -> None:
    server = Server(tmp_path, author)
    url = f"http://127.0.0.1:{web.server_port}/shop.git"
    login: dict[str, Any] = {"url": url, "secret": "SHOP", "username": "ana"}
    assert "token was refused" in await server.refusal("clone", **login)
    assert "token was refused" in await server.refusal("clone", **login, token="wrong")
    result = await server.do("clone", **login, token=TOKEN)
    assert result["commit"] == author.head
    assert web.logins[-1] == f"ana:{TOKEN}"
    second = author.push("second", note="new\n")
    assert (await server.do("pull", **login, token=TOKEN))["commit"] == second
    kept = b"".join(path.read_bytes() for path in server.root.rglob("*") if path.is_file())
    told = "\n".join([*server.context.lines, *server.context.commands, *server.context.results.values()])
    assert TOKEN.encode() not in kept
    assert TOKEN not in told


async def test_a_token_is_not_given_to_whom_its_server_points_at(
    tmp_path: Path, author: Author, web: GitServer
) -> None:
    server = Server(tmp_path, author)
    with GitServer(author.bare.parent) as first:
        first.redirect = f"http://127.0.0.1:{web.server_port}"
        thread = threading.Thread(target=first.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            url = f"http://127.0.0.1:{first.server_port}/shop.git"
            assert "token was refused" in await server.refusal("clone", url=url, secret="SHOP", token=TOKEN)
        finally:
            first.shutdown()
            thread.join()
    assert not any(TOKEN in login for login in web.logins)


async def test_a_clone_shows_how_far_it_is_and_leaves_nothing_when_it_is_cancelled(
    tmp_path: Path, author: Author, web: GitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clones, "_PATIENCE", 0.1)
    server = Server(tmp_path, author)
    login: dict[str, Any] = {"url": f"http://127.0.0.1:{web.server_port}/shop.git", "secret": "SHOP", "token": TOKEN}
    web.go_on.clear()
    work = asyncio.create_task(server.do("clone", **login))
    await asyncio.to_thread(web.asked.wait, 20)
    assert "another act" in await server.refusal("pull", **login)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert not (server.root / "shop").exists()
    web.go_on.set()
    assert (await server.do("clone", **login))["commit"] == author.head
    assert ("counting objects", 1.0) in server.context.steps
