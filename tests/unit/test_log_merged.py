"""Many logs as one: nothing lost, nothing doubled, in order, through any number of lost connections."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from komodo_tui.domain.errors import (
    AuthenticationError,
    HostUnreachableError,
    KomodoError,
    NotFoundError,
    UsageError,
)
from komodo_tui.operations.log_batch import (
    LogLine,
    ServerBack,
    ServerLost,
    SourceCaughtUp,
    SourceEnded,
)
from komodo_tui.operations.logs import MAX_SOURCES, LogClient, LogOptions, LogStream, LogTarget, MergedLogs
from tests.unit.log_wire import Agent, Client, Log, run_virtual, stamp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from komodo_agent.wire.logs import LogEvent, LogRequest
    from komodo_tui.operations.log_batch import LogNotice


class Fleet:
    """Servers by name, each an agent."""

    def __init__(self, *agents: Agent) -> None:
        self.agents = {f"s{i}": agent for i, agent in enumerate(agents)}

    async def connect(self, server: str) -> LogClient:
        await asyncio.sleep(0.01)
        return Client(self.agents[server])

    def merged(self, options: LogOptions | None = None, *, give_up: float | None = None) -> MergedLogs:
        targets = [LogTarget(server=s, container=c) for s, agent in self.agents.items() for c in agent.logs]
        return MergedLogs(self.connect, targets, options, give_up=give_up)


class Collected:
    """Reads a MergedLogs to its end."""

    def __init__(self, merged: MergedLogs) -> None:
        self.merged = merged
        self.lines: list[LogLine] = []
        self.events: list[LogNotice] = []

    async def run(self) -> Collected:
        async for batch in self.merged:
            self.lines += batch.lines()
            self.events += batch.events
        return self

    def of(self, server: str, container: str) -> list[bytes]:
        return [line.text for line in self.lines if (line.server, line.container) == (server, container)]


def _filled(count: int, *, start: int = 0, step: int = 1000) -> Log:
    log = Log()
    for i in range(count):
        log.write(stamp(start + i * step), f"{i}".encode())
    return log


async def _write_live(log: Log, rng: random.Random, clock: Callable[[], float], count: int) -> None:
    """Lines at random moments, stamped with the moment, then the end."""
    for i in range(count):
        if rng.random() < 0.7:
            await asyncio.sleep(rng.choice([0.0001, 0.001, 0.05, 1.0]))
        # The loop's clock may stand still between two lines; an engine's does not.
        log.write(stamp(int(clock() * 1e9) + 10**12 + i), f"live {i}".encode(), rng.choice("oe"))
    log.end("stopped")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 6))
def test_nothing_is_lost_or_doubled_when_connections_are(seed: int, cuts: int) -> None:
    async def main() -> None:
        rng = random.Random(seed)
        agents = [Agent({f"c{i}": _filled(rng.randint(0, 200)) for i in range(2)}, seed=seed) for _ in range(2)]
        fleet = Fleet(*agents)
        clock = asyncio.get_running_loop().time
        logs = [log for agent in agents for log in agent.logs.values()]
        async with fleet.merged() as merged, asyncio.TaskGroup() as group:
            for log in logs:
                group.create_task(_write_live(log, rng, clock, rng.randint(0, 100)))
            reading = group.create_task(Collected(merged).run())
            for _ in range(cuts):
                await asyncio.sleep(rng.random() * 5)
                rng.choice(agents).cut()
        got = reading.result()
        for server, agent in fleet.agents.items():
            for name, log in agent.logs.items():
                assert got.of(server, name) == [text for _, _, text in log.lines]
        ended = [event for event in got.events if isinstance(event, SourceEnded)]
        assert sorted(event.target.label for event in ended) == ["c0@s0", "c0@s1", "c1@s0", "c1@s1"]
        assert all(event.reason == "stopped" and not event.error for event in ended)

    run_virtual(main())


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_order_of_time_over_servers_past_and_live(seed: int) -> None:
    async def main() -> None:
        rng = random.Random(seed)
        agents = [Agent({f"c{i}": _filled(rng.randint(0, 300), start=i, step=rng.randint(1, 9)) for i in range(2)})
                  for _ in range(3)]  # fmt: skip
        fleet = Fleet(*agents)
        clock = asyncio.get_running_loop().time
        async with fleet.merged() as merged, asyncio.TaskGroup() as group:
            for agent in agents:
                for log in agent.logs.values():
                    group.create_task(_write_live(log, rng, clock, 50))
            reading = group.create_task(Collected(merged).run())
        times = [line.time for line in reading.result().lines]
        assert times == sorted(times)

    run_virtual(main())


def _run(main: Coroutine[object, object, None]) -> None:
    run_virtual(main)


def test_live_lines_are_held_back_no_longer_than_the_window() -> None:
    async def main() -> None:
        busy, quiet = Log(), Log()
        fleet = Fleet(Agent({"busy": busy, "quiet": quiet}))
        clock = asyncio.get_running_loop().time
        async with fleet.merged() as merged:
            batches = aiter(merged)
            while not any(isinstance(e, SourceCaughtUp) for e in (await anext(batches)).events):
                pass
            await asyncio.sleep(5)
            written = clock()
            busy.write(stamp(1), b"now")
            while not (batch := await anext(batches)).data:
                pass
            assert [line.text for line in batch.lines()] == [b"now"]
            assert clock() - written <= 0.31

    _run(main())


def test_a_dead_server_does_not_keep_the_others() -> None:
    async def main() -> None:
        dead, alive = Agent({"a": Log()}), Agent({"b": _filled(10)})
        dead.refuse = HostUnreachableError("no answer from s0")
        clock = asyncio.get_running_loop().time
        async with Fleet(dead, alive).merged() as merged:
            events: list[LogNotice] = []
            async for batch in merged:
                events += batch.events
                if batch.data:
                    break
            assert clock() < 2.5
            assert any(isinstance(event, ServerLost) and event.server == "s0" for event in events)

    _run(main())


def test_a_lost_server_comes_back_with_what_was_written_meanwhile() -> None:
    async def main() -> None:
        log = _filled(5)
        agent = Agent({"c": log})
        fleet = Fleet(agent)
        async with fleet.merged() as merged, asyncio.TaskGroup() as group:
            reading = group.create_task(Collected(merged).run())
            await asyncio.sleep(1)
            agent.refuse = HostUnreachableError("no route to s0")
            agent.cut()
            for i in range(5, 60):
                log.write(stamp(i * 1000), str(i).encode())
            await asyncio.sleep(30)
            agent.refuse = None
            await asyncio.sleep(10)
            log.end("removed")
        got = reading.result()
        assert got.of("s0", "c") == [str(i).encode() for i in range(60)]
        lost, back = (e for e in got.events if isinstance(e, ServerLost | ServerBack))
        assert isinstance(lost, ServerLost)
        assert isinstance(back, ServerBack)
        assert 29 < back.seconds < 36
        assert "go on after" in back.message

    _run(main())


@pytest.mark.parametrize("tail", [0, 1, 3, None])
@pytest.mark.parametrize("past", [0, 2, 10])
def test_tail_and_what_follows_survive_a_loss(tail: int | None, past: int) -> None:
    async def main() -> None:
        log = _filled(past)
        agent = Agent({"c": log})
        async with Fleet(agent).merged(LogOptions(tail=tail)) as merged, asyncio.TaskGroup() as group:
            reading = group.create_task(Collected(merged).run())
            await asyncio.sleep(1)
            agent.cut()
            for i in range(past, past + 50):
                log.write(stamp(i * 1000), str(i).encode())
            await asyncio.sleep(10)
            log.end("stopped")
        wanted = past if tail is None else min(tail, past)
        assert reading.result().of("s0", "c") == [str(i).encode() for i in range(past - wanted, past + 50)]

    _run(main())


def test_without_follow_it_ends_complete() -> None:
    async def main() -> None:
        fleet = Fleet(Agent({"a": _filled(100), "b": _filled(50, start=7)}), Agent({"c": Log()}))
        got = await Collected(fleet.merged(LogOptions(follow=False))).run()
        times = [line.time for line in got.lines]
        assert len(times) == 150
        assert times == sorted(times)
        assert {e.reason for e in got.events if isinstance(e, SourceEnded)} == {"complete"}

    _run(main())


@pytest.mark.parametrize(
    "error",
    [
        AuthenticationError("s0 does not take the key", hint="check the agent"),
        NotFoundError("no container c on s0"),
    ],
)
def test_what_time_cannot_cure_ends_with_the_reason(error: KomodoError) -> None:
    async def main() -> None:
        agent = Agent({"c": Log()})
        agent.refuse = error
        got = await Collected(Fleet(agent).merged()).run()
        (ended,) = (e for e in got.events if isinstance(e, SourceEnded))
        assert ended.error
        assert error.message in ended.message

    _run(main())


def test_giving_up_ends_with_the_reason() -> None:
    async def main() -> None:
        agent = Agent({"c": Log()})
        agent.refuse = HostUnreachableError("no answer from s0")
        got = await Collected(Fleet(agent).merged(give_up=60)).run()
        assert 60 <= asyncio.get_running_loop().time() < 70
        assert [e.error for e in got.events if isinstance(e, SourceEnded)] == [True]

    _run(main())


def test_a_container_started_again_goes_on_after_its_last_line() -> None:
    async def main() -> None:
        log = _filled(20)
        async with Fleet(Agent({"c": log})).merged() as merged:
            batches = aiter(merged)
            texts: list[bytes] = []
            log.end("stopped")
            async for batch in batches:
                texts += [line.text for line in batch.lines()]
            assert merged.ended == frozenset(merged.targets)
            log.ended = ""
            for i in range(20, 30):
                log.write(stamp(i * 1000), str(i).encode())
            log.end("stopped")
            merged.reopen(next(iter(merged.targets)))
            async for batch in batches:
                texts += [line.text for line in batch.lines()]
        assert texts == [str(i).encode() for i in range(30)]

    _run(main())


def test_not_reading_holds_the_agent_back() -> None:
    async def main() -> None:
        log = Log()
        for i in range(3000):
            log.write(stamp(i), b"x" * 10_000)
        agent = Agent({"c": log})
        async with Fleet(agent).merged() as merged:
            batches = aiter(merged)
            await anext(batches)
            await asyncio.sleep(60)
            assert merged._inbox._merger.held(0) < 20 << 20
            log.end("stopped")
            total = 0
            async for batch in batches:
                total += len(batch.data)
        assert total > 29_000_000

    _run(main())


def test_garbage_from_an_agent_is_an_error_of_that_server_only() -> None:
    class Garbage:
        async def __aiter__(self) -> AsyncIterator[bytes | LogEvent]:
            yield b"not a log line\n"

        async def close(self) -> None:
            """Nothing to close."""

    class Liar:
        async def logs(self, _: LogRequest) -> LogStream:
            return Garbage()

    async def main() -> None:
        good = Agent({"c": _filled(3)})
        good.logs["c"].end("stopped")

        async def connect(server: str) -> LogClient:
            return Client(good) if server == "good" else Liar()

        targets = [LogTarget(server="good", container="c"), LogTarget(server="liar", container="c")]
        got = await Collected(MergedLogs(connect, targets)).run()
        assert got.of("good", "c") == [b"0", b"1", b"2"]
        assert [e.error for e in got.events if isinstance(e, SourceEnded) and e.target.server == "liar"] == [True]

    _run(main())


def test_closing_ends_a_wait_elsewhere() -> None:
    async def main() -> None:
        merged = Fleet(Agent({"c": Log()})).merged()
        reading = asyncio.create_task(Collected(merged).run())
        await asyncio.sleep(1)
        await merged.close()
        await merged.close()
        await reading

    _run(main())


async def _never(server: str) -> LogClient:
    raise AssertionError(server)


def test_the_number_of_containers_has_bounds() -> None:
    for count in (0, MAX_SOURCES + 1):
        with pytest.raises(UsageError):
            MergedLogs(_never, [LogTarget(server="s", container=str(i)) for i in range(count)])
    merged = MergedLogs(_never, [LogTarget(server="s", container=str(i)) for i in range(MAX_SOURCES)])
    assert len(merged.targets) == MAX_SOURCES


def test_a_container_added_later_is_read_from_its_beginning() -> None:
    async def main() -> None:
        fleet = Fleet(Agent({"c0": _filled(3)}))
        async with fleet.merged() as merged:
            collected = Collected(merged)
            reading = asyncio.create_task(collected.run())
            await asyncio.sleep(5)
            fleet.agents["s0"].logs["c1"] = _filled(4, start=10**9)
            tag = merged.add(LogTarget(server="s0", container="c1"))
            await asyncio.sleep(5)
            for log in fleet.agents["s0"].logs.values():
                log.end("stopped")
            await reading
        assert collected.of("s0", "c1") == [b"0", b"1", b"2", b"3"]
        assert collected.of("s0", "c0") == [b"0", b"1", b"2"]
        assert merged.targets[tag].container == "c1"
        assert len(merged.targets) == 2

    run_virtual(main())


def test_there_is_an_end_to_adding() -> None:
    merged = MergedLogs(Fleet().connect, [LogTarget(server="s", container=str(n)) for n in range(MAX_SOURCES)])
    with pytest.raises(UsageError):
        merged.add(LogTarget(server="s", container="one more"))
