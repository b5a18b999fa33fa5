"""The agent as a program: who may talk to it, how it starts and ends, what it says without an engine."""

from __future__ import annotations

import asyncio
import json
import os
import socket as sockets
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from komodo_agent.wire import protocol
from tests.integration.agent.lab import AgentProcess, agent_process, answers
from tests.rig.processes import wait_for

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="changes its user")

_ASK_AS = """
import os, socket, sys
os.setgroups([int(g) for g in sys.argv[3:]]); os.setgid(65534); os.setuid(int(sys.argv[2]))
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
s.sendall(b"GET /hello HTTP/1.0\\r\\n\\r\\n")
while data := s.recv(65536): sys.stdout.write(data.decode())
"""


def komodo_agent(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "komodo_agent", *arguments],
        capture_output=True, text=True, timeout=20, check=False, input=stdin,
    )  # fmt: skip


def ask_as(socket: Path, uid: int, *groups: int) -> subprocess.CompletedProcess[str]:
    """Say hello as another user."""
    return subprocess.run(
        [sys.executable, "-c", _ASK_AS, str(socket), str(uid), *map(str, groups)],
        capture_output=True, text=True, timeout=20, check=False, cwd="/",
    )  # fmt: skip


def open_to_all(socket: Path) -> None:
    """Take the file modes out of the way, so that only the agent's own list is left."""
    socket.chmod(0o666)
    for folder in [socket.parent, *socket.parent.parents]:
        if folder.stat().st_uid == os.geteuid() and str(folder) != "/":
            folder.chmod(folder.stat().st_mode | 0o011)


@needs_root
def test_only_users_on_the_list(tmp_path: Path) -> None:
    with agent_process(tmp_path / "a", "unix:///nowhere.sock", "--allow-uid", "4242") as agent:
        assert stat.S_IMODE(agent.socket.stat().st_mode) == 0o660
        open_to_all(agent.socket)
        refused = ask_as(agent.socket, 65534)
        assert " 403 " in refused.stdout
        assert json.loads(refused.stdout.partition("\n\n")[2])["code"] == "forbidden"
        assert "--allow-uid 65534" in refused.stdout
        allowed = ask_as(agent.socket, 4242)
        assert json.loads(allowed.stdout.partition("\n\n")[2])["caller_uid"] == 4242


@needs_root
def test_the_socket_is_closed_to_others_by_its_mode(tmp_path: Path) -> None:
    with agent_process(tmp_path / "a", "unix:///nowhere.sock") as agent:
        assert "PermissionError" in ask_as(agent.socket, 65534).stderr


async def test_hello_and_refusals_have_their_form(tmp_path: Path) -> None:
    with agent_process(tmp_path, "unix:///nowhere.sock") as agent:
        async with agent.session() as session:
            async with session.get("/hello") as answer:
                hello = protocol.Hello(**(await answer.json() | {}))
            assert protocol.negotiate(hello) == protocol.PROTOCOL
            assert hello.caller_uid == os.geteuid()
            assert {"feed", "jobs", "logs", "exec"} <= set(hello.features)
            for method, path, status in (
                ("GET", "/v1/health", 204),
                ("GET", "/v1/none", 404),
                ("POST", "/v1/containers", 405),
                ("GET", "/v1/containers/none", 503),
                ("GET", "/v1/containers/%2e%2e%2finfo", 404),
                ("GET", "/v1/history?window=all", 400),
                ("GET", "/v1/feed", 400),
                ("GET", "/v1/exec", 400),
                ("GET", "/v1/images", 503),
                ("POST", "/v1/jobs", 400),
                ("GET", "/containers/json", 404),
                ("GET", "/v1.41/info", 404),
            ):
                async with session.request(method, path, data=b"{" if method == "POST" else None) as answer:
                    assert answer.status == status, path
                    if status >= 400:
                        problem = await answer.json()
                        assert problem["code"]
                        assert problem["message"]


@pytest.mark.parametrize(
    ("docker_host", "status", "words"),
    [
        ("unix:///nowhere/docker.sock", "absent", "There is no engine at /nowhere/docker.sock. Install Docker"),
        ("tcp://user:pw@10.0.0.1:2375", "absent", "DOCKER_HOST is a tcp address"),
        ("ssh://me@host", "absent", "DOCKER_HOST is a ssh address"),
    ],
)
async def test_no_engine_is_a_state(tmp_path: Path, docker_host: str, status: str, words: str) -> None:
    with agent_process(tmp_path, docker_host) as agent:
        async with agent.session() as session, agent.feed(session) as feed:
            await feed.until(lambda: feed.engine is not None and feed.engine.status == status)
            assert feed.engine is not None
            assert words in feed.engine.message
            assert "pw" not in feed.engine.message


async def test_a_socket_that_is_no_engine(tmp_path: Path) -> None:
    path = tmp_path / "fake.sock"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nApi-Version: 1.24\r\n\r\nOK")
        await writer.drain()
        writer.close()

    async with await asyncio.start_unix_server(answer, path):
        with agent_process(tmp_path / "a", f"unix://{path}") as agent:
            async with agent.session() as session, agent.feed(session) as feed:
                await feed.until(lambda: feed.engine is not None and feed.engine.status == "down")
                assert feed.engine is not None
                assert "API 1.24" in feed.engine.message
                assert "Upgrade the engine" in feed.engine.message


def test_a_second_agent_refuses_and_a_stale_socket_is_replaced(tmp_path: Path) -> None:
    with agent_process(tmp_path, "unix:///nowhere.sock") as agent:
        second = komodo_agent("serve", "--socket", str(agent.socket), "--state", str(tmp_path / "b"))
        assert (second.returncode, "already listens" in second.stderr) == (4, True)
        assert agent.process.poll() is None
        agent.process.kill()
        agent.process.wait(10)
        assert agent.socket.exists(), "killed: nobody removed it"
    with agent_process(tmp_path, "unix:///nowhere.sock") as agent:
        assert komodo_agent("hello", "--socket", str(agent.socket)).returncode == 0


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    refused = komodo_agent("serve", "--socket", str(path), "--state", str(tmp_path / "s"))
    assert (refused.returncode, path.read_text()) == (1, "mine")
    assert "is no socket" in refused.stderr


async def test_it_ends_when_nobody_is_connected(tmp_path: Path) -> None:
    with agent_process(tmp_path, "unix:///nowhere.sock", "--idle-exit", "1") as agent:
        async with agent.session() as session, agent.feed(session) as feed:
            await feed.until(lambda: len(feed.messages) > 2)  # more than a second: the feed keeps it alive
            assert agent.process.poll() is None
        assert await asyncio.to_thread(agent.process.wait, 10) == 0


def test_a_socket_passed_by_systemd(tmp_path: Path) -> None:
    path = tmp_path / "passed.sock"
    with sockets.socket(sockets.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        script = (
            "import os, sys\n"
            f"os.dup2({listener.fileno()}, 3); os.set_inheritable(3, True)\n"
            "os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))\n"
            "os.execv(sys.executable, [sys.executable, '-m', 'komodo_agent', 'serve', '--docker-host',\n"
            f"    'unix:///nowhere.sock', '--state', {str(tmp_path / 'state')!r}])\n"
        )
        process = subprocess.Popen([sys.executable, "-c", script], pass_fds=[listener.fileno()])
    try:
        answer = komodo_agent("hello", "--socket", str(path))
        assert json.loads(answer.stdout)["product"] == "komodo-agent"
    finally:
        process.terminate()
        assert process.wait(10) == 0
    assert path.exists(), "it belongs to systemd"


def test_dial_stdio_carries_requests(tmp_path: Path) -> None:
    with agent_process(tmp_path, "unix:///nowhere.sock") as agent:
        command = [sys.executable, "-m", "komodo_agent", "dial-stdio", "--socket", str(agent.socket)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as relay:
            assert relay.stdin is not None
            assert relay.stdout is not None
            for _ in range(2):
                relay.stdin.write(b"GET /v1/health HTTP/1.1\r\nHost: agent\r\n\r\n")
                assert relay.stdout.read(65536).startswith(b"HTTP/1.1 204")
            relay.stdin.close()
            assert relay.wait(10) == 0
    assert komodo_agent("dial-stdio", "--socket", str(tmp_path / "none.sock"), stdin="").returncode == 3
    assert "komodo-agent serve" in komodo_agent("hello", "--socket", str(tmp_path / "none.sock")).stderr


def test_the_small_commands_need_the_standard_library_alone(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from komodo_agent.__main__ import main\n"
        f"main(['hello', '--socket', {str(tmp_path / 'none.sock')!r}])\n"
        "foreign = {'aiohttp', 'aiodocker', 'msgspec', 'psutil', 'asyncio'} & set(sys.modules)\n"
        "sys.exit(f'imported {foreign}' if foreign else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr


def test_tls_stays_out_of_its_memory(tmp_path: Path) -> None:
    """OpenSSL and the CA certificates would be a tenth of it, and the agent never speaks TLS."""
    with agent_process(tmp_path, "unix:///nowhere.sock") as agent:
        assert komodo_agent("hello", "--socket", str(agent.socket)).returncode == 0
        loaded = Path(f"/proc/{agent.process.pid}/maps").read_text()
        assert "_socket." in loaded
        assert "_ssl." not in loaded
        assert "libcrypto" not in loaded


@needs_root
def test_a_user_without_rights_to_the_engine_is_told_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    with sockets.socket(sockets.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0o600)
        for folder in [tmp_path, *tmp_path.parents]:
            if str(folder).startswith("/tmp/"):
                folder.chmod(folder.stat().st_mode | 0o055)
        home = tmp_path / "home"
        home.mkdir()
        os.chown(home, 65534, 65534)
        # The interpreter may be out of that user's reach, so the user is changed after the imports.
        script = (
            "import os, sys, concurrent.futures.thread, encodings.idna, komodo_agent.server\n"
            "from komodo_agent.__main__ import main\n"
            "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
            f"sys.exit(main(['serve', '--socket', '{home}/a.sock', '--state', '{home}/state',\n"
            f"    '--docker-host', 'unix://{path}']))\n"
        )
        log = tmp_path / "log"
        with log.open("wb") as out:
            process = subprocess.Popen([sys.executable, "-c", script], stdout=out, stderr=out, cwd="/")
        try:
            wait_for(lambda: answers(home / "a.sock"), 20, what="the socket")
            asyncio.run(_denied(AgentProcess(process, home / "a.sock", log)))
        finally:
            process.terminate()
            process.wait(10)


async def _denied(agent: AgentProcess) -> None:
    async with agent.session() as session, agent.feed(session) as feed:
        await feed.until(lambda: feed.engine is not None and feed.engine.status == "denied")
        assert feed.engine is not None
        assert "usermod -aG docker nobody" in feed.engine.message
