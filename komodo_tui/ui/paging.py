"""Which page is on the screen: made when it is first shown, kept after that, focused once all of it is there."""

from __future__ import annotations

import time
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from textual import on

from komodo_tui.ui.commands import CommandApp
from komodo_tui.ui.modals.menu import MenuDialog, MenuItem
from komodo_tui.ui.pages import BY_ID, PAGES
from komodo_tui.ui.timeline.open import open_timeline
from komodo_tui.ui.typeahead import TypeAhead
from komodo_tui.ui.widgets.header import TabLine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.widget import AwaitMount

    from komodo_tui.domain.operations import Target
    from komodo_tui.ui.page import Page
    from komodo_tui.ui.runtime import Runtime


class PagingApp(CommandApp):
    """The tabs and their pages."""

    def __init__(self, runtime: Runtime, *, now: Callable[[], float] = time.time, driver_class: Any = None) -> None:
        """``now`` gives Unix time."""
        super().__init__(runtime, now=now, driver_class=driver_class)
        self._current: Page | None = None
        self._wanted: Target | None = None
        """What the page on screen shall reveal once it is mounted."""
        self._last = ""
        self._pages: dict[str, Page] = {}
        self._ahead = TypeAhead(self)

    @abstractmethod
    def show_fleet(self) -> None:
        """Bring the line about the fleet up to date."""

    def go(self, page: str, target: Target | None = None) -> None:
        """Show a page by its id, and reveal something in it."""
        self._wanted = target
        if self._current is None or self._page_id(self._current) != page:
            self._switch(page)
        elif self._current.is_mounted:
            self._reveal(self._current)

    def opened_pages(self) -> Iterable[Page]:
        """The pages that have been shown so far."""
        return self._pages.values()

    @property
    def current_page(self) -> Page | None:
        """The page on screen."""
        return self._current

    def _page_id(self, page: Page) -> str:
        return str(page.id).removeprefix("page-")

    def _switch(self, page: str) -> None:
        old = self._current
        if old is not None:
            self._last = self._page_id(old)
            old.display = False
            old.on_page_hide()
        new = self._pages.get(page)
        self.query_one(TabLine).show(page)
        self.show_fleet()
        if new is None:
            new = self._pages[page] = BY_ID[page].load()(self.runtime, self, id=f"page-{page}")
            self._current = new
            self._ahead.wait_for_page(lambda: new is not self._current or self._has_focus(new))
            self.work(self._mounted(new, self.query_one("#pages").mount(new)))
        else:
            self._current = new
            new.display = True
            if new.is_mounted:
                self._shown(new)

    def _has_focus(self, page: Page) -> bool:
        """Whether keys reach the page; also where something else has come to stand before it."""
        if len(self.screen_stack) > 1:
            return True
        if self.focused is not None and page in self.focused.ancestors_with_self:
            return True
        return page.is_mounted and not any(widget.focusable for widget in page.query("*"))  # nothing there takes any

    async def _mounted(self, page: Page, mounting: AwaitMount) -> None:
        # Before all of the page is there, the focus it gives would be lost without a word.
        await mounting
        if page is self._current:
            self._shown(page)

    def _shown(self, page: Page) -> None:
        page.on_page_show()
        self._reveal(page)

    def _reveal(self, page: Page) -> None:
        target, self._wanted = self._wanted, None
        if target is not None:
            page.reveal(target)

    def _shows(self, page: str) -> bool:
        """Whether this page is there and has the keys."""
        return self._current is not None and self._page_id(self._current) == page and self._has_focus(self._current)

    # -- keys ---------------------------------------------------------------------------------------------------

    def action_go(self, page: str) -> None:
        """Show a tab."""
        self.go(page)

    def action_last_page(self) -> None:
        """Back to the tab before."""
        if self._last:
            self.go(self._last)

    def action_what_happened(self) -> None:
        """Around what is selected, of all kinds."""
        if self._current is not None:
            open_timeline(self._current, self._current.moment())

    def action_more(self) -> None:
        """The tabs without a digit."""
        self.work(self._more())

    async def _more(self) -> None:
        items = [MenuItem(s.id, s.title, s.letter, s.note) for s in PAGES if not s.key]
        page = await self.ask(MenuDialog("More", items))
        if page:
            self.go(page)

    @on(TabLine.Picked)
    def _tab_picked(self, event: TabLine.Picked) -> None:
        if event.page:
            self.go(event.page)
        else:
            self.action_more()
