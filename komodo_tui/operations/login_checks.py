"""Tries a login that is kept, on the servers that would use it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from komodo_tui.domain.errors import KomodoError, NotFoundError
from komodo_tui.domain.values import DOCKER_HUB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.operations.values import StoredValues

_PATIENCE = 5.0


class LoginCheck(NamedTuple):
    """What came of it on one server."""

    server: str
    accepted: bool
    why: str = ""
    """Why not, or why it could not be asked."""


async def check_login(
    fleet: FleetManager, values: StoredValues, host: str, servers: Sequence[str]
) -> tuple[LoginCheck, ...]:
    """Ask the registry from each of these servers.

    Raises:
        NotFoundError: no login is kept for it.
    """
    image = "any" if host == DOCKER_HUB else f"{host}/any"
    auth = await asyncio.to_thread(values.registry_auth, image)
    if not auth:
        raise NotFoundError(f"no login is kept for {host}", hint=f"komodo-tui registry login {host} --username NAME")

    async def one(server: str) -> LoginCheck:
        try:
            answer = await (await fleet.link(server).client(_PATIENCE)).try_login(auth)
        except KomodoError as error:
            return LoginCheck(server, accepted=False, why=str(error))
        return LoginCheck(server, answer.accepted, answer.why)

    return tuple(await asyncio.gather(*map(one, servers)))
