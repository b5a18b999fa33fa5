"""The part of the agent's client that is about compose projects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire.compose import ComposePreview, ComposeProject, Revision
from komodo_agent.wire.compose_files import ROUTE_STACK_FILE, ROUTE_STACK_FOLDER, StackText
from komodo_agent.wire.protocol import (
    ROUTE_COMPOSE_PREVIEW,
    ROUTE_COMPOSE_PROJECT,
    ROUTE_COMPOSE_PROJECTS,
    ROUTE_COMPOSE_REVISION,
)
from komodo_agent.wire.volumes import VolumeFolder
from komodo_tui.fleet.lending import LendCalls

if TYPE_CHECKING:
    from komodo_agent.wire.compose import PreviewRequest

PREVIEW_TIMEOUT = 90.0
"""Longer than the agent gives compose."""
FETCH_TIMEOUT = 300.0
"""The same where the agent gets a repository first."""


class ComposeCalls(LendCalls):
    """Raises :class:`~komodo_tui.domain.errors.KomodoError`, as all of the client does."""

    async def compose_projects(self) -> list[ComposeProject]:
        """The compose projects that run there or were deployed there before."""
        return await self._get(ROUTE_COMPOSE_PROJECTS, list[ComposeProject], timeout=PREVIEW_TIMEOUT)

    async def compose_project(self, name: str) -> ComposeProject:
        """One of them, as it is now."""
        return await self._get(ROUTE_COMPOSE_PROJECT, ComposeProject, id=name, timeout=PREVIEW_TIMEOUT)

    async def compose_revision(self, name: str, number: int) -> Revision:
        """A revision with its files."""
        route = ROUTE_COMPOSE_REVISION.replace("{number}", str(number))
        return await self._get(route, Revision, id=name, timeout=PREVIEW_TIMEOUT)

    async def stack_folder(self, folder: str, path: str = "") -> VolumeFolder:
        """A folder below one of the server's; ``path`` as :attr:`VolumeFile.path` has it."""
        return await self._get(ROUTE_STACK_FOLDER, VolumeFolder, {"folder": folder, "path": path}, timeout=30.0)

    async def stack_file(self, folder: str, path: str) -> StackText:
        """A file of it that is text."""
        return await self._get(ROUTE_STACK_FILE, StackText, {"folder": folder, "path": path}, timeout=30.0)

    async def compose_preview(self, request: PreviewRequest) -> ComposePreview:
        """What a deploy would do now."""
        patience = PREVIEW_TIMEOUT if request.source.git is None else FETCH_TIMEOUT
        body = msgspec.json.encode(request)
        async with self.lending(request.source.git.repo if request.source.git is not None else None):
            answer, _ = await self._call("POST", ROUTE_COMPOSE_PREVIEW, body=body, timeout=patience)
        return self._decode(answer, ComposePreview)
