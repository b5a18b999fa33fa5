"""The clone of a stack: looked at without a trace, checked out whole, also after it was cut off half-way."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from komodo_agent.compose.checkout import Checkout, without_token
from komodo_agent.compose.folder import StackFolder
from komodo_agent.compose.ground import Ground, grounded
from komodo_agent.problems import AgentError
from komodo_agent.wire.compose import ComposeSource, Revision, RevisionSummary
from komodo_agent.wire.compose_git import GitOrigin
from komodo_agent.wire.repos import RepoSource
from tests.unit.repos.lab import Author

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def author(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Author:
    monkeypatch.setenv("KOMODO_AGENT_REPO_ROOTS", str(tmp_path))
    return Author(tmp_path)


@pytest.fixture
def kept(tmp_path: Path) -> StackFolder:
    folder = StackFolder(tmp_path / "stacks", "shop")
    folder.make()
    return folder


def origin(author: Author, commit: str = "") -> GitOrigin:
    return GitOrigin(repo=RepoSource(url=str(author.bare), commit=commit))


def good(commit: str) -> Revision:
    return Revision(summary=RevisionSummary(number=1, started=1.0, outcome="success", commit=commit))


async def moved(checkout: Checkout, commit: str, kept: StackFolder) -> None:
    with kept.lock() as lock:
        await checkout.check_out(commit, lock)


async def test_a_plan_sees_files_that_are_not_there_yet(author: Author, kept: StackFolder) -> None:
    source = ComposeSource(project="shop", git=origin(author), files=())
    async with grounded(kept, source) as ground:
        assert ground.at is not None
        assert [(f.path, f.content) for f in ground.files] == [("compose.yaml", "services: {}\n")]
        assert ground.source.commit == author.head
        assert os.listdir(ground.source.folder) == []
        at = ground.at
    assert not at.parent.exists()
    await moved(Checkout(kept, origin(author)), author.head, kept)
    async with grounded(kept, source) as ground:
        assert (ground.at, ground.in_the_way) == (None, ())


async def test_files_with_references_are_given_variables(author: Author, kept: StackFolder) -> None:
    author.push("values", **{"compose.yaml": "services: {web: {image: 'x:[[ TAG ]]', user: '${VALUE_UID}'}}\n"})
    async with grounded(kept, ComposeSource(project="shop", git=origin(author))) as ground:
        assert ground.files == ground.source.files
        assert "x:${VALUE_TAG}" in ground.files[0].content
        assert ground.wants == ("TAG", "UID")
        given = Ground(ComposeSource(project="shop", environment={"VALUE_TAG": "1", "VALUE_UID": "2"}), ground.files)
        assert given.wants == ()


async def test_what_a_deploy_brings_and_what_the_branch_has_beyond(author: Author, kept: StackFolder) -> None:
    first = author.head
    second = author.push("second", a="1")
    author.push("third", a="2")
    pinned = Checkout(kept, origin(author, commit=second[:10]))
    assert await pinned.find("") == second
    news = await pinned.news(second, good(first))
    assert (news.deployed, [c.subject for c in news.coming], news.behind) == (first, ["second"], 1)
    assert news.tip is not None
    assert news.tip.subject == "third"
    assert (await pinned.news(second, None)).coming == ()
    with pytest.raises(AgentError, match="is not on this server any more"):
        await pinned.find("f" * 40)
    with pytest.raises(AgentError, match="there is no commit"):
        await Checkout(kept, origin(author, commit="abcdef1")).find("")


async def test_a_check_out_that_was_cut_off_is_finished_by_the_next(author: Author, kept: StackFolder) -> None:
    first = author.head
    checkout = Checkout(kept, origin(author))
    await moved(checkout, await checkout.find(""), kept)
    half = author.push("many", **{f"f{n}": "new\n" for n in range(5)}, **{"compose.yaml": "services: {a: {}}\n"})
    await checkout.find("")
    files = checkout.folder
    (files / "f1").write_text("ne")  # half of it is written, and the agent is killed
    (files / "compose.yaml").write_text("services: {a: {}}\n")
    (files.parent / "going-to").write_text(half)
    (files.parent / "git/index.lock").touch()
    assert not await checkout.stands_at(first)
    assert await checkout.in_the_way(half) == ()
    await moved(checkout, first, kept)
    assert sorted(os.listdir(files)) == ["compose.yaml"]
    assert (files / "compose.yaml").read_text() == "services: {}\n"
    (files / "f2").write_text("somebody's own")
    assert await checkout.in_the_way(half) == (str(files / "f2"),)
    with pytest.raises(AgentError, match="somebody's own"):
        await moved(checkout, half, kept)
    (files / "f2").unlink()
    (files / "f3").symlink_to("/etc/passwd")
    assert await checkout.in_the_way(half) == (str(files / "f3"),)
    (files / "f3").unlink()
    await moved(checkout, half, kept)
    assert await checkout.stands_at(half)


async def test_a_folder_in_the_place_of_a_file_and_the_other_way(author: Author, kept: StackFolder) -> None:
    checkout = Checkout(kept, origin(author))
    await moved(checkout, await checkout.find(""), kept)
    (author.work / "conf").mkdir()
    target = author.push("a folder", **{"conf/app.conf": "x"})
    await checkout.find("")
    (checkout.folder / "conf").write_text("mine")
    assert await checkout.in_the_way(target) == (str(checkout.folder / "conf/app.conf"),)


def test_no_token_is_kept() -> None:
    source = RepoSource(url="https://git.example.com/a", secret="T", token="hunter2")
    kept = without_token(GitOrigin(repo=source))
    assert kept is not None
    assert (kept.repo.token, kept.repo.secret) == ("", "T")
    assert without_token(None) is None
