"""Alerts in the line at the top, and the task that reads and evaluates while the program is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App

    from komodo_tui.ui.alerts.book import AlertBook
    from komodo_tui.ui.render.cells import Span
    from komodo_tui.ui.render.glyphs import Glyphs
    from komodo_tui.ui.runtime import Runtime


async def watch_alerts(app: App[int], runtime: Runtime, now: Callable[[], float], changed: Callable[[], None]) -> None:
    """Read and evaluate until cancelled; ``changed`` is called when something else came of it."""
    from komodo_tui.ui.alerts.book import book_of  # late: not before the first screen

    book = book_of(app, runtime, now)
    if book is not None:
        book.listeners.append(changed)
        if runtime.settings.alerts.bell:
            book.listeners.append(_Bell(app, book).ring)
        await book.run()


class _Bell:
    """Rings when something critical opens or becomes so; not for what was there at the start."""

    def __init__(self, app: App[int], book: AlertBook) -> None:
        self._app = app
        self._book = book
        self._known: set[int] | None = None

    def ring(self) -> None:
        """Look whether it has to."""
        critical = {alert.id for alert in self._book.pressing if alert.level == "critical"}
        if self._known is not None and critical - self._known:
            self._app.bell()
        self._known = critical


def alert_spans(app: App[int], runtime: Runtime, now: Callable[[], float], glyphs: Glyphs) -> tuple[Span, ...]:
    """``▲ alerts 3``; nothing while nothing presses."""
    from komodo_tui.ui.alerts.book import book_of  # late, as above

    book = book_of(app, runtime, now)
    pressing = book.pressing if book is not None else []
    if not pressing:
        return ()
    worst = any(alert.level == "critical" for alert in pressing)
    return ((f"{glyphs.warn} alerts {len(pressing)}  ", "bad" if worst else "warn"),)
