"""The files of a sync: out of a folder of this machine, or of the clone of a repo that an agent keeps and pulls."""

from __future__ import annotations

import asyncio
import os
import stat
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from komodo_agent.wire.jobs import JobRequest
from komodo_agent.wire.repos import RepoJob
from komodo_tui.domain.errors import ActError, KomodoError, UnreachableError, UsageError
from komodo_tui.domain.repos import servers_of
from komodo_tui.operations.job_steps import lent_source
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.operations.repo_plans import with_token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from komodo_tui.domain.repos import RepoDefinition
    from komodo_tui.domain.syncs import SyncDefinition
    from komodo_tui.fleet.client import AgentClient
    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.operations.values import StoredValues
    from komodo_tui.store.definitions import DefinitionStore

MOST_FILES, MOST_BYTES = 500, 4 << 20
_YAML = (".yaml", ".yml")
_PULL = 300.0
_LOCAL = "local"


class SourceFiles(NamedTuple):
    """The files as they were read."""

    commit: str
    """Full id; empty = of a folder."""
    texts: dict[str, str]
    """By path below the sync's own, in the order of their names."""
    digests: dict[str, str]
    """SHA-256 by the same; empty texts where they are of a folder."""
    server: str = ""
    """Whose clone it is; empty = of a folder."""


class SourceReader:
    """Reads the files of syncs. Everything raises KomodoError."""

    def __init__(self, fleet: FleetManager, definitions: DefinitionStore, values: StoredValues) -> None:
        self._fleet = fleet
        self._definitions = definitions
        self._values = values

    async def read(self, sync: SyncDefinition, *, pull: bool = True) -> SourceFiles:
        """The files there are now; ``pull``: after the clone was brought up to date.

        A sync of definitions takes YAML files alone, one of a stack every text file.
        """
        every = bool(sync.stack)
        if sync.folder:
            return await asyncio.to_thread(_of_folder, Path(sync.folder), sync.path, every)
        repo = await asyncio.to_thread(lambda: RepoDefinitions(self._definitions).stored(sync.repo).value)
        server, client = await self._agent(repo)
        if pull:
            await self._pull(repo, server, client)
        return await _of_clone(client, repo.name, server, sync.path, every)

    async def _agent(self, repo: RepoDefinition) -> tuple[str, AgentClient]:
        """The first of the repo's servers that is there; this machine where it names none."""
        known = {name: live.definition for name, live in self._fleet.state.servers.items()}
        names = servers_of(repo, known) if repo.servers else (_LOCAL,)
        trouble: KomodoError | None = None
        for name in names:
            if name not in known:
                raise UsageError(f"repo {repo.name} is on no server", hint="name one in its definition")
            try:
                return name, await self._fleet.link(name).client()
            except UnreachableError as error:
                trouble = trouble or error
        assert trouble is not None
        raise trouble

    async def _pull(self, repo: RepoDefinition, server: str, client: AgentClient) -> None:
        spec = RepoJob(verb="pull", name=repo.name, source=repo.source, make=True, timeout=_PULL)
        filled = await asyncio.to_thread(with_token, spec, server, self._values)
        async with client.lending(lent_source(filled)):
            job = await client.submit(JobRequest(id=str(uuid.uuid4()), spec=filled, actor="sync"))
            offset = 0
            while not job.ended:  # the agent ends it in time
                data, _ = await client.job_log(job.id, offset, wait=20.0)
                offset += len(data)
                job = await client.job(job.id)
        if job.status != "succeeded":
            raise ActError(
                f"repo {repo.name} cannot be pulled on {server}: {job.error or job.status}",
                hint=f"komodo-tui repo status {repo.name}",
            )


def _of_folder(folder: Path, path: str, every: bool) -> SourceFiles:
    """Read them. Blocks. Links are not followed: a file elsewhere is none of this folder's."""
    top = folder / path if path else folder
    texts: dict[str, str] = {}
    size = 0
    try:
        found = [top] if stat.S_ISREG(top.lstat().st_mode) else sorted(_files_below(top))
        for file in found:
            name = str(file.relative_to(top)) if file != top else file.name
            if not every and file.suffix not in _YAML:
                continue
            size += file.stat().st_size
            _check_bounds(str(top), len(texts) + 1, size)
            texts[name] = file.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is no text (UTF-8)") from error
    except OSError as error:
        raise UsageError(f"{error.filename or top} cannot be read: {error.strerror}") from error
    return SourceFiles("", texts, {})


def _files_below(top: Path) -> Iterator[Path]:
    def failed(error: OSError) -> None:
        raise error

    for above, folders, files in os.walk(top, onerror=failed):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in files:
            path = Path(above, name)
            if not name.startswith(".") and stat.S_ISREG(path.lstat().st_mode):
                yield path


async def _of_clone(client: AgentClient, repo: str, server: str, path: str, every: bool) -> SourceFiles:
    """Read them by the agent: all of one commit, whatever else goes on in the clone."""
    found = await client.repo_texts(repo, path, every=every)
    prefix = f"{path}/" if path else ""
    names = {file.path: file.path.rpartition("/")[2] if file.path == path else file.path.removeprefix(prefix)
             for file in found.files}  # fmt: skip
    return SourceFiles(
        found.commit, {names[file.path]: file.text for file in found.files},
        {names[file.path]: file.digest for file in found.files}, server,
    )  # fmt: skip


def _check_bounds(what: str, files: int, size: int) -> None:
    if files > MOST_FILES or size > MOST_BYTES:
        raise UsageError(
            f"{what} has more than {MOST_FILES} files or {MOST_BYTES >> 20} MiB for a sync", hint="name a folder in it"
        )
