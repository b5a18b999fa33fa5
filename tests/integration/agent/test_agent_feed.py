"""What a client knows by the feed is what the engine has, whatever happens to either."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from komodo_agent.engine.convert import container as to_container
from komodo_agent.wire import feed as wire
from tests.integration.agent.lab import AgentProcess, Feed

if TYPE_CHECKING:
    from komodo_agent.wire.models import Container
    from tests.rig.server import Server

pytestmark = pytest.mark.rig

IDLE = ("busybox", "sleep", "100000")


def truth(server: Server) -> dict[str, Container]:
    """What the engine has, asked of the engine itself."""
    ids = server.docker("ps", "-aq", "--no-trunc").split()
    documents = json.loads(server.docker("inspect", *ids)) if ids else []
    return {document["Id"]: to_container(document) for document in documents}


async def same_as_engine(feed: Feed, server: Server) -> None:
    """Wait until the feed shows what the engine has."""
    expected = await asyncio.to_thread(truth, server)
    await feed.until(lambda: feed.containers == expected)


async def test_a_snapshot_comes_first_and_holds_what_there_is(agent: AgentProcess, server: Server) -> None:
    server.docker("run", "-d", "--name", "web", "-p", "18080:80", "--label", "tier=front", *IDLE)
    server.docker("create", "--name", "later", *IDLE)
    async with agent.session() as session, agent.feed(session) as feed:
        await feed.until(lambda: len(feed.containers) == 2)
        assert isinstance(feed.messages[0], wire.Snapshot)
        assert [isinstance(message, wire.Snapshot) for message in feed.messages].count(True) == 1
        web = next(c for c in feed.containers.values() if c.name == "web")
        assert (web.state, web.image, web.labels) == ("running", "busybox", {"tier": "front"})
        assert [(port.private, port.public) for port in web.ports] == [(80, 18080)]
        assert web.pid > 0
        await same_as_engine(feed, server)


async def test_samples_come_as_often_as_asked_and_only_of_what_moved(agent: AgentProcess, server: Server) -> None:
    busy = server.docker("run", "-d", "busybox", "sh", "-c", "while :; do :; done").strip()
    idle = server.docker("run", "-d", *IDLE).strip()
    async with agent.session() as session, agent.feed(session) as feed:
        await feed.until(lambda: len(feed.containers) == 2)
        await feed.socket.send_str('{"interval": 0.5}')
        seen = len(feed.all(wire.Samples))
        await feed.until(lambda: len(feed.all(wire.Samples)) >= seen + 6)
        samples = feed.all(wire.Samples)[-4:]
        gaps = [after.at - before.at for before, after in itertools.pairwise(samples)]
        assert all(0.3 < gap < 1.5 for gap in gaps), gaps
        assert all(busy in sample.containers for sample in samples)
        assert sum(idle in sample.containers for sample in samples) < len(samples)
        assert all(sample.host is not None for sample in samples)


async def test_processes_and_devices_only_for_those_who_ask(agent: AgentProcess) -> None:
    async with agent.session() as session, agent.feed(session) as plain, agent.feed(session) as curious:
        await curious.socket.send_str('{"interval": 0.5, "processes": true, "devices": true}')
        await curious.until(lambda: len(curious.all(wire.Processes)) >= 2 and curious.all(wire.Samples)[-1].devices)
        await plain.until(lambda: len(plain.all(wire.Samples)) >= 2)
        assert not plain.all(wire.Processes)
        assert not any(sample.devices for sample in plain.all(wire.Samples))


async def test_a_request_that_makes_no_sense_ends_the_feed(agent: AgentProcess) -> None:
    async with agent.session() as session, session.ws_connect("/v1/feed", max_msg_size=wire.MAX_FRAME) as socket:
        await socket.send_str('{"interval": "often"}')
        async for _ in socket:
            pass
        assert socket.close_code == 1003


async def test_storm_of_changes(agent: AgentProcess, server: Server) -> None:
    """Three workers create, start, stop, pause, rename and remove; the feed ends where the engine does."""
    stop = threading.Event()

    def work(seed: int) -> int:
        dice, done = random.Random(seed), 0
        names: list[str] = []
        while not stop.is_set():
            act = dice.choice(["run", "create", "start", "stop", "kill", "pause", "unpause", "rename", "rm", "restart"])
            done += 1
            if act in ("run", "create") or not names:
                if len(names) < 5:
                    names.append(f"w{seed}-{done}")
                    server.docker(*(["run", "-d"] if act == "run" else ["create"]), "--name", names[-1], *IDLE)
                continue
            name = dice.choice(names)
            try:
                if act == "rename":
                    server.docker("rename", name, f"{name}x")
                    names[names.index(name)] = f"{name}x"
                elif act == "rm":
                    server.docker("rm", "-f", name)
                    names.remove(name)
                else:
                    server.docker(act, *(["-t", "0"] if act in ("stop", "restart") else []), name)
            except RuntimeError:
                continue  # not possible in its state; just what a storm is like
        return done

    async with agent.session() as session, agent.feed(session) as first:
        workers = [asyncio.create_task(asyncio.to_thread(work, seed)) for seed in range(3)]
        await first.until(lambda: len(first.all(wire.ContainersChanged)) >= 60, 60)
        async with agent.feed(session) as second:  # joins in the middle
            await second.until(lambda: len(second.all(wire.ContainersChanged)) >= 20, 60)
            stop.set()
            assert sum(await asyncio.gather(*workers)) > 30
            await same_as_engine(first, server)
            await same_as_engine(second, server)


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGKILL])
async def test_the_engine_goes_and_comes_back(agent: AgentProcess, server: Server, sig: signal.Signals) -> None:
    server.docker("run", "-d", "--name", "before", *IDLE)
    async with agent.session() as session, agent.feed(session) as feed:
        await feed.until(lambda: feed.containers)
        await asyncio.to_thread(server.stop_engine, sig)
        await feed.until(lambda: feed.engine is not None and feed.engine.status == "down")
        assert feed.engine is not None
        assert "not running" in feed.engine.message
        assert feed.containers, "what was last known stays"
        await asyncio.to_thread(server.start_engine)
        server.docker("run", "-d", "--name", "after", *IDLE)
        await feed.until(lambda: feed.engine is not None and feed.engine.status == "up", 30)
        await same_as_engine(feed, server)
        assert {c.name for c in feed.containers.values()} == {"before", "after"}


async def test_an_engine_that_freezes_is_down_until_it_answers(agent: AgentProcess, server: Server) -> None:
    async with agent.session() as session, agent.feed(session) as feed:
        await feed.until(lambda: feed.engine is not None and feed.engine.status == "up")
        server.signal("dockerd", signal.SIGSTOP)
        try:
            await feed.until(lambda: feed.engine is not None and feed.engine.status == "down", 40)
            assert feed.engine is not None
            assert "does not answer" in feed.engine.message
        finally:
            server.signal("dockerd", signal.SIGCONT)
        await feed.until(lambda: feed.engine is not None and feed.engine.status == "up", 30)


async def test_a_client_that_does_not_read_gets_a_snapshot_later(agent: AgentProcess, server: Server) -> None:
    """It is not waited for, and what it missed does not matter to it."""
    ids = [server.docker("create", "--label", f"long={'x' * 60_000}", *IDLE).strip() for _ in range(4)]
    async with agent.session() as session, agent.feed(session) as reader:
        await reader.until(lambda: len(reader.containers) == 4)
        async with session.ws_connect("/v1/feed", max_msg_size=wire.MAX_FRAME) as socket:
            for turn in range(60):
                for cid in ids:
                    server.docker("rename", cid, f"turn-{turn}-{cid[:6]}")
                if turn % 10 == 0:
                    await reader.until(lambda turn=turn: _turn(reader) >= turn)  # type: ignore[misc]
            await same_as_engine(reader, server)
            late = Feed(socket)
            reading = asyncio.create_task(late.read())
            await same_as_engine(late, server)
            assert len(late.all(wire.Snapshot)) >= 2
            reading.cancel()


def _turn(feed: Feed) -> int:
    return max((int(c.name.split("-")[1]) for c in feed.containers.values() if c.name.startswith("turn-")), default=-1)


async def test_the_agent_says_that_it_stops(agent: AgentProcess) -> None:
    async with agent.session() as session, agent.feed(session) as feed:
        await feed.until(lambda: feed.messages)
        agent.process.send_signal(signal.SIGTERM)
        await feed.until(lambda: feed.socket.closed)
        assert feed.socket.close_code == 4003
    assert await asyncio.to_thread(agent.process.wait, 10) == 0
    assert not agent.socket.exists()
