"""A bare repository, somebody who pushes to it, and an agent's clones of it."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

import msgspec

from komodo_agent.problems import AgentError
from komodo_agent.repos.clones import Clones
from komodo_agent.wire.repos import RepoJob, RepoSource, RepoState

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENT = {
    **os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ana", "GIT_AUTHOR_EMAIL": "ana@example.com",
    "GIT_COMMITTER_NAME": "Ana", "GIT_COMMITTER_EMAIL": "ana@example.com",
    "GIT_ALLOW_PROTOCOL": "file:ssh",
}  # fmt: skip


def git(folder: Path, *words: str) -> str:
    """What a person's git prints."""
    done = subprocess.run(
        ["git", "-C", str(folder), *words], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


class Author:
    """A work tree and the bare repository it pushes to."""

    def __init__(self, folder: Path) -> None:
        self.bare = folder / "origin" / "shop.git"
        self.work = folder / "work"
        self.bare.mkdir(parents=True)
        self.work.mkdir()
        git(self.bare, "init", "--quiet", "--bare", "--initial-branch=main")
        git(self.work, "init", "--quiet", "--initial-branch=main")
        git(self.work, "remote", "add", "origin", str(self.bare))
        self.push("first", **{"compose.yaml": "services: {}\n"})

    def push(self, subject: str, *options: str, **files: str) -> str:
        """Commit these files and push them; returns the commit."""
        for name, content in files.items():
            (self.work / name).write_text(content)
        git(self.work, "add", "-A")
        git(self.work, "commit", "--quiet", "--allow-empty", "-m", subject)
        git(self.work, "push", "--quiet", *options, "origin", "HEAD")
        return self.head

    @property
    def head(self) -> str:
        """The commit pushed last."""
        return git(self.work, "rev-parse", "HEAD")


class Context:
    """What a job may do to itself, noted."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.commands: list[str] = []
        self.steps: list[tuple[str, float | None]] = []
        self.results: dict[str, str] = {}
        self.uid = os.getuid()

    def log(self, text: str) -> None:
        self.lines.append(text)

    def command(self, text: str) -> None:
        self.commands.append(text)

    def progress(self, text: str, done: float | None = None) -> None:
        self.steps.append((text, done))

    def result(self, **values: str) -> None:
        self.results |= values


class Server:
    """An agent's clones, in a folder of their own."""

    def __init__(self, folder: Path, author: Author) -> None:
        self.root = folder / "agent" / "repos"
        self.clones = Clones(self.root, [author.bare.parent])
        self.files = self.root / "shop" / "files"
        self.git_dir = self.root / "shop" / "git"
        self.source = RepoSource(url=f"file://{author.bare}")
        self.context = Context()

    async def do(self, verb: Any, *, discard: bool = False, **source: Any) -> dict[str, str]:
        """One job; returns its result."""
        self.context = Context()
        spec = RepoJob(verb=verb, name="shop", source=msgspec.structs.replace(self.source, **source), discard=discard)
        await self.clones.run(self.context, spec)  # type: ignore[arg-type]
        return self.context.results

    async def refusal(self, verb: Any, **options: Any) -> str:
        """The words of one that must fail."""
        try:
            await self.do(verb, **options)
        except AgentError as error:
            return error.sentence()
        raise AssertionError("it was done")

    async def state(self) -> RepoState:
        """The clone as it stands."""
        (found,) = await self.clones.states()
        return found
