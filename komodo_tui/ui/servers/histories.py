"""Keeps the history of the servers that are looked at: asked of their agents, continued live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.errors import KomodoError
from komodo_tui.ui.render.series import Series, host_figures

if TYPE_CHECKING:
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_AGAIN = 300.0
"""Seconds after which the agent is asked again: its own averages are truer than what we saw."""
_AFTER_FAILURE = 30.0
_KEPT = 12
"""Servers whose series are kept; the one not looked at for longest goes."""
_PATIENCE = 10.0
"""Seconds an answer may take."""


class Histories:
    """Series by server. Asking happens behind; what is there is shown at once."""

    def __init__(self, runtime: Runtime, shell: Shell) -> None:
        self._runtime = runtime
        self._shell = shell
        self._series: dict[str, Series] = {}
        self._due: dict[tuple[str, float], float] = {}
        """When to ask again, by server and window, in Unix time."""
        self._asked: dict[str, float] = {}

    def look(self, live: ServerLive, window: float) -> Series:
        """The series of a server, its newest sample taken in; asks the agent when that is due."""
        series = self._series.pop(live.name, None) or Series()
        self._series[live.name] = series
        while len(self._series) > _KEPT:
            self._series.pop(next(iter(self._series)))
        if live.sample is not None:
            series.take(live.sample.at, host_figures(live.sample))
        now = self._shell.now()
        key = (live.name, window)
        back = live.since > self._asked.get(live.name, 0.0)  # connected anew: there is a gap to fill
        if live.live and (now >= self._due.get(key, 0.0) or back):
            self._due[key] = now + _AGAIN
            self._asked[live.name] = now
            self._shell.work(self._ask(live.name, window, series))
        return series

    async def _ask(self, name: str, window: float, series: Series) -> None:
        try:
            client = await self._runtime.fleet.link(name).client(_PATIENCE)
            series.take_history(await client.host_history(window))
        except KomodoError:
            # The table says how the server stands; a graph without a past needs no dialog of its own.
            self._due[name, window] = self._shell.now() + _AFTER_FAILURE
