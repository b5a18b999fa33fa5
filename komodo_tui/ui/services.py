"""What the program offers to its pages, apart from the pages themselves: dialogs, messages, clipboard, theme, crash."""

from __future__ import annotations

import os
import time
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, TypeVar

from textual.app import App

from komodo_tui.domain.errors import KomodoError, UsageError
from komodo_tui.ui.acting import Acts
from komodo_tui.ui.ascii import AsciiSigns, plain
from komodo_tui.ui.begun import begin
from komodo_tui.ui.clipboard import osc52
from komodo_tui.ui.ground import Ground
from komodo_tui.ui.look import Look
from komodo_tui.ui.modals.error import ErrorDialog
from komodo_tui.ui.private import keep_copied, patch_styles_cache, use_attributes_only, write_crash
from komodo_tui.ui.prompts import ShellPrompter
from komodo_tui.ui.render import glyphs
from komodo_tui.ui.render.glyphs import UNICODE
from komodo_tui.ui.theme import DEFAULT_THEME, Themes, ThemeSpec
from komodo_tui.ui.widgets.footer import HintFooter

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from textual.binding import Binding
    from textual.driver import Driver
    from textual.filter import LineFilter
    from textual.screen import ModalScreen

    from komodo_tui.domain.operations import Target
    from komodo_tui.ui.page import Page
    from komodo_tui.ui.runtime import Runtime

T = TypeVar("T")


class ServiceApp(App[int]):
    """All of :class:`~komodo_tui.ui.shell.Shell` but going to pages."""

    def __init__(self, runtime: Runtime, *, now: Callable[[], float] = time.time, driver_class: Any = None) -> None:
        """``now`` gives Unix time."""
        patch_styles_cache()
        self.runtime = runtime
        settings = runtime.settings
        self.themes = Themes(runtime.state_dir.themes)
        self._spec, self._theme_error = self._load_theme(settings.theme)
        self._glyphs = glyphs.choose(ascii=True if settings.ascii else None, environ=os.environ)
        self.look = Look(self._spec.palette(), self._glyphs)
        self._ground = Ground(self.look.palette.color("foreground"))
        self._signs = AsciiSigns()
        super().__init__(driver_class=driver_class)
        self.register_theme(self._spec.textual())
        self.theme = self._spec.name
        if self.no_color:
            use_attributes_only(self)
        self.acts = Acts(runtime, self)
        runtime.questions.answer_with(lambda: ShellPrompter(self, self._typing))
        self.now = now

    def get_driver_class(self) -> type[Driver]:
        """The one that gives a terminal pane its keys as they were typed, and shows its cursor."""
        from komodo_tui.ui.terminal.private import pane_driver_class

        return pane_driver_class(super().get_driver_class())

    def _typing(self) -> bool:
        """Whether keys go to a text field or a terminal now."""
        from textual.widgets import Input, TextArea  # late: the first screen needs no text areas

        return isinstance(self.focused, Input | TextArea) or bool(getattr(self.focused, "captures_keys", False))

    def get_css_variables(self) -> dict[str, str]:
        """The theme's, and the kind of border the terminal can draw."""
        return {**super().get_css_variables(), "edge": self._glyphs.border}

    def get_line_filters(self) -> Sequence[LineFilter]:
        """First of all the ground; without colours there is none. Signs in ASCII where that is wanted."""
        filters = [*super().get_line_filters()]
        if not self.no_color:
            filters.insert(0, self._ground)
        if self._glyphs.ascii:
            filters.append(self._signs)
        return filters

    def get_key_display(self, binding: Binding) -> str:
        """The key as it is shown; in ASCII by name where it has a sign."""
        shown = super().get_key_display(binding)
        return plain(shown.replace(UNICODE.enter, self._glyphs.enter)) if self._glyphs.ascii else shown

    @abstractmethod
    def go(self, page: str, target: Target | None = None) -> None:
        """Show a page by its id, and reveal something in it."""

    @abstractmethod
    def opened_pages(self) -> Iterable[Page]:
        """The pages that have been shown so far."""

    # -- services to pages --------------------------------------------------------------------------------------

    async def ask(self, dialog: ModalScreen[T]) -> T | None:
        """Show a dialog and wait for its result."""
        return await self.push_screen_wait(dialog)

    def work(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine as a task of the app; an error of ours that it raises is shown."""
        begin(self, self._guard(coroutine), coroutine, group="work")

    async def _guard(self, coroutine: Coroutine[Any, Any, None]) -> None:
        try:
            await coroutine
        except KomodoError as error:
            await self.ask(ErrorDialog.of(error, self.copy))

    def show_error(self, error: KomodoError) -> None:
        """Show an error until it is dismissed."""
        self.push_screen(ErrorDialog.of(error, self.copy))

    def flash(self, text: str, tone: str = "info") -> None:
        """Say something short in the footer for a few seconds."""
        self.screen_stack[0].query_one(HintFooter).flash(text, tone)

    def copy(self, text: str, what: str) -> None:
        """Copy to the terminal's clipboard and say so; what pastes in this program has it in any case."""
        keep_copied(self, text)
        copied = osc52(text, os.environ)
        if copied.sequence and self._driver is not None:
            self._driver.write(copied.sequence)
        if not copied.sequence:
            self.flash(f"not copied: {copied.doubt}", "warn")
        else:
            self.flash(f"copied {what}" + (f" ({copied.doubt})" if copied.doubt else ""), "ok")

    # -- theme --------------------------------------------------------------------------------------------------

    def _load_theme(self, name: str) -> tuple[ThemeSpec, UsageError | None]:
        try:
            return self.themes.load(name), None
        except UsageError as error:
            return DEFAULT_THEME, error

    def use_theme(self, name: str) -> None:
        """Switch the theme; a broken one is told and changes nothing."""
        spec, error = self._load_theme(name)
        if error is not None:
            self.show_error(error)
            return
        self._spec = spec
        self.look = Look(spec.palette(), self._glyphs)
        self._ground = Ground(self.look.palette.color("foreground"))
        self.register_theme(spec.textual())
        self.theme = spec.name
        for page in self.opened_pages():
            page.restyle()
        self.screen_stack[0].refresh(layout=True)

    def copy_to_clipboard(self, text: str) -> None:
        """^C on selected text."""
        self.copy(text, "selection")

    # -- crash --------------------------------------------------------------------------------------------------

    def _fatal_error(self) -> None:
        """Leave with a short message; the traceback, without values, goes to a private file."""
        error = self._exception
        folder = self.runtime.state_dir.crashes
        path = write_crash(error, folder) if error is not None else None
        where = f"The report is in {path}." if path else "The report could not be written."
        self._exit_renderables.append(f"komodo-tui stopped by an error of its own: {type(error).__name__}\n{where}")
        self._close_messages_no_wait()
