"""Commands after a clone or a pull, and a private key that is in no file."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from komodo_agent.problems import AgentError
from komodo_agent.repos.git import _login
from komodo_agent.repos.keys import lent_key
from komodo_agent.wire.repo_checks import wrong_source
from komodo_agent.wire.repos import RepoJob, RepoSource
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.repos import RepoDefinition, RepoOperation, check_repo
from komodo_tui.operations.repo_plans import repo_jobs
from tests.unit.repos.lab import Context

if TYPE_CHECKING:
    from tests.unit.repos.lab import Author, Server

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----"


async def done(server: Server, job: RepoJob) -> Context:
    server.context = Context()
    await server.clones.run(server.context, job)  # type: ignore[arg-type]
    return server.context


async def test_commands_run_in_the_files_and_know_the_commits(server: Server, author: Author) -> None:
    note = ("sh", "-c", 'echo "$0 $KOMODO_REPO [$KOMODO_BEFORE] $KOMODO_COMMIT" >> ../notes; ls compose.yaml')
    job = RepoJob(verb="clone", name="shop", source=server.source, on_clone=((*note, "cloned"),),
                  on_pull=((*note, "pulled"), ("true",)))  # fmt: skip
    first = author.head
    await done(server, job)
    second = author.push("second")
    context = await done(server, msgspec.structs.replace(job, verb="pull"))
    notes = (server.root / "shop/notes").read_text().splitlines()
    assert notes == [f"cloned shop [] {first}", f"pulled shop [{first}] {second}"]
    assert "compose.yaml" in context.lines
    assert any("../notes" in command for command in context.commands), "what ran is in the history"


async def test_a_command_that_fails_fails_the_job_and_keeps_the_commit(server: Server, author: Author) -> None:
    await server.do("clone")
    second = author.push("second")
    job = RepoJob(verb="pull", name="shop", source=server.source,
                  on_pull=(("sh", "-c", "echo no space for it; exit 3"), ("touch", "never")))  # fmt: skip
    with pytest.raises(AgentError, match=r"on_pull: .* ended with status 3: no space for it"):
        await done(server, job)
    state = await server.state()
    assert state.commit is not None
    assert state.commit.id == second
    assert not (server.files / "never").exists()
    assert server.context.results["commit"] == second


def test_commands_are_words_and_stand_in_the_plan() -> None:
    repo = RepoDefinition(name="shop", url="https://h/x", on_pull=("make 'the site'",))
    (job,) = repo_jobs(RepoOperation(verb="pull", repo=check_repo(repo), servers=("web",)))
    assert job.on_pull == (("make", "the site"),)
    for bad in ("", "make 'it"):
        with pytest.raises(UsageError, match="repo shop"):
            check_repo(msgspec.structs.replace(repo, on_clone=(bad,)))


def test_a_lent_key_is_readable_by_this_user_alone_and_gone_afterwards() -> None:
    with lent_key(KEY) as path:
        assert Path(path).read_text() == f"{KEY}\n"
        assert os.stat(path).st_mode & 0o777 == 0o600
        assert "memfd" in os.readlink(path)
    assert not os.path.exists(path) or "memfd" not in os.readlink(path)
    with lent_key("") as nothing:
        assert nothing == ""


def test_the_ssh_agent_of_who_asks_is_used_where_it_is_theirs_and_no_key_is_named(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX) as agent:  # a socket's path is short
        path = f"{short}/agent"
        agent.bind(path)
        source = RepoSource(url="git@h:x", agent_socket=path)
        assert _login(source, tmp_path, "")["SSH_AUTH_SOCK"] == path
        assert "SSH_AUTH_SOCK" not in _login(source, tmp_path, "/root/.ssh/id")
        assert "SSH_AUTH_SOCK" not in _login(msgspec.structs.replace(source, url="https://h/x"), tmp_path, "")
    (tmp_path / "file").touch()
    for other in (path, str(tmp_path / "file"), "", "agent"):
        source = RepoSource(url="git@h:x", agent_socket=other)
        assert "SSH_AUTH_SOCK" not in _login(source, tmp_path, "")


@pytest.mark.parametrize("source", [
    {"url": "https://h/x", "key_secret": "K"}, {"url": "/srv/x", "key_secret": "K"},
    {"url": "git@h:x", "key_secret": "K", "ssh_key": "/root/.ssh/id"}, {"url": "git@h:x", "key": "no key"},
    {"url": "git@h:x", "key": KEY + "x" * 70_000},
])  # fmt: skip
def test_keys_that_cannot_be_used(source: dict[str, Any]) -> None:
    assert wrong_source(RepoSource(**source))


def test_a_source_without_its_secrets() -> None:
    source = RepoSource(url="git@h:x", key_secret="K", key=KEY)
    assert not wrong_source(source)
    assert KEY not in repr(source.bare)
