"""Procedures as cron runs them: its bare environment, its mail, two servers behind real sshds."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.agent.lab import agent_process
from tests.integration.procedures.lab import IDLE, PATIENCE, Cli, stage, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.rig.server import Server

pytestmark = pytest.mark.rig

SERVERS = ("web-1", "web-2")


class Cron(Cli):
    """Two servers by SSH, and lines of a crontab."""

    def __init__(self, folder: Path, servers: tuple[Server, Server]) -> None:
        super().__init__(folder, servers[0])
        self.servers = servers
        self.ssh_config = folder / "ssh_config"
        self.ssh_config.write_text("\n".join(Path(server.ssh_config).read_text() for server in servers))
        self.argv = [*self.argv, "--ssh-config", str(self.ssh_config)]
        del self.environment["DOCKER_HOST"]

    def line(self, command: str) -> tuple[int, str]:
        """What cron does with a line: its status, and the mail that would be sent (all that was written)."""
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        bare = ["env", "-i", f"HOME={self.folder}", "LOGNAME=root", "SHELL=/bin/sh", f"PATH={path}",
                f"KOMODO_TUI_HOME={self.folder}/home"]  # fmt: skip
        done = subprocess.run(
            [*bare, "/bin/sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout

    def run_line(self, name: str, more: str = "") -> tuple[int, str]:
        """The line of a procedure."""
        return self.line(f"komodo-tui --ssh-config {self.ssh_config} --run-procedure {name} --quiet {more}")


@pytest.fixture
def cron(tmp_path: Path, server: Server, second_server: Server) -> Iterator[Cron]:
    """Both servers have an agent, and the procedures that everybody has."""
    cron = Cron(tmp_path, (server, second_server))
    with (
        agent_process(tmp_path / "a", server.docker_host) as first,
        agent_process(tmp_path / "b", second_server.docker_host) as second,
    ):
        servers = [
            {"name": name, "address": at.name, "agent_socket": str(agent.socket), "tags": ["web"]}
            for name, at, agent in zip(SERVERS, (server, second_server), (first, second), strict=True)
        ]
        procedures = [
            {"name": "restart-apache", "stages": [
                stage({"restart_containers": {"match": "apache*", "servers": "tag:web", "grace": "0s"}})]},
            {"name": "clear-logs", "stages": [
                stage({"clear_logs": {"match": "apache*", "servers": "tag:web", "larger_than": "10K"}})]},
            {"name": "migrate", "parameters": {"how": "true"}, "stages": [
                stage({"exec": {"container": "db", "servers": "web-1", "name": "migrations",
                                "command": ["sh", "-c", "echo applied 3; test {how} = true"]}}),
                stage({"exec": {"container": "db", "servers": "web-1", "command": ["touch", "/deployed"]}})]},
            {"name": "rolling", "stages": [
                stage({"exec": {"match": "apache*", "servers": "web-*", "command": "touch /rolled", "batch": 1,
                                "pause": "3s", "stop_after": 2}}),
                stage({"exec": {"match": "db", "servers": "web-1", "command": "touch /after"}}, on="always")]},
        ]  # fmt: skip
        path = tmp_path / "fleet.yaml"
        path.write_text(json.dumps({"servers": servers, "procedures": procedures}))
        assert cron("apply", "-f", str(path), "--yes").returncode == 0
        yield cron


def containers(cron: Cron) -> None:
    """Apache on both, a database on the first."""
    for server in cron.servers:
        server.docker("run", "-d", "--name", "apache-1", "busybox", "sh", "-c", "yes | head -c 100000; sleep 100000")
    cron.servers[0].docker("run", "-d", "--name", "db", *IDLE)


def test_everyday_jobs_over_two_servers_mail_only_what_failed(cron: Cron) -> None:
    containers(cron)
    began = [server.docker("inspect", "-f", "{{.State.StartedAt}}", "apache-1") for server in cron.servers]
    for server in cron.servers:
        until(lambda server=server: len(server.docker("logs", "apache-1")) > 90_000)  # type: ignore[misc]
    assert cron.run_line("clear-logs") == (0, "")
    assert [len(server.docker("logs", "apache-1")) for server in cron.servers] == [0, 0]
    assert cron.run_line("restart-apache") == (0, "")
    now = [server.docker("inspect", "-f", "{{.State.StartedAt}}", "apache-1") for server in cron.servers]
    assert all(was != is_now for was, is_now in zip(began, now, strict=True))
    assert cron.run_line("migrate") == (0, "")
    cron.servers[0].docker("exec", "db", "rm", "/deployed")
    code, mail = cron.run_line("migrate", "--param how=false")
    assert code == 1
    assert "migrations" in mail
    assert "| applied 3" in mail
    assert "deployed" not in cron.servers[0].docker("exec", "db", "ls", "/")
    assert [run["outcome"] for run in cron.entries("procedure", "runs")] == ["failed", *["success"] * 3]


def test_two_lines_of_the_same_second_are_one_run(cron: Cron) -> None:
    containers(cron)
    found: list[tuple[int, str]] = []
    threads = [threading.Thread(target=lambda: found.append(cron.run_line("restart-apache"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    codes = sorted(code for code, _ in found)
    assert codes in ([0, 4], [0, 0])  # the second may come when the first is over
    if codes == [0, 4]:
        assert "under way already" in next(mail for code, mail in found if code == 4)
    assert all(run["outcome"] == "success" for run in cron.entries("procedure", "runs"))


def test_a_server_that_goes_in_the_middle_of_a_rolling_run_is_told_and_the_rest_goes_on(cron: Cron) -> None:
    containers(cron)
    first, second = cron.servers
    running = cron.start("--run-procedure", "rolling", "--quiet")
    until(lambda: "rolled" in first.docker("exec", "apache-1", "ls", "/"))
    second.signal("sshd", signal.SIGKILL)  # sessions, too
    mail, _ = running.communicate(timeout=PATIENCE)
    assert running.returncode == 5, mail
    assert "apache-1@web-2: failed" in mail
    assert "1 of 2 done" in mail
    assert "after" in first.docker("exec", "db", "ls", "/")
    second.start_sshd()
    first.docker("exec", "apache-1", "rm", "/rolled")
    done = cron("--again", cron.entries("procedure", "runs")[0]["run"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rolled" in second.docker("exec", "apache-1", "ls", "/")
    assert "rolled" not in first.docker("exec", "apache-1", "ls", "/")
