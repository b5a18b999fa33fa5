"""The list of acts: what its line says, and what stands where no act does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from komodo_tui.domain.operations import ActionRecord
from komodo_tui.domain.text import clean
from komodo_tui.ui.widgets.list_pane import ListPane

if TYPE_CHECKING:
    from komodo_tui.domain.errors import KomodoError
    from komodo_tui.ui.actions.feed import Feed
    from komodo_tui.ui.look import Look


class HistoryPane(ListPane[ActionRecord]):
    """The list; its line says whether older acts follow."""

    def told_of(self, feed: Feed) -> None:
        """Bring the line in line with what has been read."""
        self.title = "Actions" + ("" if not feed.busy else " (reading)")
        self._natural = "newest first" + (", older ones follow" if feed.more else "")
        self.told()


def empty_text(feed: Feed, trouble: KomodoError | None, wanted: str, look: Look) -> Text:
    """What stands where no act does; ``trouble``: why they cannot be read, ``wanted``: the filter."""
    style = look.palette.style
    if trouble is not None:
        return Text.assemble(
            (f"{look.glyphs.fail} ", style("bad")), clean(trouble.message), "\n\n",
            (clean(trouble.hint), style("accent")),
        )  # fmt: skip
    if feed.busy:
        return Text("Reading the history", style("dim"))
    if feed.find:
        return Text.assemble(
            "Nothing matches  ", (wanted, style("warn")), "\n\n", ("Esc shows all again", style("dim")),
        )  # fmt: skip
    return Text.assemble(
        "Nothing has been done yet.\n\n",
        ("Every act on a server or a container lands here, with its exact commands and how it ended.\n"
         "R on the Containers tab restarts one; m shows all acts of a row.", style("dim")),
    )  # fmt: skip
