"""Which containers run an image that its registry has replaced: asked of the agents, kept for lists and alerts.

Nobody waits for it: :meth:`ImageUpdates.look` begins what is due, :meth:`ImageUpdates.of` says what is known. The
agents keep the answers of registries; how old one may be is said with each question.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

from komodo_agent.wire.updates import ImageQuestion, ImageUpdate, UpdatesRequest
from komodo_tui.domain.errors import KomodoError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from komodo_agent.wire.models import Container
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.fleet.manager import FleetManager
    from komodo_tui.operations.values import StoredValues

AGAIN = 900.0
"""Seconds after which a server is asked again; its agent asks registries no more often than the settings say."""
_LOOK = 5.0
"""Seconds between two looks at what containers there are: pages call at each tick."""
_SOON = 60.0
"""Seconds after which a server that could not be asked is tried again."""

Key = tuple[str, str]
"""The image's name, and the id that it stood for."""


class Outdated(NamedTuple):
    """A container whose image was replaced."""

    server: str
    container: Container
    update: ImageUpdate


class ImageUpdates:
    """Of the whole fleet. Owned by the event loop that calls :meth:`look`."""

    def __init__(self, fleet: FleetManager, values: StoredValues, every: float) -> None:
        """``every``: seconds an answer of a registry may be old; 0 = registries are asked on demand alone."""
        self._fleet = fleet
        self._values = values
        self.every = every
        self._found: dict[str, dict[Key, ImageUpdate]] = {}
        self._due: dict[str, tuple[float, frozenset[Key]]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._looked = 0.0
        self.changes = 0
        """Grows whenever something new is known."""

    def look(self) -> None:
        """Begin to ask the servers for which it is time; returns at once."""
        now = time.monotonic()
        if not self.every or 0 < now - self._looked < _LOOK:
            return
        self._looked = now
        for name, live in self._fleet.state.servers.items():
            if not live.engine_live or name in self._tasks:
                continue
            after, keys = self._due.get(name, (0.0, frozenset()))
            if now >= after or not _keys(live) <= keys:
                task = asyncio.create_task(self._quietly(name), name=f"updates of {name}")
                self._tasks[name] = task
                task.add_done_callback(self._ended)

    async def check(self, server: str, max_age: float | None = None) -> tuple[ImageUpdate, ...]:
        """Find out about all containers of a server; ``max_age`` in seconds, None: as the settings say, 0: now.

        Raises:
            KomodoError: the server cannot be asked. A registry that cannot be is part of the answer.
        """
        live = self._fleet.state.servers[server]
        keys = sorted(_keys(live))
        questions = await asyncio.to_thread(self._questions, keys)
        client = await self._fleet.link(server).client()
        age = self.every if max_age is None else max_age
        answers = await client.image_updates(UpdatesRequest(images=questions, max_age=age)) if questions else []
        found = {(answer.image, answer.image_id): answer for answer in answers}
        if found != self._found.get(server):
            self._found[server] = found
            self.changes += 1
        self._due[server] = (time.monotonic() + AGAIN, frozenset(keys))
        return tuple(answers)

    def of(self, server: str, container: Container) -> ImageUpdate | None:
        """What is known of a container's image."""
        return self._found.get(server, {}).get((container.image, container.image_id))

    def outdated(self, server: str, container: Container) -> bool:
        """Whether its registry has another image under the name, as far as is known."""
        update = self.of(server, container)
        return update is not None and update.state == "update"

    def replaced(self, server: str, image_id: str) -> bool:
        """Whether an image was replaced under a name that a container was made with."""
        found = self._found.get(server, {})
        return any(update.state == "update" for (_, known), update in found.items() if known == image_id)

    def available(self) -> tuple[Outdated, ...]:
        """All containers whose image was replaced, as far as is known: what an alert can be about."""
        return tuple(
            Outdated(name, container, update)
            for name, live in self._fleet.state.servers.items()
            for container in live.containers.values()
            if (update := self.of(name, container)) is not None and update.state == "update"
        )

    def asked(self) -> frozenset[str]:
        """The servers of which something is known; of the others nobody can say that all is new."""
        return frozenset(self._found)

    async def close(self) -> None:
        """Stop asking."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks = {name: one for name, one in self._tasks.items() if one is not task}

    async def _quietly(self, server: str) -> None:
        """A server that cannot be asked is known to be away from elsewhere."""
        try:
            await self.check(server)
        except KomodoError:
            keys = self._due.get(server, (0.0, frozenset()))[1]
            self._due[server] = (time.monotonic() + _SOON, keys | _keys(self._fleet.state.servers[server]))

    def _questions(self, keys: Iterable[Key]) -> tuple[ImageQuestion, ...]:
        """With the logins that are kept. Blocks."""
        return tuple(
            ImageQuestion(image=image, image_id=image_id, registry_auth=self._values.registry_auth(image))
            for image, image_id in keys
        )


def _keys(live: ServerLive) -> frozenset[Key]:
    return frozenset((c.image, c.image_id) for c in live.containers.values() if c.image and c.image_id)
