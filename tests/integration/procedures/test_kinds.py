"""Kinds of steps on a real engine, a few in each run."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from tests.integration.procedures.lab import IDLE, PATIENCE, stage, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.procedures.lab import Cli
    from tests.rig.server import Server

pytestmark = pytest.mark.rig


@pytest.fixture
def inbox() -> Iterator[tuple[int, list[dict[str, str]]]]:
    """A web server that keeps what alerters post, and its port."""
    got: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1], got
    server.shutdown()
    thread.join()
    server.server_close()


def test_volumes_are_backed_up_kept_and_brought_back(cli: Cli, server: Server, tmp_path: Path) -> None:
    server.docker("volume", "create", "data")
    write = ("run", "--rm", "-v", "data:/d", "busybox", "sh", "-c")
    server.docker(*write, "echo one > /d/file")
    backups = tmp_path / "backups"
    backups.mkdir()
    for time in ("20200101-000000", "20200102-000000"):
        (backups / f"local-data-{time}.tar").touch()
    (backups / "local-data-keep.tar").touch()  # not of ours
    cli.define(
        stage({"backup_volume": {"volume": "da*", "folder": str(backups), "keep": 2}}),
        stage({"run": {"command": ["true"]}}, when='weekday == "never"'),
        allow_dangerous=True,
    )
    dry = cli("--run-procedure", "p", "--dry-run").stdout
    assert "data@local" in dry
    assert '(when weekday == "never": not now, so left out)' in dry
    done = cli("--run-procedure", "p")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "deleted local-data-20200101-000000.tar" in done.stdout
    left = sorted(path.name for path in backups.iterdir())
    assert left[:1] == ["local-data-20200102-000000.tar"]
    assert left[-1] == "local-data-keep.tar"
    assert len(left) == 3
    server.docker(*write, "echo two > /d/file; echo more > /d/other")
    cli.define(stage({"restore_volume": {"volume": "data", "file": str(backups)}}), allow_dangerous=True)
    done = cli("--run-procedure", "p")
    assert done.returncode == 0, done.stdout + done.stderr
    assert server.docker("run", "--rm", "-v", "data:/d", "busybox", "sh", "-c", "cat /d/file; ls /d").split() == [
        "one", "file",
    ]  # fmt: skip


def test_prune_takes_what_is_old_and_unused_and_leaves_what_is_to_be_kept(cli: Cli, server: Server) -> None:
    server.docker("run", "--name", "gone", "busybox", "true")
    server.docker("run", "--name", "kept", "--label", "keep=yes", "busybox", "true")
    server.docker("network", "create", "lonely")
    server.docker("volume", "create", "v1")
    server.docker("volume", "create", "v2")
    cli.define(
        stage({"prune": {"containers": True, "networks": True, "images": "none", "keep_labels": "keep"}}),
        stage({"remove_resources": {"what": "volume", "match": "re:^v[0-9]$"}}),
        allow_dangerous=True,
    )
    dry = cli("--run-procedure", "p", "--dry-run").stdout
    assert "docker rm gone" in dry
    assert "kept" not in dry
    assert "v1@local" in dry
    done = cli("--run-procedure", "p")
    assert done.returncode == 0, done.stdout + done.stderr
    assert server.docker("ps", "-a", "--format", "{{.Names}}").split() == ["kept"]
    assert "lonely" not in server.docker("network", "ls", "--format", "{{.Name}}").split()
    assert {"v1", "v2"}.isdisjoint(server.docker("volume", "ls", "-q").split())
    run = cli.entries("procedure", "runs")[0]["run"]
    acts = cli.entries("actions")
    assert {row["run"] for row in acts if row["act"] in ("prune", "remove")} == {run}


def test_a_person_is_asked_and_alerters_are_told(
    cli: Cli, tmp_path: Path, inbox: tuple[int, list[dict[str, str]]]
) -> None:
    port, got = inbox
    alerters = tmp_path / "alerters.yaml"
    alerters.write_text(json.dumps({"alerters": [{"name": "ops", "url": f"json://127.0.0.1:{port}/"}]}))
    assert cli("apply", "-f", str(alerters), "--yes").returncode == 0
    cli.define(
        stage({"approve": {"message": "deploy {what}?", "timeout": "5m", "save": "why"}}),
        stage({"notify": {"title": "Deploy", "message": "{what}: {why}"}}),
        stage({"notify": {"message": "refused", "level": "failure"}}, on="failure"),
        parameters={"what": "shop"},
    )
    running = cli.start("--run-procedure", "p")
    until(lambda: cli.entries("procedure", "runs"))
    run = cli.entries("procedure", "runs")[0]["run"]
    until(lambda: "waits for approval" in cli("procedure", "log", run).stdout)
    said = cli("procedure", "approve", run[:12], "--note", "looks good")
    assert said.returncode == 0, said.stderr
    assert "deploy shop?" in said.stderr
    output, _ = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0, output
    assert [(one["title"], one["message"]) for one in got] == [("Deploy", "shop: looks good")]
    assert cli("procedure", "approve", run).returncode == 4  # it has ended
    running = cli.start("--run-procedure", "p")
    until(lambda: len(cli.entries("procedure", "runs")) == 2)
    run = cli.entries("procedure", "runs")[0]["run"]
    until(lambda: cli("procedure", "refuse", run).returncode == 0)
    output, _ = running.communicate(timeout=PATIENCE)
    assert running.returncode == 1
    assert "refused by" in output
    assert [one["message"] for one in got] == ["shop: looks good", "refused"]


def test_waits_for_lines_files_and_ports(cli: Cli, server: Server, tmp_path: Path) -> None:
    server.docker("run", "-d", "--name", "slow", "busybox", "sh", "-c", "sleep 1; echo now ready; sleep 1000")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        cli.define(
            stage({"restart_containers": {"match": "slow", "grace": "0s"}}),
            stage(
                {"wait": {"log": "now r.*y$", "containers": "slow", "timeout": "30s"}},
                {"wait": {"file": str(tmp_path / "there"), "servers": "local", "timeout": "30s"}},
                {"wait": {"tcp": f"127.0.0.1:{port}", "timeout": "30s"}},
            ),
            stage({"wait": {"file": "/nowhere", "servers": "local", "timeout": "0.3s"}}),
        )
        running = cli.start("--run-procedure", "p")
        (tmp_path / "there").touch()
        output, _ = running.communicate(timeout=PATIENCE)
    assert running.returncode == 1
    assert "slow@local: now ready" in output
    assert "it did not end within 0.3 s" in output


def test_secrets_reach_commands_and_no_output(cli: Cli, server: Server) -> None:
    server.docker("run", "-d", "--name", "db", *IDLE)
    assert cli("secret", "set", "DB_PASSWORD", "--yes", given="s3cr3t-hush").returncode == 0
    environment = {"PASSWORD": "[[DB_PASSWORD]]", "PLAIN": "{word}"}
    show = 'printf \'%s %s %s\' ${#PASSWORD} "$PASSWORD" "$PLAIN"'
    cli.define(
        stage(
            {"exec": {"container": "db", "command": ["sh", "-c", show], "environment": environment, "save": "one"}},
            {"script": {"script": show, "environment": environment, "save": "two"}},
        ),
        parameters={"word": "[[DB_PASSWORD]]"},
        allow_dangerous=True,
    )
    done = cli("--run-procedure", "p")
    assert done.returncode == 0, done.stdout + done.stderr
    log = cli("procedure", "log", cli.entries("procedure", "runs")[0]["run"], "--json").stdout
    assert "s3cr3t-hush" not in log + done.stdout
    assert "s3cr3t-hush" not in cli("actions", "--json").stdout
    assert log.count("11 •••") == 4  # the target's output and what was saved, twice
    assert "[[DB_PASSWORD]]" in log  # a value that was filled in is never looked up
    for path in (cli.folder / "home").rglob("*"):
        assert not path.is_file() or b"s3cr3t-hush" not in path.read_bytes(), path


def test_what_failed_is_done_again_and_nothing_else(cli: Cli, server: Server) -> None:
    for name in ("web-1", "web-2"):
        server.docker("run", "-d", "--name", name, *IDLE)
    server.docker("exec", "web-2", "touch", "/bad")
    count = {"exec": {"match": "web-*", "command": "sh -c 'echo x >> /count; test ! -e /bad'"}}
    cli.define(
        stage({"exec": {"container": "web-1", "command": "sh -c 'echo y >> /first'"}}),
        stage(count),
        stage({"exec": {"container": "web-1", "command": "sh -c 'echo z >> /last'"}}),
    )
    assert cli("--run-procedure", "p").returncode == 5
    run = cli.entries("procedure", "runs")[0]["run"]
    server.docker("exec", "web-2", "rm", "/bad")
    done = cli("--again", run)
    assert done.returncode == 0, done.stdout + done.stderr
    assert server.docker("exec", "web-1", "cat", "/first", "/count", "/last").split() == ["y", "x", "z"]
    assert server.docker("exec", "web-2", "cat", "/count").split() == ["x", "x"]
    assert cli("--again", cli.entries("procedure", "runs")[0]["run"]).returncode == 4


def test_facts_exclusions_and_a_limit_to_servers(cli: Cli, server: Server) -> None:
    for name in ("web-1", "web-2", "web-3"):
        server.docker("run", "-d", "--name", name, "--label", "team=a", *IDLE)
    cli.define(
        stage(
            {"exec": {"match": ["label:team=a", "!web-2"], "where": 'cores > 0 and container != "web-3"',
                      "command": "echo {actor} {weekday} {servers}", "save": "said"}},
            {"restart_containers": {"match": "web-*", "servers": "!local", "none": "pass"}},
        )
    )  # fmt: skip
    done = cli("--run-procedure", "p", "--server", "local", "--timeout", "1m")
    assert done.returncode == 0, done.stdout + done.stderr
    run = cli.entries("procedure", "runs")[0]["run"]
    ends = [e for e in cli.entries("procedure", "log", run) if e["k"] == "target_end"]
    assert [e["target"]["name"] for e in ends] == ["web-1"]
    assert ends[0]["output"].split()[1] in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    assert cli("--run-procedure", "p", "--server", "nope").returncode != 0
