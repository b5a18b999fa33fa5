"""A source with its files where compose can read them: as they lie, or as a commit has them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ..wire.compose_values import PREFIX, name_of, names_in, variable_of, with_variables
from .checkout import Checkout
from .project import check_source, project_folder, read_sources
from .revisions import last_good

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ..wire.compose import ComposeSource, StackFile
    from ..wire.compose_git import GitNews
    from .folder import StackFolder


class Ground(NamedTuple):
    """A source, and where its files are."""

    source: ComposeSource
    """Of a repository: with the folder that its files will be in. Files in it stand for those of their names there."""
    files: tuple[StackFile, ...] = ()
    """The compose files' contents."""
    at: Path | None = None
    """Where everything else is now, when that is not where it will be."""
    news: GitNews | None = None
    in_the_way: tuple[str, ...] = ()
    """Files of somebody's own that would be written over."""

    @property
    def wants(self) -> tuple[str, ...]:
        """The ``[[NAME]]`` of files that no value was sent for."""
        names = dict.fromkeys(name for file in self.files for name in _variables(file.content))
        return tuple(name for name in names if variable_of(name) not in self.source.environment)


@asynccontextmanager
async def grounded(kept: StackFolder, source: ComposeSource) -> AsyncIterator[Ground]:
    """The source, as long as it is looked at.

    Raises:
        AgentError: the source is wrong, files cannot be read, or the repository has no such commit.
    """
    check_source(source)
    if source.git is None:
        yield await asyncio.to_thread(_filled, kept, Ground(source))
        return
    await asyncio.to_thread(kept.make)
    checkout = Checkout(kept, source.git)
    target = await checkout.find(source.commit)
    news = await checkout.news(target, last_good(kept.revisions()))
    placed = msgspec.structs.replace(source, folder=str(checkout.folder), commit=target)
    if await checkout.stands_at(target):
        yield await asyncio.to_thread(_filled, kept, Ground(placed, (), None, news))
        return
    foreign = await checkout.in_the_way(target)
    async with checkout.shadow(kept, target) as at:
        yield await asyncio.to_thread(_filled, kept, Ground(placed, (), at, news, foreign))


def _filled(kept: StackFolder, ground: Ground) -> Ground:
    """With the files that are on the server; where those have ``[[NAME]]``, the source has them with variables."""
    source = ground.source
    if source.folder:
        project_folder(source, kept, ground.at)
    files = read_sources(source, ground.at)
    if source.folder and not source.files and any(names_in(file.content) for file in files):
        files = tuple(msgspec.structs.replace(file, content=with_variables(file.content)) for file in files)
        source = msgspec.structs.replace(source, files=files)
    return ground._replace(source=source, files=files)


def _variables(text: str) -> list[str]:
    """The names behind ``${VALUE_NAME}`` in a text."""
    parts = text.split(f"${{{PREFIX}")[1:]
    return [name_of(f"{PREFIX}{name}") for part in parts if (name := part.partition("}")[0]).isidentifier()]
