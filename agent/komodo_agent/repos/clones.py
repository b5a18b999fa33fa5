"""All clones of an agent: what routes and jobs call."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..problems import AgentError
from ..wire.repo_checks import wrong_name
from .acts import RepoAct, check, check_source
from .files import read, tree
from .folder import Folder
from .git import GitFailedError
from .lent import give_back
from .look import changed, detail, state
from .remote import remote_head
from .said import explained
from .texts import texts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from ..jobs import JobContext
    from ..wire.repos import (
        ChangedPaths,
        RemoteHead,
        RepoDetail,
        RepoFile,
        RepoJob,
        RepoSource,
        RepoState,
        RepoTexts,
    )
    from ..wire.volumes import VolumeFolder

ROOTS = "KOMODO_AGENT_REPO_ROOTS"
_USUAL_ROOTS = "/srv"
_AT_ONCE = 4
"""Clones that are read side by side."""
_LOOKS_AT_ONCE = 4
"""Repositories' own servers that are asked side by side."""
_PATIENCE = 60.0
"""Seconds an act waits for another one on the same clone."""
_ASK_EVERY = 0.1
_FRESH = 5.0
"""Seconds for which what was read of a clone is told again."""


class Clones:
    """The folder ``<state>/repos``."""

    def __init__(self, root: Path, file_roots: Sequence[Path] | None = None) -> None:
        """``file_roots``: where repositories that are folders of this server may be; None = as the environment says."""
        if file_roots is None:
            file_roots = usual_roots()
        self._root = root
        self._file_roots = file_roots
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._looks = asyncio.Semaphore(_LOOKS_AT_ONCE)
        self._busy: set[str] = set()
        self._known: dict[str, tuple[float, RepoState]] = {}

    async def states(self) -> tuple[RepoState, ...]:
        """Of every clone, by name."""
        names = await asyncio.to_thread(self._names)
        for gone in self._known.keys() - set(names):
            self._known.pop(gone, None)
        return tuple(await asyncio.gather(*map(self._state, names)))

    async def detail(self, name: str) -> RepoDetail:
        """One, with its log and diff. Raises AgentError."""
        folder = self._folder(name)
        if not await asyncio.to_thread(folder.path.is_dir):
            raise AgentError("not_found", f"there is no clone of {name} here", hint="clone it first")
        async with self._turns:
            return await detail(folder)

    async def changed(self, name: str, before: str, after: str) -> ChangedPaths:
        """The files in which two commits differ. Raises AgentError."""
        async with self._turns:
            return await changed(self._folder(name), before, after)

    async def files(self, name: str, path: str) -> VolumeFolder:
        """A folder of a clone. Raises AgentError."""
        return await asyncio.to_thread(tree, self._folder(name), path)

    async def file(self, name: str, path: str) -> RepoFile:
        """A text file of a clone. Raises AgentError."""
        return await asyncio.to_thread(read, self._folder(name), path)

    async def texts(self, name: str, path: str, *, every: bool) -> RepoTexts:
        """The text files of what is checked out. Raises AgentError."""
        folder = self._folder(name)
        if not await asyncio.to_thread(folder.git_dir.is_dir):
            raise AgentError("not_found", f"there is no clone of {name} here", hint="clone it first")
        async with _turn(folder):
            return await texts(folder, path, every=every)

    async def remote(self, source: RepoSource) -> RemoteHead:
        """What a branch is at the repository's own server, which is asked now. Raises AgentError."""
        await asyncio.to_thread(check_source, source, self._file_roots)
        try:
            async with self._looks:
                return await remote_head(self._root, source)
        finally:
            await give_back(source)

    async def run(self, context: JobContext, spec: RepoJob) -> None:
        """Do a job's work.

        Raises:
            AgentError: refused or failed.
        """
        try:
            await asyncio.to_thread(check, spec, self._file_roots)
            folder = self._folder(spec.name)
            async with _turn(folder) as lock:
                for name in await asyncio.to_thread(folder.tidy):
                    context.log(f"{name} was left by an act that was killed, and was taken away")
                self._busy.add(spec.name)
                try:
                    await RepoAct(folder, context, spec, lock).run()
                finally:
                    self._busy.discard(spec.name)
                    await asyncio.to_thread(folder.drop_unfinished)
        except GitFailedError as error:
            raise explained(error, spec.source) from error
        except AgentError as error:
            if error.code in ("conflict", "bad_request", "forbidden", "not_found"):
                context.result(refused=error.code)
            raise
        finally:
            self._known.pop(spec.name, None)
            await give_back(spec.source)

    async def _state(self, name: str) -> RepoState:
        now = asyncio.get_running_loop().time()
        kept = self._known.get(name)
        if kept is not None and now - kept[0] < _FRESH:
            return kept[1]
        async with self._turns:
            found = await state(self._folder(name), busy=name in self._busy)
        self._known[name] = (now, found)
        return found

    def _folder(self, name: str) -> Folder:
        wrong = wrong_name(name)
        if wrong:
            raise AgentError("bad_request", wrong)
        return Folder(self._root, name)

    def _names(self) -> list[str]:
        try:
            return sorted(path.name for path in self._root.iterdir() if path.is_dir() and not wrong_name(path.name))
        except OSError:
            return []


@asynccontextmanager
async def _turn(folder: Folder) -> AsyncIterator[int]:
    """The clone's lock, waited for: a push, a sync and a person may want a clone at the same time.

    Raises:
        AgentError: another act holds it for longer than that.
    """
    deadline = time.monotonic() + _PATIENCE
    with ExitStack() as held:
        while True:
            try:
                lock = held.enter_context(folder.locked())
                break
            except AgentError as error:
                if not error.retryable or time.monotonic() >= deadline:
                    raise
            await asyncio.sleep(_ASK_EVERY)
        yield lock


def usual_roots() -> list[Path]:
    """Where repositories that are folders of this server may be, as the agent's environment says."""
    return [Path(word) for word in os.environ.get(ROOTS, _USUAL_ROOTS).split(":") if word]
