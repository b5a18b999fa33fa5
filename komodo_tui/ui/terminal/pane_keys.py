"""The keys of a pane in PANE mode."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from komodo_tui.domain.units import count_text
from komodo_tui.ui.terminal.core import KeyInput, Mods
from komodo_tui.ui.terminal.drawing import DrawnPane
from komodo_tui.ui.terminal.naming import rename
from komodo_tui.ui.terminal.saving import save

if TYPE_CHECKING:
    from collections.abc import Coroutine


class PaneKeys(DrawnPane):
    """What each of them does; what is for the holder of the pane is told to it."""

    _keeping: bool

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i,enter", "back_in", "back in", key_display="i", id="terminal.in"),
        Binding(
            "ctrl+right_square_bracket", "send_prefix", "send ^]", key_display="^]", show=False, id="terminal.send"
        ),
        Binding("v,pageup", "scrollback", "scrollback", key_display="v", id="terminal.scrollback"),
        Binding("slash", "search", "search", key_display="/", id="terminal.search"),
        Binding("left_square_bracket", "other(-1)", "other", key_display="[ ]", id="terminal.previous"),
        Binding("right_square_bracket", "other(1)", "next terminal", show=False, id="terminal.next"),
        Binding("z", "zoom", "zoom", id="terminal.zoom"),
        Binding("vertical_line", "beside", "two side by side", key_display="|", show=False, id="terminal.beside"),
        Binding("p", "paste", "paste what was copied here", show=False, id="terminal.paste"),
        Binding("c", "take_offered", "copy what the program offers", show=False, id="terminal.take_offered"),
        Binding("W", "save", "save", show=False, id="terminal.save"),
        Binding("r", "rename", "rename", show=False, id="terminal.rename"),
        Binding("x", "close", "close", id="terminal.close"),
        Binding("escape", "leave", "leave", key_display="Esc", id="terminal.leave"),
    ]

    class Wants(Message):
        """The person wants something that is for what holds the pane: ``leave zoom close previous next beside``."""

        def __init__(self, pane: PaneKeys, what: str) -> None:
            super().__init__()
            self.pane = pane
            self.what = what

        @property
        def control(self) -> PaneKeys:
            """The pane."""
            return self.pane

    @abstractmethod
    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it as a task of the pane."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The pane's own keys work in PANE mode."""
        return self.terminal is not None and self.modes.mode == "PANE"

    def keep_keys(self) -> None:
        """Be in PANE mode: the next key was meant for the pane, not for the program that came in another's place."""
        self._keeping = not self.has_focus
        if self.terminal is not None:
            self.modes.set("PANE")

    def action_back_in(self) -> None:
        """Give the keys to the program again."""
        self.modes.reset()

    def action_send_prefix(self) -> None:
        """``^]`` itself."""
        self.modes.reset()
        if self.terminal is not None:
            self.terminal.send_key(KeyInput("]", Mods.CTRL))

    def action_scrollback(self) -> None:
        """Go through the history."""
        self.modes.enter_scrollback()

    def action_search(self) -> None:
        """Search the history."""
        self.modes.enter_search()

    def action_other(self, direction: int) -> None:
        """The terminal before or after this one."""
        self.post_message(self.Wants(self, "next" if direction > 0 else "previous"))

    def action_zoom(self) -> None:
        """All the room for the pane, or back."""
        self.post_message(self.Wants(self, "zoom"))
        self.modes.reset()

    def action_beside(self) -> None:
        """Another terminal beside this one, or this one alone."""
        self.post_message(self.Wants(self, "beside"))

    def action_paste(self) -> None:
        """Give the program what was copied last in this program; the person's own terminal pastes all else."""
        text = self.app.clipboard
        self.modes.reset()
        if text:
            self.modes.paste(text)
        elif self.terminal is not None:
            self.terminal.say("nothing was copied here yet; the paste of your own terminal works too")

    def action_take_offered(self) -> None:
        """Copy what the program wanted to write into the clipboard."""
        terminal = self.terminal
        if terminal is None:
            return
        text, terminal.offered = terminal.offered, ""
        if text:
            self.copy(text, f"{count_text(len(text), 'character')} of the program's")
            terminal.keep_saying("")
            self.modes.reset()
        else:
            terminal.say("the program has offered nothing for the clipboard")

    def action_save(self) -> None:
        """Write the screen and its history to a file."""
        if self.terminal is not None:
            self.run(save(self.app, self.terminal))

    def action_rename(self) -> None:
        """Call it something else."""
        if self.terminal is not None:
            self.run(rename(self.app, self.terminal))

    def action_leave(self) -> None:
        """To the list; the program goes on."""
        self.post_message(self.Wants(self, "leave"))

    def action_close(self) -> None:
        """End the program, once that is sure."""
        terminal = self.terminal
        if terminal is not None and terminal.state in ("running", "opening"):
            what = "? Its process goes on." if terminal.attached else " and end what runs in it?"
            self.modes.ask(f"close {terminal.name}{what} y closes, n keeps", self.closing)
        else:
            self.closing()

    def closing(self) -> None:
        """The terminal shall be closed."""
        self.post_message(self.Wants(self, "close"))
