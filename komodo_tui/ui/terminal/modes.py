"""What a key does in a pane. In TERMINAL mode all go to the program; the others are for the pane itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from komodo_tui.ui.terminal import keys
from komodo_tui.ui.terminal.browse import Browse
from komodo_tui.ui.terminal.core import BRACKETED_PASTE, KeyInput, Mods
from komodo_tui.ui.terminal.private import PaneKey

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from textual import events

    from komodo_tui.ui.terminal.chrome import Mode
    from komodo_tui.ui.terminal.terminal import Terminal

_PAGE_UP, _PAGE_DOWN = KeyInput("pageup", Mods.SHIFT), KeyInput("pagedown", Mods.SHIFT)
_ENDED = ("ended", "failed")
_YES, _NO = ("y", "Y"), ("n", "N", "escape", "q")


class Pane(Protocol):
    """What the modes need of the widget."""

    terminal: Terminal | None

    def mode_changed(self) -> None:
        """Draw anew and tell the driver who takes the keys."""
        ...

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it as a task of the pane."""
        ...

    def copy(self, text: str, what: str) -> None:
        """Put it into the clipboard."""
        ...

    def closing(self) -> None:
        """The terminal shall be closed, nothing more is asked."""
        ...

    def action_save(self) -> None:
        """Write what is shown to a file."""
        ...


@dataclass(frozen=True)
class Question:
    """What is asked in the lower edge."""

    text: str
    yes: Callable[[], None]
    back: Mode


class Modes:
    """The mode of a pane, and the keys of each."""

    def __init__(self, pane: Pane) -> None:
        self._pane = pane
        self.mode: Mode = "TERMINAL"
        self.browse: Browse | None = None
        self.query = ""
        self.question: Question | None = None

    @property
    def captures(self) -> bool:
        """Whether every key is ours or the program's."""
        return self.mode != "PANE"

    def set(self, mode: Mode) -> None:
        """Change it."""
        self.mode = mode
        self._pane.mode_changed()

    def reset(self) -> None:
        """Back to TERMINAL, with another terminal shown perhaps."""
        self.browse, self.question, self.query = None, None, ""
        self.set("TERMINAL")

    def key(self, event: events.Key) -> bool:
        """Deal with a key; False leaves it to bindings."""
        if self.mode == "PANE":
            return False
        if self.mode == "TERMINAL":
            self._terminal_key(event)
        elif self.mode == "SCROLLBACK":
            self._scroll_key(event)
        elif self.mode == "SEARCH":
            self._search_key(event)
        else:
            self._answer(event)
        return True

    def _terminal_key(self, event: events.Key) -> None:
        terminal = self._pane.terminal
        key = event.pane if isinstance(event, PaneKey) else keys.from_textual(event.key, event.character)
        if key is None or terminal is None:
            return
        if key in keys.LEAVE_KEYS:
            self.set("PANE")
        elif terminal.state in _ENDED:
            self._after_end(terminal, key)
        elif key in (_PAGE_UP, _PAGE_DOWN) and not (terminal.frame and terminal.frame.alternate):
            rows = max(1, terminal.size[1] - 1)
            self._pane.run(_scroll(terminal, -rows if key == _PAGE_UP else rows))
        else:
            self.follow(terminal)
            terminal.send_key(key)

    def follow(self, terminal: Terminal) -> None:
        """Back to the output, where history is shown."""
        if terminal.frame is not None and terminal.frame.scrollbar.below:
            self._pane.run(_follow(terminal))

    def _after_end(self, terminal: Terminal, key: KeyInput) -> None:
        if key.key in ("enter", "x"):
            self._pane.closing()
        elif key.key == "W":
            self._pane.action_save()
        elif key.key == "r":
            terminal.reopen()
        elif key.key == "escape":
            self.set("PANE")

    # -- history ------------------------------------------------------------------------------------------------

    def enter_scrollback(self, *, page_up: bool = False) -> None:
        """Go through the history with a cursor."""
        terminal = self._pane.terminal
        if terminal is None or terminal.frame is None:
            return
        frame = terminal.frame
        bar = frame.scrollbar
        row = min(bar.offset + frame.cursor.y, max(0, bar.total - 1))
        self.browse = Browse(frame.cols, bar, row, frame.cursor.x)
        if page_up:
            self.browse.move("pageup", self._line)
        self.set("SCROLLBACK")
        self._show_cursor()

    def frame_taken(self) -> None:
        """The viewport may have moved under the cursor: the history loses rows at its start when it is full."""
        terminal, browse = self._pane.terminal, self.browse
        if browse is None or terminal is None or terminal.frame is None:
            return
        bar = terminal.frame.scrollbar
        if bar.below and bar.total <= browse.bar.total:
            browse.shift(browse.bar.offset - bar.offset)
        browse.bar = bar

    def _line(self, row: int) -> str:
        terminal, browse = self._pane.terminal, self.browse
        if terminal is None or browse is None:
            return ""
        return terminal.picture.text(row - browse.top)

    def _scroll_key(self, event: events.Key) -> None:
        browse = self.browse
        if browse is None:
            return
        name = event.character if event.character and event.character.isalnum() else event.key
        acts: dict[str, Callable[[], None]] = {
            "v": lambda: browse.toggle_selection(linewise=False),
            "space": lambda: browse.toggle_selection(linewise=False),
            "V": lambda: browse.toggle_selection(linewise=True),
            "y": self._copy, "enter": self._copy, "slash": self.enter_search, "question_mark": self.enter_search,
            "n": lambda: browse.next_hit(-1), "N": lambda: browse.next_hit(1),
            "escape": self._step_back, "q": self._step_back, "i": self._leave_to_program,
        }  # fmt: skip
        if name in acts:
            acts[name]()
        elif not browse.move(name, self._line):
            return
        if self.mode == "SCROLLBACK":
            self._show_cursor()

    def _show_cursor(self) -> None:
        """Scroll so that the cursor is seen."""
        terminal, browse = self._pane.terminal, self.browse
        if terminal is not None and browse is not None and browse.wanted_top() != browse.top:
            self._pane.run(self._scroll_to(terminal, browse))
        self._pane.mode_changed()

    async def _scroll_to(self, terminal: Terminal, browse: Browse) -> None:
        browse.bar = await terminal.scroll_to(browse.wanted_top())

    def _step_back(self) -> None:
        if self.browse is not None and self.browse.anchor is not None:
            self.browse.anchor = None
            return
        self._leave("PANE")

    def _leave_to_program(self) -> None:
        self._leave("TERMINAL")

    def _leave(self, mode: Mode) -> None:
        self.browse = None
        if self._pane.terminal is not None:
            self._pane.run(_follow(self._pane.terminal))
        self.set(mode)

    def _copy(self) -> None:
        terminal, browse = self._pane.terminal, self.browse
        if terminal is None or browse is None or (cells := browse.selected()) is None:
            return
        self._pane.run(self.copy_cells(terminal, *cells))
        self._leave("TERMINAL")

    async def copy_cells(self, terminal: Terminal, first: tuple[int, int], last: tuple[int, int]) -> None:
        """Copy the text between two cells."""
        text = await terminal.text(first, last)
        if text:
            lines = text.count("\n") + 1
            self._pane.copy(text, f"{lines} lines" if lines > 1 else f"{len(text)} characters")

    # -- search -------------------------------------------------------------------------------------------------

    def enter_search(self) -> None:
        """Type what to look for."""
        if self.browse is None:
            self.enter_scrollback()
        if self.browse is not None:
            self.query = ""
            self.set("SEARCH")

    def _search_key(self, event: events.Key) -> None:
        if event.key == "escape":
            self.set("SCROLLBACK")
        elif event.key == "enter":
            self.set("SCROLLBACK")
            if self._pane.terminal is not None and self.browse is not None:
                self._pane.run(self._search(self._pane.terminal, self.browse, self.query))
        elif event.key in ("backspace", "ctrl+h"):
            self.query = self.query[:-1]
        elif event.key in ("ctrl+u", "ctrl+w"):
            self.query = ""
        elif event.character and event.character.isprintable():
            self.query += event.character
        self._pane.mode_changed()

    async def _search(self, terminal: Terminal, browse: Browse, query: str) -> None:
        browse.found(query, await terminal.search(query))
        if not browse.hits:
            terminal.say(f"nothing found for {query}" if query else "")
        self._show_cursor()

    # -- questions ----------------------------------------------------------------------------------------------

    def ask(self, text: str, yes: Callable[[], None]) -> None:
        """Ask in the lower edge; ``y`` does it."""
        back = self.question.back if self.question is not None else self.mode
        self.question = Question(text, yes, back)
        self.set("ASK")

    def _answer(self, event: events.Key) -> None:
        question = self.question
        if question is None or (event.key not in _NO and event.character not in _YES):
            return
        self.question = None
        self.set(question.back)
        if event.character in _YES:
            question.yes()

    # -- paste --------------------------------------------------------------------------------------------------

    def paste(self, text: str) -> None:
        """Text from the clipboard: into the search line, or to the program, which may have to be asked about."""
        terminal = self._pane.terminal
        if self.mode == "SEARCH":
            self.query += text.split("\n", 1)[0]
            self._pane.mode_changed()
        elif terminal is not None and terminal.state == "running":
            self.follow(terminal)
            lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").count("\n") + 1
            bracketed = terminal.frame is not None and BRACKETED_PASTE in terminal.frame.modes
            if lines > 1 and not bracketed:
                question = f"paste {lines} lines? The program takes each as typed. y pastes, n drops"
                self.ask(question, lambda: terminal.send_paste(text))
            else:
                terminal.send_paste(text)


async def _scroll(terminal: Terminal, rows: int) -> None:
    await terminal.scroll(rows)


async def _follow(terminal: Terminal) -> None:
    await terminal.scroll_bottom()
