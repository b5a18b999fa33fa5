"""All that alerts are about besides live state, as one survey."""

from __future__ import annotations

import asyncio
from functools import reduce
from typing import TYPE_CHECKING

from komodo_tui.domain.alerts_readings import joined
from komodo_tui.operations.alerts.certificates import CertificateSurvey
from komodo_tui.operations.alerts.logs import LogSurvey
from komodo_tui.operations.alerts.records import RecordSurvey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.domain.alerts_readings import Survey
    from komodo_tui.domain.log_rules import LogRule
    from komodo_tui.operations.alerts.records import Runtime


def all_rules(settings: Sequence[LogRule], defined: Sequence[LogRule]) -> list[LogRule]:
    """Those of both; of two with one name that of the settings."""
    names = {rule.name for rule in settings}
    return [*settings, *(rule for rule in defined if rule.name not in names)]


class MoreSurveys:
    """:meth:`run` finds out, :meth:`latest` tells what is known, at once."""

    def __init__(self, runtime: Runtime, last_look: float | None) -> None:
        """``last_look``: Unix time at which somebody evaluated alerts last; None = never."""
        self.records = RecordSurvey(runtime, last_look)
        self.certificates = CertificateSurvey(runtime.fleet, lambda: runtime.settings.alerts.certificates)
        self.logs = LogSurvey(runtime.fleet, lambda: all_rules(runtime.settings.alerts.logs, self.records.log_rules))

    def latest(self) -> Survey:
        """All that is known now."""
        return reduce(joined, (each.latest() for each in self._all))

    async def once(self) -> None:
        """Find out once what a look alone can."""
        await asyncio.gather(self.records.read(), self.records.ask_projects(), self.certificates.look())

    async def run(self) -> None:
        """Find out again and again, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for each in self._all:
                tasks.create_task(each.run())

    @property
    def _all(self) -> tuple[RecordSurvey, CertificateSurvey, LogSurvey]:
        return self.records, self.certificates, self.logs
