"""Keeps :attr:`Engine.containers` true: the engine's events say *what* to look at, inspecting says *how* it is.

The event stream is opened first and the list read after, so nothing falls between; each event only marks its
container for a look, so doubled or replayed events are harmless. The list is compared again every minute and
read anew after each reconnect, since the engine's replay buffer is small and lost with the engine.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import aiohttp
from aiodocker import DockerError

from ..problems import AgentError
from . import events
from .availability import EngineUnavailableError
from .convert import container as to_container
from .errors import engine_errors
from .summary import SUMMARY_KEYS, differs, from_summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ..wire.models import Container
    from .client import Engine
    from .events import Happening

_log = logging.getLogger(__name__)

_ROUND = 0.1
"""Seconds between two rounds of inspecting: one look per container, however many events."""
_RESYNC = 60.0
_PING = 10.0
_INSPECT_TIMEOUT = 10.0
_LIST_TIMEOUT = 30.0
_AT_ONCE = 4
"""Inspections under way at once."""
_BACKOFF_FIRST, _BACKOFF_LAST = 0.1, 5.0
_REMEMBERED = 512
"""Happenings that are known again when the engine replays them: twice as many as it does."""


class Tracker:
    """Follows the engine for as long as :meth:`run` runs."""

    def __init__(
        self,
        engine: Engine,
        on_change: Callable[[tuple[Container, ...], tuple[str, ...]], None],
        on_happening: Callable[[Happening], None] = lambda happening: None,
    ) -> None:
        """``on_change`` is called with containers that appeared or changed, and ids of those that went.

        ``on_happening`` is called with what is over at once, each once, before the containers that it changed.
        """
        self._engine = engine
        self._on_change = on_change
        self._on_happening = on_happening
        self._heard = 0.0
        """When the last event was, by the engine."""
        self._happened: deque[Happening] = deque(maxlen=_REMEMBERED)
        self._dirty: set[str] = set()
        self._wake = asyncio.Event()
        self._backoff = _BACKOFF_FIRST
        self.settled = asyncio.Event()
        """Set once it is known for the first time what the engine has, or why it cannot be asked."""

    async def run(self) -> None:
        """Follow the engine until cancelled; whatever happens to it becomes its status."""
        while True:
            try:
                await self._follow()
            except EngineUnavailableError as error:
                self._engine.set_unavailable(error)
                self.settled.set()
            except (AgentError, DockerError) as error:
                self._engine.set_unavailable(EngineUnavailableError("starting", f"{error.message}."))
                self.settled.set()
            except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
                # The next attempt tells whether the engine went or only this stream did.
                _log.info("the engine's event stream ended: %s", error)
            await asyncio.sleep(self._backoff * random.uniform(0.5, 1.0))
            self._backoff = min(self._backoff * 2, _BACKOFF_LAST)

    async def _follow(self) -> None:
        """One connection's life; ends by an exception only."""
        state = await self._engine.connect()
        async with self._engine.stream("GET", "/events", params=events.parameters(self._heard)) as response:
            listener = asyncio.create_task(self._listen(response))
            try:
                await self._read_all()
                self._engine.set_status(state)
                self.settled.set()
                self._backoff = _BACKOFF_FIRST
                await self._keep_true(listener)
            finally:
                listener.cancel()
                await asyncio.gather(listener, return_exceptions=True)

    async def _listen(self, response: aiohttp.ClientResponse) -> None:
        try:
            async for heard in events.hear(response):
                for happening in heard.happened:
                    self._take(happening)
                self._dirty |= heard.touched
                self._wake.set()
        finally:
            self._wake.set()

    def _take(self, happening: Happening) -> None:
        if happening in self._happened:
            return
        self._happened.append(happening)
        self._heard = max(self._heard, happening.at)
        self._on_happening(happening)

    async def _keep_true(self, listener: asyncio.Task[None]) -> None:
        ping_at, resync_at = time.monotonic() + _PING, time.monotonic() + _RESYNC
        while True:
            timeout = max(0.0, min(ping_at, resync_at) - time.monotonic())
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._wake.wait(), timeout)
            self._wake.clear()
            if listener.done():
                listener.result()
                raise ConnectionResetError("the engine closed it")
            if time.monotonic() >= resync_at:
                resync_at = time.monotonic() + _RESYNC
                await self._compare_list()
            if self._dirty:
                await self._look_at_dirty()
                await asyncio.sleep(_ROUND)
            elif time.monotonic() >= ping_at:
                ping_at = time.monotonic() + _PING
                await self._engine.ping()

    async def _list(self) -> dict[str, dict[str, Any]]:
        with engine_errors("list the containers"):
            listed = await asyncio.wait_for(self._engine.docker.containers.list(all=True), _LIST_TIMEOUT)
        return {entry["Id"]: {key: entry[key] for key in SUMMARY_KEYS if key in entry} for entry in listed}

    async def _read_all(self) -> None:
        """Replace what is known by what there is."""
        listed = await self._list()
        looked = await self._inspect({cid: from_summary(entry) for cid, entry in listed.items()})
        gone = {cid for cid in self._engine.containers if looked.get(cid) is None}
        self._record({cid: found for cid, found in looked.items() if found is not None}, gone)

    async def _compare_list(self) -> None:
        """Mark what the list shows otherwise than it is known."""
        listed, known = await self._list(), self._engine.containers
        self._dirty |= {cid for cid, entry in listed.items() if cid not in known or differs(known[cid], entry)}
        self._dirty |= known.keys() - listed.keys()

    async def _look_at_dirty(self) -> None:
        ids, self._dirty = self._dirty, set()
        looked = await self._inspect({cid: self._engine.containers.get(cid) for cid in ids})
        gone = {cid for cid, found in looked.items() if found is None and cid in self._engine.containers}
        self._record({cid: found for cid, found in looked.items() if found is not None}, gone)

    def _record(self, seen: dict[str, Container], gone: Iterable[str]) -> None:
        known = self._engine.containers
        changed = tuple(c for cid, c in seen.items() if known.get(cid) != c)
        removed = tuple(gone)
        for cid in removed:
            del known[cid]
        known.update((c.id, c) for c in changed)
        if changed or removed:
            self._on_change(changed, removed)

    async def _inspect(self, wanted: Mapping[str, Container | None]) -> dict[str, Container | None]:
        """Look at containers, a few at once. What cannot be looked at stays as given; None = it is gone."""
        waiting = list(wanted)
        looked: dict[str, Container | None] = {}

        async def work() -> None:
            while waiting:
                cid = waiting.pop()
                looked[cid] = await self._inspect_one(cid, wanted[cid])

        workers = [asyncio.create_task(work()) for _ in range(min(_AT_ONCE, len(waiting)))]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
        return looked

    async def _inspect_one(self, cid: str, otherwise: Container | None) -> Container | None:
        try:
            return to_container(await asyncio.wait_for(self._engine.inspect(cid), _INSPECT_TIMEOUT))
        except asyncio.TimeoutError:
            _log.warning("the engine did not tell about container %s in time", cid[:12])
        except AgentError as error:
            if error.code == "not_found":
                return None
            _log.warning("%s", error.message)
        # One container may be stuck in the engine; only when the engine itself does not answer is it down.
        await self._engine.ping()
        return otherwise
