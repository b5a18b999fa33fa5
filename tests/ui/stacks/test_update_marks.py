"""Images that were replaced are marked wherever they are listed, and taken by the services chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from komodo_agent.wire.updates import ImageUpdate
from komodo_tui.operations.image_updates import ImageUpdates
from komodo_tui.ui.modals.menu import MenuDialog
from komodo_tui.ui.pages.containers import ContainersPage
from komodo_tui.ui.stacks.planning import DeployDialog
from tests.ui.stacks.lab import make_app
from tests.ui.stacks.piloting import LARGE, deployments, dialog, done, until

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from komodo_agent.wire.updates import UpdatesRequest
    from komodo_tui.ui.app import KomodoApp


def _shown(pilot: Pilot[Any], table: Any) -> str:
    return "\n".join("".join(segment.text for segment in table.render_line(y)) for y in range(table.size.height))


def _with_updates(app: KomodoApp, links: dict[str, Any]) -> list[UpdatesRequest]:
    """All images of ``worker`` were replaced; returns what was asked."""
    asked: list[UpdatesRequest] = []

    async def image_updates(request: UpdatesRequest) -> list[ImageUpdate]:
        asked.append(request)
        return [
            ImageUpdate(image=one.image, image_id=one.image_id, state="update" if "wrk" in one.image else "current")
            for one in request.images
        ]

    for live in app.runtime.fleet.state.servers.values():
        for key, container in live.containers.items():
            live.containers[key] = msgspec.structs.replace(container, image_id=f"sha256:{container.id}")
    for link in links.values():
        link.agent.image_updates = image_updates
    app.runtime.updates = ImageUpdates(app.runtime.fleet, app.runtime.values, 3600.0)  # type: ignore[misc]
    return asked


async def test_a_service_is_marked_and_takes_its_newer_image(tmp_path: Path) -> None:
    app, executor, links = make_app(tmp_path, "deployments")
    asked = _with_updates(app, links)
    async with app.run_test(size=LARGE) as pilot:
        page = await deployments(pilot)
        await until(pilot, lambda: "⇡ " in _shown(pilot, page.table))
        await pilot.press("enter")
        await until(pilot, lambda: page.in_detail and page.detail.pane.table.has_focus)
        page.detail.pane.table.choose(("web-01", "shop", "worker"))
        lines = _shown(pilot, page.detail.pane.table).splitlines()
        assert [line for line in lines if "⇡" in line] == [line for line in lines if "wrk" in line]
        count = len(asked)
        await pilot.press("m")
        await dialog(pilot, MenuDialog)
        await pilot.press("p")
        await dialog(pilot, DeployDialog)
        await pilot.press("y")
        operation = await done(pilot, executor)
        assert [target.spec.refresh for target in operation.targets] == [("worker",)]
        assert len(asked) == count  # nobody asks twice


async def test_containers_are_marked(tmp_path: Path) -> None:
    app, _, links = make_app(tmp_path, "containers")
    _with_updates(app, links)
    async with app.run_test(size=LARGE) as pilot:
        await until(pilot, lambda: app.query(ContainersPage))
        table = app.query_one(ContainersPage).list.table
        await until(pilot, lambda: "⇡ " in _shown(pilot, table))
        assert all("wrk" in line for line in _shown(pilot, table).splitlines() if "⇡" in line)
