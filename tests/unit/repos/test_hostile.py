"""What a URL, a branch, or a repository may try, and what comes of it."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from komodo_agent.repos import git as hard
from komodo_agent.repos.git import HardGit
from komodo_agent.wire.repo_checks import site_of, wrong_branch, wrong_name, wrong_source, wrong_url
from komodo_agent.wire.repos import DirtyFile, RepoCommit, RepoDetail, RepoSource, RepoState
from komodo_tui.fleet.cleaning import clean_value
from tests.unit.repos.lab import git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.repos.lab import Author, Server


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/ana/shop.git", "https://ana@git.example.com:8443/shop", "ssh://git@host:2222/srv/shop.git",
        "git@github.com:ana/shop.git", "host:shop", "file:///srv/git/shop.git", "/srv/git/shop.git",
        "ssh://git@[::1]:22/shop", "git@[::1]:shop",
    ],
)  # fmt: skip
def test_urls_of_repositories(url: str) -> None:
    assert wrong_url(url) == ""


@pytest.mark.parametrize(
    "url",
    [
        "", "-uevil", "--upload-pack=touch /tmp/x", "ext::sh -c id", "ext::sh", "fd::17", "https::https://x/y",
        "https://ana:secret@host/shop", "https://-oProxyCommand=id/shop", "ssh://-oProxyCommand=id/shop",
        "-oProxyCommand=id:shop", "git@-oProxyCommand=id:shop", "git://host/shop", "ftp://host/shop", "javascript:x\n",
        "https://host/a b", "https://host/\x1b[31m", "file://../etc", "/srv/../etc", "file://host/x", "host::shop",
        "host:-x", "https://host", "x" * 2000,
    ],
)  # fmt: skip
def test_what_is_no_url(url: str) -> None:
    assert wrong_url(url) != ""


def test_branches_names_and_tokens() -> None:
    for good in ("main", "feature/a-b_c.d", "v1.9"):
        assert wrong_branch(good) == ""
    for bad in (
        "-x",
        "--upload-pack=id",
        "a..b",
        "a b",
        "a~1",
        "a:b",
        "@{-1}",
        "a.lock",
        "/a",
        "a/",
        "a//b",
        "a\n",
        "@",
    ):
        assert wrong_branch(bad) != "", bad
    for bad in ("", "..", ".git", "-x", "a/b", "a\0"):
        assert wrong_name(bad) != "", bad
    web = RepoSource(url="https://host/x", secret="TOKEN")
    assert wrong_source(web) == ""
    assert "clear" in wrong_source(RepoSource(url="http://host/x", secret="TOKEN"))
    assert "keys" in wrong_source(RepoSource(url="git@host:x", secret="TOKEN"))
    assert site_of("https://ana@host:8443/x") == "https://host:8443"


def test_text_of_a_repository_is_cleaned_and_a_diff_keeps_its_lines() -> None:
    commit = RepoCommit(id="a" * 40, when=1.0, author="\x1b]0;owned\x07Ana", subject="a\x1b[31mb\nc")
    state = RepoState(name="shop", path="/x", commit=commit, dirty=(DirtyFile(path="a\x1b[2Jb", state="?"),))
    told = clean_value(RepoDetail(state=state, log=(commit,), diff="-a\n+\x1b[31mb\n"))
    assert told.diff == "-a\n+b\n"
    assert "\x1b" not in repr(told).replace("\\x1b", "\x1b")
    assert (told.log[0].author, told.log[0].subject.count("\n")) == ("Ana", 0)


async def test_folders_outside_of_the_roots_are_refused(server: Server, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.git"
    git(tmp_path, "init", "--quiet", "--bare", str(elsewhere))
    assert "outside" in await server.refusal("clone", url=f"file://{elsewhere}")
    link = server.source.url.removeprefix("file://") + "-link"
    os.symlink(elsewhere, link)
    assert "outside" in await server.refusal("clone", url=link)
    assert "no repository at" in await server.refusal("clone", url=f"{server.source.url}-not-there")
    assert await server.clones.states() == ()


async def test_nothing_of_a_clone_runs(server: Server, author: Author, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    run = f"touch {ran}"
    os.symlink("/etc/passwd", author.work / "passwd")
    os.symlink("compose.yaml", author.work / "inside")
    modules = f'[submodule "m"]\n\tpath = m\n\turl = {author.bare}\n\tupdate = !{run}\n'
    git(author.work, "update-index", "--add", "--cacheinfo", f"160000,{author.head},m")
    author.push("hostile", **{".gitattributes": "* filter=evil diff=evil\n", ".gitmodules": modules})
    await server.do("clone")
    state = await server.state()
    assert state.warnings[0] == "the link passwd leads out of the clone"
    assert len(state.warnings) == 1 or "submodule" in state.warnings[1]

    # somebody who may write into the work tree makes it look like a repository of its own
    (server.files / ".git").mkdir()
    (server.files / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (server.files / ".git" / "config").write_text(f"[core]\n\tfsmonitor = {run}\n")
    # and who may write into the git directory sets what git would run
    hook = server.git_dir / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{run}\n")
    hook.chmod(0o755)
    with (server.git_dir / "config").open("a") as config:
        config.write(f"[core]\n\tfsmonitor = {run}\n\tsshCommand = {run}\n\tpager = {run}\n")
    (server.files / "compose.yaml").write_text("mine\n")
    author.push("next", note="new\n")
    await server.do("pull")
    assert (server.files / "note").exists()
    await server.clones.detail("shop")
    assert not ran.exists()


async def test_a_token_is_in_no_file_and_on_no_command_line(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    source = RepoSource(url="https://ana@git.invalid/shop.git", username="ana", secret="TOKEN", token="hunter2hunter2")
    seen: list[tuple[tuple[str, ...], dict[str, str]]] = []

    class Noted(hard._Call):
        def run(self) -> bytes:
            seen.append((self._words, self._environment))
            return super().run()

    monkeypatch.setattr(hard, "_Call", Noted)
    words = await server.refusal("clone", **{f: getattr(source, f) for f in source.__struct_fields__})
    fetch, environment = next(item for item in seen if item[0][0] == "fetch")
    assert source.token not in " ".join(fetch) + words
    assert fetch[-3] == "--end-of-options"
    assert [v for k, v in environment.items() if source.token in v] == [source.token]
    keys = [v for k, v in environment.items() if k.startswith("GIT_CONFIG_KEY_")]
    assert "credential.https://git.invalid.helper" in keys
    for path in server.root.rglob("*"):
        if path.is_file():
            assert source.token.encode() not in path.read_bytes()


async def test_cancelling_ends_git_and_what_it_started(tmp_path: Path) -> None:
    """An alias of our own stands for a git that takes for ever."""
    git(tmp_path, "init", "--quiet", "git")
    started = tmp_path / "started"
    shell = HardGit(tmp_path / "git" / ".git", tmp_path)
    command = f"alias.wait=!echo $$ > {started}.new; mv {started}.new {started}; sleep 1000"
    work = asyncio.create_task(shell.read("-c", command, "wait"))
    while not started.exists():
        await asyncio.sleep(0.01)
        assert not work.done()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)
