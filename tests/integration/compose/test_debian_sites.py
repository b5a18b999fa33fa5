"""Apache, and WordPress with MariaDB and phpMyAdmin, on two servers over SSH: they answer, also after mishaps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.agent.lab import agent_process
from tests.integration.compose import site
from tests.rig import debian
from tests.rig.fixtures import absent

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rig.server import Server

pytestmark = pytest.mark.rig

TITLE = "Rig and roll"
SECRET = "long-secret-of-the-database"


class Fleet:
    """The verbs of the program, on two servers."""

    def __init__(self, folder: Path, servers: dict[str, Server]) -> None:
        self.servers = servers
        self._folder = folder
        (folder / "ssh_config").write_text("".join(f"Include {s.ssh_config}\n" for s in servers.values()))

    def komodo(self, *words: str, code: int = 0, given: str = "") -> str:
        """Run one; returns its output."""
        done = subprocess.run(
            [sys.executable, "-m", "komodo_tui", "--home", str(self._folder / "home"),
             "--ssh-config", str(self._folder / "ssh_config"), *words],
            capture_output=True, text=True, input=given, timeout=240, check=False,
            env={key: value for key, value in os.environ.items() if key != "SSH_AUTH_SOCK"},
        )  # fmt: skip
        assert done.returncode == code, (words, done.stdout, done.stderr)
        assert SECRET not in done.stdout + done.stderr
        return done.stdout

    def define(self, **changes: Any) -> None:
        """Both servers and both stacks."""
        document = {
            "servers": [
                {"name": name, "address": s.name, "agent_socket": str(self._folder / name / "agent.sock")}
                for name, s in self.servers.items()
            ],
            "stacks": site.stacks(list(self.servers), **changes),
        }
        file = self._folder / "fleet.yaml"
        file.write_text(json.dumps(document))
        self.komodo("apply", "-f", str(file), "--yes")


def page(server: Server, port: int, path: str = "/", **form: str) -> str:
    data = urllib.parse.urlencode(form).encode() if form else None
    with urllib.request.urlopen(f"http://{server.address}:{port}{path}", data=data, timeout=30) as answer:
        return str(answer.read().decode())


def test_from_nothing_to_sites_that_answer_and_back(
    server: Server, second_server: Server, tmp_path: Path, compose_folder: Path
) -> None:
    servers = {"first": server, "second": second_server}
    try:
        for one in servers.values():
            debian.load(one)
    except RuntimeError as error:
        absent(error)
    environment = {"DOCKER_CONFIG": str(compose_folder), "KOMODO_AGENT_STACK_ROOTS": str(tmp_path / "srv")}
    with (
        agent_process(tmp_path / "first", server.docker_host, environment=environment),
        agent_process(tmp_path / "second", second_server.docker_host, environment=environment),
    ):
        _story(Fleet(tmp_path, servers), tmp_path, compose_folder)


def _story(fleet: Fleet, tmp_path: Path, compose_folder: Path) -> None:
    fleet.define()
    fleet.komodo("secret", "set", "DB_PASSWORD", given=f"{SECRET}\n")
    fleet.komodo("deploy", "apache", "--yes")
    fleet.komodo("deploy", "blog", "--yes")
    for one in fleet.servers.values():
        assert "Apache2 Debian Default Page" in page(one, 8080)
        assert "phpMyAdmin" in page(one, 8082)
        page(one, 8081, "/wp-admin/install.php?step=2", weblog_title=TITLE, user_name="ana", blog_public="0",
             admin_password=SECRET, admin_password2=SECRET, admin_email="ana@example.com")  # fmt: skip
        assert f"<title>{TITLE}" in page(one, 8081)
    fleet.komodo("diff", "blog")

    broken = {**site.attached(), "wordpress.conf": "ServerRoot /broken/on/purpose\n"}
    change = site.WORDPRESS.replace("    depends_on: {db: {c", "    labels: {changed: once}\n    depends_on: {db: {c")
    fleet.define(attached=broken, compose=change)
    record = json.loads(fleet.komodo("deploy", "blog", "--yes", "--json", code=1))
    assert [step["end"] for step in record["steps"]] == ["rolled_back", "cancelled"], record
    for one in fleet.servers.values():
        assert f"<title>{TITLE}" in page(one, 8081)

    fleet.define()
    first = fleet.servers["first"]
    first.docker("rm", "-f", "blog-wordpress-1")
    first.docker("stop", "-t", "1", "blog-phpmyadmin-1")
    told = json.loads(fleet.komodo("diff", "blog", "--json", code=1))
    assert [(row["server"], row["drift"]) for row in told] == [
        ("first", {"wordpress": "it is not there"}), ("second", {}),
    ]  # fmt: skip
    fleet.komodo("deploy", "blog", "--server", "first", "--yes")
    assert f"<title>{TITLE}" in page(first, 8081)
    assert "phpMyAdmin" in page(first, 8082)
    fleet.komodo("diff", "blog")

    _adopt(fleet, tmp_path / "srv/by-hand", compose_folder)
    fleet.komodo("destroy", "blog", "--yes")
    assert "blog_db" in first.docker("volume", "ls", "-q")
    for one in fleet.servers.values():
        one.docker("volume", "rm", "blog_db")


def _adopt(fleet: Fleet, folder: Path, compose_folder: Path) -> None:
    """What somebody began by hand on the second server."""
    second = fleet.servers["second"]
    folder.mkdir(parents=True)
    (folder / "compose.yaml").write_text(site.APACHE)
    environment = {**os.environ, "DOCKER_CONFIG": str(compose_folder), "DOCKER_HOST": second.docker_host,
                   "HTTP_PORT": "8090"}  # fmt: skip
    subprocess.run(["docker", "compose", "up", "-d"], cwd=folder, env=environment, check=True, capture_output=True)
    running = second.docker("ps", "-q", "--no-trunc", "--filter", "name=by-hand")
    fleet.komodo("adopt", "by-hand", "--server", "second", "--yes")
    assert second.docker("ps", "-q", "--no-trunc", "--filter", "name=by-hand") == running
    assert "Apache2 Debian Default Page" in page(second, 8090)
    assert "by-hand" in fleet.komodo("stack", "list")
