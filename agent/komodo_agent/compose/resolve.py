"""A source resolved by compose before any of its files is placed.

Compose reads the compose files from beside the project's folder, and everything else (env files, say) from that folder
itself. Where such a file is to come, change or go, a copy of the folder with the files to be stands for it.

Whether a service is as it was is told by two means. ``config --hash`` is what compose labels containers with, for
services without env files: with them, releases to 2.26 at least hash something else than ``up`` does. So each revision
also keeps a fingerprint of the resolved configuration, beside the labels its containers got.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from ..problems import AgentError
from .project import ComposeCalls, project_folder
from .revisions import placed_files

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from ..engine.client import Engine
    from ..wire.compose import ComposeSource, Revision
    from .cli import Cli
    from .folder import StackFolder
    from .model import Model

_SEVERAL_ENV_FILES = (2, 17, 0)
"""The first compose that reads more than one."""


async def resolved(
    cli: Cli,
    engine: Engine,
    kept: StackFolder,
    source: ComposeSource,
    revisions: Iterable[Revision],
    fds: tuple[int, ...] = (),
    at: Path | None = None,
) -> tuple[Model, dict[str, str]]:
    """The configuration, and compose's hash of each service where that can be had before files are placed.

    ``at``: where the files are now, when that is not where they will be.

    Raises:
        AgentError: compose refuses the source, or takes no such files.
    """
    if len(source.env_files) > 1 and cli.version < _SEVERAL_ENV_FILES:
        raise AgentError("bad_request", f"{cli} takes one env file", hint="give one, or install a newer compose there")
    folder = project_folder(source, kept, at)
    if at is not None:
        return await _elsewhere(cli, engine, kept, source, at, fds), {}
    if source.folder and not source.files:
        files = tuple(str(folder / name) for name in source.compose_files)
        return await _both(ComposeCalls(cli, engine, source, folder, files), fds)
    contents = {file.path: file.content for file in source.files}
    changes = {} if source.folder else _changes(kept, contents, source.compose_files, revisions)
    if changes:
        return await _in_a_copy(cli, engine, kept, source, contents, changes, fds), {}
    scratch = kept.scratch({name: contents[name] for name in source.compose_files})
    try:
        files = tuple(str(scratch / name) for name in source.compose_files)
        return await _both(ComposeCalls(cli, engine, source, folder, files), fds)
    finally:
        kept.drop(scratch)


def _changes(
    kept: StackFolder, contents: Mapping[str, str], compose_files: Iterable[str], revisions: Iterable[Revision]
) -> set[str]:
    """The files besides compose's that would not be what they are on disk."""
    found = {path for path, text in contents.items() if kept.content(path) != text} - set(compose_files)
    for file in placed_files(revisions):
        if file.path not in contents and kept.content(file.path) == file.content:
            found.add(file.path)
    return found


async def _in_a_copy(
    cli: Cli,
    engine: Engine,
    kept: StackFolder,
    source: ComposeSource,
    contents: Mapping[str, str],
    changes: Collection[str],
    fds: tuple[int, ...],
) -> Model:
    copy = kept.copy(contents, changes)
    try:
        files = tuple(str(copy / name) for name in source.compose_files)
        return await ComposeCalls(cli, engine, source, copy, files, stands_for=kept.files).model(fds)
    finally:
        kept.drop(copy)


async def _elsewhere(
    cli: Cli, engine: Engine, kept: StackFolder, source: ComposeSource, at: Path, fds: tuple[int, ...]
) -> Model:
    scratch = kept.scratch({file.path: file.content for file in source.files})
    try:
        where = scratch if source.files else at
        files = tuple(str(where / name) for name in source.compose_files)
        return await ComposeCalls(cli, engine, source, at, files, stands_for=Path(source.folder)).model(fds)
    finally:
        kept.drop(scratch)


async def _both(calls: ComposeCalls, fds: tuple[int, ...]) -> tuple[Model, dict[str, str]]:
    model, hashes = await asyncio.gather(calls.model(fds), calls.hashes(fds), return_exceptions=True)
    for found in (model, hashes):  # what the model has against the source says more, whichever came first
        if isinstance(found, BaseException):
            raise found
    assert not isinstance(model, BaseException)
    assert not isinstance(hashes, BaseException)
    return model, hashes
