"""The logs of containers on two real engines behind two real sshds, merged on the screen, through losses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from komodo_tui.domain.operations import Target
from komodo_tui.ui.app import KomodoApp
from komodo_tui.ui.logs.open import open_logs
from komodo_tui.wiring import build_runtime
from tests.integration.ssh.lab import RemoteAgent, definition
from tests.ui.logs.lab import LogLab

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.rig.server import Server

pytestmark = pytest.mark.rig

_COUNTING = "i=0; while :; do i=$((i+1)); echo {} $i; sleep 0.05; done"


@pytest.fixture
def agents(server: Server, second_server: Server) -> Iterator[tuple[RemoteAgent, RemoteAgent]]:
    """Their agents."""
    remotes = RemoteAgent(server), RemoteAgent(second_server)
    for remote in remotes:
        remote.start()
    yield remotes
    for remote in remotes:
        remote.kill()


def _count(server: Server, name: str, word: str) -> None:
    server.docker("run", "-d", "--network", "none", "--name", name, "busybox", "sh", "-c", _COUNTING.format(word))


async def test_two_servers_merged_through_a_dead_agent_and_a_new_container(
    agents: tuple[RemoteAgent, RemoteAgent], tmp_path: Path
) -> None:
    first, second = agents
    _count(first.server, "api-1", "api")
    _count(second.server, "worker-2", "work")
    config = tmp_path / "ssh_config"
    config.write_text("".join(Path(agent.server.ssh_config).read_text() for agent in agents))
    runtime = build_runtime(home=tmp_path / "home", ssh_config=config)
    for agent, name in zip(agents, ("alpha", "beta"), strict=True):
        await runtime.servers.add(definition(agent, name))
    app = KomodoApp(runtime, tab="containers")
    async with app.run_test(size=(120, 40)) as pilot:
        lab = LogLab(app, pilot, runtime.fleet)

        def containers() -> list[Target]:
            return [
                Target(server=live.name, name=container.name, id=container.id)
                for live in runtime.fleet.state.servers.values()
                for container in live.containers.values()
                if container.name in ("api-1", "worker-2")
            ]

        await lab.until(lambda: len(containers()) == 2, "both containers")
        assert app.current_page is not None
        open_logs(app.current_page, containers())
        await lab.until(lambda: _numbers(lab, "api")[-1:] > [20] and _numbers(lab, "work")[-1:] > [20], "both logs")

        second.kill()
        await lab.shows("beta away")
        heard = _numbers(lab, "work")[-1]
        second.start()
        await lab.until(lambda: _numbers(lab, "work")[-1] > heard + 20, "the log to go on")
        assert _numbers(lab, "work") == list(range(1, _numbers(lab, "work")[-1] + 1))
        assert _numbers(lab, "api") == list(range(1, _numbers(lab, "api")[-1] + 1))
        await lab.lacks("beta away")

        first.server.docker("rm", "-f", "api-1")
        await lab.shows("api-1@alpha: removed")
        _count(first.server, "api-1", "anew")
        await lab.until(lambda: _numbers(lab, "anew")[-1:] > [5], "the new container's log")
        await lab.press("escape")


def _numbers(lab: LogLab, word: str) -> list[int]:
    """What the containers counted, as the view keeps it."""
    ring = lab.page.console.ring
    texts = (ring.line(number)[34:].decode().split() for number in range(ring.first, ring.end))
    return [int(text[1]) for text in texts if text[:1] == [word]]
