"""One stack on two servers over SSH: one after the other, none after one that did not end well."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.agent.lab import agent_process
from tests.integration.compose.lab import WEB

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rig.server import Server

pytestmark = pytest.mark.rig

COMMAND = WEB.replace('[httpd, -f, -p, "80"]', '["sh", "-c", "${RUN}"]')


def test_rolling(server: Server, second_server: Server, tmp_path: Path, compose_folder: Path) -> None:
    config = tmp_path / "ssh_config"
    config.write_text("".join(f"Include {s.ssh_config}\n" for s in (server, second_server)))
    environment = {"DOCKER_CONFIG": str(compose_folder)}

    def komodo(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "komodo_tui", "--home", str(tmp_path / "home"), "--ssh-config", str(config), *words],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, check=False,
            env={key: value for key, value in os.environ.items() if key != "SSH_AUTH_SOCK"},
        )  # fmt: skip

    def define(run_first: str, run_second: str) -> None:
        document = {
            "servers": [
                {"name": name, "address": s.name, "agent_socket": str(tmp_path / name / "agent.sock")}
                for name, s in (("first", server), ("second", second_server))
            ],
            "stacks": [
                {
                    "name": "shop", "servers": ["first", "second"], "environment": {"PORT": "8080"}, "compose": COMMAND,
                    "per_server": {"first": {"RUN": run_first}, "second": {"RUN": run_second}},
                    "health": {"window": 15, "steady": 0.3},
                }
            ],
        }  # fmt: skip
        (tmp_path / "fleet.yaml").write_text(json.dumps(document))
        done = komodo("apply", "-f", str(tmp_path / "fleet.yaml"), "--yes")
        assert done.returncode == 0, done.stderr

    def running(s: Server) -> str:
        return s.docker("ps", "-a", "--format", "{{.Names}} {{.State}}").strip()

    serve = "exec httpd -f -p 80"
    with (
        agent_process(tmp_path / "first", server.docker_host, environment=environment),
        agent_process(tmp_path / "second", second_server.docker_host, environment=environment),
    ):
        define(serve, serve)
        done = komodo("deploy", "shop", "--yes")
        assert done.returncode == 0, done.stderr
        assert "first | docker compose 2." in done.stderr  # each line says whose it is
        assert (running(server), running(second_server)) == ("shop-web-1 running", "shop-web-1 running")

        define("exit 4", f"sleep 1; {serve}")
        done = komodo("deploy", "shop", "--yes", "--json")
        assert done.returncode == 1, done.stderr
        steps = json.loads(done.stdout)["steps"]
        assert [(step["target"]["server"], step["end"]) for step in steps] == [
            ("first", "rolled_back"), ("second", "cancelled"),
        ]  # fmt: skip
        assert "not begun, since shop@first did not end well" in steps[1]["error"]
        assert (running(server), running(second_server)) == ("shop-web-1 running", "shop-web-1 running")

        second_server.stop_sshd()
        away = komodo("deploy", "shop", "--yes", "--timeout", "2")
        assert away.returncode == 3, away.stderr
        assert "nothing was changed" in away.stderr
