"""From a pushed commit to a container that runs it, by the program as cron would run it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.rig.compose import config_folder
from tests.rig.packages import find
from tests.rig.processes import stop
from tests.unit.repos.lab import Author

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.rig.server import Server

pytestmark = pytest.mark.rig

SERVES = 'FROM busybox\nCOPY page /page\nCMD ["sleep", "100000"]\n'
BREAKS = 'FROM busybox\nCOPY page /page\nCMD ["false"]\n'
FLEET: dict[str, Any] = {
    "procedures": [{"name": "release", "stages": [{"steps": [{"build": {"build": "web"}}]}]}],
    "builds": [{
        "name": "web", "repo": "shop", "server": "local", "version": "1.4.0", "redeploy_on_build": ["site"],
        "build_args": {"GREETING": "hello"},
    }, {"name": "refused", "dockerfile": "FROM busybox\n", "registries": [{"domain": "127.0.0.1:1"}]}],
    "stacks": [{
        "name": "site", "servers": ["local"], 
        "health": {"window": 20, "steady": 0.5},
        "compose": "services: {web: {image: '[[build.web]]', pull_policy: never, stop_grace_period: 0s}}\n",
    }],
}  # fmt: skip


class Program:
    """The program on one private engine, with a repository to build from."""

    def __init__(self, folder: Path, server: Server, author: Author) -> None:
        self.home = folder / "home"
        self._folder = folder
        docker = os.path.dirname(find("docker") or "")
        self._environment = {
            **os.environ, "KOMODO_TUI_HOME": str(self.home), "HOME": str(folder), "DOCKER_HOST": server.docker_host,
            "DOCKER_CONFIG": str(config_folder()), "KOMODO_AGENT_REPO_ROOTS": str(folder),
            "PATH": f"{docker}:{os.environ['PATH']}",
        }  # fmt: skip
        repo = {"name": "shop", "url": str(author.bare), "branch": "main"}
        (folder / "fleet.yaml").write_text(json.dumps({**FLEET, "repos": [repo]}))
        self("apply", "-f", str(folder / "fleet.yaml"), "--yes")

    def __call__(self, *words: str, code: int = 0) -> str:
        """Run it; its exit code must be this one. Returns its output."""
        done = subprocess.run(
            [sys.executable, "-m", "komodo_tui", *words], env=self._environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr + done.stdout
        return done.stdout

    @contextmanager
    def building(self, name: str, word: str) -> Iterator[subprocess.Popen[str]]:
        """A program that builds, whose output has this word; waited for at the end."""
        with subprocess.Popen(
            [sys.executable, "-m", "komodo_tui", "build", name, "--yes", "--follow"], env=self._environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            assert any(word in line for line in process.stdout)
            yield process

    def end_agent(self, signal_number: int = signal.SIGTERM) -> None:
        """The embedded agent, if there is one."""
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                words = path.read_bytes().split(b"\0")
                if b"komodo_agent" in words and any(word.startswith(os.fsencode(self.home)) for word in words):
                    if signal_number == signal.SIGKILL:
                        os.kill(int(path.parent.name), signal_number)
                    else:
                        stop(int(path.parent.name))


@pytest.fixture
def author(tmp_path: Path) -> Author:
    """Something that can be built is pushed."""
    author = Author(tmp_path)
    author.push("Serve a page", Dockerfile=SERVES, page="one\n")
    return author


@pytest.fixture
def program(tmp_path: Path, server: Server, author: Author) -> Iterator[Program]:
    """Everything is defined."""
    program = Program(tmp_path, server, author)
    try:
        yield program
    finally:
        program.end_agent()


def running(server: Server) -> str:
    return server.docker("ps", "--format", "{{.Image}}").strip()


def test_a_commit_is_built_deployed_and_taken_back_when_it_is_not_well(
    program: Program, server: Server, author: Author
) -> None:
    plan = program("build", "web", "--dry-run")
    assert "tag web:1.4.0" in plan
    assert "then redeploy site" in plan
    lines = [json.loads(line) for line in program("build", "web", "--yes", "--json", "--follow").splitlines()]
    assert any("COPY page" in line.get("output", "") for line in lines)
    record = lines[-1]["record"]
    assert (record["outcome"], record["steps"][0]["result"]["commit"]) == ("success", author.head)
    assert [one["record"]["outcome"] for one in lines[-1]["follow_up"]] == ["success"]
    assert running(server) == "web:1.4.0"

    author.push("Break it", Dockerfile=BREAKS)
    assert "returned to revision 1" in program("build", "web", "--yes", code=5)
    assert running(server) == "web:1.4.0"

    author.push("Do not build", Dockerfile="FROM busybox\nRUN exit 7\n")
    program("build", "web", "--yes", code=1)
    found = json.loads(program("builds", "web", "--json"))
    assert [(run["version"], run["outcome"]) for run in found] == [
        ("1.4.2", "failed"), ("1.4.1", "success"), ("1.4.0", "success"),
    ]  # fmt: skip
    assert "RUN exit 7" in found[0]["failed_step"]
    assert "COPY page" in program("builds", "web", "--log", "1.4.0")

    author.push("Serve it again", Dockerfile=SERVES)
    assert "web:1.4.2" in program("build", "web", "--yes")  # the version that failed was not used up
    assert running(server) == "web:1.4.2"

    program("--run-procedure", "release")
    assert running(server) == "web:1.4.3"

    author.push("Serve it slowly", Dockerfile=f"{SERVES}RUN sleep 2\n")
    with program.building("web", "RUN sleep") as process:
        process.kill()
    assert running(server) == "web:1.4.3"
    for _ in range(20):  # the agent goes on with the build, and each look waits for what is closed
        program("watch", "--once")
        if running(server) == "web:1.4.4":
            break
    (last, *_) = json.loads(program("builds", "web", "--json"))
    assert (last["version"], last["outcome"], last["follow_up"]["ended"] is not None) == ("1.4.4", "success", True)
    acts = [json.loads(line) for line in program("actions", "--json").splitlines()]
    began = next(number for number, act in enumerate(acts) if act["act"] == "build")
    assert [act["act"] for act in acts[:began]] == ["deploy"]  # once
    program("watch", "--once")
    assert "nothing is left" in program("build", "web", "--resume")

    author.push("Serve it never", Dockerfile=f"{SERVES}RUN sleep 1000\n")
    with program.building("web", "RUN sleep") as process:
        program.end_agent(signal.SIGKILL)
        assert process.wait(60) == 1
    (last, *_) = json.loads(program("builds", "web", "--json"))
    assert (last["version"], last["outcome"], last["follow_up"]) == ("1.4.5", "interrupted", None)
    assert "web:1.4.5" not in server.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
    author.push("Serve it after all", Dockerfile=SERVES)
    with program.building("web", "COPY page") as process:  # nothing is locked
        assert process.wait(60) == 0
    assert running(server) == "web:1.4.5"


def test_a_registry_that_refuses_is_told_of_everywhere(program: Program) -> None:
    assert "127.0.0.1:1/refused:0.1.0" in program("build", "refused", "--yes", code=5)
    (run,) = json.loads(program("builds", "refused", "--json"))
    (push,) = run["follow_up"]["steps"]
    assert (run["outcome"], push["what"], push["outcome"]) == ("success", "push to 127.0.0.1:1", "failed")
    assert "connection refused" in push["error"]
    assert "follow-up failed" in program("builds")
    assert "push to 127.0.0.1:1" in program("build", "refused", "--resume", "--dry-run")
    program("build", "refused", "--resume", code=5)
