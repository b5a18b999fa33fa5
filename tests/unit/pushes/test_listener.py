"""The webhook server against senders of every kind: signed, forged, huge, slow, truncated, replayed, too many."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
import socket
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from komodo_tui.domain.errors import StoreError
from komodo_tui.domain.interpolation import Value
from komodo_tui.domain.repos import RepoDefinition
from komodo_tui.domain.settings import WebhookSettings
from komodo_tui.operations.pushes import listener as module
from komodo_tui.operations.pushes.gate import WebhookGate
from komodo_tui.operations.pushes.listener import WebhookListener
from komodo_tui.store.pushes import PushStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

SECRET = "correct horse battery staple"


class Values:
    """Secrets by name."""

    def __init__(self) -> None:
        self.known = {"HOOK": Value(SECRET, secret=True), "EMPTY": Value("", secret=True), "PLAIN": Value("x")}
        self.asked = 0

    def lookup(self, stack: str, server: str) -> Callable[[str], Value | None]:
        """As the real ones."""
        self.asked += 1
        return self.known.get


class Service:
    """A listener that runs, and what may be sent to it."""

    def __init__(self, store: PushStore, **settings: Any) -> None:
        self.store = store
        self.values = Values()
        self.said: list[str] = []
        self.pushed = 0
        url = "git@host:shop.git"
        self.repos = {
            "shop": RepoDefinition(name="shop", url=url, branch="main", webhook="HOOK"),
            "any": RepoDefinition(name="any", url=url, webhook="HOOK"),
            "pinned": RepoDefinition(name="pinned", url=url, webhook="HOOK", commit="1234567"),
            "empty": RepoDefinition(name="empty", url=url, webhook="EMPTY"),
            "plain": RepoDefinition(name="plain", url=url, webhook="PLAIN"),
            "missing": RepoDefinition(name="missing", url=url, webhook="NOWHERE"),
            "closed": RepoDefinition(name="closed", url=url),
        }
        self.gate = WebhookGate(lambda: self.repos, self.values, store, self._push)  # type: ignore[arg-type]
        self.settings = WebhookSettings(listen="127.0.0.1:0", **settings)
        self.listener = WebhookListener(lambda: self.settings, lambda: self.repos, self.gate, self.said.append)

    def _push(self, repo: str, files: Sequence[str]) -> None:
        self.pushed += 1

    async def post(self, repo: str, body: bytes, headers: dict[str, str]) -> int:
        """The answer's status."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"http://127.0.0.1:{self.listener.port}/hooks/{repo}", data=body, headers=headers) as answer,
        ):
            return answer.status

    async def hook(self, commit: str = "a" * 40, repo: str = "shop", *, secret: str = SECRET, id: str = "",
                   branch: str = "main", main: str = "main") -> int:  # fmt: skip
        """A push as GitHub tells of it."""
        body = json.dumps({
            "ref": f"refs/heads/{branch}", "after": commit, "repository": {"default_branch": main, "id": id},
        }).encode()  # fmt: skip
        return await self.post(repo, body, signed(body, secret, id or os.urandom(8).hex()))

    async def raw(self, data: bytes, *, more: bool = False) -> bytes:
        """What answers these bytes; ``more``: the connection is left open for what never comes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.listener.port)
        try:
            writer.write(data)
            await writer.drain()
            if not more:
                writer.write_eof()
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()


def signed(body: bytes, secret: str, id: str) -> dict[str, str]:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-GitHub-Event": "push", "X-GitHub-Delivery": id, "X-Hub-Signature-256": f"sha256={signature}"}


@asynccontextmanager
async def service(tmp_path: Path, **settings: Any) -> AsyncIterator[Service]:
    store = PushStore(tmp_path / "pushes.db")
    service = Service(store, **settings)
    task = asyncio.create_task(service.listener.run())
    try:
        while not service.listener.port:
            await asyncio.sleep(0.01)
        yield service
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        store.close()


async def test_a_push_is_on_disk_when_its_sender_hears_of_it(tmp_path: Path) -> None:
    async with service(tmp_path) as s:
        assert await s.hook() == 202
        (push,) = s.store.recent("shop")
        assert (push.commit, push.branch, push.source, push.state) == ("a" * 40, "main", "github", "pending")
        assert s.pushed == 1
        assert await s.hook("b" * 40, id="one") == 202
        assert await s.hook("b" * 40, id="one") == 200
        assert await s.hook("b" * 40, id="two") == 200
        assert s.pushed == 2
        assert s.values.asked == 1, "a flood does not open the secrets again and again"


async def test_a_body_that_came_before_is_a_copy_unless_its_id_is_signed(tmp_path: Path) -> None:
    body = b'{"ref": "refs/heads/main"}'
    async with service(tmp_path) as s:
        plain = {"X-Hub-Signature-256": f"sha256={hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}"}
        assert [await s.post("shop", body, plain) for _ in range(2)] == [202, 200]
        assert s.said[-1] == "webhook for shop: a copy of a delivery: this body came before, and names no commit"
        for name, status in (("a", 202), ("b", 202), ("b", 200)):
            stamp = str(int(time.time()))
            key = hmac.new(SECRET.encode(), f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()
            headers = {"webhook-id": name, "webhook-timestamp": stamp,
                       "webhook-signature": f"v1,{base64.b64encode(key).decode()}"}  # fmt: skip
            assert await s.post("shop", body, headers) == status
        assert s.pushed == 3


async def test_branches(tmp_path: Path) -> None:
    async with service(tmp_path) as s:
        assert await s.hook(branch="work") == 200
        assert await s.hook(repo="any", branch="work") == 200
        assert await s.hook(repo="pinned") == 200
        assert s.store.recent() == []
        assert await s.hook(repo="any", branch="trunk", main="trunk") == 202
        assert s.pushed == 1


@pytest.mark.parametrize("repo", ["shop", "empty", "plain", "missing", "closed", "nowhere", "..%2fshop", "%00", "-"])
@pytest.mark.parametrize("secret", ["", "x", "wrong"])
async def test_whoever_does_not_know_the_secret_hears_the_same(tmp_path: Path, repo: str, secret: str) -> None:
    async with service(tmp_path) as s:
        assert await s.hook(repo=repo, secret=secret) in (401, 404)
        assert await s.post(repo, b"{}", {}) in (401, 404)
        assert s.store.recent() == []


async def test_huge_compressed_and_malformed_bodies(tmp_path: Path) -> None:
    async with service(tmp_path, max_body="2K") as s:
        body = b"x" * 4096
        assert await s.post("shop", body, signed(body, SECRET, "1")) == 413
        head = b"POST /hooks/shop HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert b" 413 " in await s.raw(head + b"1000\r\n" + body + b"\r\n0\r\n\r\n", more=True)
        assert await s.post("shop", b"\x1f\x8b", {"Content-Encoding": "gzip"}) == 415
        assert await s.post("shop", b"{", signed(b"{", SECRET, "2")) == 400
        assert s.store.recent() == []
        assert await s.hook() == 202


async def test_slow_and_truncated_requests_are_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BODY_TIME", 0.2)
    async with service(tmp_path) as s:
        assert await s.raw(b"POST /hooks/shop HTTP/1.1\r\nHo", more=True) == b""
        assert await s.raw(b"", more=True) == b""
        head = b"POST /hooks/shop HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
        assert b" 408 " in await s.raw(head + b"{", more=True)
        await s.raw(head + b"{")
        assert b" 400 " in await s.raw(b"nonsense\r\n\r\n", more=True)
        assert await s.hook() == 202


async def test_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 4)
    async with service(tmp_path, rate=30) as s:
        idle = [await asyncio.open_connection("127.0.0.1", s.listener.port) for _ in range(4)]
        reader, writer = await asyncio.open_connection("127.0.0.1", s.listener.port)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        for _, one in [*idle, (reader, writer)]:
            one.close()
        while b" 200 " not in await s.raw(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", more=True):
            await asyncio.sleep(0.01)
        answers = [await s.hook(f"{n:040x}") for n in range(1, 5)]
        assert answers == [202, 202, 202, 429]


def _is_open(one: socket.socket) -> bool:
    try:
        return bool(one.recv(1))
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


async def test_too_many_that_come_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 4)
    async with service(tmp_path) as s:
        many = [socket.create_connection(("127.0.0.1", s.listener.port)) for _ in range(40)]  # before any is accepted
        try:
            for one in many:
                one.setblocking(False)
            async with asyncio.timeout(8):
                while len(open_ones := [one for one in many if _is_open(one)]) > 4:
                    await asyncio.sleep(0.01)
            assert len(open_ones) == 4
        finally:
            for one in many:
                one.close()


async def test_a_queue_that_cannot_be_written_asks_to_send_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with service(tmp_path) as s:

        def full(*_: object) -> None:
            raise StoreError("the disk is full")

        with monkeypatch.context() as patched:
            patched.setattr(s.store, "delivered", full)
            assert await s.hook(id="one") == 503
        assert await s.hook(id="one") == 202


async def test_a_port_that_is_taken_is_told_and_does_not_end_the_watch(tmp_path: Path) -> None:
    async with service(tmp_path) as s:
        taken = WebhookSettings(listen=f"127.0.0.1:{s.listener.port}")
        other = WebhookListener(lambda: taken, lambda: s.repos, s.gate, s.said.append)
        task = asyncio.create_task(other.run())
        while not any("cannot be listened on" in line for line in s.said):
            await asyncio.sleep(0.01)
        assert not task.done()
        task.cancel()


async def test_settings_that_change_are_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK", 0.01)
    async with service(tmp_path) as s:
        assert await s.hook() == 202
        before = s.listener.port
        s.settings = WebhookSettings(listen="127.0.0.1:0", max_body="1K")
        async with asyncio.timeout(30):
            while sum("listening for webhooks" in line for line in s.said) < 2 or not s.listener.port:
                await asyncio.sleep(0.005)
        assert await s.post("shop", b"x" * 2000, {}) == 413
        assert await s.hook("b" * 40) == 202
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", before)
