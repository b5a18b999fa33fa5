"""Changes of a clone's files, committed and pushed back: all the way, or with the clone's commits as they were."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import msgspec

from ..problems import AgentError
from .files import check, write
from .git import GitFailedError
from .look import REMOTE, is_ancestor, resolved, status
from .remote import remote_head
from .said import explained

if TYPE_CHECKING:
    from pathlib import Path

    from ..jobs import JobContext
    from ..wire.repos import RepoJob
    from .folder import Folder, Record
    from .git import HardGit
    from .said import Teller

_AUTHOR = re.compile(r"([^<>\x00-\x1f]{1,100}) <([^<>\s\x00-\x1f]{1,200})>")
_REFUSED = (
    (r"fetch first|non-fast-forward|cannot lock ref|incorrect old value", "somebody pushed to the branch meanwhile",
     "pull, look at your change again, and push it anew"),
    (r"hook declined|protected branch", "the repository's server refused the push", "its rules do not allow it"),
    (r"denied|read.only|not allowed|403", "this login may not push there", "give its key or token the right to"),
)  # fmt: skip


class CommitAct:
    """One commit, the clone's lock held."""

    def __init__(self, folder: Folder, context: JobContext, spec: RepoJob, lock: int, tell: Teller) -> None:
        self._folder = folder
        self._context = context
        self._spec = spec
        self._lock = lock
        self._tell = tell

    async def run(self, git: HardGit, record: Record, root: Path) -> None:
        """Write the changes, commit, push.

        Raises:
            AgentError: ``conflict`` where the clone is not what the changes were made on; it is as before then.
        """
        author = self._checked()
        branch = await self._branch(git, root)
        before, _ = await status(git)
        remote = await resolved(git, REMOTE)
        if not before or not await is_ancestor(git, remote, before):
            raise AgentError("conflict", f"{branch} has commits that the clone does not have yet", hint="pull first")
        await asyncio.to_thread(check, self._folder, self._spec.changes)
        for change in self._spec.changes:
            self._context.log(f"{'remove' if change.text is None else 'write'} {change.path}")
            await asyncio.to_thread(write, self._folder, change)
        commit = await self._commit(git, author, before, remote)
        await self._push(git, branch, before, commit)
        await git.write("update-ref", REMOTE, commit, lock=self._lock)
        pulled = msgspec.structs.replace(record, pulled=commit)
        await asyncio.to_thread(self._folder.write, pulled)
        self._context.result(commit=commit, before=before, branch=branch)

    def _checked(self) -> dict[str, str]:
        spec = self._spec
        found = _AUTHOR.fullmatch(spec.author)
        if found is None:
            raise AgentError("bad_request", "who commits is written as: Ana Lee <ana@example.com>")
        if not spec.message.strip() or "\0" in spec.message or len(spec.message) > 10_000:
            raise AgentError("bad_request", "a commit has a message, of at most 10000 characters")
        if spec.source.commit:
            raise AgentError("conflict", f"the repo stays at commit {spec.source.commit[:12]}", hint="follow a branch")
        name, mail = found[1].strip(), found[2]
        return {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": mail, "GIT_COMMITTER_NAME": name,
                "GIT_COMMITTER_EMAIL": mail}  # fmt: skip

    async def _branch(self, git: HardGit, root: Path) -> str:
        """The branch to push to, which must be at the commit that the clone knows."""
        head = await remote_head(root, self._spec.source)
        branch = head.branch
        if not head.commit or not branch:
            raise AgentError("failed", f"there is no branch {branch or '(main)'} at {self._spec.source.url}")
        if head.commit != await resolved(git, REMOTE):
            raise AgentError("conflict", f"{branch} is at {head.commit[:12]} by now", hint="pull first")
        return branch

    async def _commit(self, git: HardGit, author: dict[str, str], before: str, remote: str) -> str:
        """The new commit; the one there is where commits of the clone's own only wait to be pushed."""
        paths = [change.path for change in self._spec.changes]
        words = ["add", "--force", "--all", "--", *paths] if paths else ["add", "--update", "."]
        await self._write(git, *words)
        _, dirty = await status(git)
        if not [file for file in dirty if file.state != "?" and (not paths or file.path in paths)]:
            if before != remote:
                return before
            raise AgentError("conflict", "there is nothing to commit", hint="the files are as they were committed")
        self._context.command(f"git commit -- {' '.join(paths)}".rstrip(" -"))
        only = ["--only", "--", *paths] if paths else []
        await self._write(
            git, "commit", "--quiet", "--no-verify", "--no-gpg-sign", "--cleanup=strip",
            f"--message={self._spec.message}", *only, more=author,
        )  # fmt: skip
        return await resolved(git, "HEAD")

    async def _push(self, git: HardGit, branch: str, before: str, commit: str) -> None:
        source = self._spec.source
        self._context.command(f"git push {source.url} HEAD:{branch}")
        try:
            await git.network(
                "push", "--progress", "--no-follow-tags", "--no-signed", "--recurse-submodules=no", "--end-of-options",
                source.url, f"{commit}:refs/heads/{branch}", source=source, known_hosts=self._folder.known_hosts,
                lock=self._lock, tell=self._tell, timeout=self._spec.timeout,
            )  # fmt: skip
        except GitFailedError as error:
            if commit != before:
                await self._write(git, "reset", "--quiet", before)
            for pattern, words, hint in _REFUSED:
                if re.search(pattern, error.words):
                    kept = "; your change is in the clone's files, not committed" if commit != before else ""
                    raise AgentError("conflict", f"{words}{kept}", hint=hint) from error
            raise explained(error, source) from error

    async def _write(self, git: HardGit, *words: str, more: dict[str, str] | None = None) -> None:
        try:
            await git.write(*words, lock=self._lock, more=more)
        except GitFailedError as error:
            raise explained(error, self._spec.source) from error
