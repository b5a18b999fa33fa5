"""Clone, pull, look for news, remove: the jobs on clones."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

import msgspec

from ..problems import AgentError
from ..wire.repo_checks import file_path, is_file, wrong_name, wrong_source
from .after import run_after
from .commit import CommitAct
from .folder import Folder, Record
from .git import GitFailedError, HardGit
from .lent import give_back
from .look import REMOTE, git_of, is_ancestor, resolved, status, warnings
from .said import Teller, explained, overwritten

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from ..jobs import JobContext
    from ..wire.repos import DirtyFile, RepoJob, RepoSource

_SHOWN = 5


class RepoAct:
    """One job on one clone, its lock held."""

    def __init__(self, folder: Folder, context: JobContext, spec: RepoJob, lock: int) -> None:
        self._folder = folder
        self._context = context
        self._spec = spec
        self._lock = lock
        self._tell = Teller(context)

    async def run(self) -> None:
        """Do it. Raises AgentError, GitFailedError."""
        await {
            "clone": self._clone, "pull": self._pull, "fetch": self._fetch_only, "remove": self._remove,
            "commit": self._commit,
        }[self._spec.verb]()  # fmt: skip

    # -- verbs --------------------------------------------------------------------------------------------------

    async def _clone(self) -> None:
        """Anew, into the same files: what git does not know there stays, and is never overwritten."""
        folder = self._folder
        old = git_of(folder) if await asyncio.to_thread(folder.git_dir.is_dir) else None
        before = await self._unchanged(old) if old is not None else ""
        await asyncio.to_thread(folder.make)
        git = HardGit(folder.new_git, folder.files)
        await self._write(git, "init", "--quiet", "--template=", "--initial-branch=main")
        target = await self._fetch(git)
        if before:
            await asyncio.to_thread(folder.lend)
            await self._write(git, "update-ref", "--no-deref", "HEAD", before)
        await self._check_out(git, target, force=self._spec.discard)
        await asyncio.to_thread(folder.lent_back)
        await asyncio.to_thread(folder.take_new)
        await self._record(git_of(folder), target)
        self._context.result(commit=target, before=before)
        await self._after("on_clone", self._spec.on_clone, before, target)

    async def _pull(self) -> None:
        if self._spec.make and self._folder.record() is None:
            await self._clone()
            return
        git, record = self._cloned()
        before, dirty = await status(git)
        remote = await resolved(git, REMOTE)
        target = await self._fetch(git)
        own = bool(before) and before != record.pulled and not await is_ancestor(git, before, target)
        if own and not self._spec.discard:
            raise AgentError(
                "conflict", f"the clone has commits of its own ({before[:12]}) that {target[:12]} does not hold",
                hint="nothing was changed; push them, or throw them away (discard)",
            )  # fmt: skip
        same = record.branch == self._spec.source.branch
        if same and remote and not await is_ancestor(git, remote, await resolved(git, REMOTE)):
            self._context.log(f"the branch was rewritten (force-push); it was {remote[:12]}")
        if before == target and not (dirty and self._spec.discard):
            self._context.log(f"nothing new: {target[:12]} is checked out")
        else:
            await self._check_out(git, target, force=self._spec.discard)
        await self._record(git, target)
        self._context.result(commit=target, before=before)
        await self._after("on_pull", self._spec.on_pull, before, target)
        if before != target:
            await self._pack(git)

    async def _fetch_only(self) -> None:
        git, record = self._cloned()
        await self._fetch(git)
        record = msgspec.structs.replace(record, fetched=time.time())
        await asyncio.to_thread(self._folder.write, record)
        self._context.result(remote=await resolved(git, REMOTE))
        await self._pack(git)

    async def _commit(self) -> None:
        git, record = self._cloned()
        if self._spec.source.host_keys:
            await asyncio.to_thread(self._folder.trust, self._spec.source.host_keys)
        act = CommitAct(self._folder, self._context, self._spec, self._lock, self._tell)
        await act.run(git, record, self._folder.root)

    async def _remove(self) -> None:
        folder = self._folder
        if not await asyncio.to_thread(folder.path.is_dir):
            raise AgentError("not_found", f"there is no clone of {folder.name} here")
        if await asyncio.to_thread(folder.git_dir.is_dir):
            await self._unchanged(git_of(folder), untracked=True)
        self._context.command(f"rm -r {folder.path}")
        await asyncio.to_thread(folder.remove)

    # -- parts --------------------------------------------------------------------------------------------------

    def _cloned(self) -> tuple[HardGit, Record]:
        folder = self._folder
        record = folder.record()
        if record is None or not folder.git_dir.is_dir():
            raise AgentError("not_found", f"{folder.name} is not cloned here yet", hint="clone it first")
        if record.url != self._spec.source.url:
            raise AgentError(
                "conflict", f"the clone of {folder.name} is of another URL: {record.url}",
                hint="clone it again: files that git does not know stay",
            )  # fmt: skip
        return git_of(folder), record

    async def _unchanged(self, git: HardGit, *, untracked: bool = False) -> str:
        """The commit checked out. Raises AgentError where something would be lost and that was not asked for."""
        try:
            head, dirty = await status(git)
        except GitFailedError as error:
            if self._spec.discard:
                return ""
            raise AgentError(
                "conflict", f"git cannot read the clone that is there: {error.words[-200:]}",
                hint="clone it again and throw changes away (discard): files of the same names are overwritten",
            ) from error  # fmt: skip
        lost = [file for file in dirty if untracked or file.state != "?"]
        record = self._folder.record()
        pulled = record.pulled if record is not None else ""
        own = bool(head) and head != pulled and not await is_ancestor(git, head, REMOTE)
        if (lost or own) and not self._spec.discard:
            what = f"files that were changed: {_names(lost)}" if lost else f"commits of its own ({head[:12]})"
            raise AgentError(
                "conflict", f"the clone has {what}", hint="nothing was done; save them, or throw them away (discard)"
            )
        return head

    async def _fetch(self, git: HardGit) -> str:
        """Get the branch, and say which commit is to be checked out."""
        source = self._spec.source
        wanted = f"refs/heads/{source.branch}" if source.branch else "HEAD"
        await self._network(git, f"+{wanted}:{REMOTE}", shown=source.branch)
        if not source.commit:
            return await resolved(git, REMOTE)
        target = await resolved(git, source.commit)
        if not target and len(source.commit) >= 40:  # of another branch: most servers give it all the same
            await self._network(git, source.commit, shown=source.commit)
            target = await resolved(git, source.commit)
        if not target:
            raise AgentError(
                "failed", f"there is no commit {source.commit} at {source.url}, branch {source.branch or 'HEAD'}",
                hint="name the branch that has it, or give all 40 digits",
            )  # fmt: skip
        return target

    async def _network(self, git: HardGit, refspec: str, *, shown: str) -> None:
        source, folder = self._spec.source, self._folder
        self._context.command(f"git fetch {source.url} {shown}".rstrip())
        if source.host_keys:
            await asyncio.to_thread(folder.trust, source.host_keys)
        try:
            await git.network(
                "fetch", "--progress", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-gc",
                "--end-of-options", source.url, refspec,
                source=source, known_hosts=folder.known_hosts, lock=self._lock, tell=self._tell,
                timeout=self._spec.timeout,
            )  # fmt: skip
        except GitFailedError as error:
            raise explained(error, source) from error

    async def _check_out(self, git: HardGit, target: str, *, force: bool) -> None:
        self._context.command(f"git checkout {'--force ' if force else ''}--detach {target}")
        words = ["--force"] if force else ["--no-overwrite-ignore"]
        try:
            await git.write(
                "checkout", "--progress", *words, "--no-recurse-submodules", "--detach", target,
                lock=self._lock, tell=self._tell, timeout=self._spec.timeout,
            )  # fmt: skip
        except GitFailedError as error:
            raise overwritten(error) or explained(error, self._spec.source) from error

    async def _record(self, git: HardGit, target: str) -> None:
        source, folder = self._spec.source, self._folder
        found = await warnings(folder, git)
        for line in found:
            self._context.log(f"warning: {line}")
        record = Record(
            url=source.url, branch=source.branch, fetched=time.time(), pulled=target, warnings=found
        )  # fmt: skip
        await asyncio.to_thread(folder.write, record)

    async def _after(self, what: str, commands: tuple[tuple[str, ...], ...], before: str, target: str) -> None:
        """The commands of the definition, without the ssh-agent that may have been lent: git is through."""
        await give_back(self._spec.source)
        await run_after(what, commands, self._context, self._spec, self._folder.files, (before, target))

    async def _pack(self, git: HardGit) -> None:
        """Have git pack together what many pulls have brought, where it is time for that: nothing else ever does.

        That is one call of git which does nothing most of the time. Where it fails, the act has not failed.
        """
        try:
            await git.write("gc", "--auto", "--quiet", lock=self._lock, timeout=self._spec.timeout)
        except (GitFailedError, AgentError) as error:
            self._context.log(f"git could not pack the clone: {str(error)[-200:]}")

    async def _write(self, git: HardGit, *words: str) -> None:
        await git.write(*words, lock=self._lock)


def check(spec: RepoJob, roots: Sequence[Path]) -> None:
    """Refuse what must not be tried. Blocks. Raises AgentError ``bad_request`` or ``forbidden``."""
    wrong = wrong_name(spec.name)
    if wrong:
        raise AgentError("bad_request", wrong)
    if spec.verb != "remove":
        check_source(spec.source, roots)


def check_source(source: RepoSource, roots: Sequence[Path]) -> None:
    """Refuse to talk to what must not be talked to. Blocks. Raises AgentError ``bad_request`` or ``forbidden``."""
    wrong = wrong_source(source)
    if wrong:
        raise AgentError("bad_request", wrong)
    _check_file(source, roots)


def _check_file(source: RepoSource, roots: Iterable[Path]) -> None:
    if not is_file(source.url):
        return
    real = os.path.realpath(file_path(source.url))
    tops = [os.path.realpath(root) for root in roots]
    if not any(real.startswith(f"{top.rstrip('/')}/") for top in tops):
        raise AgentError(
            "forbidden",
            f"{source.url} is outside of the folders that repos may come from: {', '.join(tops) or 'none'}",
            hint="KOMODO_AGENT_REPO_ROOTS of the agent names them, separated by colons",
        )  # fmt: skip


def _names(files: Sequence[DirtyFile]) -> str:
    more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
    return ", ".join(file.path for file in files[:_SHOWN]) + more
