"""Terminals that live in the agent, in a real container: they go on without anybody, and come back as they were."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from komodo_agent.wire.exec import ExecExit, ExecRequest
from komodo_agent.wire.terminals import ContainerRequest, OpenTerminal, Sized
from tests.integration.terminals.lab import attach, in_container, new_id, on_server, own_process, terminals

if TYPE_CHECKING:
    from tests.integration.agent.lab import AgentProcess
    from tests.rig.server import Server

pytestmark = pytest.mark.rig


def processes(server: Server, container: str) -> str:
    """The commands that run in a container."""
    return server.docker("top", container, "-eo", "pid,args")


async def test_it_goes_on_without_anybody_and_is_found_again(agent: AgentProcess, server: Server, box: str) -> None:
    id = new_id()
    async with agent.session() as session, attach(session, id, in_container(box, name="mine")) as client:
        await client.type("echo fir''st; stty size\n")
        await client.until(lambda c: b"first" in c.output and b"24 80" in c.output)
        before = client.output
    async with agent.session() as session:
        (info,) = await terminals(session)
        assert (info.id, info.name, info.target, info.container, info.ended) == (id, "mine", "box", box, None)
        async with attach(session, id) as client:
            await client.until(lambda c: len(c.output) >= len(before))
            assert client.output.startswith(before)
            assert client.attached.fresh
            assert not client.attached.cut
            await client.type("exit 7\n")
            await client.until(lambda c: c.end)
            assert client.end == ExecExit(code=7)
        (info,) = await terminals(session)
        assert info.code == 7
        assert info.ended is not None
        async with attach(session, id) as client:  # its last screen and its end are kept
            await client.until(lambda c: c.end)
            assert b"first" in client.output
            assert client.end == ExecExit(code=7)


_ASKS = "while read x; do echo got:$x; [ $x = end ] && exit 3; done"


async def test_a_containers_own_process_goes_on_and_is_found_as_well(agent: AgentProcess, server: Server) -> None:
    server.docker("run", "-dit", "--name", "main", "busybox", "sh", "-c", f"stty -echo; {_ASKS}")
    id, wanted = new_id(), own_process("main")
    async with agent.session() as session:
        async with attach(session, id, wanted) as client:
            await client.type("\x10first\n")  # the engine by itself would hold a ^P back, and leave at a ^Q behind it
            await client.until(lambda c: b"got:\x10first\r\n" in c.output)
        (info,) = await terminals(session)
        assert (info.attached, info.target, info.ended) == (True, "main", None)
        async with session.delete(f"/v1/terminals/{id}") as answer:
            assert answer.status == 204
        assert server.docker("inspect", "-f", "{{.State.Running}}", "main").strip() == "true", "left, not ended"
        async with attach(session, again := new_id(), wanted) as client:
            await client.type("end\n")
            await client.until(lambda c: c.end)
            assert client.end == ExecExit(code=3), "the container's own"
        assert [info.id for info in await terminals(session)] == [again]


async def test_a_command_in_a_new_container_like_another_one(agent: AgentProcess, server: Server) -> None:
    server.docker("network", "create", "inner")
    like = ("--network", "inner", "-e", "COLOUR=green", "-w", "/srv", "-p", "18080:80", "-v", "kept:/srv")
    server.docker("create", "--name", "model", *like, "busybox", "false")
    ids = set(server.docker("ps", "-aq", "--no-trunc").split())
    process = ExecRequest(container="model", command=("sh",), fresh=True)
    wanted = OpenTerminal(program=ContainerRequest(process=process))
    async with agent.session() as session:
        async with attach(session, new_id(), wanted) as client:
            await client.type("echo $COLOUR $(pwd) $(ip -o addr | wc -l) > note; cat note; stty size; exit 6\n")
            await client.until(lambda c: c.end)
            assert client.end == ExecExit(code=6)
            assert b"green /srv 2\r\n24 80" in client.output, "it has the environment, the volume, the network"
        async with attach(session, id := new_id(), wanted) as client:
            await client.type("cat note\n")
            await client.until(lambda c: b"green" in c.output)
            (made,) = set(server.docker("ps", "-q", "--no-trunc").split()) - ids
            assert "oneoff:True" in server.docker("inspect", "-f", "{{.Config.Labels}}", made)
            (info,) = [info for info in await terminals(session) if info.id == id]
            assert (info.fresh, info.target) == (True, "model")
            async with session.delete(f"/v1/terminals/{id}") as answer:
                assert answer.status == 204
    assert set(server.docker("ps", "-aq", "--no-trunc").split()) == ids, "none of them stays"


async def test_a_container_taken_away_is_named_as_the_reason_and_its_successor_is_found(
    agent: AgentProcess, server: Server
) -> None:
    first = server.docker("run", "-d", "--name", "again", "busybox", "sleep", "100000").strip()
    wanted = OpenTerminal(program=ContainerRequest(process=ExecRequest(container=first, otherwise="again")))
    async with agent.session() as session:
        async with attach(session, new_id(), wanted) as client:
            await client.until(lambda c: b"# " in c.output)
            server.docker("rm", "-f", "again")
            await client.until(lambda c: c.end)
            # The engine stops it first: which of both is seen is the engine's pace.
            assert client.end in [ExecExit(code=137, reason=f"again was {what}") for what in ("removed", "stopped")]
        second = server.docker("run", "-d", "--name", "again", "busybox", "sleep", "100000").strip()
        async with attach(session, id := new_id(), wanted) as client:
            await client.type("hostname\n")
            await client.until(lambda c: second[:12].encode() in c.output)
        assert next(info.container for info in await terminals(session) if info.id == id) == second


async def test_lines_of_a_process_without_a_terminal_end_as_a_terminal_shows_them(
    agent: AgentProcess, server: Server
) -> None:
    server.docker("run", "-di", "--name", "plain", "busybox", "sh", "-c", _ASKS)
    async with agent.session() as session, attach(session, new_id(), own_process("plain")) as client:
        await client.type("one\rtwo\r")
        await client.until(lambda c: b"two" in c.output)
        assert b"got:one\r\ngot:two" in client.output


async def test_output_meanwhile_is_not_lost_and_comes_once(agent: AgentProcess, box: str) -> None:
    id = new_id()
    async with agent.session() as session:
        async with attach(session, id, in_container(box)) as client:
            await client.until(lambda c: b"# " in c.output)  # what is typed before is shown twice
            await client.type("read x; echo mean''while; read x\n")
            await client.until(lambda c: b"while; read x\r\n" in c.output)
            place = client.attached.place + len(client.output)
            await client.type("\n")
        async with attach(session, id, since=place) as client:
            await client.until(lambda c: b"meanwhile" in c.output)
            assert not client.attached.fresh
            assert b"read x" not in client.output


async def test_two_see_the_same_and_the_smaller_size_wins(agent: AgentProcess, box: str) -> None:
    id = new_id()
    async with (
        agent.session() as session,
        attach(session, id, in_container(box), rows=40, cols=100) as wide,
    ):
        async with attach(session, id, rows=50, cols=90) as small:
            await small.until(lambda c: Sized(rows=40, cols=90) in c.events)
            await wide.until(lambda c: Sized(rows=40, cols=90) in c.events)
            await small.type("stty size\n")
            for client in (wide, small):
                await client.until(lambda c: b"40 90" in c.output)
            await wide.until(lambda c: c.answers)
            assert not small.answers, "one answers what the program asks"
            assert (await terminals(session))[0].clients == 2
        await wide.until(lambda c: c.events[-1] == Sized(rows=40, cols=100))
        await wide.type("stty size\n")
        await wide.until(lambda c: b"40 100" in c.output)


async def test_who_only_looks_types_nothing_and_sets_no_size(agent: AgentProcess, box: str) -> None:
    id = new_id()
    async with (
        agent.session() as session,
        attach(session, id, in_container(box)) as client,
        attach(session, id, rows=5, cols=20, read_only=True) as looker,
    ):
        await looker.type("echo by the loo''ker\n")
        await client.type("echo by the ow''ner; stty size\n")
        await looker.until(lambda c: b"owner" in c.output and b"24 80" in c.output)
        assert b"looker" not in looker.output


async def test_the_one_who_answers_is_replaced(agent: AgentProcess, box: str) -> None:
    id = new_id()
    async with agent.session() as session, attach(session, id, in_container(box)) as first:
        await first.until(lambda c: c.answers)
        async with attach(session, id) as second:
            await first.socket.close()
            await second.until(lambda c: c.answers)


async def test_closing_ends_the_program_and_tells_who_looks(agent: AgentProcess, server: Server, box: str) -> None:
    id = new_id()
    async with agent.session() as session, attach(session, id, in_container(box, "sleep", "54321")) as client:
        assert "54321" in processes(server, box)
        async with session.delete(f"/v1/terminals/{id}") as answer:
            assert answer.status == 204
        await client.until(lambda c: c.end)
        assert "54321" not in processes(server, box)
        assert await terminals(session) == []
        async with attach(session, id) as late:
            assert late.end is not None
            assert "no such terminal" in late.end.reason


async def test_a_program_is_not_held_back_by_who_does_not_read(agent: AgentProcess, box: str) -> None:
    id = new_id()
    async with (
        agent.session() as session,
        attach(session, id, in_container(box, "sh", "-c", "yes | head -c 20000000; echo; echo all''done; read x")),
        attach(session, id) as reader,
    ):
        await reader.until(lambda c: b"alldone" in c.output[-100:], 60)


async def test_after_a_flood_the_end_is_kept_and_the_state_before_it(agent: AgentProcess, box: str) -> None:
    id = new_id()
    script = "printf '\\033[?2004h'; seq 400000; echo all''done; read x"
    async with agent.session() as session:
        async with attach(session, id, in_container(box, "sh", "-c", script)) as client:
            await client.until(lambda c: b"alldone" in c.output[-100:], 60)
        async with attach(session, id) as client:
            assert client.attached.cut
            assert client.attached.state == b"\x1b[?2004h"
            await client.until(lambda c: b"alldone" in c.output)
            lines = client.output.split(b"\r\n")
            assert int(lines[0]) + 1 == int(lines[1]), "it begins with a whole line"


async def test_opening_twice_opens_one(agent: AgentProcess, server: Server, box: str) -> None:
    id = new_id()
    async with agent.session() as session:
        wanted = in_container(box, "sleep", "4242")
        async with attach(session, id, wanted), attach(session, id, wanted):
            assert len(await terminals(session)) == 1
            assert processes(server, box).count("4242") == 1


async def test_a_container_removed_under_its_shell(agent: AgentProcess, server: Server, box: str) -> None:
    id = new_id()
    async with agent.session() as session, attach(session, id, in_container(box)) as client:
        await asyncio.to_thread(server.docker, "rm", "-f", "box")
        await client.until(lambda c: c.end)
        (info,) = await terminals(session)
        assert info.ended is not None


async def test_a_program_on_the_server_itself(agent: AgentProcess) -> None:
    id = new_id()
    async with agent.session() as session, attach(session, id, on_server("sh", "-c", "tty; read x; exit 3")) as client:
        await client.until(lambda c: b"/dev/pts/" in c.output)
        await client.resize(30, 90)
        await client.until(lambda c: Sized(rows=30, cols=90) in c.events)
        await client.type("\n")
        await client.until(lambda c: c.end)
        assert client.end == ExecExit(code=3)


async def test_what_cannot_be_opened_says_why(agent: AgentProcess, server: Server, box: str) -> None:
    async with agent.session() as session:
        for wanted, word in (
            (in_container("nobody"), "nobody"),
            (in_container(box, "/no/such/program"), "/no/such/program"),
            (on_server("/no/such/program"), ""),
        ):
            async with attach(session, new_id(), wanted) as client:
                await client.until(lambda c: c.end)
                assert client.end is not None
                assert client.end.code != 0
                assert word in client.end.reason
        async with attach(session, "x", in_container(box)) as client:
            assert client.end is not None
