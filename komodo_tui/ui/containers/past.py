"""Keeps the history of the containers that are looked at: asked of the agent, continued live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.errors import KomodoError
from komodo_tui.ui.containers.graphs import container_figures
from komodo_tui.ui.render.series import Series

if TYPE_CHECKING:
    from komodo_tui.ui.containers.columns import Key, Row
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_AGAIN = 300.0
"""Seconds after which the agent is asked again: its own averages are truer than what we saw."""
_AFTER_FAILURE = 30.0
_KEPT = 12
"""Containers whose series are kept; the one not looked at for longest goes."""
_PATIENCE = 10.0
"""Seconds an answer may take."""


class ContainerPast:
    """Series by container. Asking happens behind; what is there is shown at once."""

    def __init__(self, runtime: Runtime, shell: Shell) -> None:
        self._runtime = runtime
        self._shell = shell
        self._series: dict[Key, Series] = {}
        self._due: dict[tuple[Key, float], float] = {}
        self.asking = 0
        """Questions that were not answered yet."""

    def look(self, row: Row, window: float) -> Series:
        """The series of a container, its newest figures taken in; asks the agent when that is due."""
        series = self._series.pop(row.key, None) or Series()
        self._series[row.key] = series
        while len(self._series) > _KEPT:
            old = next(iter(self._series))
            del self._series[old]
            self._due = {due: at for due, at in self._due.items() if due[0] != old}
        if row.sample is not None and row.live.sample is not None:
            series.take(row.live.sample.at, container_figures(row.sample))
        now = self._shell.now()
        if row.live.live and now >= self._due.get((row.key, window), 0.0):
            self._due[row.key, window] = now + _AGAIN
            self.asking += 1
            self._shell.work(self._ask(row.key, window, series))
        return series

    async def _ask(self, key: Key, window: float, series: Series) -> None:
        server, container = key
        try:
            client = await self._runtime.fleet.link(server).client(_PATIENCE)
            series.take_history(await client.container_history(container, window))
        except KomodoError:
            # The list says how the server stands; a graph without a past needs no dialog of its own.
            self._due[key, window] = self._shell.now() + _AFTER_FAILURE
        finally:
            self.asking -= 1
