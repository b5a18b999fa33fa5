"""What the program itself adds to the palette: quit, themes, terminals, …"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from komodo_tui.ui.finder import Entry
from komodo_tui.ui.watching import run_here, stop_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from komodo_tui.ui.commands import CommandApp
    from komodo_tui.ui.terminal.terminal import Terminal

_ACTIONS = (
    ("quit", "leave; asks while shells or acts run", "app.quit", ("q", "exit")),
    ("help", "every key that works now", "app.help", ("?",)),
    ("last view", "back to the tab before", "app.last", ("-",)),
    ("zoom", "the focused pane over the whole page, or back", "app.zoom", ()),
    ("reconnect", "connect anew to every server that is not there", "app.reconnect", ()),
    ("terminal drawer", "the terminals below the page, or hide them", "app.drawer", ()),
)
"""Label, help, binding id, aliases."""


def own_entries(app: CommandApp) -> Iterator[Entry]:
    """The entries, with the keys as the user has set them."""
    keys = {binding.id: app.get_key_display(binding) for _, binding in app._bindings}
    runs: dict[str, Callable[[], None]] = {
        "app.quit": lambda: _later(app, "quit"),
        "app.help": app.action_help,
        "app.last": lambda: _later(app, "last_page"),
        "app.zoom": lambda: _later(app, "zoom"),
        "app.reconnect": app.action_reconnect,
        "app.drawer": app.action_drawer,
    }
    for label, help, binding, aliases in _ACTIONS:
        yield Entry(label, "program", help, keys.get(binding, ""), runs[binding], aliases)
    yield from _watch_here(app)
    for name in app.themes.names():
        yield Entry(f"theme {name}", "program", "until the program ends", run=partial(app.use_theme, name))
    if "komodo_tui.ui.terminal.manager" in sys.modules:
        yield from _terminals(app)


def _watch_here(app: CommandApp) -> Iterator[Entry]:
    settings = app.runtime.settings
    if settings.read_only:
        return
    if settings.watch_here:
        help = "this program watches no more; kept in config.yaml"
        yield Entry("stop running schedules here", "program", help, run=lambda: app.work(stop_here(app)))
    else:
        help = "pushes and syncs too, while this program is open; asks first"
        yield Entry("run schedules here", "program", help, run=lambda: app.work(run_here(app)),
                    aliases=("watch",))  # fmt: skip


def _terminals(app: CommandApp) -> Iterator[Entry]:
    from komodo_tui.ui.terminal.manager import manager_of

    manager = manager_of(app)
    for number, terminal in enumerate(manager.terminals, 1):

        def show(terminal: Terminal = terminal) -> None:
            manager.select(terminal)
            app.go("terminals")

        yield Entry(f"terminal {number} {terminal.name}", "view", f"{terminal.command}, {terminal.state}", run=show)


def _later(app: CommandApp, action: str) -> None:
    app.call_later(app.run_action, action)
