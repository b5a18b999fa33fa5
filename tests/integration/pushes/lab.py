"""The program as a user has it, with a watch of its own, and services that send webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.rig.processes import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.rig.server import Server
    from tests.unit.repos.lab import Author

SECRET = "a secret of forty random characters, say"
SITE = """\
services:
  web:
    image: busybox
    init: true
    stop_grace_period: 1s
    command: [httpd, -f, -p, "80", -h, /www]
    volumes: ["./www:/www:ro"]
"""


class Watching:
    """A state directory, the server ``web``, the repo ``shop``, and a watch."""

    def __init__(self, folder: Path, web: Server, sshd: Server, author: Author) -> None:
        self.web = web
        self.author = author
        self.home = folder / "home"
        self.port = free_port()
        self._folder = folder
        self._watch: subprocess.Popen[bytes] | None = None
        self._seen = 0
        self.repo: dict[str, Any] = {
            "name": "shop", "url": f"ssh://root@{sshd.address}{author.bare}", "ssh_key": sshd.key,
            "host_keys": Path(sshd.known_hosts).read_text().splitlines(), "servers": ["web"], "webhook": "HOOK",
        }  # fmt: skip
        self.home.mkdir(exist_ok=True, mode=0o700)
        (self.home / "config.yaml").write_text(f'webhooks: {{listen: "127.0.0.1:{self.port}"}}\n')
        self.log = folder / "watch.log"

    def define(
        self, *stacks: Mapping[str, Any], procedures: Sequence[Mapping[str, Any]] = (),
        builds: Sequence[Mapping[str, Any]] = (), deployments: Sequence[Mapping[str, Any]] = (), **repo: Any,
    ) -> None:  # fmt: skip
        """Write the definitions anew."""
        self.repo |= repo
        document = {
            "servers": [{"name": "web", "address": self.web.name,
                         "agent_socket": str(self._folder / "web" / "agent.sock")}],
            "repos": [self.repo], "stacks": list(stacks), "procedures": list(procedures),
            "builds": list(builds), "deployments": list(deployments),
        }  # fmt: skip
        path = self._folder / "fleet.yaml"
        path.write_text(json.dumps(document))
        self("apply", "-f", str(path), "--yes")

    def secret(self) -> None:
        """Keep the webhooks' secret."""
        self("secret", "set", "HOOK", "--yes", given=SECRET)

    def __call__(self, *words: str, code: int = 0, given: str = "") -> str:
        """Run the program; what it prints."""
        done = subprocess.run(
            self._words(*words), env=self._environment, input=given, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr + done.stdout
        return done.stdout

    def start(self) -> None:
        """Start the watch and wait until it looks after everything."""
        self._seen = len(self.said)
        self._watch = self.spawn()
        self.until(lambda: "watching" in self.said[self._seen :])
        if self.repo["webhook"]:
            self.until(lambda: "listening" in self.said[self._seen :])

    def spawn(self) -> subprocess.Popen[bytes]:
        """A watch that the caller looks after."""
        with self.log.open("ab") as out:
            return subprocess.Popen(
                self._words("watch"), env=self._environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it."""
        if self._watch is not None and self._watch.poll() is None:
            self._watch.send_signal(number)
            self._watch.wait(20)

    @property
    def pid(self) -> int:
        """Of the watch."""
        assert self._watch is not None
        return self._watch.pid

    @property
    def said(self) -> str:
        """What the watch said."""
        return self.log.read_text() if self.log.exists() else ""

    def until(self, what: Callable[[], object], patience: float = 30.0) -> None:
        """Wait for it."""
        try:
            wait_for(lambda: bool(what()), patience, what="what was waited for")
        except Exception as error:
            raise AssertionError(self.said) from error

    def until_page(self, text: str) -> None:
        """Wait until the site's container serves this."""
        self.until(lambda: self.serves(text), 60)

    def serves(self, text: str) -> bool:
        """Whether the site's container is there and serves this."""
        try:
            return self.page() == text
        except RuntimeError:
            return False  # it is being made anew

    def until_said(self, text: str, count: int = 1) -> None:
        """Wait until the watch has said this so many times."""
        self.until(lambda: self.said.count(text) >= count, 60)

    def hook(
        self, commit: str, *, secret: str = SECRET, id: str = "", branch: str = "main", files: Sequence[str] = (),
        **more: str,
    ) -> int:  # fmt: skip
        """A push of these files as GitHub tells of it; returns the answer's status."""
        body = json.dumps({
            "ref": f"refs/heads/{branch}", "before": "0" * 40, "after": commit, "pusher": {"name": "ana"},
            "repository": {"default_branch": "main"}, "head_commit": {"id": commit, "message": "a push"},
            "commits": [{"id": commit, "added": [], "removed": [], "modified": list(files)}],
        }).encode()  # fmt: skip
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return self.post(body, {
            "Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": id or str(uuid.uuid4()),
            "X-Hub-Signature-256": f"sha256={signature}", **more,
        })  # fmt: skip

    def post(self, body: bytes, headers: Mapping[str, str], repo: str = "shop") -> int:
        """Any request."""
        url = f"http://127.0.0.1:{self.port}/hooks/{repo}"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, dict(headers)), timeout=20) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def _words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "komodo_tui", "--home", str(self.home), "--ssh-config", self.web.ssh_config,
                *words]  # fmt: skip

    @property
    def _environment(self) -> dict[str, str]:
        return {
            **{key: value for key, value in os.environ.items() if key not in ("SSH_AUTH_SOCK", "DOCKER_HOST")},
            "DOCKER_HOST": f"unix://{self._folder}/no-engine.sock", "HOME": str(self._folder),
        }  # fmt: skip

    def page(self) -> str:
        """What the site's container serves."""
        return self.web.docker("exec", "shop-web-1", "cat", "/www/index.html").strip()


def free_port() -> int:
    """A port of loopback that nobody uses just now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
