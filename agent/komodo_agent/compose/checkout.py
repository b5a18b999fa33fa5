"""The files of a stack that come from a git repository: got, looked at before they are there, and checked out.

The clone lies below the project's folder, apart from files that are placed there, and is the project's alone: who pulls
a repo changes no stack. A file that git does not know is somebody's own and is never written over.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import msgspec

from ..problems import AgentError
from ..repos.acts import check
from ..repos.clones import usual_roots
from ..repos.folder import Folder, Record
from ..repos.git import GitFailedError, HardGit
from ..repos.lent import give_back
from ..repos.look import REMOTE, commits_of, git_of, resolved, status
from ..repos.said import explained
from ..wire.compose_git import GitNews
from ..wire.repos import RepoJob

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ..wire.compose import Revision
    from ..wire.compose_git import GitOrigin
    from ..wire.repos import RepoCommit
    from .folder import StackFolder

_FETCH = 180.0
_CHECKOUT = 300.0
_COMING = 20
_EDITED = 20
_NAMED = 3
_LISTED = 64 << 20
_MARK = "going-to"
"""While files are written: the commit they are written from."""
_turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
"""By clone: whoever looks at one waits for who looks at it already."""


class Checkout:
    """The clone of one project."""

    def __init__(self, kept: StackFolder, origin: GitOrigin) -> None:
        self._origin = origin
        self._folder = Folder(kept.base, "repo")
        self._git = git_of(self._folder)
        self._mark = self._folder.path / _MARK

    @property
    def folder(self) -> Path:
        """Where compose's relative paths start."""
        return self._folder.files / self._origin.folder if self._origin.folder else self._folder.files

    async def find(self, commit: str) -> str:
        """The full id of what is to be deployed: this commit, if it is here, or what the repository has now.

        Raises:
            AgentError: the repository cannot be read, or has no such branch or commit.
        """
        await asyncio.to_thread(check, RepoJob(verb="fetch", name="repo", source=self._origin.repo), usual_roots())
        async with self._turn():
            if commit:
                found = await resolved(self._git, commit) if self._folder.git_dir.is_dir() else ""
                if not found:
                    raise AgentError(
                        "conflict", f"the commit {commit[:12]} is not on this server any more",
                        hint="make a new plan",
                    )  # fmt: skip
                return found
            try:
                return await self._fetch()
            finally:
                await give_back(self._origin.repo)

    async def news(self, target: str, good: Revision | None) -> GitNews:
        """What a deploy of this commit brings. Raises AgentError."""
        deployed = good.summary.commit if good is not None else ""
        known = deployed if deployed and await resolved(self._git, deployed) else ""
        tip = await resolved(self._git, REMOTE)
        try:
            found = {c.id: c for c in await commits_of(self._git, "--no-walk=unsorted", target, *filter(None, (tip,)))}
            coming: list[RepoCommit] = []
            if known and known != target:
                coming = await commits_of(self._git, f"--max-count={_COMING}", f"{known}..{target}")
            behind = 0
            if tip and tip != target:
                behind = int(await self._git.read("rev-list", "--count", f"{target}..{tip}", "--"))
            edited = await self._edited()
        except GitFailedError as error:
            raise explained(error, self._origin.repo) from error
        return GitNews(
            target=found[target], deployed=deployed, tip=found.get(tip), coming=tuple(coming), behind=behind,
            edited=tuple(edited[:_EDITED]),
        )  # fmt: skip

    async def stands_at(self, commit: str) -> bool:
        """Whether the files are those of this commit."""
        if not self._folder.git_dir.is_dir() or self._mark.exists():
            return False
        with suppress(GitFailedError):
            head, dirty = await status(self._git)
            return head == commit and all(file.state == "?" for file in dirty)
        return False

    @asynccontextmanager
    async def shadow(self, kept: StackFolder, commit: str) -> AsyncIterator[Path]:
        """All files of a commit in a folder of their own, as long as it is looked at. Raises AgentError."""
        scratch = kept.scratch({})
        try:
            try:
                await _Shadow(self._git.git_dir, scratch / "files", scratch / "index").read_out(commit)
            except GitFailedError as error:
                raise explained(error, self._origin.repo) from error
            yield scratch / "files" / self._origin.folder if self._origin.folder else scratch / "files"
        finally:
            await asyncio.to_thread(kept.drop, scratch)

    async def in_the_way(self, commit: str) -> tuple[str, ...]:
        """Files that git does not know and that this commit would write over. Raises AgentError."""
        if not self._folder.files.is_dir():
            return ()
        try:
            wanted = _names(await self._git.read("ls-tree", "-r", "--name-only", "-z", commit, limit=_LISTED))
            known = _names(await self._git.read("ls-files", "-z", limit=_LISTED))
            half = await self._half_way()
            if half:  # what it writes was not there when it began, so what is there is half of it
                known |= _names(await self._git.read("ls-tree", "-r", "--name-only", "-z", half, limit=_LISTED))
        except GitFailedError as error:
            raise explained(error, self._origin.repo) from error
        return await asyncio.to_thread(self._foreign, wanted - known, known)

    async def check_out(self, commit: str, lock: int) -> None:
        """Make the files those of this commit; changed ones are written over. Raises AgentError."""
        found = await self.in_the_way(commit)
        if found:
            raise AgentError("conflict", f"{', '.join(found[:_NAMED])}: somebody's own, and would be written over")
        async with self._turn():
            try:
                half = await self._half_way()
                if half and half != commit:
                    await self._write_out(half, lock)
                await asyncio.to_thread(self._mark.write_text, commit)
                await self._write_out(commit, lock)
                await asyncio.to_thread(self._mark.unlink, missing_ok=True)
                source = self._origin.repo
                await asyncio.to_thread(
                    self._folder.write,
                    Record(url=source.url, branch=source.branch, fetched=time.time(), pulled=commit),
                )
            except GitFailedError as error:
                raise explained(error, self._origin.repo) from error
            except OSError as error:
                raise AgentError("failed", f"{self._mark} cannot be written: {error.strerror}") from error

    async def head(self) -> str:
        """The commit that is checked out; empty = none is."""
        return await resolved(self._git, "HEAD") if self._folder.git_dir.is_dir() else ""

    # -- parts --------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """One at a time on the clone: here in order, and not beside another agent."""
        key = str(self._folder.path)
        turn = _turns.get(key) or _turns.setdefault(key, asyncio.Lock())
        async with turn:
            await asyncio.to_thread(self._folder.make)
            with self._folder.locked() as self._lock:
                await asyncio.to_thread(self._folder.tidy)
                yield

    async def _fetch(self) -> str:
        source, folder, git = self._origin.repo, self._folder, self._git
        try:
            if not folder.git_dir.is_dir():
                new = HardGit(folder.new_git, folder.files)
                await new.write("init", "--quiet", "--template=", "--initial-branch=main", lock=self._lock)
                await asyncio.to_thread(folder.take_new)
            if source.host_keys:
                await asyncio.to_thread(folder.trust, source.host_keys)
            wanted = f"refs/heads/{source.branch}" if source.branch else "HEAD"
            await self._network(f"+{wanted}:{REMOTE}")
            target = await resolved(git, source.commit or REMOTE)
            if not target and len(source.commit) >= 40:  # of another branch: most servers give it all the same
                await self._network(source.commit)
                target = await resolved(git, source.commit)
        except GitFailedError as error:
            raise explained(error, source) from error
        if not target:
            raise AgentError(
                "failed",
                f"there is no commit {source.commit or ''} at {source.url}, branch {source.branch or 'HEAD'}",
                hint="name the branch that has it, or give all 40 digits",
            )
        return target

    async def _network(self, refspec: str) -> None:
        await self._git.network(
            "fetch", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-gc",
            "--end-of-options", self._origin.repo.url, refspec,
            source=self._origin.repo, known_hosts=self._folder.known_hosts, lock=self._lock, timeout=_FETCH,
        )  # fmt: skip

    async def _half_way(self) -> str:
        """The commit that files were being written from when that was cut off; empty = none."""
        try:
            return await resolved(self._git, (await asyncio.to_thread(self._mark.read_text)).strip() or "-")
        except OSError:
            return ""

    async def _write_out(self, commit: str, lock: int) -> None:
        await self._git.write(
            "checkout", "--force", "--quiet", "--no-recurse-submodules", "--detach", commit,
            lock=lock, timeout=_CHECKOUT,
        )  # fmt: skip

    async def _edited(self) -> list[str]:
        if not self._folder.files.is_dir() or not await self.head():
            return []
        _, dirty = await status(self._git)
        return [file.path for file in dirty if file.state != "?"]

    def _foreign(self, new: set[str], known: set[str]) -> tuple[str, ...]:
        found = []
        for name in sorted(new):
            path = self._folder.files / name
            above = next((p for p in path.parents if p.is_symlink() or (p.exists() and not p.is_dir())), None)
            blocked = above is not None and str(above.relative_to(self._folder.files)) not in known
            if blocked or path.is_symlink() or path.exists():
                found.append(str(path))
        return tuple(found)


class _Shadow(HardGit):
    """The same repository with files and an index apart."""

    def __init__(self, git_dir: Path, work_tree: Path, index: Path) -> None:
        super().__init__(git_dir, work_tree)
        self._index = index

    async def read_out(self, commit: str) -> None:
        """Write all files of a commit. Raises GitFailedError, AgentError."""
        await asyncio.to_thread(self.work_tree.mkdir, mode=0o700)
        await self.write("read-tree", "-u", "--reset", commit, lock=-1, timeout=_CHECKOUT)

    def _environment(self, more: dict[str, str]) -> dict[str, str]:  # type: ignore[override]
        return {**super()._environment(more), "GIT_INDEX_FILE": str(self._index)}


def without_token(origin: GitOrigin | None) -> GitOrigin | None:
    """The same to be kept."""
    return None if origin is None else msgspec.structs.replace(origin, repo=origin.repo.bare)


def _names(out: bytes) -> set[str]:
    return {name for name in out.decode("utf-8", "surrogateescape").split("\0") if name}
