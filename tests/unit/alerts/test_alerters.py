"""Alerts that go out: rules, the queue on disk, and real messages over real HTTP and SMTP on the loopback."""

from __future__ import annotations

import asyncio
import json
import socketserver
import threading
from email import message_from_string
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from komodo_tui.domain.alerters import DIGEST, Alerter, message_of
from komodo_tui.domain.alerts import Mute, Subject, Transition
from komodo_tui.domain.errors import ActError, UsageError
from komodo_tui.domain.interpolation import Value
from komodo_tui.operations.alerts import sending
from komodo_tui.operations.alerts.notifier import FIRST_AGAIN, Notifier
from komodo_tui.store.alerts import AlertStore
from komodo_tui.store.deliveries import GIVE_UP, DeliveryQueue
from komodo_tui.store.paths import StateDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from komodo_tui.domain.alerters import Message

# Apprise's PGP part still asks for it on Pythons that have it
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

DISK = Subject("db-01", "disk", "/var")
OPENED = Transition(subject=DISK, change="opened", level="warning", value=81.0, text="/var 81% used")
CRITICAL = msgspec.structs.replace(OPENED, change="escalated", level="critical", text="/var 93% used")
RESOLVED = msgspec.structs.replace(CRITICAL, change="resolved", text="well again")
MAIL = "alerters:\n  - {name: mail, url: 'json://127.0.0.1'}\n"


class Post:
    """A watch without its fleet: the queue on disk, a clock by hand, and a postman that may be ill."""

    def __init__(self, folder: Path, text: str = MAIL) -> None:
        self.at = 1000.0
        self.sent: list[tuple[str, str]] = []
        self.said: list[str] = []
        self.ill = False
        self.paths = StateDirectory(folder, folder, folder)
        (folder / sending.FILE).write_text(text)
        self.store = AlertStore(folder / "alerts.db")
        self.restart()
        self.look()

    def restart(self) -> None:
        """As after kill -9: nothing but the disk is left."""
        queue = DeliveryQueue(self.store)
        self.notifier = Notifier(
            self.paths, queue, lambda: lambda _: None, self.said.append, now=lambda: self.at, deliver=self._deliver
        )

    def _deliver(self, alerter: Alerter, message: Message, _: object) -> None:
        if self.ill:
            raise ActError(f"alerter {alerter.name}: it is down")
        self.sent.append((alerter.name, message.title))

    def look(self, after: float = 5.0) -> list[tuple[str, str]]:
        """What is sent at a look."""
        self.at += after
        self.sent.clear()
        asyncio.run(self.notifier.look())
        return list(self.sent)


def test_each_change_is_told_once_also_over_a_restart(tmp_path: Path) -> None:
    post = Post(tmp_path)
    post.store.apply([OPENED], post.at)
    assert post.look() == [("mail", "WARNING disk full: /var@db-01")]
    post.restart()
    assert post.look() == []
    post.store.apply([CRITICAL], post.at)
    post.restart()
    assert post.look() == [("mail", "CRITICAL disk full: /var@db-01")]
    post.store.apply([RESOLVED], post.at)
    assert post.look() == [("mail", "OK disk full: /var@db-01")]


def test_what_was_before_the_first_watch_is_not_told(tmp_path: Path) -> None:
    store = AlertStore(tmp_path / "alerts.db")
    store.apply([OPENED], 10.0)
    post = Post(tmp_path)
    assert post.sent == []
    assert post.look() == []


def test_an_alerter_that_was_down_gets_all_of_it_in_one_message(tmp_path: Path) -> None:
    post = Post(tmp_path)
    post.ill = True
    post.store.apply([OPENED], post.at)
    assert post.look() == []
    assert post.said == ["alerter mail: it is down; tried again in 15 s"]
    post.store.apply([CRITICAL, msgspec.structs.replace(OPENED, subject=Subject("db-01", "cpu"))], post.at)
    post.ill = False
    post.restart()
    assert post.look(after=FIRST_AGAIN) == [("mail", "3 alerts: 3 opened or worse")]


def test_what_cannot_be_told_for_two_days_is_let_go(tmp_path: Path) -> None:
    post = Post(tmp_path)
    post.ill = True
    post.store.apply([OPENED], post.at)
    post.look()
    post.ill = False
    assert post.look(after=GIVE_UP + 1) == []


def test_a_muted_alert_is_told_to_nobody_and_neither_is_its_end(tmp_path: Path) -> None:
    post = Post(tmp_path)
    mute = post.store.mute(Mute(server="db-*", starts=0.0, until=9e9))
    post.store.apply([OPENED], post.at)
    assert post.look() == []
    post.store.unmute(mute)
    post.store.apply([RESOLVED], post.at)
    assert post.look() == []


def test_rules(tmp_path: Path) -> None:
    post = Post(tmp_path, """
alerters:
  - {name: pager, url: x://y, level: critical, on: [opened, escalated]}
  - {name: disks, url: x://y, kinds: [disk]}
  - {name: webs, url: x://y, servers: ["web-*"]}
""")  # fmt: skip
    post.store.apply([OPENED], post.at)
    assert [name for name, _ in post.look()] == ["disks"]
    post.store.apply([CRITICAL, msgspec.structs.replace(OPENED, subject=Subject("web-1", "cpu"))], post.at)
    assert sorted(name for name, _ in post.look()) == ["disks", "pager", "webs"]
    post.store.apply([RESOLVED], post.at)
    assert [name for name, _ in post.look()] == ["disks"]


def test_a_file_that_is_wrong_is_told_once_and_stops_nothing(tmp_path: Path) -> None:
    post = Post(tmp_path)
    (tmp_path / sending.FILE).write_text("alerters: [{name: a, url: x, levl: critical}]")
    post.store.apply([OPENED], post.at)
    post.look()
    post.look()
    assert len(post.said) == 1
    assert "levl" in post.said[0]
    (tmp_path / sending.FILE).write_text(MAIL)
    assert post.look() == [("mail", "WARNING disk full: /var@db-01")]


def test_a_storm_is_a_digest(tmp_path: Path) -> None:
    store = AlertStore(tmp_path / "alerts.db")
    store.apply(
        [msgspec.structs.replace(OPENED, subject=Subject("web", "down", str(n))) for n in range(DIGEST + 5)], 1.0
    )
    message = message_of([(alert, entry) for entry, alert in store.entries_after(0, 2.0)])
    assert message.title == f"{DIGEST + 5} alerts: {DIGEST + 5} opened or worse"
    assert message.body.splitlines()[-1].startswith("and 5 more changes")
    assert len(message.body.splitlines()) == DIGEST + 1


# -- real services ----------------------------------------------------------------------------------------------


class Web(BaseHTTPRequestHandler):
    """Takes JSON; its server has ``got`` and ``status``."""

    server: Any

    def do_POST(self) -> None:
        self.server.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Mail(socketserver.StreamRequestHandler):
    """As much SMTP as one mail takes."""

    server: Any

    def handle(self) -> None:
        self.wfile.write(b"220 sink\r\n")
        while line := self.rfile.readline():
            word = line.split()[0].upper() if line.split() else b""
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = []
                while (text := self.rfile.readline().rstrip(b"\r\n")) != b".":
                    lines.append(text.decode())
                self.server.got.append("\n".join(lines))
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")


@pytest.fixture
def web() -> Iterator[Any]:
    yield from _serving(HTTPServer(("127.0.0.1", 0), Web))


@pytest.fixture
def mail() -> Iterator[Any]:
    yield from _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail))


def _serving(server: Any) -> Iterator[Any]:
    server.got, server.status, server.daemon_threads = [], 200, True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_over_http_with_a_secret_that_no_url_could_hold_plainly(web: Any) -> None:
    alerter = Alerter(name="hook", url=f"json://ops:[[TOKEN]]@127.0.0.1:{web.server_port}/alerts")
    sending.send(alerter, sending.TEST, lambda name: Value("p@ss/w:rd", secret=True) if name == "TOKEN" else None)
    assert (web.got[0]["title"], web.got[0]["message"]) == (sending.TEST.title, sending.TEST.body)
    with pytest.raises(UsageError, match="TOKEN"):
        sending.send(alerter, sending.TEST, lambda _: None)


def test_a_refusal_says_so_without_the_url(web: Any) -> None:
    web.status = 503
    alerter = Alerter(name="hook", url=f"json://ops:canary@127.0.0.1:{web.server_port}/")
    with pytest.raises(ActError, match="503") as caught:
        sending.send(alerter, sending.TEST, lambda _: None)
    assert "canary" not in str(caught.value) + repr(alerter)


def test_a_url_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ops"):
        sending.send(Alerter(name="ops", url="nonsense"), sending.TEST, lambda _: None)


def test_the_alert_of_a_full_disk_arrives_by_mail_and_its_end_too(mail: Any, tmp_path: Path) -> None:
    port = mail.server_address[1]
    url = f"mailto://127.0.0.1:{port}/?from=komodo@example.org&to=ops@example.org&mode=insecure"
    post = Post(tmp_path, f"alerters:\n  - name: mail\n    url: {url}\n")
    post.notifier = Notifier(
        post.paths, DeliveryQueue(post.store), lambda: lambda _: None, post.said.append, now=lambda: post.at
    )
    post.store.apply([OPENED], post.at)
    post.look()
    post.store.apply([RESOLVED], post.at)
    post.look()
    subjects = [message_from_string(text)["Subject"] for text in mail.got]
    assert subjects == ["WARNING disk full: /var@db-01", "OK disk full: /var@db-01"], post.said
    assert "ops@example.org" in message_from_string(mail.got[0])["To"]
