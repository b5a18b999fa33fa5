"""The last lines of the log of the container under the cursor, on screens that have room for them."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from textual.containers import Vertical

from komodo_tui.domain.errors import KomodoError
from komodo_tui.domain.text import clean
from komodo_tui.operations.logs import LogOptions, LogTarget, MergedLogs
from komodo_tui.ui.widgets.lines import Lines

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from komodo_tui.ui.containers.columns import Key, Row
    from komodo_tui.ui.render.cells import Span
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_LINES = 60
"""Lines asked for and kept."""
_SETTLE = 0.4
"""Seconds the cursor has to stay before a log is opened: who only passes by costs nothing."""
_LONGEST = 500
"""Characters of a line that are kept."""


class LogTail(Vertical):
    """Follows one container at a time; newest line at the foot."""

    SCOPED_CSS = False  # the size classes stand on the screen, outside
    DEFAULT_CSS = """
    LogTail { display: none; height: 40%; border-top: hkey $panel; }
    .-tall.-wide LogTail { display: block; }
    LogTail Lines { height: 1fr; }
    """

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._runtime = runtime
        self._shell = shell
        self._key: Key | None = None
        self._following: asyncio.Task[None] | None = None
        self._kept: deque[str] = deque(maxlen=_LINES)
        self._note = ""

    def compose(self) -> ComposeResult:
        """The lines."""
        yield Lines(fixed=True)

    def show(self, row: Row | None) -> None:
        """Follow this container while there is room; None follows none."""
        if not self.display or not self.size:
            row = None
        key = row.key if row is not None else None
        if key != self._key:
            self._key = key
            self.stop()
            self._kept.clear()
            self._note = ""
            if row is not None:
                target = LogTarget(server=row.live.name, container=row.container.id, name=row.container.name)
                self._following = asyncio.create_task(self._follow(target), name=f"log tail of {row.target}")
        self._draw()

    def stop(self) -> None:
        """Follow no more."""
        if self._following is not None:
            self._following.cancel()
            self._following = None

    def forget(self) -> None:
        """Nobody looks: the next one shown is followed anew."""
        self._key = None
        self.stop()

    def on_unmount(self) -> None:
        """End what was begun."""
        self.stop()

    async def _follow(self, target: LogTarget) -> None:
        await asyncio.sleep(_SETTLE)
        link = self._runtime.fleet.link
        try:
            async with MergedLogs(
                lambda name: link(name).client(), [target], LogOptions(tail=_LINES, follow=True)
            ) as merged:
                async for batch in merged:
                    for line in batch.lines():
                        self._kept.append(clean(line.text[:_LONGEST].decode("utf-8", "replace")))
        except KomodoError as error:
            self._note = error.message

    def _draw(self) -> None:
        lines = self.query_one(Lines)
        room = max(0, lines.size.height)
        shown: list[tuple[Span, ...]] = [((f" {text}", ""),) for text in list(self._kept)[-room:]]
        if not shown and self._key is not None:
            shown = [((f" {self._note or 'no lines'}", "dim"),)]
        lines.show(shown)

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.query_one(Lines).refresh()
