"""A stack from the keyboard: defined, deployed until the site answers, broken and back, on a real engine."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import TextArea

from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.modals.menu import MenuDialog
from komodo_tui.ui.modals.progress import ProgressDialog
from komodo_tui.ui.pages.stacks import StacksPage
from komodo_tui.ui.stacks.editing import StackEditor
from komodo_tui.ui.stacks.planning import DeployDialog
from komodo_tui.wiring import build_runtime
from tests.integration.agent.lab import agent_process
from tests.rig import compose
from tests.ui.servers.lab import until
from tests.ui.stacks.piloting import SMALL

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tests.rig.server import Server

pytestmark = pytest.mark.rig

SITE = """\
stacks:
  - name: site
    servers: [alpha]
    environment: {PORT: "8080", RUN: "exec httpd -f -p 80"}
    health: {window: 20, steady: 0.3}
    compose: |
      services:
        web: {image: busybox, init: true, command: [sh, -c, "${RUN}"], ports: ["${PORT}:80"]}
"""


def answer(address: str) -> int:
    """What the web server says: there is no page, and it says so itself."""
    try:
        with urllib.request.urlopen(f"http://{address}:8080/", timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


async def on_top(pilot: Pilot[Any], kind: type[Any]) -> Any:
    """The dialog, once it has the keys."""
    await until(pilot, lambda: isinstance(pilot.app.screen, kind) and pilot.app.screen.focused is not None)
    return pilot.app.screen


async def edited(pilot: Pilot[Any], text: str) -> None:
    """Save this in the editor that is open."""
    editor = await on_top(pilot, StackEditor)
    editor.query_one(TextArea).text = text
    await pilot.press("ctrl+s")
    await until(pilot, lambda: len(pilot.app.screen_stack) == 1)


async def deployed(pilot: Pilot[Any]) -> str:
    """Say yes to the plan; returns what the dialog said at the end."""
    await pilot.press("D")
    await on_top(pilot, DeployDialog)
    await pilot.press("y")
    progress = await on_top(pilot, ProgressDialog)
    await until(pilot, lambda: progress._ended)
    await pilot.press("escape")
    await until(pilot, lambda: len(pilot.app.screen_stack) == 1)
    return "\n".join(progress._lines)


async def test_from_an_empty_screen_to_a_site_that_answers_and_back_when_it_breaks(
    server: Server, tmp_path: Path
) -> None:
    environment = {"DOCKER_CONFIG": str(compose.config_folder())}
    with agent_process(tmp_path / "agent", server.docker_host, environment=environment) as agent:
        runtime = build_runtime(home=tmp_path / "home", ssh_config=Path(server.ssh_config))
        definition = ServerDefinition(name="alpha", address=server.name, agent_socket=str(agent.socket))
        runtime.definitions.put("server", "alpha", definition, None)
        async with KomodoApp(runtime, tab="stacks").run_test(size=SMALL) as pilot:
            await until(pilot, lambda: pilot.app.query(StacksPage))
            page = pilot.app.query_one(StacksPage)
            await until(pilot, lambda: page.book.read and runtime.fleet.state.servers["alpha"].engine_live)
            await pilot.press("N")
            await on_top(pilot, MenuDialog)
            await pilot.press("e")
            await edited(pilot, SITE)
            await until(pilot, lambda: page.table.cursor == "site" and page.table.has_focus)
            assert (await deployed(pilot)).endswith("success")
            assert await asyncio.to_thread(answer, server.address) == 404
            await until(pilot, lambda: page.table.model.rows["site"].places[0].revision_text == "1")
            await until(pilot, lambda: page.table.model.rows["site"].places[0].deployment.state == "running")

            await pilot.press("e")
            await edited(pilot, SITE.replace("exec httpd -f -p 80", "echo on purpose; exit 3"))
            said = await deployed(pilot)
            assert "on purpose" in said
            assert "ended with code 3; returned to revision 1" in said
            assert await asyncio.to_thread(answer, server.address) == 404
            await until(pilot, lambda: page.table.model.rows["site"].places[0].revision_text == "2!")
