"""From a pushed commit to a container on another server, and into a registry, by the program that cron would run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.agent.lab import agent_process
from tests.integration.compose.conftest import compose_folder
from tests.integration.ship.lab import image_id
from tests.rig.registry import registry
from tests.unit.repos.lab import Author

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.agent.lab import AgentProcess
    from tests.rig.server import Server

__all__ = ["compose_folder"]

pytestmark = pytest.mark.rig
PASSWORD = "correct-horse-battery"
DOCKERFILE = 'FROM busybox\nCOPY page /www/index.html\nCMD ["httpd", "-f", "-h", "/www"]\n'
STACK = "services: {web: {image: 'shop/api:0.1.%s', pull_policy: never, init: true}}\n"


class Shop:
    """Two servers, a repo on the first one's sshd, and the program with a home of its own."""

    def __init__(self, folder: Path, author: Author, alpha: Server, beta: Server) -> None:
        self.folder, self.author, self.alpha, self.beta = folder, author, alpha, beta
        self.ssh_config = folder / "ssh_config"
        self.ssh_config.write_text("".join(Path(one.ssh_config).read_text() for one in (alpha, beta)))
        self._environment = {**os.environ, "KOMODO_TUI_HOME": str(folder / "home"), "HOME": str(folder)}

    def define(self, version: int, **build: Any) -> None:
        """What a person writes down once; the stack follows the version."""
        agents = {"alpha": self.alpha, "beta": self.beta}
        repo = {
            "name": "shop", "url": f"ssh://root@{self.alpha.address}{self.author.bare}", "servers": ["alpha"],
            "ssh_key": self.alpha.key, "host_keys": Path(self.alpha.known_hosts).read_text().splitlines(),
        }  # fmt: skip
        stack = {
            "name": "shop", "servers": ["beta"], "compose": STACK % version, "health": {"window": 15, "steady": 0.3},
        }  # fmt: skip
        document = {
            "servers": [
                {"name": name, "address": one.name, "agent_socket": str(self.folder / name / "agent.sock")}
                for name, one in agents.items()
            ],
            "repos": [repo],
            "builds": [{"name": "api", "repo": "shop", "server": "alpha", "image": "shop/api", **build}],
            "stacks": [stack],
        }  # fmt: skip
        (self.folder / "fleet.yaml").write_text(json.dumps(document))
        self("apply", "-f", str(self.folder / "fleet.yaml"), "--yes")

    def __call__(self, *words: str, code: int = 0, given: str = "") -> str:
        """Run the program; its exit code must be this one."""
        done = subprocess.run(
            [sys.executable, "-m", "komodo_tui", "--ssh-config", str(self.ssh_config), *words], input=given,
            env=self._environment, capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr + done.stdout
        return done.stdout + done.stderr

    def json(self, *words: str) -> Any:
        """What it prints with ``--json``."""
        text = self(*words, "--json")
        return json.JSONDecoder().raw_decode(text)[0]

    def page(self) -> str:
        """What the container on beta serves."""
        return self.beta.docker("exec", "shop-web-1", "busybox", "wget", "-q", "-O", "-", "http://127.0.0.1/")


@pytest.fixture
def shop(server: Server, second_server: Server, tmp_path: Path, compose_folder: Path) -> Iterator[Shop]:
    """One commit is pushed, over alpha's sshd."""
    author = Author(tmp_path)
    command = f"ssh -F {server.ssh_config}"
    git_url = f"ssh://{server.name}{author.bare}"
    subprocess.run(["git", "-C", str(author.work), "remote", "set-url", "origin", git_url], check=True)
    subprocess.run(["git", "-C", str(author.work), "config", "core.sshCommand", command], check=True)
    environment = {"DOCKER_CONFIG": str(compose_folder), "KOMODO_AGENT_REPO_ROOTS": str(tmp_path)}

    def agent(name: str, one: Server) -> Any:
        return agent_process(tmp_path / name, one.docker_host, environment=environment)

    for one in (server, second_server):
        for image in one.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split():
            if "shop/" in image:
                one.docker("image", "rm", "-f", image)
    first: AgentProcess
    with agent("alpha", server) as first, agent("beta", second_server):
        assert first
        yield Shop(tmp_path, author, server, second_server)


def test_push_build_ship_run_push(shop: Shop, tmp_path: Path) -> None:
    commit = shop.author.push("a page", Dockerfile=DOCKERFILE, page="first\n")
    shop.define(0)
    built = shop.json("build", "api", "--yes")["record"]
    assert (built["outcome"], built["steps"][0]["result"]["commit"]) == ("success", commit)

    shop("images", "ship", "shop/api:0.1.0", "beta", "--yes", "--dry-run")
    assert image_id(shop.beta, "shop/api:0.1.0") == ""
    shipped = shop.json("images", "ship", "shop/api:0.1.0", "beta", "--yes")
    assert shipped["outcome"] == "success"
    assert image_id(shop.beta, "shop/api:0.1.0") == image_id(shop.alpha, "shop/api:0.1.0")
    shop("deploy", "shop", "--yes")
    assert shop.page() == "first\n"

    second = shop.author.push("another page", page="second\n")
    assert shop.json("build", "api", "--yes")["record"]["outcome"] == "success"
    (failed, live) = [(one["state"], one["version"]) for one in shop.json("delivery", "api")]
    assert (failed, live) == (("nowhere", "0.1.1"), ("older", "0.1.0"))
    again = shop.json("images", "ship", "shop/api:0.1.1", "beta", "--yes")
    assert int(again["steps"][0]["result"]["sent"]) < 20_000
    shop.define(1)
    shop("deploy", "shop", "--yes")
    assert shop.page() == "second\n"
    (row,) = [one for one in shop.json("delivery", "api") if one["newest"]]
    assert (row["commit"], row["state"], row["on"]) == (second, "live", ["alpha", "beta"])
    assert [(place["server"], place["stack"]) for place in row["places"]] == [("beta", "shop")]

    with registry(shop.alpha, tmp_path, 5011, f"ana:{PASSWORD}") as address:
        push = ("images", "push", "shop/api:0.1.1", "--to", address, "--from", "alpha", "--yes")
        assert "no basic auth credentials" in shop(*push, code=1)
        shop("registry", "login", address, "--username", "ana", "--yes", given=PASSWORD)
        shop(*push)
        name = f"{address}/shop/api:0.1.1"
        wanted = image_id(shop.alpha, "shop/api:0.1.1")
        shop.alpha.docker("image", "rm", name, "shop/api:0.1.1")
        assert image_id(shop.alpha, name) == ""
        shop.json("images", "ship", wanted, "alpha", "--from", "beta", "--yes")
        assert image_id(shop.alpha, "shop/api:0.1.1") == wanted
    assert not (tmp_path / ".docker" / "config.json").exists()


def test_one_build_brings_it_everywhere(shop: Shop, tmp_path: Path) -> None:
    shop.author.push("a page", Dockerfile=DOCKERFILE, page="first\n")
    with registry(shop.alpha, tmp_path, 5012, f"ana:{PASSWORD}") as address:
        shop("registry", "login", address, "--username", "ana", "--yes", given=PASSWORD)
        shop.define(0, ship=["beta"], registries=[{"domain": address}], redeploy_on_build=["shop"])
        done = shop.json("build", "api", "--yes")
        assert done["record"]["outcome"] == "success"
        assert [one["error"] for one in done["follow_up"]] == [""] * len(done["follow_up"]), done["follow_up"]
        assert [one["record"]["outcome"] for one in done["follow_up"]] == ["success"] * 3
        assert image_id(shop.beta, "shop/api:latest") == image_id(shop.alpha, "shop/api:0.1.0")
        assert shop.page() == "first\n"
        pushed = shop.alpha.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
        assert f"{address}/shop/api:0.1.0" in pushed
    (row,) = shop.json("delivery", "api")
    assert (row["state"], row["on"]) == ("live", ["alpha", "beta"])
