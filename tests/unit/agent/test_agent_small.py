"""Small pure parts of the agent: who may connect, addresses, commands, pulls, frames, statuses."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import socket
import struct
from typing import TYPE_CHECKING

import msgspec
import pytest

from komodo_agent.engine import commands
from komodo_agent.engine.address import find_address
from komodo_agent.engine.availability import EngineUnavailableError, negotiate, unavailable
from komodo_agent.engine.create import configuration
from komodo_agent.engine.events import Happening, read
from komodo_agent.engine.hijack import Hijacked, _split
from komodo_agent.engine.pull import PullProgress, split_reference
from komodo_agent.listening import AlreadyRunningError, listen
from komodo_agent.peer import AllowList, Peer, peer_of
from komodo_agent.problems import AgentError
from komodo_agent.sampling import _encodable, _moved
from komodo_agent.wire.jobs import Bind, ContainerAct, CreateContainer, PublishedPort
from komodo_agent.wire.models import Filesystem

if TYPE_CHECKING:
    from pathlib import Path


def test_the_kernel_names_the_peer() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        assert peer_of(ours) == Peer(os.getpid(), os.getuid(), os.getgid())


def test_who_is_allowed() -> None:
    allowed = AllowList(frozenset({4242}))
    assert [allowed.allows(Peer(1, uid, 1)) for uid in (0, os.geteuid(), 4242, 4243)] == [True, True, True, False]
    by_group = AllowList(group=777)
    assert by_group.allows(Peer(1, 4243, 777))
    assert not by_group.allows(Peer(1, 4243, 778)), "a uid without a name has no further groups"


def test_addresses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///from/environment.sock")
    assert find_address("").paths == ("/from/environment.sock",)
    assert find_address("unix:///told.sock").paths == ("/told.sock",)
    assert "a tcp address" in find_address("tcp://user:secret@host:2375").refusal
    assert "secret" not in find_address("tcp://user:secret@host:2375").refusal
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    usual = find_address("")
    assert usual.paths[:2] == ("/var/run/docker.sock", f"{tmp_path}/docker.sock")
    with socket.socket(socket.AF_UNIX) as rootless:
        rootless.bind(f"{tmp_path}/docker.sock")
        assert usual.pick() == f"{tmp_path}/docker.sock"


@pytest.mark.parametrize(
    ("error", "seen_up", "status"),
    [
        (OSError(errno.EACCES, ""), False, "denied"),
        (OSError(errno.ENOENT, ""), False, "absent"),
        (OSError(errno.ENOENT, ""), True, "down"),
        (OSError(errno.ECONNREFUSED, ""), False, "down"),
        (TimeoutError(), False, "starting"),
        (TimeoutError(), True, "down"),
        (ConnectionResetError(), True, "down"),
    ],
)
def test_why_an_engine_cannot_be_used(error: BaseException, seen_up: bool, status: str) -> None:
    found = unavailable(error, "/run/docker.sock", seen_up=seen_up)
    assert found.status == status
    assert "/run/docker.sock" in found.message


def test_versions_of_the_api() -> None:
    assert negotiate("1.41", "x") == (1, 41)
    assert negotiate("1.52", "x") == (1, 51)
    for offered in ("1.40", "", "2", "one"):
        with pytest.raises(EngineUnavailableError):
            negotiate(offered, "x")


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (ContainerAct(container="x", verb="restart", timeout=10), "docker restart -t 10 web"),
        (ContainerAct(container="x", verb="stop"), "docker stop web"),
        (ContainerAct(container="x", verb="kill", signal="HUP"), "docker kill -s HUP web"),
        (ContainerAct(container="x", verb="rename", new_name="b"), "docker rename web b"),
        (ContainerAct(container="x", verb="remove", force=True, volumes=True), "docker rm -f -v web"),
    ],
)
def test_acts_as_commands(act: ContainerAct, expected: str) -> None:
    assert commands.act_command(act, "web") == expected


def test_create_as_a_command_and_as_a_request() -> None:
    spec = CreateContainer(
        image="nginx:1", name="web", command=("-g", "daemon off;"), entrypoint=("/nginx", "-x"),
        environment={"TOKEN": "secret"}, network="edge", restart_policy="on-failure", restart_max=2, tty=True,
        ports=(PublishedPort(private=80, public=8080), PublishedPort(private=80, public=80, ip="::1"),
               PublishedPort(private=53, protocol="udp")),
        binds=(Bind(source="/a b", destination="/c", read_only=True),), labels={"x": "y"},
        registry_auth="c2VjcmV0",
    )  # fmt: skip
    command = commands.create_command(spec)
    assert command == (
        "docker run -d --name web --network edge --restart on-failure:2 --entrypoint /nginx -t -i -p 8080:80 "
        "-p '[::1]:80:80' -p 53/udp -v '/a b:/c:ro' -e TOKEN --label x=y nginx:1 -x -g 'daemon off;'"
    )
    assert "secret" not in command
    body = configuration(spec)
    assert body["HostConfig"]["PortBindings"] == {
        "80/tcp": [{"HostIp": "", "HostPort": "8080"}, {"HostIp": "::1", "HostPort": "80"}],
        "53/udp": [{"HostIp": "", "HostPort": ""}],
    }
    assert (body["Env"], body["Cmd"], body["Entrypoint"]) == (["TOKEN=secret"], list(spec.command), ["/nginx", "-x"])
    assert "Cmd" not in configuration(CreateContainer(image="x"))
    assert commands.create_command(CreateContainer(image="x", start=False)) == "docker create x"


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("nginx", ("nginx", "latest")),
        ("nginx:1.2", ("nginx", "1.2")),
        ("host:5000/a/b", ("host:5000/a/b", "latest")),
        ("host:5000/a/b:c", ("host:5000/a/b", "c")),
        ("a@sha256:12", ("a", "sha256:12")),
        ("a:1@sha256:12", ("a", "sha256:12")),
    ],
)
def test_image_references(image: str, expected: tuple[str, str]) -> None:
    assert split_reference(image) == expected


def test_a_pull_adds_up() -> None:
    pull = PullProgress()
    assert pull.feed({"status": "Pulling from library/nginx", "id": "latest"}) == "latest: Pulling from library/nginx"
    assert pull.done is None
    for layer in "ab":
        pull.feed({"status": "Downloading", "id": layer, "progressDetail": {"current": 0, "total": 100}})
    assert pull.feed({"status": "Downloading", "id": "a", "progressDetail": {"current": 50, "total": 100}}) == ""
    assert pull.done == 0.25
    assert pull.feed({"status": "Pull complete", "id": "a", "progressDetail": {}}) == "a: Pull complete"
    assert pull.done == 0.5
    assert pull.feed({"status": "Status: Downloaded newer image"}) == "Status: Downloaded newer image"
    with pytest.raises(AgentError, match="toomanyrequests"):
        pull.feed({"errorDetail": {"message": "toomanyrequests: slow down"}, "error": "x"})
    with pytest.raises(AgentError, match="plain"):
        pull.feed({"error": "plain"})


def test_events_name_the_container_they_touch() -> None:
    assert read([b'{"Type":"container","Action":"start","Actor":{"ID":"c1","Attributes":{}}}']) == (
        frozenset({"c1"}),
        (),
    )
    assert read([b'{"status":"die","id":"c1","Type":"container"}']).touched == {"c1"}
    assert read([b'{"Type":"network","Actor":{"ID":"n1","Attributes":{"container":"c2"}}}']) == (frozenset({"c2"}), ())
    assert read([b'{"Type":"network","Actor":{"ID":"n1","Attributes":null}}']) == (frozenset(), ())
    for nonsense in (b"", b"{", b"[]", b"null", b'{"Type": 7}'):
        assert read([nonsense]) == (frozenset(), ())


def test_events_tell_what_is_over_at_once() -> None:
    oom = (
        b'{"Type":"container","Action":"oom","Actor":{"ID":"c1","Attributes":{"name":"shop-db-1",'
        b'"com.docker.compose.project":"shop"}},"timeNano":1700000000500000000}'
    )
    die = (
        b'{"Type":"container","Action":"die","Actor":{"ID":"c1","Attributes":{"name":"shop-db-1","exitCode":"137"}},'
        b'"timeNano":1700000001000000000}'
    )
    odd = b'{"Type":"container","Action":"die","Actor":{"ID":"c2","Attributes":{"exitCode":"-"}}}'
    heard = read([oom, die, odd])
    assert heard.touched == {"c1", "c2"}
    assert heard.happened == (
        Happening("c1", "shop-db-1", "shop", "oom", 1_700_000_000.5),
        Happening("c1", "shop-db-1", "", "die", 1_700_000_001.0, 137),
        Happening("c2", "", "", "die", 0.0, None),
    )


def frame(stream: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(data)) + data


def test_frames_however_they_are_cut() -> None:
    dice = random.Random(1)
    written = [(dice.choice([1, 2]), os.urandom(dice.randrange(0, 300))) for _ in range(200)]
    raw = b"".join(frame(stream, data) for stream, data in written)
    buffer, found = bytearray(), {1: b"", 2: b""}
    while raw:
        size = dice.randrange(1, 400)
        buffer += raw[:size]
        raw = raw[size:]
        for stream, data in _split(buffer):
            assert data
            found[stream] += data
    assert not buffer
    assert found == {s: b"".join(data for stream, data in written if stream == s) for s in (1, 2)}


async def test_an_empty_frame_is_not_the_end() -> None:
    reader = asyncio.StreamReader()
    _, writer = await _pair()
    stream = Hijacked(reader, writer, tty=False)
    reader.feed_data(frame(1, b"") + frame(2, b"error"))
    reader.feed_eof()
    assert await stream.read() == (2, b"error")
    assert (await stream.read())[1] == b""
    await stream.close()


async def _pair() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    ours, theirs = socket.socketpair()
    theirs.close()
    return await asyncio.open_connection(sock=ours)


def test_a_path_that_is_no_utf8_can_be_told() -> None:
    odd = Filesystem(path=os.fsdecode(b"/mnt/\xff"), device="/dev/é", kind="ext4", total=1, used=1, available=0)
    told = _encodable(odd)
    assert (told.path, told.device) == ("/mnt/\ufffd", "/dev/é")
    assert msgspec.json.encode(told)


def test_small_moves_of_a_file_system_are_not_told() -> None:
    before = Filesystem(path="/", device="/dev/a", kind="ext4", total=10**9, used=5 * 10**8, available=5 * 10**8)
    little, much = (msgspec.structs.replace(before, used=before.used + by) for by in (10**5, 10**7))
    stalled = msgspec.structs.replace(before, stalled_since=1.0)
    assert not _moved((before,), (little,))
    assert _moved((before,), (much,))
    assert _moved((before,), (stalled,))
    assert _moved((before,), (before, before))


def test_the_folder_and_the_socket_have_their_modes(tmp_path: Path) -> None:
    path = tmp_path / "komodo" / "agent.sock"
    listener = listen(path, group=os.getgid())
    try:
        assert [entry.stat().st_mode & 0o777 for entry in (path.parent, path)] == [0o750, 0o660]
        with pytest.raises(AlreadyRunningError):
            listen(path)
    finally:
        listener.close()
    assert not path.exists()
