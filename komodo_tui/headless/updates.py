"""``updates``: which containers run an image that its registry has replaced."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import ExitCode, KomodoError
from komodo_tui.domain.units import time_text
from komodo_tui.headless.session import warn_away
from komodo_tui.headless.tables import Cell, Column

if TYPE_CHECKING:
    from komodo_agent.wire.models import Container
    from komodo_agent.wire.updates import ImageUpdate
    from komodo_tui.headless.session import Runtime, Session

_COLUMNS = (
    Column("SERVER"), Column("IMAGE", flexible=True), Column("STATE"), Column("USED BY", flexible=True),
    Column("ASKED"), Column("WHY", flexible=True),
)  # fmt: skip
_TONES = {"update": "warn", "current": "good", "unknown": "dim", "local": "dim", "pinned": "dim"}


async def updates(session: Session) -> int:
    """Ask all servers, each for its own containers."""
    arguments = session.arguments
    async with session.servers() as runtime:
        live = [name for name, server in runtime.fleet.state.servers.items() if server.live]
        age = 0.0 if arguments.now else None
        answers = await asyncio.gather(*(_ask(session, runtime, name, age) for name in live))
        warn_away(session.out, runtime)
        found = [
            (server, update, _users(runtime, server, update))
            for server, updates in zip(live, answers, strict=True)
            for update in updates
            if arguments.all or update.state in ("update", "unknown")
        ]
    if session.out.json:
        session.out.document([{"server": s, "update": u, "containers": [c.name for c in users],
                               "deployments": sorted({c.stack for c in users if c.stack})}
                              for s, u, users in found])  # fmt: skip
        return ExitCode.DONE
    rows = [
        [Cell(server), Cell(update.image, "bold"), Cell(update.state, _TONES[update.state]),  # type: ignore[arg-type]
         Cell(", ".join(c.name for c in users)), Cell(time_text(update.checked) if update.checked else ""),
         Cell(update.why, "dim")]
        for server, update, users in found
    ]  # fmt: skip
    if rows or arguments.all:
        session.out.table(_COLUMNS, rows)
    else:
        session.out.say("every image that came from a registry is what the registry has")
    return ExitCode.DONE


async def _ask(session: Session, runtime: Runtime, server: str, age: float | None) -> tuple[ImageUpdate, ...]:
    try:
        return await runtime.updates.check(server, age)
    except KomodoError as error:
        session.out.say(f"komodo-tui: {server}: {error}")
        return ()


def _users(runtime: Runtime, server: str, update: ImageUpdate) -> list[Container]:
    containers = runtime.fleet.state.servers[server].containers.values()
    found = [c for c in containers if (c.image, c.image_id) == (update.image, update.image_id)]
    return sorted(found, key=lambda container: container.name)
