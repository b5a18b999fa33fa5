"""What the history, the live fleet and the servers' lists of images tell of each commit's way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_tui.domain.delivery import Built, Delivery, deliveries, stamp
from komodo_tui.domain.errors import KomodoError
from komodo_tui.operations.build_history import BuildHistory

if TYPE_CHECKING:
    from komodo_tui.fleet.live import FleetState
    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.operations.build_history import BuildRun
    from komodo_tui.store.history import History

_RUNS = 1000
"""Builds that are looked back on."""


def read_built(history: History, name: str = "") -> tuple[Built, ...]:
    """The builds there have been, the newest first. Blocks; raises StoreError."""
    return tuple(map(_built, BuildHistory(history).runs(name, limit=_RUNS)))


def _built(run: BuildRun) -> Built:
    return Built(
        id=run.id, name=run.name, version=run.version, at=run.ended or run.started, outcome=run.outcome or "",
        commit=run.commit, image=run.image, server=run.server, seconds=run.seconds, references=run.references,
    )  # fmt: skip


async def images_on(fleet: FleetManager) -> dict[str, tuple[str, ...]]:
    """Which servers have which image, by its id and by its stamp; of those that answer."""
    names = [name for name, live in fleet.state.servers.items() if live.engine_live]

    async def ask(name: str) -> set[str]:
        try:
            found = await (await fleet.link(name).client()).resources()
        except KomodoError:
            return set()
        images = [one for one in found if one.kind == "image"]
        return {one.id for one in images} | {stamp(one.labels, tag) for one in images for tag in one.tags} - {""}

    having: dict[str, tuple[str, ...]] = {}
    for name, keys in zip(names, await asyncio.gather(*map(ask, names)), strict=True):
        for key in keys:
            having[key] = (*having.get(key, ()), name)
    return having


def joined(built: tuple[Built, ...], state: FleetState, images: dict[str, tuple[str, ...]]) -> list[Delivery]:
    """The deliveries as things are now."""
    containers = [(name, container) for name, live in state.servers.items() for container in live.containers.values()]
    return deliveries(built, containers, images)
