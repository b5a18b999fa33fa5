"""The verbs on resources, as programs that cron could run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.resources.lab import folder_of, import_image

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.ssh.lab import RemoteAgent

pytestmark = pytest.mark.rig


class Program:
    """The program with a state directory of its own, this machine's engine being the private server's."""

    def __init__(self, home: Path, docker_host: str) -> None:
        self._environment = {**os.environ, "KOMODO_TUI_HOME": str(home), "DOCKER_HOST": docker_host}

    def __call__(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run it; its exit code must be this one."""
        done = subprocess.run(
            [sys.executable, "-m", "komodo_tui", *words], env=self._environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr + done.stdout
        return done

    def json(self, *words: str, code: int = 0) -> Any:
        """What it prints with ``--json``."""
        return json.loads(self(*words, "--json", code=code).stdout)


@pytest.fixture
def program(clean: RemoteAgent, tmp_path: Path) -> Program:
    """One on the clean private engine."""
    return Program(tmp_path / "home", clean.server.docker_host)


def test_lists_and_prune(program: Program, clean: RemoteAgent) -> None:
    import_image(clean.server, "old:1")
    clean.server.docker("volume", "create", "--label", "team=db", "spare")
    assert [row["resource"]["name"] for row in program.json("images", "tag:old")] == ["old:1"]
    assert [row["resource"]["labels"] for row in program.json("volumes", "used:no")] == [{"team": "db"}]
    assert "bridge" in program("networks").stdout

    dry = program.json("prune", "--images", "unused", "--volumes", "--keep-label", "team", "--dry-run")
    assert {target["kind"] for target in dry["operation"]["targets"]} == {"image"}
    assert program.json("images", "tag:old") != []
    program("prune", "--images", "unused", code=4)  # nobody can be asked
    record = program.json("prune", "--images", "unused", "--yes")
    assert record["outcome"] == "success"
    assert program.json("images", "tag:old") == []
    assert program.json("volumes") != []


def test_things_are_made_and_removed(program: Program, clean: RemoteAgent) -> None:
    import_image(clean.server, "old:1")
    program("images", "tag", "old:1", "new:2", "--yes")
    assert program.json("images", "tag:new")[0]["resource"]["tags"] == ["new:2", "old:1"]
    assert "there is no image 'none:1'" in program("images", "rm", "none:1", "--yes", code=1).stderr
    program("images", "rm", "old:1", code=4)  # nobody can be asked
    program("images", "rm", "old:1", "--yes")
    assert program.json("images", "tag:new") == []
    failed = program.json("images", "pull", "127.0.0.1:1/none:1", "--yes", code=1)
    assert failed["outcome"] == "failed"

    program("volume", "create", "made@local", "--label", "a=b", "--yes")
    assert program.json("volumes", "made")[0]["resource"]["labels"] == {"a": "b"}
    program("volume", "rm", "made@local", "--yes")
    assert program.json("volumes", "made") == []
    program("network", "create", "back@local", "--subnet", "10.91.0.0/24", "--internal", "--yes")
    assert program.json("networks", "back")[0]["resource"]["detail"] == "10.91.0.0/24"
    program("network", "rm", "back@local", "--yes")
    assert program.json("networks", "back") == []
    assert "names no server" in program("network", "create", "back", "--yes", code=2).stderr


def test_the_build_cache_goes_alone(program: Program) -> None:
    assert "goes alone" in program("prune", "--build-cache", "--volumes", code=2).stderr
    dry = program.json("prune", "--build-cache", "--older-than", "2d", "--dry-run")
    assert dry["steps"][0]["command"] == "docker builder prune -a --filter until=172800s"
    record = program.json("prune", "--build-cache", "--older-than", "2d", "--yes")
    assert record["outcome"] == "success"
    assert record["steps"][0]["result"] == {"freed": "0"}


def test_volumes_there_and_back(program: Program, clean: RemoteAgent, tmp_path: Path) -> None:
    clean.server.docker("volume", "create", "data")
    clean.server.docker("volume", "create", "copy")
    (folder_of(clean.server, "data") / "conf").mkdir()
    (folder_of(clean.server, "data") / "conf" / "app.ini").write_text("a=1")
    archive, goal = tmp_path / "data.tar", tmp_path / "app.ini"
    assert [file["name"] for file in program.json("volume", "ls", "data@local", "/conf")["files"]] == ["app.ini"]
    program("volume", "get", "data@local", "/conf/app.ini", str(goal))
    assert goal.read_text() == "a=1"
    program("volume", "backup", "data@local", str(archive))
    program("volume", "restore", "copy@local", str(archive), code=4)
    program("volume", "restore", "copy@local", str(archive), "--yes")
    assert (folder_of(clean.server, "copy") / "conf" / "app.ini").read_text() == "a=1"
    refused = program("volume", "restore", "copy@local", str(archive), "--yes", code=1)
    assert "not empty" in refused.stdout + refused.stderr
    acts = [row["act"] for row in map(json.loads, program("actions", "--json").stdout.splitlines())]
    assert sorted(acts) == ["backup", "download", "restore", "restore"]


def test_what_is_not_there_is_named(program: Program) -> None:
    assert "no such volume" in program("volume", "ls", "nope@local", code=1).stderr.lower()
    assert "there is no server 'nope'" in program("volume", "ls", "data@nope", code=1).stderr
    assert "names no server" in program("volume", "ls", "data", code=2).stderr
