"""The Delivery and Registries pages, and shipping from Resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from komodo_agent.wire.registry import LABEL, RegistryContent, RegistryLook, RegistryRepository, RegistryTag
from komodo_agent.wire.ships import ImageLayers, Lacking, Shipment
from komodo_tui.domain.delivery import Built
from komodo_tui.domain.errors import RefusedError
from komodo_tui.domain.registries import RegistryOperation
from komodo_tui.domain.shipping import ShipOperation
from komodo_tui.ui.modals.confirm import ConfirmDialog
from komodo_tui.ui.modals.form import FormDialog
from komodo_tui.ui.pages import delivery
from komodo_tui.ui.pages.delivery import DeliveryPage
from komodo_tui.ui.pages.registries import RegistriesPage
from komodo_tui.ui.pages.resources import ResourcesPage
from tests.ui.fleets import NOW, container
from tests.ui.resources.lab import ResourceClient, make_app
from tests.ui.terminal.lab import screen_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from komodo_tui.ui.app import KomodoApp
    from tests.ui.fleets import StillExecutor

SMALL, MID, LARGE = (80, 24), (120, 40), (200, 50)
IMAGE = f"sha256:{1:064x}"
OLD = f"sha256:{2:064x}"
BUILT = (
    Built(id="3", name="api", version="1.9.1", at=NOW - 600, outcome="failed", server="db-01", seconds=3.0),
    Built(id="2", name="api", version="1.9.0", at=NOW - 7200, outcome="success", commit="9c1f0a2b77de", image=IMAGE,
          server="db-01", seconds=42.0, references=("shop/api:1.9.0", "shop/api:latest")),
    Built(id="1", name="api", version="1.8.0", at=NOW - 86_400, outcome="success", commit="77[red]aa[/]", image=OLD,
          server="db-01", seconds=40.0),
)  # fmt: skip
CONTENT = RegistryContent(
    repositories=(
        RegistryRepository(name="shop/api", size=33 << 20, tags=(
            RegistryTag(tag="1.9", digest=f"sha256:{7:064x}", size=30 << 20),
            RegistryTag(tag="latest", digest=f"sha256:{7:064x}", size=30 << 20),
            RegistryTag(tag="1.8", digest=f"sha256:{8:064x}", size=29 << 20),
        )),
        RegistryRepository(name="emptied"),
    )
)  # fmt: skip


class Client(ResourceClient):
    """An agent that also knows of layers and registries."""

    async def registry_content(self, look: RegistryLook) -> RegistryContent:
        """db-01's wants another login."""
        if self.server == "db-01":
            raise RefusedError("registry wants another login")
        return CONTENT

    async def image_layers(self, image: str) -> ImageLayers:
        """Two layers."""
        return ImageLayers(
            id=image, tags=("shop/api:1.8",), layers=("a", "b"), sizes=(10 << 20, 2 << 20), size=12 << 20
        )

    async def lacking(self, shipment: Shipment) -> Lacking:
        """One of them."""
        return Lacking(present=False, layers=shipment.layers[1:], free=1 << 40)


class Values:
    """No logins."""

    def registry_auth(self, image: str) -> str:
        """None kept."""
        return ""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[KomodoApp, StillExecutor]:
    """App and executor, with containers of the built images and two registries."""
    app, executor, links = make_app(tmp_path)
    runtime: Any = app.runtime
    runtime.values = Values()
    for name, link in links.items():
        link.agent = Client(runtime.fleet.state, name)
    monkeypatch.setattr(delivery, "read_built", lambda history: BUILT)
    stack = {"com.docker.compose.project": "shop"}
    more = {
        "web-01": (
            container("shop-api-1", 71, image_id=IMAGE, labels=stack),
            container("shop-api-2", 72, image_id=IMAGE, labels=stack),
            container("komodo-registry", 73, labels={LABEL: "127.0.0.1:5000"}),
        ),
        "db-01": (container("api-old", 74, image_id=OLD), container("hub", 75, labels={LABEL: "hub.example"})),
    }  # fmt: skip
    for server, containers in more.items():
        live = runtime.fleet.state.servers[server]
        for one in containers:
            live.containers[one.id] = one
    return app, executor


async def until(pilot: Pilot[Any], reached: Callable[[], object]) -> None:
    """Let the app work until it is so."""
    for _ in range(600):
        await pilot.pause()
        if reached():
            return
    raise AssertionError("it did not come to that")


async def page_of(pilot: Pilot[Any], kind: type[Any], tab: str, rows: int) -> Any:
    """The page, with so many rows."""
    pilot.app.go(tab)  # type: ignore[attr-defined]
    await until(pilot, lambda: pilot.app.query(kind))
    page = pilot.app.query_one(kind)
    await until(pilot, lambda: len(page.table.model.rows) == rows and page.table.has_focus)
    return page


async def dialog(pilot: Pilot[Any], kind: type[Any]) -> Any:
    """The dialog on top, once it is there."""
    await until(pilot, lambda: isinstance(pilot.app.screen, kind) and pilot.app.screen.is_mounted)
    await pilot.pause()
    return pilot.app.screen


async def test_delivery_shows_each_commit_where_it_runs(made: tuple[KomodoApp, StillExecutor]) -> None:
    app, _ = made
    async with app.run_test(size=MID) as pilot:
        page = await page_of(pilot, DeliveryPage, "delivery", 3)
        rows = [page.table.model.rows[key] for key in page.table.model.view]
        assert [(row.version, row.state, row.where) for row in rows] == [
            ("1.9.1", "failed", ""),
            ("1.9.0", "live", "shop@web-01 ×2"),
            ("1.8.0", "older", "api-old@db-01"),
        ]
        await until(pilot, lambda: page.table.model.rows["2"].on == ("web-01",))
        page.pane.set_filter("older")
        await pilot.press("t")
        await until(pilot, lambda: app.query("ContainersPage"))


async def test_registries_are_looked_into_and_emptied(made: tuple[KomodoApp, StillExecutor]) -> None:
    app, executor = made
    async with app.run_test(size=MID) as pilot:
        page = await page_of(pilot, RegistriesPage, "registries", 5)
        page.pane.set_filter("1.9")
        await pilot.press("X")
        shown = await dialog(pilot, ConfirmDialog)
        await pilot.press(*shown.plan.phrase, "enter")  # its server is tagged prod
        await until(pilot, lambda: executor.done)
        (operation,) = executor.done
        assert isinstance(operation, RegistryOperation)
        assert (operation.verb, operation.server, operation.images[0].tags) == ("delete", "web-01", ("1.9", "latest"))
        await pilot.press("K")
        await dialog(pilot, ConfirmDialog)
        await pilot.press("y")
        await until(pilot, lambda: len(executor.done) == 2)
        assert executor.done[1].verb == "collect"  # type: ignore[union-attr]


async def test_why_a_registry_does_not_answer_is_readable_at_80_columns(
    made: tuple[KomodoApp, StillExecutor], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(self: Client, look: RegistryLook) -> RegistryContent:
        hint = "keep another login: komodo-tui registry login hub.example --username NAME"
        raise RefusedError("hub wants another login than the one that is kept for hub.example", hint=hint)

    monkeypatch.setattr(Client, "registry_content", refuse)
    app, _ = made
    async with app.run_test(size=SMALL) as pilot:
        page = await page_of(pilot, RegistriesPage, "registries", 2)
        page.table.choose(next(key for key, row in page.table.model.rows.items() if row.registry.server == "db-01"))
        wanted = [
            " ✖ hub@db-01: hub wants another login than the one that is kept for hub.example",
            " (keep another login: komodo-tui registry login hub.example --username NAME)",
        ]
        await until(pilot, lambda: [line.rstrip() for line in screen_text(app)][-3:-1] == wanted)


async def test_a_registry_is_started_from_a_form(made: tuple[KomodoApp, StillExecutor]) -> None:
    app, executor = made
    async with app.run_test(size=MID) as pilot:
        await page_of(pilot, RegistriesPage, "registries", 5)
        await pilot.press("N")
        form = await dialog(pilot, FormDialog)
        form.query_one("#field-server").value = "web-02" if "web-02" in app.runtime.fleet.state.servers else "db-01"
        form.query_one("#field-name").value = "second"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: executor.done or isinstance(app.screen, ConfirmDialog))
        if not executor.done:
            await pilot.press("y")
        await until(pilot, lambda: executor.done)
        operation = executor.done[0]
        assert isinstance(operation, RegistryOperation)
        assert (operation.verb, operation.name, operation.guarded) == ("start", "second", False)


async def test_an_image_is_shipped_from_resources(made: tuple[KomodoApp, StillExecutor]) -> None:
    app, executor = made
    async with app.run_test(size=MID) as pilot:
        app.go("resources")
        await until(pilot, lambda: app.query(ResourcesPage))
        page = app.query_one(ResourcesPage)
        await until(pilot, lambda: page.list.table.model.rows and page.list.table.has_focus)
        page.list.pane.set_filter("tag:shop/api:1.8")
        await pilot.press("S")
        form = await dialog(pilot, FormDialog)
        form.query_one("#field-servers").value = "db-01"
        await pilot.press("ctrl+s")
        await dialog(pilot, ConfirmDialog)
        await pilot.press("y")
        await until(pilot, lambda: executor.done)
        operation = executor.done[0]
        assert isinstance(operation, ShipOperation)
        assert (operation.source, operation.tags) == ("web-01", ("shop/api:1.8",))
        assert msgspec.structs.asdict(operation.targets[0])["lacking"] == 1


@pytest.mark.parametrize("size", [SMALL, MID, LARGE], ids=["80x24", "120x40", "200x50"])
@pytest.mark.parametrize(("tab", "kind", "rows"), [("delivery", DeliveryPage, 3), ("registries", RegistriesPage, 5)])
def test_looks(
    made: tuple[KomodoApp, StillExecutor], snap_compare: Any, size: tuple[int, int], tab: str, kind: Any, rows: int
) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        page = await page_of(pilot, kind, tab, rows)
        if tab == "delivery":
            await until(pilot, lambda: page.table.model.rows["2"].on)
            await pilot.press("j")
        await pilot.pause()

    assert snap_compare(made[0], terminal_size=size, run_before=show)
