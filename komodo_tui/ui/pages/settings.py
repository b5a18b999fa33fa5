"""The Settings page: themes, previewed while the cursor moves, and what the settings file says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import msgspec
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from komodo_tui.store.settings_file import load_settings, set_line, write_template
from komodo_tui.ui.external import edit_outside
from komodo_tui.ui.page import Page
from komodo_tui.ui.render.columns import Column
from komodo_tui.ui.widgets.facts import FactsPane
from komodo_tui.ui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from komodo_tui.fleet.live import Changes
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell
    from komodo_tui.ui.widgets.facts import Facts


class ThemeRow(NamedTuple):
    """A theme in the list."""

    name: str


class Themed(Protocol):
    """What the app offers beside what all pages use."""

    themes: Any
    theme: str

    def use_theme(self, name: str) -> None:
        """Draw in this theme from now on."""
        ...


class SettingsPage(Page):
    """Themes at the left, all settings at the right. What is only looked at is put back."""

    TITLE = "Settings"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit", "edit the file", id="settings.edit"),
        Binding("tab", "app.focus_next", "other pane", show=False, id="settings.other"),
    ]
    DEFAULT_CSS = """
    SettingsPage VirtualTable { width: 34; }
    SettingsPage FactsPane { width: 1fr; }
    """

    def __init__(self, runtime: Runtime, shell: Shell, *, id: str | None = None) -> None:
        super().__init__(runtime, shell, id=id)
        self._kept = ""
        self._own: set[str] = set()
        columns = (
            Column[ThemeRow]("name", "THEME", 20, lambda row: row.name, key=lambda row: row.name, grow=1),
            Column[ThemeRow]("mark", "", 6, lambda row: (("kept", "ok"),) if row.name == self._kept else ""),
        )
        self.table: VirtualTable[ThemeRow] = VirtualTable(columns, order=lambda row: row.name, id="themes")

    @property
    def _themed(self) -> Themed:
        app: Any = self.app
        found: Themed = app
        return found

    def compose(self) -> ComposeResult:
        """Both panes."""
        with Horizontal():
            yield self.table
            yield FactsPane(id="settings-facts")

    def on_page_show(self) -> None:
        """The cursor on the theme in use."""
        self._kept = self._kept or self._themed.theme
        self.table.set_rows({name: ThemeRow(name) for name in self._themed.themes.names()})
        self.table.choose(self._kept)
        self.query_one(FactsPane).show(self._facts(), self.shell.look)
        self.table.focus()

    def on_page_hide(self) -> None:
        """A theme that was only looked at goes."""
        if self._kept and self._themed.theme != self._kept:
            self._themed.use_theme(self._kept)

    def tick(self, changes: Changes) -> None:
        """Nothing here moves."""

    def back(self) -> bool:
        """Put the theme back that is kept."""
        if self._themed.theme == self._kept:
            return False
        self.table.choose(self._kept)
        return True

    def restyle(self) -> None:
        """Draw again in new colours."""
        self.table.restyle()
        self.query_one(FactsPane).show(self._facts(), self.shell.look)

    @on(VirtualTable.Highlighted, "#themes")
    def _looked_at(self, event: VirtualTable.Highlighted) -> None:
        if event.key is not None and self.display and self._themed.theme != str(event.key):
            self._themed.use_theme(str(event.key))

    @on(VirtualTable.Selected, "#themes")
    def _chosen(self, event: VirtualTable.Selected) -> None:
        event.stop()
        self.shell.work(self._keep(str(event.key)))

    async def _keep(self, name: str) -> None:
        await asyncio.to_thread(set_line, self.runtime.state_dir.settings, "theme", name)
        self._kept = name
        self.table.recheck()
        self.shell.flash(f"{name} is kept in {self.runtime.state_dir.settings.name}", "ok")

    def action_edit(self) -> None:
        """Edit the file in the person's own editor; how the screen looks counts from the next start."""
        self.shell.work(self._edit())

    async def _edit(self) -> None:
        path = self.runtime.state_dir.settings
        await asyncio.to_thread(write_template, path)
        text = await asyncio.to_thread(path.read_text, "utf-8")
        changed = await edit_outside(self.app, text, suffix=".yaml")
        if changed != text:
            await asyncio.to_thread(path.write_text, changed, "utf-8")
        await asyncio.to_thread(load_settings, path)  # says now what is wrong with it
        self.shell.flash("how the screen looks counts from the next start, all else within seconds", "info")

    def _facts(self) -> Facts:
        plain = msgspec.to_builtins(self.runtime.settings)
        groups = {name: value for name, value in plain.items() if isinstance(value, dict) and name != "keymap"}
        lines = [(name, _text(value), "") for name, value in plain.items() if name not in groups and name != "keymap"]
        facts: Facts = [("Settings as they are now", lines)]
        facts += [(name, [(key, _text(value), "") for key, value in group.items()]) for name, group in groups.items()]
        keys = [(name, _text(value), "") for name, value in plain["keymap"].items()]
        facts.append(("keymap", keys or [("", "keys as they come; `?` shows the ids that can be changed", "dim")]))
        facts.append(("files", [("settings", str(self.runtime.state_dir.settings), ""),
                                ("themes of your own", str(self.runtime.state_dir.themes), "")]))  # fmt: skip
        return facts


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in value) or "none"
    return str(value)
