"""An agent's clones: cloned, pulled and told of, and nothing that somebody changed there is lost."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from komodo_agent.repos import clones
from tests.unit.repos.lab import git

if TYPE_CHECKING:
    import pytest

    from tests.unit.repos.lab import Author, Server


async def test_a_clone_follows_its_branch(server: Server, author: Author) -> None:
    first = author.head
    assert (await server.do("clone"))["commit"] == first
    assert (server.files / "compose.yaml").read_text() == "services: {}\n"
    second = author.push("second [bold]one[/bold]", note="new\n")

    await server.do("fetch")
    state = await server.state()
    assert (state.ahead, state.behind, state.dirty_count) == (0, 1, 0)
    assert state.commit is not None
    assert (state.commit.id, state.commit.subject, state.commit.author) == (first, "first", "Ana")
    coming = (await server.clones.detail("shop")).coming
    assert [(c.id, c.subject) for c in coming] == [(second, "second [bold]one[/bold]")]
    assert not (server.files / "note").exists()

    assert await server.do("pull") == {"commit": second, "before": first}
    assert (server.files / "note").read_text() == "new\n"
    await server.do("pull")
    assert any("nothing new" in line for line in server.context.lines)
    detail = await server.clones.detail("shop")
    assert [c.subject for c in detail.log] == ["second [bold]one[/bold]", "first"]


async def test_changed_files_are_told_and_never_overwritten_unasked(server: Server, author: Author) -> None:
    await server.do("clone")
    (server.files / "compose.yaml").write_text("mine\n")
    (server.files / "data").write_text("of a container\n")
    state = await server.state()
    assert [(f.path, f.state) for f in state.dirty] == [("compose.yaml", "M"), ("data", "?")]
    assert "+mine" in (await server.clones.detail("shop")).diff

    author.push("second", **{"compose.yaml": "theirs\n"})
    assert "compose.yaml" in await server.refusal("pull")
    assert "compose.yaml" in await server.refusal("clone")
    assert (server.files / "compose.yaml").read_text() == "mine\n"
    await server.do("pull", discard=True)
    assert (server.files / "compose.yaml").read_text() == "theirs\n"
    assert (server.files / "data").read_text() == "of a container\n"


async def test_cloning_again_keeps_what_git_does_not_know(server: Server, author: Author) -> None:
    author.push("more", old="old\n")
    await server.do("clone")
    (server.files / "data").write_text("of a container\n")
    folder, data = server.files.stat().st_ino, (server.files / "data").stat().st_ino
    git(author.work, "rm", "--quiet", "old")
    latest = author.push("less", new="new\n")

    await server.do("clone")
    assert sorted(path.name for path in server.files.iterdir()) == ["compose.yaml", "data", "new"]
    assert (server.files.stat().st_ino, (server.files / "data").stat().st_ino) == (folder, data)
    state = await server.state()
    assert state.commit is not None
    assert state.commit.id == latest
    assert [f.path for f in state.dirty] == ["data"]
    assert sorted(path.name for path in (server.root / "shop").iterdir()) == ["clone.json", "files", "git"]


async def test_a_force_push_is_followed_and_own_commits_are_not_lost(server: Server, author: Author) -> None:
    await server.do("clone")
    git(author.work, "commit", "--quiet", "--amend", "-m", "rewritten")
    rewritten = author.push("after", "--force")
    await server.do("pull")
    assert any("force-push" in line for line in server.context.lines)
    assert (await server.state()).behind == 0

    git(author.work, "checkout", "--quiet", "-B", "other", "HEAD~1")
    author.push("elsewhere")
    git(author.work, "checkout", "--quiet", "main")
    await server.do("pull", branch="other")  # the definition names another branch: nobody rewrote this one
    assert not any("force-push" in line for line in server.context.lines)
    await server.do("pull")

    git(server.files, "--git-dir", str(server.git_dir), "--work-tree", ".", "commit", "--allow-empty", "-qm", "mine")
    author.push("theirs")
    assert "commits of its own" in await server.refusal("pull")
    assert "commits of its own" in await server.refusal("clone")
    assert "commits of its own" in await server.refusal("remove")
    state = await server.state()
    assert (state.ahead, state.behind) == (1, 1)
    await server.do("pull", discard=True)
    assert (await server.state()).ahead == 0
    assert rewritten


async def test_what_many_pulls_bring_is_packed_together(server: Server, author: Author) -> None:
    """Nothing else ever tidies a clone, and git gets slow with thousands of packs."""
    await server.do("clone")
    for key, value in (("fetch.unpackLimit", "1"), ("gc.autoPackLimit", "2")):
        git(server.git_dir, "config", key, value)
    for number in range(5):
        author.push(f"change {number}", note=f"{number}\n")
        await server.do("pull")
    assert len([*server.git_dir.glob("objects/pack/*.pack")]) <= 3
    assert (await server.state()).problem == ""
    git(server.git_dir, "fsck", "--strict")


async def test_a_pin_stays_and_a_branch_that_is_gone_is_told(server: Server, author: Author) -> None:
    first = author.head
    author.push("second")
    await server.do("clone", commit=first[:10])
    state = await server.state()
    assert state.commit is not None
    assert (state.commit.id, state.behind) == (first, 1)
    assert "no commit deadbeef" in await server.refusal("pull", commit="deadbeef")
    git(author.work, "push", "--quiet", "origin", "HEAD:feature")
    await server.do("pull", branch="feature")
    git(author.work, "push", "--quiet", "origin", ":feature")
    assert "no branch feature" in await server.refusal("pull", branch="feature")
    assert (await server.state()).problem == ""


async def test_locks_of_dead_acts_are_taken_away_and_those_of_living_ones_respected(
    server: Server, author: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    await server.do("clone")
    (server.git_dir / "index.lock").touch()
    author.push("second", note="new\n")
    await server.do("pull")
    assert any("index.lock" in line for line in server.context.lines)
    assert (server.files / "note").exists()
    monkeypatch.setattr(clones, "_PATIENCE", 0.0)
    with server.clones._folder("shop").locked():
        assert "under way" in await server.refusal("pull")


async def test_a_clone_is_removed_whole_and_only_when_nothing_is_lost(server: Server) -> None:
    await server.do("clone")
    (server.files / "data").write_text("of a container\n")
    assert "data" in await server.refusal("remove")
    os.unlink(server.files / "data")
    await server.do("remove")
    assert await server.clones.states() == ()
    assert [path.name for path in server.root.iterdir()] == [".locks"]
    assert "no clone" in await server.refusal("remove")
