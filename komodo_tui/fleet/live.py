"""What is known of every server right now, and who wants to hear of changes.

All of it belongs to the event loop's thread. The feed, the supervisors and tests change it only through
:class:`FleetState`; readers may look at any time and keep no copies.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Literal

from komodo_agent import __version__ as agent_version
from komodo_tui.fleet import reducer
from komodo_tui.fleet.changes import Changes, FleetEvent
from komodo_tui.fleet.versions import is_newer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from komodo_agent.wire.feed import FeedMessage
    from komodo_agent.wire.jobs import Job
    from komodo_agent.wire.models import (
        Container,
        ContainerSample,
        Device,
        Engine,
        Filesystem,
        Host,
        HostSample,
        Oom,
        Process,
    )
    from komodo_agent.wire.protocol import Hello
    from komodo_tui.domain.errors import KomodoError
    from komodo_tui.domain.servers import ServerDefinition

__all__ = ["Changes", "FleetEvent", "FleetState", "ServerLive", "ServerStatus", "Subscription"]

ServerStatus = Literal[
    "connecting",
    "up",
    "agent_missing",
    "agent_mismatch",
    "unreachable",
    "auth",
    "host_key_unknown",
    "host_key_changed",
]
CPU_HISTORY = 60
"""Samples kept for the small graph of the overview."""
_OOMS = 200
_EVENTS_KEPT = 500
"""Events a subscriber that does not look may fall behind before the oldest go."""


class ServerLive:
    """One server: what it is, how it is reached, and what it last said. Old data stays, dated by ``seen``."""

    def __init__(self, definition: ServerDefinition) -> None:
        self.definition = definition
        self.status: ServerStatus = "connecting"
        self.error: KomodoError | None = None
        """Why it is not up."""
        self.since = time.time()
        """Unix time at which ``status`` began."""
        self.met = False
        """Whether it has ever been up."""
        self.seen = 0.0
        """Unix time (ours) of the last live data; 0 = never."""
        self.latency: float | None = None
        """Seconds a question to the agent takes, when last measured; None = not connected."""
        self.hello: Hello | None = None
        self.host: Host | None = None
        self.engine: Engine | None = None
        self.sample: HostSample | None = None
        self.filesystems: tuple[Filesystem, ...] = ()
        self.containers: dict[str, Container] = {}
        self.samples: dict[str, ContainerSample] = {}
        self.ooms: deque[Oom] = deque(maxlen=_OOMS)
        """The latest kills for want of memory, also of containers that are gone; kept while it is away."""
        self.processes: tuple[Process, ...] = ()
        self.devices: tuple[Device, ...] = ()
        self.jobs: dict[str, Job] = {}
        self.cpu_history: deque[float] = deque(maxlen=CPU_HISTORY)

    @property
    def name(self) -> str:
        """The server's name."""
        return self.definition.name

    @property
    def live(self) -> bool:
        """Whether what is shown is what is."""
        return self.status == "up"

    @property
    def engine_live(self) -> bool:
        """Whether its containers are what the engine has now."""
        return self.live and self.engine is not None and self.engine.status == "up"

    @property
    def upgrade_available(self) -> bool:
        """Whether its agent is older than this program."""
        return self.hello is not None and is_newer(agent_version, self.hello.version)


class Subscription:
    """One reader's view of what it has not seen yet. Close it, or it gathers for ever."""

    def __init__(self, state: FleetState) -> None:
        self._state = state
        self._changes = Changes()
        self._changed = asyncio.Event()

    def take(self) -> Changes:
        """Everything since the last call; empty when nothing happened."""
        changes, self._changes = self._changes, Changes()
        self._changed.clear()
        return changes

    @property
    def structure(self) -> bool:
        """Whether what can be taken holds servers or containers that appeared or went."""
        return self._changes.structure

    async def wait(self) -> None:
        """Wait until there is something to take."""
        await self._changed.wait()

    def close(self) -> None:
        """Hear no more."""
        self._state.unsubscribe(self)

    def note(self, changes: Changes) -> None:
        """Add what happened (called by the state)."""
        mine = self._changes
        mine.servers |= changes.servers
        mine.removed = (mine.removed - changes.containers) | changes.removed
        mine.containers = (mine.containers - changes.removed) | changes.containers
        mine.figures |= changes.figures
        mine.structure |= changes.structure
        mine.events.extend(changes.events)
        del mine.events[:-_EVENTS_KEPT]
        self._changed.set()


class FleetState:
    """All servers by name, in the order in which they were defined."""

    def __init__(self) -> None:
        self.servers: dict[str, ServerLive] = {}
        self._subscriptions: set[Subscription] = set()

    def subscribe(self) -> Subscription:
        """A new reader; its first ``take`` holds only what happens from now on."""
        subscription = Subscription(self)
        self._subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget a reader."""
        self._subscriptions.discard(subscription)

    def define(self, definition: ServerDefinition) -> ServerLive:
        """Add a server, or change the definition of one; what is known of it stays."""
        live = self.servers.get(definition.name)
        if live is None:
            live = self.servers[definition.name] = ServerLive(definition)
            self._tell(Changes(servers={live.name}, structure=True))
        else:
            live.definition = definition
            self._tell(Changes(servers={live.name}))
        return live

    def forget(self, name: str) -> None:
        """Remove a server and all that is known of it."""
        live = self.servers.pop(name, None)
        if live is not None:
            removed = {(name, container) for container in live.containers}
            self._tell(Changes(servers={name}, removed=removed, structure=True))

    def set_status(self, name: str, status: ServerStatus, error: KomodoError | None = None) -> None:
        """How a server is reached from now on."""
        live = self.servers[name]
        events = []
        if status != live.status:
            live.since = time.time()
            text = _status_text(live, status, error)
            if text:
                events.append(FleetEvent(live.since, name, "server", text))
        live.status, live.error = status, error
        live.met = live.met or status == "up"
        if status != "up":
            live.latency = None
        self._tell(Changes(servers={name}, events=events))

    def set_hello(self, name: str, hello: Hello | None) -> None:
        """What the agent said of itself."""
        self.servers[name].hello = hello
        self._tell(Changes(servers={name}))

    def set_latency(self, name: str, latency: float) -> None:
        """How long the agent took to answer, in seconds."""
        self.servers[name].latency = latency
        self._tell(Changes(servers={name}))

    def apply(self, name: str, messages: Iterable[FeedMessage]) -> None:
        """Take in what the feed of a server said (cleaned already)."""
        live = self.servers[name]
        changes = Changes(servers={name})
        live.seen = time.time()
        for message in messages:
            reducer.reduce(live, message, changes)
        self._tell(changes)

    def _tell(self, changes: Changes) -> None:
        for subscription in self._subscriptions:
            subscription.note(changes)


def _status_text(live: ServerLive, status: ServerStatus, error: KomodoError | None) -> str:
    if status == "up":
        return "connected again" if live.met else "connected"
    if status == "connecting":
        return ""
    return error.message if error is not None else status.replace("_", " ")
