"""What a source sends of an image, read once and passed on to every server that needs the same of it."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire.ships import END, HEAD
from komodo_tui.domain.errors import BrokenOffError, KomodoError
from komodo_tui.operations.frames import FrameMeter, frame

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from komodo_agent.wire.ships import ExportRequest, Shipment
    from komodo_tui.fleet.client import AgentClient

AT_ONCE = 3
"""Servers that an act ships to at the same time."""
_QUEUE = 32
"""Pieces, of 512 KiB at most, between the two sides."""
_LATECOMERS = 2.0
"""Seconds that a reading waits for those who still look what they need."""
_TOO_SLOW = 5.0
"""Seconds for one piece after which a server holds the others up: it goes on by itself."""
_TELL_EVERY = 0.25


class Relay:
    """Pieces on their way to one server; a few lie between."""

    def __init__(self, tell: Callable[[Relay], None], total: int = 0) -> None:
        """``total``: about how many bytes will come; 0 = not known."""
        self.meter = FrameMeter()
        self.total = total
        self.began = time.monotonic()
        self.error: KomodoError | None = None
        """What went wrong at the source."""
        self._tell = tell
        self._told = 0.0
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(_QUEUE)
        self._reading: _Reading | None = None

    async def pieces(self, shipment: Shipment) -> AsyncIterator[bytes]:
        """What the server is to have.

        Raises:
            KomodoError: :attr:`error`.
        """
        yield frame(HEAD, msgspec.json.encode(shipment))
        if self._reading is None:
            yield frame(END, b"")
            return
        while piece := await self._queue.get():
            self.meter.feed(piece)
            self._now_and_then()
            yield piece
        if self.error is not None:
            raise self.error

    async def close(self) -> None:
        """Take no more."""
        if self._reading is not None:
            await self._reading.leave(self)

    def follow(self, reading: _Reading) -> None:
        """Take what this reading brings."""
        self._reading = reading

    async def put(self, piece: bytes, *, alone: bool) -> bool:
        """Pass a piece on; False when it cannot be without holding others up."""
        try:
            self._queue.put_nowait(piece)
        except asyncio.QueueFull:
            try:
                await asyncio.wait_for(self._queue.put(piece), None if alone else _TOO_SLOW)
            except TimeoutError:
                return False
        return True

    async def end(self, error: KomodoError | None) -> None:
        """Nothing comes any more."""
        self.error = error
        while error is not None and not self._queue.empty():
            self._queue.get_nowait()
        await self._queue.put(b"")

    def _now_and_then(self) -> None:
        now = time.monotonic()
        if self.meter.ended or now - self._told >= _TELL_EVERY:
            self._told = now
            self._tell(self)


class _Reading:
    """One image read at its source."""

    def __init__(self, client: AgentClient, request: ExportRequest, ready: Callable[[], bool]) -> None:
        self._client = client
        self._request = request
        self._ready = ready
        self._relays: list[Relay] = []
        self.begun = False
        self.stirred = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    def join(self, relay: Relay) -> None:
        """Before it has begun."""
        self._relays.append(relay)
        relay.follow(self)

    async def leave(self, relay: Relay) -> None:
        """Bring it nothing more; ends with the last one."""
        if relay in self._relays:
            self._relays.remove(relay)
        if not self._relays:
            self.begun = True  # also where it had not: nobody may join what is ended
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        with suppress(TimeoutError):  # who is later gets a reading of its own
            await asyncio.wait_for(self._wait(), _LATECOMERS)
        self.begun = True
        error: KomodoError | None = None
        try:
            async with aclosing(self._client.export_image(self._request)) as pieces:
                async for piece in pieces:
                    await self._pass_on(piece)
        except KomodoError as caught:
            error = caught
        await asyncio.gather(*(relay.end(error) for relay in self._relays))

    async def _wait(self) -> None:
        while not self._ready():
            self.stirred.clear()
            await self.stirred.wait()

    async def _pass_on(self, piece: bytes) -> None:
        for relay in tuple(self._relays):
            if await relay.put(piece, alone=len(self._relays) == 1):
                continue
            if relay in self._relays:  # it has not left meanwhile
                self._relays.remove(relay)
                await relay.end(BrokenOffError("it is slower than the others", hint="it goes on by itself"))


class ShipSource:
    """Shared by the steps of an act: who needs the same of an image gets it from one reading."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._looking = 0
        self._waiting: dict[bytes, _Reading] = {}

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Be one of those shipped to."""
        async with self._turns:
            yield

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """While a server is asked what it needs; readings wait for it."""
        self._looking += 1
        try:
            yield
        finally:
            self._looking -= 1
            for reading in self._waiting.values():
                reading.stirred.set()

    def read(self, client: AgentClient, request: ExportRequest, relay: Relay) -> None:
        """Have this of the image brought; call it inside :meth:`looking`."""
        key = msgspec.json.encode(request, order="deterministic")
        reading = self._waiting.get(key)
        if reading is None or reading.begun:
            reading = self._waiting[key] = _Reading(client, request, lambda: not self._looking)
        reading.join(relay)
