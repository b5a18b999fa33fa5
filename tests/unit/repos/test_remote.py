"""What is told of a repository without a clone, and of the files that a push changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from komodo_agent.problems import AgentError
from komodo_agent.repos.remote import _hosts_file
from komodo_agent.wire.repos import ChangedPaths, RemoteHead, RepoJob
from tests.unit.repos.lab import Context, git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.repos.lab import Author, Server


async def test_a_branch_is_looked_up_without_a_clone(server: Server, author: Author) -> None:
    assert await server.clones.remote(server.source) == RemoteHead(commit=author.head, branch="main")
    git(author.work, "checkout", "--quiet", "-b", "work")
    second = author.push("second")
    source = msgspec.structs.replace(server.source, branch="work")
    assert await server.clones.remote(source) == RemoteHead(commit=second, branch="work")
    assert not server.root.exists()


def test_two_that_trust_the_same_keys_for_the_first_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when all repositories of one server are polled: both make the same file."""
    lines, moved = ("git.example.com ssh-ed25519 AAAA",), type(tmp_path).replace

    def replace(path: Path, target: Path) -> Path:
        monkeypatch.undo()
        assert _hosts_file(tmp_path, lines) == target
        return moved(path, target)

    monkeypatch.setattr(type(tmp_path), "replace", replace)
    assert _hosts_file(tmp_path, lines).read_text() == f"{lines[0]}\n"


async def test_a_branch_or_a_repository_that_is_gone_or_empty(server: Server, author: Author) -> None:
    gone = msgspec.structs.replace(server.source, branch="gone")
    assert (await server.clones.remote(gone)).commit == ""
    git(author.bare, "update-ref", "-d", "refs/heads/main")
    assert (await server.clones.remote(server.source)).commit == ""
    author.bare.rename(author.bare.with_name("moved"))
    with pytest.raises(AgentError, match="no repository at"):
        await server.clones.remote(server.source)


@pytest.mark.parametrize("url", ["ext::sh -c id", "--upload-pack=id", "file:///etc", "http://:p@x/y"])
async def test_what_must_not_be_talked_to(server: Server, url: str) -> None:
    with pytest.raises(AgentError) as caught:
        await server.clones.remote(msgspec.structs.replace(server.source, url=url))
    assert caught.value.code in ("bad_request", "forbidden")


async def test_the_files_of_a_push(server: Server, author: Author) -> None:
    first = author.head
    await server.do("clone")
    second = author.push("second", note="new\n", **{"compose.yaml": "services: {a: {}}\n"})
    assert not (await server.clones.changed("shop", first, second)).known
    await server.do("pull")
    found = await server.clones.changed("shop", first, second)
    assert found == ChangedPaths(known=True, paths=("compose.yaml", "note"))
    with pytest.raises(AgentError):
        await server.clones.changed("shop", "--output=/tmp/x", second)


async def test_a_pull_may_make_the_clone(server: Server, author: Author) -> None:
    assert "not cloned" in await server.refusal("pull")
    server.context = Context()
    job = RepoJob(verb="pull", name="shop", source=server.source, make=True)
    await server.clones.run(server.context, job)  # type: ignore[arg-type]
    assert server.context.results["commit"] == author.head
