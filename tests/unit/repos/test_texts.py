"""The text files of a clone that are taken for a source: of one commit, whole, and nothing that only lies there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from komodo_agent.problems import AgentError
from komodo_agent.repos import texts as module
from tests.unit.repos.lab import git

if TYPE_CHECKING:
    from tests.unit.repos.lab import Author, Server


async def read(server: Server, path: str = "", *, every: bool = False) -> dict[str, str]:
    found = await server.clones.texts("shop", path.encode().hex(), every=every)
    return {file.path: file.text for file in found.files}


async def refused(server: Server, path: str = "", *, every: bool = False) -> str:
    with pytest.raises(AgentError) as error:
        await read(server, path, every=every)
    return error.value.sentence()


async def test_what_is_committed_counts_and_not_what_lies_there(server: Server, author: Author) -> None:
    (author.work / "prod" / "deep").mkdir(parents=True)
    (author.work / ".github").mkdir()
    (author.work / "prod" / "link.yaml").symlink_to("/etc/passwd")
    files = {"prod/a.yaml": "a: 1\n", "prod/deep/ü.yml": "b: 1\n", "prod/notes": "n\n", ".github/x.yaml": "x: 1\n"}
    author.push("more", **files)
    await server.do("clone")
    assert await read(server, "prod") == {"prod/a.yaml": "a: 1\n", "prod/deep/ü.yml": "b: 1\n"}
    assert set(await read(server, "prod", every=True)) == {"prod/a.yaml", "prod/deep/ü.yml", "prod/notes"}
    assert await read(server, "prod/a.yaml") == {"prod/a.yaml": "a: 1\n"}
    assert set(await read(server)) == {"compose.yaml", "prod/a.yaml", "prod/deep/ü.yml"}
    (server.files / "prod" / "own.yaml").write_text("own: 1\n")
    (server.files / "prod" / "a.yaml").write_text("a: changed\n")
    (server.files / "prod" / "deep" / "ü.yml").unlink()
    assert await read(server, "prod") == {"prod/a.yaml": "a: 1\n", "prod/deep/ü.yml": "b: 1\n"}


async def test_what_cannot_be_taken_as_a_whole_is_refused(
    server: Server, author: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no clone of shop" in await refused(server)
    await server.do("clone")
    assert "there is no prod in shop" in await refused(server, "prod")
    for limit, value, words in (
        ("MOST_FILES", 0, "more than 0"),
        ("MOST_BYTES", 3, "too much"),
        ("_LISTED", 4, "many"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, limit, value)
            assert words in await refused(server)
    (author.work / "b.yaml").write_bytes(b"\xff")
    author.push("no text")
    await server.do("pull")
    assert "b.yaml is no text" in await refused(server)


async def test_a_commit_is_read_whole_while_others_come(server: Server, author: Author) -> None:
    """One definition moves from file to file: it must be in exactly one of them at every look."""
    author.push("here", **{"a.yaml": "moved\n", "b.yaml": "\n"})
    await server.do("clone")
    done = asyncio.Event()

    async def looks() -> int:
        count = 0
        while not done.is_set():
            found = await read(server)
            assert sorted((found["a.yaml"], found["b.yaml"])) == ["\n", "moved\n"]
            count += 1
        return count

    looking = asyncio.create_task(looks())
    for number in range(6):
        there, gone = ("b.yaml", "a.yaml") if number % 2 == 0 else ("a.yaml", "b.yaml")
        await asyncio.to_thread(author.push, "moved", **{there: "moved\n", gone: "\n"})
        await server.do("pull")
    done.set()
    assert await looking
    assert git(server.files, "--git-dir", str(server.git_dir), "rev-parse", "HEAD") == author.head
