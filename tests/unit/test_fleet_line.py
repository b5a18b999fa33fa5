"""What the line over all pages counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_agent.wire.models import Container, Engine
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.fleet.live import ServerLive
from komodo_tui.ui.render.summary import Counts, count

if TYPE_CHECKING:
    from komodo_agent.wire.models import EngineStatus


def _server(engine: EngineStatus) -> ServerLive:
    live = ServerLive(ServerDefinition(name="web-1", address="web-1"))
    live.status, live.engine = "up", Engine(status=engine)
    live.containers = {"a": Container(id="a", name="a", image="i", state="running")}
    return live


def test_a_server_whose_engine_is_down_is_not_well_and_its_containers_are_not_known() -> None:
    assert count([_server("up")]) == Counts(up=1, running=1)
    assert count([_server("down")]) == Counts(up=1, warn=1), "it answers all the same"
    assert count([_server("absent"), _server("up")]) == Counts(up=2, warn=1, running=1)
