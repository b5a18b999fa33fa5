"""Repos from a real sshd, by the program that cron would run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.rig.server import Server, down, up
from tests.unit.repos.lab import Author, git

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.rig


class Program:
    """The program with a state directory of its own, and one repo on this machine."""

    def __init__(self, folder: Path, sshd: Server, author: Author) -> None:
        self.folder = folder
        self.home = folder / "home"
        self._environment = {
            **os.environ, "KOMODO_TUI_HOME": str(self.home), "HOME": str(folder),
            "DOCKER_HOST": f"unix://{folder}/no-engine.sock",
        }  # fmt: skip
        self._environment.pop("SSH_AUTH_SOCK", None)
        self._repo: dict[str, Any] = {
            "name": "shop", "url": f"ssh://root@{sshd.address}{author.bare}", "servers": ["local"],
            "ssh_key": sshd.key, "host_keys": Path(sshd.known_hosts).read_text().splitlines(),
        }  # fmt: skip

    def define(self, **fields: Any) -> None:
        """Change the repo."""
        path = self.folder / "fleet.yaml"
        path.write_text(json.dumps({"repos": [{**self._repo, **fields}]}))
        self("apply", "-f", str(path), "--yes")

    def __call__(self, *words: str, code: int = 0, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run it; its exit code must be this one."""
        done = subprocess.run(
            [sys.executable, "-m", "komodo_tui", *words], env=self._environment, input=given,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr + done.stdout
        return done

    def status(self, code: int = 0) -> dict[str, Any]:
        """What ``repo status`` says of the one clone."""
        (found,) = json.loads(self("repo", "status", "shop", "--json", code=code).stdout)
        return dict(found)

    @property
    def files(self) -> Path:
        """Of the clone."""
        return next(self.home.rglob("repos/shop/files"))

    def end_agent(self) -> None:
        """The embedded agent, if there is one."""
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = process.read_bytes().split(b"\0")
            except OSError:
                continue
            if b"komodo_agent" in words and any(word.startswith(os.fsencode(self.home)) for word in words):
                os.kill(int(process.parent.name), signal.SIGTERM)


@pytest.fixture(scope="module")
def sshd() -> Iterator[Server]:
    """A private sshd."""
    server = up(f"git{os.getpid()}", engine=False)
    try:
        yield server
    finally:
        down(server.name)


@pytest.fixture
def author(tmp_path: Path) -> Author:
    """One commit is pushed."""
    return Author(tmp_path)


@pytest.fixture
def program(tmp_path: Path, sshd: Server, author: Author) -> Iterator[Program]:
    """The repo is defined."""
    program = Program(tmp_path, sshd, author)
    try:
        program.define()
        yield program
    finally:
        program.end_agent()


def test_cloned_and_pulled_over_ssh(program: Program, sshd: Server, author: Author, tmp_path: Path) -> None:
    before = _logins(sshd)
    assert program.status(code=1)["standing"] == "not cloned"
    done = program("repo", "clone", "shop", "--yes")
    assert "git fetch ssh://" in done.stderr
    assert (program.files / "compose.yaml").exists()
    second = author.push("second", note="new\n")
    program("repo", "fetch", "shop", "--yes")
    assert program.status(code=1)["standing"] == "1 behind"
    record = json.loads(program("repo", "pull", "shop", "--yes", "--json").stdout)
    assert record["steps"][0]["result"]["commit"] == second
    found = program.status()
    assert (found["standing"], found["state"]["commit"]["subject"]) == ("up to date", "second")
    stages = [{"steps": [{"repo_pull": {"repo": "shop"}}]}]
    (tmp_path / "p.yaml").write_text(json.dumps({"procedures": [{"name": "bring", "stages": stages}]}))
    program("apply", "-f", str(tmp_path / "p.yaml"), "--yes")
    third = author.push("third")
    program("--run-procedure", "bring")
    assert program.status()["state"]["commit"]["id"] == third
    assert before < _logins(sshd) < before + 4, "four times git was there, and a connection is kept for the next one"

    (program.files / "note").write_text("mine\n")
    author.push("fourth", note="theirs\n")
    assert "note" in program("repo", "pull", "shop", "--yes", code=4).stdout
    assert "third" in program("repo", "list").stdout
    assert (program.files / "note").read_text() == "mine\n"


def test_what_was_changed_in_a_clone_is_committed_and_pushed(program: Program, author: Author) -> None:
    program("repo", "clone", "shop", "--yes")
    (program.files / "compose.yaml").write_text("services: {mine: {}}\n")
    program("repo", "commit", "shop", "-m", "Mine", "--author", "Bea <bea@example.com>", "--yes")
    assert git(author.bare, "log", "-1", "--format=%an %s", "main") == "Bea Mine"
    assert git(author.bare, "show", "main:compose.yaml") == "services: {mine: {}}"
    assert program.status()["standing"] == "up to date"
    assert "nothing to commit" in program("repo", "commit", "shop", "-m", "x", "--yes", code=4).stdout


def test_a_key_that_is_a_secret_opens_the_repository_and_is_in_no_file(
    program: Program, sshd: Server, author: Author
) -> None:
    key = Path(sshd.key).read_text()
    program.define(ssh_key="", key="SHOP_KEY", on_clone=["env"])
    assert "no secret SHOP_KEY" in program("repo", "clone", "shop", "--yes", code=1).stderr
    program("secret", "set", "SHOP_KEY", "--yes", given=key)
    done = program("repo", "clone", "shop", "--yes")
    assert "KOMODO_REPO=shop" in done.stderr + done.stdout
    program("repo", "fetch", "shop", "--yes")
    assert program.status()["state"]["commit"]["id"] == author.head
    body = key.splitlines()[1]
    kept = [path for path in program.folder.rglob("*") if path.is_file() and body.encode() in path.read_bytes()]
    assert kept == []
    assert body not in done.stdout + done.stderr + program("actions", "--json").stdout


def test_wrong_key_strange_host_and_branch_that_is_gone(program: Program, sshd: Server, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(wrong)], check=True)
    program.define(ssh_key=str(wrong))
    assert "ssh key was refused" in program("repo", "clone", "shop", "--yes", code=1).stdout
    program.define(host_keys=[f"{sshd.address} {wrong.with_suffix('.pub').read_text().rsplit(' ', 1)[0]}"])
    assert "not trusted" in program("repo", "clone", "shop", "--yes", code=1).stdout
    program.define(branch="gone")
    assert "no branch gone" in program("repo", "clone", "shop", "--yes", code=1).stdout
    program.define(url=f"ssh://root@{sshd.address}/nowhere.git")
    assert "no repository at" in program("repo", "clone", "shop", "--yes", code=1).stdout
    path = tmp_path / "bad.yaml"
    for url in ("ext::sh -c id", "--upload-pack=id"):
        path.write_text(json.dumps({"repos": [{"name": "bad", "url": url, "servers": ["local"]}]}))
        assert "repo bad" in program("apply", "-f", str(path), "--yes", code=2).stderr
    assert not list(program.home.rglob("files/compose.yaml"))
    assert git(tmp_path / "work", "status", "--porcelain") == ""


def _logins(sshd: Server) -> int:
    return (sshd.run_dir / "sshd.log").read_text().count("Accepted publickey")
