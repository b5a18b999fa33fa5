"""Files of a clone, looked at and changed, and the change pushed back: all the way, or the clone is as it was."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from komodo_agent.problems import AgentError
from komodo_agent.wire.repos import RepoChange, RepoJob
from tests.unit.repos.lab import Context, git

if TYPE_CHECKING:
    from tests.unit.repos.lab import Author, Server

WHO = "Bea <bea@example.com>"


async def commit(server: Server, *changes: RepoChange, **fields: Any) -> Context:
    """One commit job."""
    server.context = Context()
    spec = RepoJob(verb="commit", name="shop", source=server.source, changes=changes, message="Mend it\n\nlong",
                   author=WHO)  # fmt: skip
    await server.clones.run(server.context, msgspec.structs.replace(spec, **fields))  # type: ignore[arg-type]
    return server.context


async def change(server: Server, path: str, text: str | None) -> RepoChange:
    """To what is there now."""
    digest = (await server.clones.file("shop", path.encode().hex())).digest
    return RepoChange(path=path, text=text, digest=digest)


async def test_files_are_looked_at_and_links_are_not_followed(server: Server, author: Author) -> None:
    (author.work / "site").mkdir()
    (author.work / "out").symlink_to("/etc")
    (author.work / "bin").write_bytes(b"\0\1")
    author.push("more", **{"site/index.html": "hi\n"})
    await server.do("clone")
    top = await server.clones.files("shop", "")
    assert [(file.name, file.kind) for file in top.files] == [
        ("site", "folder"), ("bin", "file"), ("compose.yaml", "file"), ("out", "link")]  # fmt: skip
    file = await server.clones.file("shop", b"site/index.html".hex())
    assert (file.path, file.text) == ("site/index.html", "hi\n")
    for bad in (b"out/passwd", b"bin", b"site", b"nothing", b"../git/HEAD"):
        with pytest.raises(AgentError):
            await server.clones.file("shop", bad.hex())


async def test_a_change_is_committed_and_pushed(server: Server, author: Author) -> None:
    await server.do("clone")
    (server.files / "data").write_text("of a container\n")
    os.chmod(server.files / "compose.yaml", 0o755)
    edited = await change(server, "compose.yaml", "services: {a: {}}\n")
    context = await commit(server, edited, RepoChange(path="site/new [x].html", text="new\n"))
    head = git(author.bare, "rev-parse", "main")
    assert context.results["commit"] == head
    assert git(author.bare, "log", "-1", "--format=%an <%ae>|%s|%b", "main") == f"{WHO}|Mend it|long"
    assert git(author.bare, "show", "--stat", "--format=", "main").count("|") == 2
    assert (server.files / "compose.yaml").stat().st_mode & 0o777 == 0o755
    state = await server.state()
    assert (state.ahead, state.behind, [f.path for f in state.dirty]) == (0, 0, ["data"])
    removed = await change(server, "compose.yaml", None)
    await commit(server, removed)
    assert git(author.bare, "ls-tree", "-r", "--name-only", "main") == "site/new [x].html"
    assert await server.do("pull")
    assert any("nothing new" in line for line in server.context.lines)


async def test_what_was_changed_on_the_server_is_committed_when_no_file_is_named(
    server: Server, author: Author
) -> None:
    await server.do("clone")
    (server.files / "compose.yaml").write_text("mine\n")
    (server.files / "data").write_text("of a container\n")
    await commit(server)
    assert git(author.bare, "show", "main:compose.yaml") == "mine"
    assert git(author.bare, "ls-tree", "--name-only", "main") == "compose.yaml"
    with pytest.raises(AgentError, match="nothing to commit"):
        await commit(server)


async def test_a_branch_that_moved_is_a_conflict_and_nothing_is_changed(server: Server, author: Author) -> None:
    await server.do("clone")
    edited = await change(server, "compose.yaml", "mine\n")
    author.push("theirs", note="x\n")
    for _ in range(2):
        with pytest.raises(AgentError) as caught:
            await commit(server, edited)
        assert caught.value.code == "conflict"
        await server.do("fetch")
    assert (server.files / "compose.yaml").read_text() == "services: {}\n"
    await server.do("pull")
    await commit(server, edited)
    assert git(author.bare, "log", "-1", "--format=%s", "main") == "Mend it"


async def test_a_file_changed_since_it_was_read_is_a_conflict(server: Server, author: Author) -> None:
    await server.do("clone")
    edited = await change(server, "compose.yaml", "mine\n")
    (server.files / "compose.yaml").write_text("somebody else\n")
    for changes in ((edited,), (RepoChange(path="compose.yaml", text="new"),)):
        with pytest.raises(AgentError, match="changed in the clone since"):
            await commit(server, RepoChange(path="other", text="x"), *changes)
    assert (server.files / "compose.yaml").read_text() == "somebody else\n"
    assert not (server.files / "other").exists()


async def test_a_push_that_is_refused_leaves_no_commit(server: Server, author: Author) -> None:
    await server.do("clone")
    first = author.head
    hook = author.bare / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho we have rules\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(AgentError, match="refused the push; your change is in the clone's files"):
        await commit(server, await change(server, "compose.yaml", "mine\n"))
    assert "we have rules" in "\n".join(server.context.lines)
    state = await server.state()
    assert state.commit is not None
    assert (state.commit.id, state.ahead) == (first, 0)
    assert (server.files / "compose.yaml").read_text() == "mine\n"
    assert git(author.bare, "rev-parse", "main") == first
    hook.unlink()
    await commit(server)
    assert git(author.bare, "show", "main:compose.yaml") == "mine"


@pytest.mark.parametrize("path", ["../x", "/x", ".git/config", "a/.GIT/x", "a//b", "a\nb", "", ".", "a/..", "x" * 1001])
async def test_paths_that_lead_elsewhere(server: Server, author: Author, path: str) -> None:
    await server.do("clone")
    with pytest.raises(AgentError, match="no path"):
        await commit(server, RepoChange(path=path, text="x"))


async def test_links_lead_nowhere(server: Server, author: Author, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "file").write_text("theirs\n")
    (author.work / "out").symlink_to(outside)
    (author.work / "link").symlink_to(outside / "file")
    author.push("links")
    await server.do("clone")
    for path in ("out/new", "out/file", "link"):
        with pytest.raises(AgentError):
            await commit(server, RepoChange(path=path, text="x"))
    assert sorted(file.name for file in outside.iterdir()) == ["file"]
    assert (outside / "file").read_text() == "theirs\n"


@pytest.mark.parametrize("fields", [
    {"author": "Bea"}, {"author": "<b@x>"}, {"author": "B\nx <b@x>"}, {"message": " "}, {"message": "x" * 10_001},
])  # fmt: skip
async def test_who_and_why_are_asked_for(server: Server, fields: dict[str, str]) -> None:
    await server.do("clone")
    with pytest.raises(AgentError):
        await commit(server, await change(server, "compose.yaml", "mine\n"), **fields)
    assert (server.files / "compose.yaml").read_text() == "services: {}\n"
