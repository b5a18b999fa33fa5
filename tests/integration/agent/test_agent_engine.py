"""The agent's connection to a real engine, from within one process."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from komodo_agent.engine import exec_process, hangup
from komodo_agent.engine.address import EngineAddress
from komodo_agent.engine.client import Engine
from komodo_agent.engine.stats import EngineStats
from komodo_agent.metrics.api_stats import ApiReader
from komodo_agent.problems import AgentError
from komodo_agent.wire.exec import ExecRequest
from tests.rig.processes import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from komodo_agent.wire.models import ContainerSample
    from tests.rig.server import Server

pytestmark = pytest.mark.rig


@pytest.fixture
async def engine(server: Server) -> AsyncIterator[Engine]:
    """A connected engine."""
    made = Engine(EngineAddress(paths=(server.docker_host.removeprefix("unix://"),)))
    made.set_status(await made.connect())
    yield made
    await made.close()


async def test_what_it_says_of_itself(engine: Engine, server: Server) -> None:
    assert engine.status.status == "up"
    assert engine.status.name == "docker"
    assert engine.status.version == server.docker("version", "-f", "{{.Server.Version}}").strip()
    assert engine.api_version >= (1, 41)
    assert engine.status.cgroup.startswith(("v1 ", "v2 "))


async def test_streams_left_early_do_not_starve_calls(engine: Engine, server: Server) -> None:
    """aiodocker's own streams keep their connection when left early; after a hundred, every call hangs."""
    cid = server.docker("run", "-d", "busybox", "sh", "-c", "while :; do echo line; sleep 0.01; done").strip()
    parameters = {"follow": 1, "stdout": 1}

    async def look() -> None:
        async with engine.stream("GET", f"/containers/{cid}/logs", params=parameters) as response:
            await response.content.readany()

    for _ in range(5):
        await asyncio.gather(*(look() for _ in range(30)))
    stuck = [asyncio.create_task(_hold(engine, cid)) for _ in range(120)]
    try:
        assert (await asyncio.wait_for(engine.inspect(cid), 10))["Id"] == cid
    finally:
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)
    wait_for(lambda: _connections(engine.path) < 20, 10, what="the end of all streams")


async def _hold(engine: Engine, cid: str) -> None:
    async with engine.stream("GET", f"/containers/{cid}/logs", params={"follow": 1, "stdout": 1}):
        await asyncio.Event().wait()


def _connections(path: str) -> int:
    return sum(line.endswith(f" {path}") for line in Path("/proc/net/unix").read_text().splitlines())


async def test_stats_for_containers_out_of_reach(engine: Engine, server: Server) -> None:
    busy = server.docker("run", "-d", "busybox", "sh", "-c", "while :; do :; done").strip()
    documents = await EngineStats(engine)([busy, "f" * 64])
    assert list(documents) == [busy], "what cannot be had is left out"
    reader = ApiReader(EngineStats(engine), 1 << 40)
    sample: ContainerSample | None = None
    now = 0.0
    async with asyncio.timeout(60):
        while sample is None or sample.cpu <= 20:  # each look asks; what was asked for comes behind it
            sample = reader.sample([busy], now).get(busy, (None,))[0]
            now += 3
            await asyncio.sleep(0.02)
    await reader.close()
    assert sample.source == "api"


async def test_errors_have_the_engines_words_and_short_ids(engine: Engine) -> None:
    with pytest.raises(AgentError) as missing:
        await engine.inspect("e" * 64)
    assert missing.value.code == "not_found"
    assert missing.value.message.endswith(f"No such container: {'e' * 12}")


async def test_find_asks_the_engine_for_what_the_list_has_not_yet(engine: Engine, server: Server) -> None:
    cid = server.docker("create", "--name", "fresh", "busybox").strip()
    assert (await engine.find("fresh")).id == cid
    assert (await engine.find(cid[:12])).name == "fresh"
    for nobody in ("none", "", "../info", "a/b", "a?b"):
        with pytest.raises(AgentError) as missing:
            await engine.find(nobody)
        assert missing.value.code == "not_found"


async def test_an_engine_nobody_connected_to_refuses(tmp_path: Path) -> None:
    idle = Engine(EngineAddress(paths=(str(tmp_path / "none.sock"),)))
    with pytest.raises(AgentError) as refused:
        await idle.inspect("a" * 64)
    assert refused.value.code == "engine_unavailable"
    assert msgspec.json.encode(refused.value.problem())


async def test_a_process_the_agent_may_not_signal_is_ended_from_inside(
    engine: Engine, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an agent in the docker group, without root, has to."""
    cid = server.docker("run", "-d", "busybox", "sleep", "100000").strip()
    request = ExecRequest(container=cid, command=("sh", "-c", "sleep 7781 & sleep 7782"), tty=False)
    process = await exec_process.start(engine, await engine.find(cid), request)
    wait_for(lambda: {"sleep 7781", "sleep 7782"} <= _commands(server, cid), 10, what="the process and its child")

    def refuse(process: hangup.HostProcess) -> None:
        raise PermissionError

    monkeypatch.setattr(hangup, "_signal_session", refuse)
    await process.close()
    wait_for(lambda: _commands(server, cid) == {"sleep 100000"}, 10, what="its end")


def _commands(server: Server, cid: str) -> set[str]:
    return {row.split(None, 1)[1] for row in server.docker("top", cid, "-eo", "pid,args").splitlines()[1:]}
