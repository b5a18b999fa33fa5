"""The part of the agent's client that is about clones of git repositories."""

from __future__ import annotations

from typing import TypeVar

from komodo_agent.wire.repos import ROUTE_REPO, ROUTE_REPOS, RepoDetail, RepoState

T = TypeVar("T")

READ_TIMEOUT = 60.0
"""A clone with very many files takes its time to be compared."""


class RepoCalls:
    """Raises :class:`~komodo_tui.domain.errors.KomodoError`, as all of the client does."""

    async def _get(
        self, route: str, kind: type[T], parameters: dict[str, str] | None = None, *, id: str = "", timeout: float = 0.0
    ) -> T:
        raise NotImplementedError

    async def repos(self) -> list[RepoState]:
        """The clones there are."""
        return await self._get(ROUTE_REPOS, list[RepoState], timeout=READ_TIMEOUT)

    async def repo(self, name: str) -> RepoDetail:
        """One, with its log and its changes."""
        return await self._get(ROUTE_REPO, RepoDetail, id=name, timeout=READ_TIMEOUT)
