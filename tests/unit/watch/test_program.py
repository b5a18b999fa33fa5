"""``komodo-tui watch`` as a program: one of them, taken up changes, words to systemd, an end in good order."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from komodo_tui.domain.operations import Actor
from komodo_tui.domain.procedures.journal import RunStarted
from komodo_tui.domain.pushes import SeenBranch
from komodo_tui.store.pushes import PushStore
from komodo_tui.store.runs import RunStore
from komodo_tui.store.slots import SlotStore
from komodo_tui.watch.install import quoted, unit
from tests.rig.processes import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

SYNC = {"name": "fleet", "folder": "", "automatic": True, "every": "10s"}


class Home:
    """A state directory of a machine without an engine, and the program on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "home"
        self.root.mkdir(mode=0o700)
        self.files = folder / "files"
        self.files.mkdir()
        self.environment = {
            **os.environ, "HOME": str(folder), "KOMODO_TUI_HOME": str(self.root), "XDG_RUNTIME_DIR": str(folder),
            "DOCKER_HOST": f"unix://{folder}/none.sock",
        }  # fmt: skip
        self.log = folder / "log"
        self.watch: subprocess.Popen[bytes] | None = None

    def __call__(self, *words: str, code: int = 0) -> str:
        """Run the program; what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "komodo_tui", *words], env=self.environment, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def json(self, *words: str, code: int = 0) -> Any:
        """The document it prints."""
        return json.loads(self(*words, "--json", code=code))

    def files_say(self, limit: str) -> None:
        """What the sync's folder has."""
        (self.files / "fleet.yaml").write_text(f"variables: [{{name: LIMIT, value: '{limit}'}}]")

    def define(self, **kinds: list[dict[str, Any]]) -> None:
        """Add or change definitions."""
        path = self.folder / "given.yaml"
        path.write_text(json.dumps(kinds))
        self("apply", "-f", str(path), "--yes")

    @property
    def limit(self) -> str:
        """What the sync has brought."""
        tables = json.loads((self.root / "definitions.json").read_text())
        return str(tables.get("variables", {}).get("LIMIT", {}).get("value", ""))

    @property
    def note(self) -> dict[str, Any]:
        """The holder's sign of life."""
        found: dict[str, Any] = json.loads((self.root / "watch.json").read_text())
        return found

    def until(self, what: Any) -> None:
        """Wait for it."""
        try:
            wait_for(what, 60, what="what was waited for")
        except Exception as error:
            raise AssertionError(self.log.read_text()) from error

    def start(self, systemd: socket.socket) -> None:
        """Start the watch as systemd does."""
        environment = {**self.environment, "NOTIFY_SOCKET": str(systemd.getsockname())}
        with self.log.open("wb") as out:
            self.watch = subprocess.Popen(
                [sys.executable, "-m", "komodo_tui", "watch"], env=environment, stdin=subprocess.DEVNULL, stdout=out,
                stderr=out,
            )  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    try:
        yield home
    finally:
        if home.watch is not None and home.watch.poll() is None:
            home.watch.kill()
            home.watch.wait(20)


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    """Where systemd listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as found:
        found.bind(str(tmp_path / "notify"))
        found.settimeout(60)
        yield found


def test_one_watches_takes_up_what_changes_and_ends_in_good_order(home: Home, systemd: socket.socket) -> None:
    home.files_say("1")
    home.define(syncs=[{**SYNC, "folder": str(home.files)}])
    assert home.json("watch", "--status", code=1)["watched"] is False
    home.start(systemd)
    assert "READY=1" in systemd.recv(1000).decode().splitlines()
    home.until(lambda: home.limit == "1")

    assert home.json("watch", "--status")["holder"]["program"] == "watch"
    home("watch", code=4)
    assert "komodo-tui watch" in home.json("watch", "--once")["watched"]

    # definitions and settings that others change
    home.define(servers=[{"name": name, "address": f"{name}.invalid"} for name in ("away-1", "away-2")])
    settings = home.root / "config.yaml"
    settings.write_text("refresh: soon\n")
    home.until(lambda: home.note["servers_all"] == 3 and "refresh" in home.log.read_text())
    settings.write_text("read_only: true\n")
    home.until(lambda: "schedules, pushes and syncs wait" in home.log.read_text())
    home.files_say("2")
    settings.write_text("read_only: false\n")
    home.until(lambda: home.limit == "2")

    assert home.watch is not None
    home.watch.send_signal(signal.SIGTERM)
    assert home.watch.wait(20) == 0
    assert "Traceback" not in home.log.read_text()
    said = [systemd.recv(1000).decode()]
    while said[-1] != "STOPPING=1":
        said.append(systemd.recv(1000).decode())
    assert home.json("watch", "--status", code=1)["holder"] is None
    home("watch", "--once", "--status", code=2)


def test_a_push_under_way_when_it_ends_is_gone_on_with(home: Home, systemd: socket.socket) -> None:
    stages = [{"name": "a", "steps": [{"sleep": {"seconds": "2"}}]}]
    home.define(
        procedures=[{"name": "slow", "stages": stages}],
        repos=[
            {"name": "shop", "url": "git@host.invalid:shop.git", "branch": "main", "on_push": [{"procedure": "slow"}]}
        ],
    )
    queue = PushStore(home.root / "pushes.db")
    for commit in ("a" * 40, "b" * 40):  # the first look only notes where it is
        seen = SeenBranch(repo="shop", url="git@host.invalid:shop.git", branch="main", commit=commit)
        queue.looked(seen, "main", time.time())
    home.start(systemd)
    runs = RunStore(home.root / "runs")
    home.until(lambda: runs.runs("slow"))  # that of the push runs this one
    assert home.watch is not None
    home.watch.send_signal(signal.SIGTERM)
    assert home.watch.wait(20) == 0
    assert queue.newest()["shop"].state == "running"
    home.start(systemd)
    home.until(lambda: queue.newest()["shop"].state not in ("pending", "running"))
    assert queue.newest()["shop"].state == "done", home.log.read_text()
    assert [run.outcome for run in runs.runs()] == ["success", "success"]


def test_one_look_does_what_is_due_and_tells_what_failed(home: Home) -> None:
    home.files_say("1")
    stages = [{"name": "a", "steps": [{"sleep": {"seconds": "0.1"}}]}]
    home.define(
        syncs=[{**SYNC, "folder": str(home.files)}],
        procedures=[{"name": "often", "schedule": "every minute", "stages": stages}],
    )
    cut_off = RunStarted(
        run="20261126-000000-aaaaaa", procedure="sync.fleet", parameters={}, actor=Actor(name="sync"), pid=1,
        definition={"name": "sync.fleet", "stages": [{"name": "apply", "steps": [{"sync": {"sync": "fleet"}}]}]},
    )  # fmt: skip
    RunStore(home.root / "runs").begin(cut_off)
    report = home.json("watch", "--once")
    assert RunStore(home.root / "runs").get(cut_off.run).outcome == "success", "it is gone on with"
    assert (report["ok"], home.limit) == (True, "1")
    assert report["syncs"] == [{"name": "fleet", "ok": True, "text": "1 differ"}]
    shutil.rmtree(home.files)
    report = home.json("watch", "--once", code=1)
    assert [(one["name"], one["ok"]) for one in report["syncs"]] == [("fleet", False)]
    assert str(home.files) in report["syncs"][0]["text"]
    assert home.limit == "1", "an unreadable source takes nothing away"
    kinds = {row["name"]: row for row in home.json("schedules")["schedules"]}
    assert kinds["often"]["kind"] == "procedure"
    slots = SlotStore(home.root / "runs" / "slots.db")
    assert slots.claim("often", 1_000.0, "test", time.time(), run=cut_off.run)
    slots.note("often", 1_000.0, cut_off.run)
    slots.close()
    (often,) = (row for row in home.json("schedules")["schedules"] if row["name"] == "often")
    assert (often["result"], often["run"], often["good"]) == ("success", cut_off.run, True), "how it ended, not its id"
    assert str(home.files) in kinds["fleet"]["problem"]
    home("--read-only", "watch", "--once", code=4)


def test_the_unit_is_one_that_systemd_takes(home: Home) -> None:
    home.environment["KOMODO_TUI_HOME"] = f"{home.folder}/with $a 100% and 'more'"
    path = Path(home("watch", "--install").splitlines()[0])
    assert path == home.folder / ".config/systemd/user/komodo-tui-watch.service"
    text = path.read_text()
    assert f"ExecStart={sys.executable} -m komodo_tui watch\n" in text
    assert f"Environment=\"KOMODO_TUI_HOME={home.folder}/with $a 100%% and 'more'\"\n" in text
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd here")
    subprocess.run(["systemd-analyze", "verify", "--user", str(path)], env=home.environment, check=True, timeout=60)


def test_what_a_command_is_made_of_is_taken_as_it_is() -> None:
    text = unit(["/opt/a b/komodo-tui", "--home", 'x"$HOME"%h\\'], {})
    assert 'ExecStart="/opt/a b/komodo-tui" --home "x\\"$$HOME\\"%%h\\\\" watch' not in text
    assert 'ExecStart="/opt/a b/komodo-tui" --home "x\\"$$HOME\\"%%h\\\\"\n' in text
    assert quoted("") == '""'
