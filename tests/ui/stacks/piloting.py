"""Steps that the tests of both pages take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from komodo_tui.ui.pages.deployments import DeploymentsPage
from komodo_tui.ui.pages.stacks import StacksPage

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from tests.ui.stacks.lab import StackExecutor

SMALL, LARGE = (80, 24), (200, 50)


async def until(pilot: Pilot[Any], reached: Callable[[], object]) -> None:
    """Let the app work until it is so."""
    for _ in range(2000):
        await pilot.pause(0.005)
        if reached():
            return
    raise AssertionError("it did not come to that")


async def dialog(pilot: Pilot[Any], kind: type[Any]) -> Any:
    """The dialog on top, once it is there."""
    await until(pilot, lambda: isinstance(pilot.app.screen, kind) and pilot.app.screen.is_mounted)
    await pilot.pause()
    return pilot.app.screen


async def done(pilot: Pilot[Any], executor: StackExecutor, number: int = 1) -> Any:
    """The operation that was run last, once there are so many."""
    await until(pilot, lambda: len(executor.done) >= number)
    return executor.done[-1]


async def stacks(pilot: Pilot[Any], name: str = "shop") -> StacksPage:
    """The page with all that is known, the cursor on a stack."""
    await until(pilot, lambda: pilot.app.query(StacksPage))
    page = pilot.app.query_one(StacksPage)
    await until(pilot, lambda: page.book.read and {"web-01", "db-01"} <= page.book.projects.keys())
    await until(pilot, lambda: page.table.choose(name) and page.table.has_focus)
    return page


async def deployments(pilot: Pilot[Any], server: str = "web-01", project: str = "shop") -> DeploymentsPage:
    """The page with all that is known, the cursor on a deployment."""
    await until(pilot, lambda: pilot.app.query(DeploymentsPage))
    page = pilot.app.query_one(DeploymentsPage)
    await until(pilot, lambda: page.book.read and {"web-01", "db-01"} <= page.book.projects.keys())
    await until(pilot, lambda: page.table.choose((server, project)) and page.table.has_focus)
    return page
