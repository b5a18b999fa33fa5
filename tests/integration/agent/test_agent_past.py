"""What an agent remembers of a real engine, across its own end."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from komodo_agent.wire.feed import Samples
from komodo_agent.wire.past import Past, PastEvents
from tests.integration.agent.lab import AgentProcess, Feed, agent_process

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rig.server import Server

pytestmark = pytest.mark.rig


async def _ask(agent: AgentProcess, route: str, **query: Any) -> bytes:
    async with agent.session() as session, session.get(route, params=query) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read()


async def _events(agent: AgentProcess, container: str) -> list[str]:
    found = msgspec.json.decode(await _ask(agent, "/v1/past/events"), type=PastEvents)
    return [event.kind for event in found.events if event.container == container]


async def _until_removed(agent: AgentProcess) -> None:
    while "removed" not in await _events(agent, "kept"):
        pass


async def test_what_happened_is_still_known_after_a_restart(server: Server, tmp_path: Path) -> None:
    began = time.time()
    with agent_process(tmp_path / "agent", server.docker_host) as agent:
        async with agent.session() as session, agent.feed(session) as feed:
            server.docker("run", "-d", "--name", "kept", "busybox", "sh", "-c", "while :; do :; done")
            await feed.until(lambda: any(c.name == "kept" and c.state == "running" for c in feed.containers.values()))
            cid = next(c.id for c in feed.containers.values() if c.name == "kept")
            await feed.until(lambda: any(cid in m.containers for m in feed.all(Samples)))
            server.docker("kill", "kept")
            await feed.until(lambda: feed.containers[cid].state == "exited")
        assert await _events(agent, "kept") == ["created", "started", "died"]
        past = msgspec.json.decode(await _ask(agent, "/v1/past", subject="container:kept", start=began), type=Past)
        assert past.step == 1.0
        assert max(value for value in past.series["cpu"] if value is not None) > 0
    with agent_process(tmp_path / "agent", server.docker_host) as again:
        assert await _events(again, "kept") == ["created", "started", "died"]
        subjects = msgspec.json.decode(await _ask(again, "/v1/past/subjects", start=began - 60), type=list[str])
        assert "host" in subjects
        server.docker("rm", "kept")
        await asyncio.wait_for(_until_removed(again), 20)


_ONCE_TOO_MUCH = "test -e /killed && exec sleep 1000; touch /killed; tail /dev/zero; exit 1"
"""Takes all the memory there is, once."""


async def test_who_is_killed_for_want_of_memory_and_runs_again_at_once_is_told_once(
    server: Server, tmp_path: Path
) -> None:
    def runs(feed: Feed) -> bool:
        return any(c.name == "hungry" and c.restarts == 1 and c.state == "running" for c in feed.containers.values())

    with agent_process(tmp_path / "agent", server.docker_host) as agent:
        async with agent.session() as session, agent.feed(session) as feed:
            await feed.until(lambda: feed.engine is not None)
            options = ("--memory", "16m", "--memory-swap", "16m", "--restart", "on-failure:1")
            server.docker("run", "-d", "--name", "hungry", *options, "busybox", "sh", "-c", _ONCE_TOO_MUCH)
            await feed.until(lambda: runs(feed))
            await feed.until(lambda: bool(feed.ooms))
            assert [oom.container for oom in feed.ooms] == ["hungry"]
        async with agent.session() as session, agent.feed(session) as again:
            await again.until(lambda: again.engine is not None)
            assert again.ooms == feed.ooms, "who connects again hears of it, and knows that it is the same"
        assert await _events(agent, "hungry") == ["created", "started", "oom", "died", "started"]
    with agent_process(tmp_path / "agent", server.docker_host) as later:
        async with later.session() as session, later.feed(session) as feed_later:
            await feed_later.until(lambda: bool(feed_later.ooms))
            assert feed_later.ooms == feed.ooms, "of the engine's memory"
        assert (await _events(later, "hungry")).count("oom") == 1
    server.docker("rm", "-f", "hungry")


async def test_what_makes_no_sense_is_refused(agent: AgentProcess) -> None:
    async with agent.session() as session:
        for query in ({"start": "x"}, {"start": 10, "end": 5}, {"start": 0, "end": 1e10}, {"points": -1}):
            async with session.get("/v1/past", params=query) as answer:
                assert answer.status == 400, query
