"""Brings an image to one server: what its source sends passes through here, and nothing of it stays."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import msgspec

from komodo_agent.wire.ships import ExportRequest, Imported
from komodo_tui.domain.errors import ActError, BrokenOffError, KomodoError, UnreachableError
from komodo_tui.domain.units import bytes_text, rate_text
from komodo_tui.operations.outcomes import cancelled, done, failed
from komodo_tui.operations.ship_plans import lacking_size
from komodo_tui.operations.ship_relays import Relay

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_agent.wire.ships import Lacking
    from komodo_tui.domain.operations import StepResult, Target
    from komodo_tui.domain.shipping import ShipOperation
    from komodo_tui.fleet.link import ServerLink
    from komodo_tui.operations.job_steps import Report
    from komodo_tui.operations.ship_relays import ShipSource

_PATIENCE = 15.0
"""Seconds to wait for a server to answer, each time."""
_ATTEMPTS = 6
"""How often it is tried: after a connection broke each goes on where the one before stopped."""
_PAUSE = 2.0


class ShipStep:
    """One image to one server. Used once."""

    def __init__(
        self,
        operation: ShipOperation,
        target: Target,
        link: Callable[[str], ServerLink],
        report: Report,
        shared: ShipSource,
    ) -> None:
        """``shared`` is the same for all steps of an act."""
        self.target = target
        self._operation = operation
        self._link = link
        self._report = report
        self._shared = shared
        self._task: asyncio.Task[StepResult] | None = None
        self._cancelled = self._all_sent = False
        self._began = time.monotonic()
        self._sent = 0

    async def run(self) -> StepResult:
        """Do it."""
        if self._cancelled:
            return cancelled(self.target)
        self._task = asyncio.create_task(self._see_through())
        try:
            result = await asyncio.shield(self._task)
        except asyncio.CancelledError:
            if not self._cancelled:
                self._task.cancel()
                raise
            await asyncio.gather(self._task, return_exceptions=True)
            result = msgspec.structs.replace(
                cancelled(self.target), error="cancelled; what arrived is kept for a while, and no name was set"
            )
        except KomodoError as error:
            result = failed(self.target, error)
        self._report("failed" if result.end == "failed" else "cancelled" if not result.ok else "done", result.error)
        return msgspec.structs.replace(result, seconds=round(time.monotonic() - self._began, 3))

    async def cancel(self) -> None:
        """Break it off: the engine there has nothing of it; what arrived is kept for another attempt.

        Once all has been sent it is seen through: the engine unpacks, and sets the names, whoever listens.
        """
        self._cancelled = True
        if self._task is not None and not self._all_sent:
            self._task.cancel()

    async def _see_through(self) -> StepResult:
        self._report("waiting", "waits for its turn")
        async with self._shared.turn():
            self._began = time.monotonic()
            for left in reversed(range(_ATTEMPTS)):
                try:
                    return await self._attempt()
                except KomodoError as error:
                    if not left or not _again(error):
                        raise
                    self._report("reconnecting", error.message)
                await asyncio.sleep(_PAUSE)
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(self) -> StepResult:
        operation = self._operation
        self._report("running", "looks at what is there")
        self._all_sent = False
        shipment = operation.shipment()
        relay = Relay(self._tell)
        async with self._shared.looking():
            there = await self._link(self.target.server).client(_PATIENCE)
            lacking = await there.lacking(shipment)
            if not lacking.present:
                source = await self._link(operation.source).client(_PATIENCE)
                relay.total = lacking_size(operation, lacking) - sum(lacking.kept.values())
                self._shared.read(source, _request(operation, lacking), relay)
        try:
            imported = await there.import_image(relay.pieces(shipment))
        except KomodoError as error:
            raise relay.error or error from error  # a target that loses its source only says that it was lost
        finally:
            self._sent += relay.meter.passed
            await relay.close()
        if lacking.id and imported.id != lacking.id:
            raise ActError(f"{self.target.server} made another image of it: {imported.id[:19]}")
        return done(self.target, **self._result(imported))

    def _result(self, imported: Imported) -> dict[str, str]:
        resumed = {"resumed": str(imported.resumed)} if imported.resumed else {}
        return {
            "image": imported.id,
            "layers": str(imported.layers),
            "size": str(imported.size),
            "sent": str(self._sent),
            **resumed,
        }

    def _tell(self, relay: Relay) -> None:
        meter = relay.meter
        if meter.ended:
            self._all_sent = True
            self._report("running", "the engine there unpacks it", done=1.0)
            return
        if not meter.plain:
            self._report("running", f"the engine of {self._operation.source} writes the image")
            return
        rate = meter.passed / max(time.monotonic() - relay.began, 0.001)
        share = min(0.99, meter.plain / relay.total) if relay.total > 0 else None
        packed = f", packed to {1 - meter.saved / meter.plain:.0%}" if meter.saved > 0.05 * meter.plain else ""
        self._report("running", f"{bytes_text(meter.plain)} sent{packed}, {rate_text(rate)}/s", done=share)


def _request(operation: ShipOperation, lacking: Lacking) -> ExportRequest:
    parts = tuple(part.digest for part in operation.parts) or operation.layers
    return ExportRequest(
        id=operation.id, config=operation.config, layers=parts, wanted=lacking.layers, kept=lacking.kept
    )


def _again(error: KomodoError) -> bool:
    """Whether another attempt may do better: a connection went, or something changed under our feet."""
    return isinstance(error, BrokenOffError) or (isinstance(error, UnreachableError) and error.retry)
