"""Alerts that go out: rules, the queue on disk, and real messages over real HTTP and SMTP on the loopback."""

from __future__ import annotations

import asyncio
import json
import queue
import socketserver
import sqlite3
import threading
from contextlib import closing
from email import message_from_string
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from komodo_tui.domain.alerters import DIGEST, Alerter, check_alerter, message_of
from komodo_tui.domain.alerts import Mute, Subject, Transition
from komodo_tui.domain.errors import ActError, StoreError, UsageError
from komodo_tui.domain.interpolation import Value
from komodo_tui.operations.alerts import notifier, sending
from komodo_tui.operations.alerts.notifier import FIRST_AGAIN, STORM_PAUSE, Notifier
from komodo_tui.store.alerts import AlertStore
from komodo_tui.store.definitions import DefinitionStore
from komodo_tui.store.deliveries import GIVE_UP, KEPT, DeliveryQueue

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
MAIL = Alerter(name="mail", url="json://127.0.0.1")


class Post:
    """A watch without its fleet: the queue on disk, a clock by hand, and a postman that may be ill."""

    def __init__(self, folder: Path, *alerters: Alerter) -> None:
        self.at = 1000.0
        self.sent: list[tuple[str, str]] = []
        self.said: list[str] = []
        self.ill = False
        self.definitions = DefinitionStore(folder / "definitions.json")
        for alerter in alerters or (MAIL,):
            self.definitions.put("alerter", alerter.name, alerter, None)
        self.store = AlertStore(folder / "alerts.db")
        self.restart()
        self.look()

    def restart(self) -> None:
        """As after kill -9: nothing but the disk is left."""
        queue = DeliveryQueue(self.store)
        self.notifier = Notifier(
            self.definitions,
            queue,
            lambda: lambda _: None,
            self.said.append,
            now=lambda: self.at,
            deliver=self._deliver,
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
    assert post.look(after=FIRST_AGAIN) == [("mail", "2 alerts: 2 opened or worse")]


def test_what_cannot_be_told_for_two_days_is_let_go(tmp_path: Path) -> None:
    post = Post(tmp_path)
    post.ill = True
    post.store.apply([OPENED], post.at)
    post.look()
    post.ill = False
    assert post.look(after=GIVE_UP + 1) == []


def test_the_end_of_what_lasted_for_weeks_is_told_and_what_is_over_for_a_week_is_forgotten(tmp_path: Path) -> None:
    post = Post(tmp_path)
    post.store.apply([OPENED], post.at)
    assert post.look() == [("mail", "WARNING disk full: /var@db-01")]
    assert post.look(after=30 * 86400.0) == []
    post.store.apply([RESOLVED], post.at)
    assert post.look() == [("mail", "OK disk full: /var@db-01")]
    post.look(after=KEPT + 10)
    with post.store.reading() as db:
        assert db.execute("SELECT count(*) FROM deliveries").fetchone() == (0,)


def test_an_alerter_that_hangs_keeps_no_other_waiting_and_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = Post(tmp_path, msgspec.structs.replace(MAIL, name="tar-pit"), MAIL)
    free, told = threading.Event(), queue.Queue[str]()

    def deliver(alerter: Alerter, message: Message, _: object) -> None:
        if alerter.name == "tar-pit":
            free.wait(30)
        told.put(f"{alerter.name} {message.title.partition(' ')[0]}")

    async def next_told() -> str:
        return await asyncio.to_thread(told.get, timeout=10)

    async def looks() -> list[str]:
        running = asyncio.create_task(post.notifier.run())
        found = [await next_told()]
        post.store.apply([CRITICAL], post.at)
        found.append(await next_told())
        free.set()
        found += [await next_told(), await next_told()]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return found

    post.notifier._deliver = deliver
    monkeypatch.setattr(notifier, "INTERVAL", 0.05)
    post.store.apply([OPENED], post.at)
    try:
        found = asyncio.run(looks())
    finally:
        free.set()
    assert found == ["mail WARNING", "mail CRITICAL", "tar-pit WARNING", "tar-pit CRITICAL"]


def test_a_muted_alert_is_told_to_nobody_and_neither_is_its_end(tmp_path: Path) -> None:
    post = Post(tmp_path)
    mute = post.store.mute(Mute(server="db-*", starts=0.0, until=9e9))
    post.store.apply([OPENED], post.at)
    assert post.look() == []
    post.store.unmute(mute)
    post.store.apply([RESOLVED], post.at)
    assert post.look() == []


def test_rules(tmp_path: Path) -> None:
    post = Post(
        tmp_path,
        Alerter(name="pager", url="x://y", level="critical", on=("opened", "escalated")),
        Alerter(name="disks", url="x://y", kinds=("disk",)),
        Alerter(name="webs", url="x://y", servers=("web-*",)),
    )
    post.store.apply([OPENED], post.at)
    assert [name for name, _ in post.look()] == ["disks"]
    post.store.apply([CRITICAL, msgspec.structs.replace(OPENED, subject=Subject("web-1", "cpu"))], post.at)
    assert sorted(name for name, _ in post.look()) == ["disks", "pager", "webs"]
    post.store.apply([RESOLVED], post.at)
    assert [name for name, _ in post.look()] == ["disks"]


def test_what_is_muted_is_told_when_the_mute_is_over_and_it_is_not(tmp_path: Path) -> None:
    post = Post(tmp_path)
    post.store.mute(Mute(server="db-*", starts=0.0, until=post.at + GIVE_UP + 100))
    cpu = msgspec.structs.replace(OPENED, subject=Subject("db-01", "cpu"))
    post.store.apply([OPENED, cpu], post.at)
    assert post.look() == []
    post.store.apply([CRITICAL, msgspec.structs.replace(cpu, change="resolved")], post.at)
    assert post.look() == []
    post.restart()
    assert post.look(after=GIVE_UP + 200) == [("mail", "CRITICAL disk full: /var@db-01")]
    assert post.look() == []
    post.store.apply([RESOLVED], post.at)
    assert post.look() == [("mail", "OK disk full: /var@db-01")]


def test_a_queue_of_an_earlier_version_is_taken_over(tmp_path: Path) -> None:
    post = Post(tmp_path)
    post.ill = True
    post.store.apply([OPENED], post.at)
    post.look()
    post.store.close()
    with closing(sqlite3.connect(tmp_path / "alerts.db")) as old:
        old.executescript("ALTER TABLE deliveries DROP COLUMN queued; DROP TABLE held; PRAGMA user_version = 2")
    post.ill = False
    assert post.look(after=FIRST_AGAIN) == [("mail", "WARNING disk full: /var@db-01")]


def test_what_was_acknowledged_during_its_mute_is_told_to_nobody(tmp_path: Path) -> None:
    post = Post(tmp_path)
    mute = post.store.mute(Mute(server="db-*", starts=0.0, until=9e9))
    post.store.apply([OPENED], post.at)
    post.look()
    post.store.acknowledge(1, "ana", "", post.at)
    post.store.unmute(mute)
    assert post.look() == []


def test_definitions_that_cannot_be_read_are_told_once_and_stop_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = Post(tmp_path)
    with monkeypatch.context() as ill:

        def damaged(_: object) -> None:
            raise StoreError("the definitions cannot be read")

        ill.setattr(notifier, "known_alerters", damaged)
        post.store.apply([OPENED], post.at)
        post.look()
        post.look()
    assert post.said == ["alerters: the definitions cannot be read"]
    assert post.look() == [("mail", "WARNING disk full: /var@db-01")]


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("mailtos://komodo:[[PASSWORD]]@mail.example.org?to=ops@example.org", True),
        ("mailto://127.0.0.1:2525/?from=komodo@example.org&to=ops@example.org", True),
        ("mailto://127.0.0.1:2525?from=komodo@example.org&to=ops@example.org", True),
        ("mailto://komodo:2525@mail.example.org?to=ops@example.org", False),
        ("[[WHOLE_URL]]", True),
        ("ntfys://[[NTFY_TOPIC]]", True),
        ("ntfy://ntfy.intern.example.org/alerts", True),
        ("json://hooks.example.org/[[A]]/b", True),
        ("discord://[[ID]]/[[TOKEN]]", True),
        ("mailtos://komodo:hunter2@mail.example.org?to=ops@example.org", False),
        ("slack://T1/B2/C3", False),
        ("discord://[[ID]]/4174216298abcdefABCDEF0123456789", False),
        ("json://hooks.example.org/b0d1f2a3c4e5f60718293a4b", False),
        ("nonsense", False),
    ],
)
def test_a_secret_stands_in_no_definition(url: str, fine: bool) -> None:
    alerter = Alerter(name="ops", url=url)
    if fine:
        assert check_alerter(alerter) is alerter
        return
    with pytest.raises(UsageError, match="alerter ops") as caught:
        check_alerter(alerter)
    assert "4174216298" not in str(caught.value)


def test_a_storm_is_a_digest(tmp_path: Path) -> None:
    store = AlertStore(tmp_path / "alerts.db")
    store.apply(
        [msgspec.structs.replace(OPENED, subject=Subject("web", "down", str(n))) for n in range(DIGEST + 5)], 1.0
    )
    message = message_of([(alert, entry) for entry, alert in store.entries_after(0, 2.0)])
    assert message.title == f"{DIGEST + 5} alerts: {DIGEST + 5} opened or worse"
    assert message.body.splitlines()[-1].startswith("and 5 more alerts")
    assert len(message.body.splitlines()) == DIGEST + 1


# -- real services ----------------------------------------------------------------------------------------------


def test_ten_thousand_containers_that_flap_are_few_messages(tmp_path: Path) -> None:
    post = Post(tmp_path)
    down = [msgspec.structs.replace(OPENED, subject=Subject("web", "down", str(n))) for n in range(10_000)]
    up = [msgspec.structs.replace(one, change="resolved") for one in down]
    post.store.apply(down, post.at)
    assert post.look() == [("mail", "10000 alerts: 10000 opened or worse")]
    post.store.apply(up[:9_000], post.at)
    sent = []
    for n in range(40):  # ten minutes, in which some come and go between any two looks
        part = slice(n * 50, n * 50 + 50)
        post.store.apply(down[part], post.at)
        post.store.apply(up[part], post.at + 1)
        sent += post.look(after=15)
    assert len(sent) <= 5 + 600 / STORM_PAUSE, "once it is a storm, one now and then"
    assert sent[0] == ("mail", "9050 alerts: 9050 resolved")
    post.store.apply([msgspec.structs.replace(CRITICAL, change="opened")], post.at)
    assert "opened or worse" in "".join(title for _, title in post.look(after=STORM_PAUSE)), "and what is new comes"


def test_an_alerter_that_is_down_for_an_hour_is_tried_seldom_and_then_told_once(tmp_path: Path) -> None:
    post = Post(tmp_path)
    post.ill = True
    post.store.apply([OPENED], post.at)
    for _ in range(720):
        post.look()
    assert len(post.said) <= 9, post.said
    post.ill = False
    arrived = [message for _ in range(360) for message in post.look()]
    assert arrived == [("mail", "WARNING disk full: /var@db-01")]


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
    post = Post(tmp_path, Alerter(name="mail", url=url))
    post.notifier = Notifier(
        post.definitions, DeliveryQueue(post.store), lambda: lambda _: None, post.said.append, now=lambda: post.at
    )
    post.store.apply([OPENED], post.at)
    post.look()
    post.store.apply([RESOLVED], post.at)
    post.look()
    subjects = [message_from_string(text)["Subject"] for text in mail.got]
    assert subjects == ["WARNING disk full: /var@db-01", "OK disk full: /var@db-01"], post.said
    assert "ops@example.org" in message_from_string(mail.got[0])["To"]
