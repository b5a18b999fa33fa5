"""``delivery``: which commit runs where."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from komodo_tui.domain.delivery import STATE_WORDS, parse_deliveries
from komodo_tui.domain.errors import ExitCode
from komodo_tui.domain.units import duration_text
from komodo_tui.headless.session import warn_away
from komodo_tui.headless.tables import Cell, Column
from komodo_tui.operations.delivery import images_on, joined, read_built

if TYPE_CHECKING:
    from komodo_tui.domain.delivery import Delivery
    from komodo_tui.headless.output import Tone
    from komodo_tui.headless.session import Session

_COLUMNS = (
    Column("BUILD", flexible=True), Column("VERSION"), Column("COMMIT"), Column("BUILT", right=True), Column("STATE"),
    Column("RUNS ON", flexible=True), Column("IMAGE ON", flexible=True), Column("IMAGE"),
)  # fmt: skip
_TONES: dict[str, Tone] = {"live": "good", "building": "busy", "failed": "bad", "older": "warn", "nowhere": "dim"}


async def delivery(session: Session) -> int:
    """Print it."""
    test = parse_deliveries(" ".join(session.arguments.filter))
    async with session.servers() as runtime:
        warn_away(session.out, runtime)
        built = await asyncio.to_thread(read_built, runtime.history)
        found = [one for one in joined(built, runtime.fleet.state, await images_on(runtime.fleet)) if test(one)]
        if session.out.json:
            session.out.document([{**_facts(one)} for one in found])
        else:
            now = time.time()
            session.out.table(_COLUMNS, [_row(one, now) for one in found])
    return ExitCode.DONE


def _facts(one: Delivery) -> dict[str, object]:
    """A delivery in ``--json``, with what is made out of its parts."""
    return {
        "build": one.name, "version": one.version, "commit": one.commit, "image": one.image, "state": one.state,
        "newest": one.newest, "built": one.built, "on": one.on, "places": one.places,
    }  # fmt: skip


def _row(one: Delivery, now: float) -> list[Cell]:
    return [
        Cell(one.name),
        Cell(one.version or "-"),
        Cell(one.commit[:10] or "-"),
        Cell(duration_text(now - one.built.at) if one.built else "elsewhere"),
        Cell(STATE_WORDS[one.state], _TONES[one.state]),
        Cell(one.where or "-"),
        Cell(", ".join(one.on) or "-"),
        Cell(one.image.removeprefix("sha256:")[:12], "dim"),
    ]
