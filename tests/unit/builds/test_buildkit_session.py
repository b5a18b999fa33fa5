"""A session with BuildKit, with an engine that is made up: secrets, logins and files, and what comes of nonsense."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, StreamEnded, StreamReset, TrailersReceived
from hypothesis import given
from hypothesis import strategies as st

from komodo_agent.builds.buildkit.filesync import FileSync, _Reader
from komodo_agent.builds.buildkit.grpc import Call, GrpcServer, framed
from komodo_agent.builds.buildkit.protobuf import block, fields, number
from komodo_agent.builds.buildkit.session import Lent, Login, methods_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


BROKEN = "/broken"
DIFF_COPY = "/moby.filesync.v1.FileSync/DiffCopy"
CONTEXT = {"dir-name": "context"}
_NONE: dict[str, str] = {}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The files of a build."""
    top = tmp_path / "files"
    for path in ("Dockerfile", "a-b", "a/deep/er/x.txt", "a/y", "left-out/x"):
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(path)
    return top


class Engine:
    """The engine's side of a session: an HTTP/2 client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._h2.initiate_connection()
        self.buffer: dict[int, bytearray] = {}
        self.trailers: dict[int, dict[str, str]] = {}
        self.ended: set[int] = set()

    @property
    def headers_taken(self) -> int:
        """Bytes of headers that the session says it takes."""
        return self._h2.remote_settings.max_header_list_size or 0

    def call(self, path: str, *messages: bytes, end: bool = True, headers: Mapping[str, str] = _NONE) -> int:
        """Begin a call; returns its stream."""
        stream = self._h2.get_next_available_stream_id()
        head = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost")]
        self._h2.send_headers(
            stream, [*head, ("content-type", "application/grpc"), ("te", "trailers"), *headers.items()]
        )
        self.buffer[stream] = bytearray()
        self.say(stream, *messages, end=end)
        return stream

    def say(self, stream: int, *messages: bytes, end: bool = False) -> None:
        """Send messages of a call."""
        self._h2.send_data(stream, b"".join(map(framed, messages)), end_stream=end)
        self.writer.write(self._h2.data_to_send())

    async def messages(self, stream: int) -> list[bytes]:
        """Those that have come since; at least one, unless the call has ended."""
        while True:
            found, buffer = [], self.buffer[stream]
            while len(buffer) >= 5 and len(buffer) >= 5 + (size := struct.unpack_from(">BL", buffer)[1]):
                found.append(bytes(buffer[5 : 5 + size]))
                del buffer[: 5 + size]
            if found or stream in self.ended:
                return found
            data = await asyncio.wait_for(self._reader.read(1 << 16), 10)
            assert data, "the session has ended"
            for event in self._h2.receive_data(data):
                if isinstance(event, DataReceived):
                    self.buffer[event.stream_id] += event.data
                    self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, TrailersReceived):
                    self.trailers[event.stream_id] = {str(k): str(v) for k, v in event.headers}
                elif isinstance(event, StreamReset):
                    raise ConnectionResetError
                elif isinstance(event, StreamEnded):
                    self.ended.add(event.stream_id)
            self.writer.write(self._h2.data_to_send())

    async def answer(self, path: str, message: bytes, headers: Mapping[str, str] = _NONE) -> tuple[bytes, str]:
        """The answer of a call with one question, and its status."""
        stream, found = self.call(path, message, headers=headers), b""
        while stream not in self.ended:
            found += b"".join(await self.messages(stream))
        return found, self.trailers[stream]["grpc-status"]


async def broken(call: Call) -> None:
    """A handler with a fault in it, seen by whoever looks at the tasks' errors."""
    assert call.task is not None
    call.task.add_done_callback(asyncio.Task.exception)
    raise LookupError("a fault")


@pytest.fixture
async def session(tree: Path) -> Any:
    """The engine's end of a session of a build."""
    lent = Lent(
        {"context": str(tree)}, {"tok": b"hunter22"}, {"reg.example": Login("ana", "s"), "docker.io": Login("h", "")}
    )
    ours, theirs = socket.socketpair()
    server = GrpcServer(*await asyncio.open_connection(sock=ours), {**methods_of(lent), BROKEN: broken})
    task = asyncio.create_task(server.serve())
    engine = Engine(*await asyncio.open_connection(sock=theirs))
    yield engine
    engine.writer.close()
    await asyncio.wait_for(task, 10)


async def test_secrets_logins_and_health(session: Engine) -> None:
    secret, login = "/moby.buildkit.secrets.v1.Secrets/GetSecret", "/moby.filesync.v1.Auth/Credentials"
    assert await session.answer("/grpc.health.v1.Health/Check", b"") == (number(1, 1), "0")
    assert await session.answer(secret, block(1, b"tok")) == (block(1, b"hunter22"), "0")
    assert await session.answer(secret, block(1, b"other")) == (b"", "5")
    assert await session.answer(secret, b"\x0a\xff") == (b"", "2")
    assert await session.answer(login, block(1, b"reg.example")) == (block(1, b"ana") + block(2, b"s"), "0")
    assert (await session.answer(login, block(1, b"registry-1.docker.io")))[0].startswith(block(1, b"h"))
    assert await session.answer(login, block(1, b"elsewhere.example")) == (b"", "0")
    assert await session.answer("/moby.sshforward.v1.SSH/CheckAgent", b"") == (b"", "12")


async def test_a_call_that_nobody_answers_is_reset(session: Engine) -> None:
    with pytest.raises(ConnectionResetError):
        await session.answer(BROKEN, b"")
    assert (await session.answer("/grpc.health.v1.Health/Check", b""))[1] == "0"


async def test_files_are_offered_and_those_asked_for_are_sent(session: Engine, tree: Path) -> None:
    content = os.urandom(3_000_000)  # more than any window of HTTP/2's
    (tree / "a/y").write_bytes(content)
    stream = session.call(DIFF_COPY, end=False, headers=CONTEXT | {"exclude-patterns": "left-out"})
    offered: list[bytes] = []
    while not offered or offered[-1]:
        for message in await session.messages(stream):
            offered.append(name_in(message))
    assert offered == [b"Dockerfile", *sorted_like_walk(offered)]
    wanted = {offered.index(name): b"" for name in (b"a/y", b"Dockerfile")}
    session.say(stream, *(number(1, 1) + number(3, index) for index in wanted))
    left = set(wanted)
    while left:
        for message in await session.messages(stream):
            packet: dict[int, Any] = dict(fields(message))
            index, data = packet.get(3, 0), packet.get(4, b"")
            wanted[index] += data
            left -= set() if data else {index}
    assert wanted == {offered.index(b"a/y"): content, offered.index(b"Dockerfile"): b"Dockerfile"}
    session.say(stream, number(1, 3))
    assert await session.messages(stream) == [number(1, 3)]


def name_in(message: bytes) -> bytes:
    """The path in a packet that offers a file; empty in the last one."""
    packet: dict[int, Any] = dict(fields(message))
    stat: dict[int, Any] = dict(fields(packet.get(2, b"")))
    return bytes(stat.get(1, b""))


def sorted_like_walk(offered: list[bytes]) -> list[bytes]:
    """The order that the receiving side insists on: a folder's files right behind it."""
    return [*sorted(offered[1:-1], key=lambda path: path.split(b"/")), b""]


async def test_what_is_wrong_with_files_is_said(session: Engine, tree: Path) -> None:
    assert (await session.answer(DIFF_COPY, number(1, 3), {"dir-name": "elsewhere"}))[1] == "5"
    stream = session.call(DIFF_COPY, number(1, 1) + number(3, 999), end=False, headers=CONTEXT)
    while stream not in session.ended:
        await session.messages(stream)
    assert "999" in session.trailers[stream]["grpc-message"]
    stream = session.call(DIFF_COPY, end=False, headers=CONTEXT | {"exclude-patterns": "[x"})
    while stream not in session.ended:
        await session.messages(stream)
    assert ".dockerignore" in session.trailers[stream]["grpc-message"]
    stream = session.call(DIFF_COPY, end=False, headers=CONTEXT | {"followpaths": "Dockerfile"})
    while b"" not in await session.messages(stream):
        pass
    (tree / "Dockerfile").unlink()
    (tree / "Dockerfile").symlink_to("/etc/passwd")
    session.say(stream, number(1, 1) + number(3, 0))
    while stream not in session.ended:
        await session.messages(stream)
    assert "cannot be read" in session.trailers[stream]["grpc-message"]


class Asking:
    """A call in which the engine asks for the first file once it has been told of all, and then no more."""

    def __init__(self) -> None:
        self._told = asyncio.Event()
        self._asked = False

    def header(self, name: str) -> tuple[str, ...]:
        return ("context",) if name == "dir-name" else ()

    async def receive(self) -> bytes:
        await self._told.wait()
        if self._asked:
            await asyncio.Event().wait()
        self._asked = True
        return number(1, 1) + number(3, 0)

    async def send_framed(self, messages: bytes) -> None:
        """Taken."""

    async def send(self, message: bytes) -> None:
        self._told.set()


async def test_a_file_stays_open_as_long_as_it_is_read(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that is cancelled leaves a thread in the middle of a read: its descriptor must not become another's."""
    reading, go_on, held = asyncio.Event(), threading.Event(), list[int]()
    loop, plain = asyncio.get_running_loop(), _Reader._begin

    def slow(reader: _Reader, path: bytes) -> None:
        plain(reader, path)
        held.append(reader._open)
        loop.call_soon_threadsafe(reading.set)
        go_on.wait(10)

    monkeypatch.setattr(_Reader, "_begin", slow)
    call: Any = Asking()
    task = asyncio.create_task(FileSync({"context": str(tree)}).diff_copy(call))
    async with asyncio.timeout(10):
        await reading.wait()
    task.cancel()
    for _ in range(50):
        await asyncio.sleep(0)
    still = os.path.exists(f"/proc/self/fd/{held[0]}")
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert still
    assert not os.path.exists(f"/proc/self/fd/{held[0]}")


async def test_a_long_dockerignore_is_taken(session: Engine, tree: Path) -> None:
    """Its patterns come as headers, and the engine looks how much of these is taken before it sends them."""
    headers = CONTEXT | {"exclude-patterns": "left-out"} | {f"more-{n}": "x" * 2_000 for n in range(40)}
    stream = session.call(DIFF_COPY, end=False, headers=headers)
    offered: list[bytes] = []
    while not offered or offered[-1]:
        offered += map(name_in, await session.messages(stream))
    assert b"left-out" not in offered
    assert session.headers_taken >= 1 << 20
    session.say(stream, number(1, 3))
    assert await session.messages(stream) == [number(1, 3)]


async def test_a_name_that_is_no_text_is_told_as_well_as_it_goes(session: Engine, tree: Path) -> None:
    name = os.fsencode(tree) + b"/a-\xff"
    with open(name, "wb"):
        pass
    stream = session.call(DIFF_COPY, end=False, headers=CONTEXT)
    offered: list[bytes] = []
    while not offered or offered[-1]:
        offered += map(name_in, await session.messages(stream))
    os.unlink(name)
    session.say(stream, number(1, 1) + number(3, offered.index(b"a-\xff")))
    while stream not in session.ended:
        await session.messages(stream)
    assert "cannot be read" in session.trailers[stream]["grpc-message"]


@given(st.binary(min_size=1, max_size=200))
def test_whatever_comes_over_a_session_ends_it_at_worst(data: bytes) -> None:
    async def run() -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            server = GrpcServer(*await asyncio.open_connection(sock=ours), methods_of(Lent({}, {}, {})))
            settings = b"\0\0\0\4\0\0\0\0\0"
            theirs.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings + data)
            theirs.shutdown(socket.SHUT_WR)
            await asyncio.wait_for(server.serve(), 10)

    asyncio.run(run())
