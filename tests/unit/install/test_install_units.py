"""The systemd units an installation writes, and the order in which it puts them to work."""

from __future__ import annotations

import ast
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from komodo_tui.fleet import bootstrap
from komodo_tui.fleet.bootstrap import remote_service
from komodo_tui.fleet.bootstrap.remote_service import Units, UserUnits, choose, record, recorded, unit_word
from komodo_tui.fleet.bootstrap.remote_talk import InstallError
from komodo_tui.fleet.probe import MINIMUM_PYTHON


class Manager:
    """Stands for systemctl and its relatives: notes down what it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: list[str] = []
        self.answers: dict[str, tuple[int, str]] = {}
        monkeypatch.setattr(remote_service, "_run", self._run)

    def _run(self, command: list[str]) -> tuple[int, str]:
        line = " ".join(command)
        self.told.append(line)
        return next((answer for start, answer in self.answers.items() if line.startswith(start)), (0, ""))


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Manager:
    return Manager(monkeypatch)


def test_system_units_say_what_runs_and_where() -> None:
    units = Units("/root/a dir/100%", "/run/komodo/agent.sock", "unix:///run/my docker.sock").units()
    assert "ListenStream=/run/komodo/agent.sock\nSocketMode=0600\n" in units["komodo-agent.socket"]
    assert (
        'ExecStart="/root/a dir/100%%/current/komodo-agent" "serve" "--socket" "/run/komodo/agent.sock" '
        '"--docker-host" "unix:///run/my docker.sock"\n'
    ) in units["komodo-agent.service"]
    assert "After=komodo-agent.socket docker.service\n" in units["komodo-agent.service"]
    assert "WantedBy=multi-user.target\n" in units["komodo-agent.service"]


def test_user_units_belong_to_the_session_manager() -> None:
    units = UserUnits("/home/x/base", "/run/user/1000/komodo/agent.sock", "").units()
    assert "docker" not in units["komodo-agent.service"]
    assert "WantedBy=default.target\n" in units["komodo-agent.service"]


@pytest.mark.parametrize(
    ("word", "written"), [("plain", '"plain"'), ('a"b', '"a\\"b"'), ("a\\b", '"a\\\\b"'), ("$A%h", '"$$A%%h"')]
)
def test_words_reach_the_agent_as_they_are(word: str, written: str) -> None:
    assert unit_word(word) == written


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")
@pytest.mark.parametrize("kind", [Units, UserUnits])
def test_systemd_takes_the_units(kind: type[Units], tmp_path: Path) -> None:
    launcher = tmp_path / "current" / "komodo-agent"
    launcher.parent.mkdir()
    launcher.write_text("#!/bin/sh\n")
    launcher.chmod(0o755)
    service = kind(str(tmp_path), str(tmp_path / "agent.sock"), "unix:///var/run/docker.sock")
    for name, text in service.units().items():
        (tmp_path / name).write_text(text)
    command = ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in service.units())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    ours = [line for line in done.stderr.splitlines() if "komodo-agent" in line]
    assert ours == []


def test_units_are_written_and_started_in_place_of_those_that_run(tmp_path: Path, manager: Manager) -> None:
    units = Units("/base", str(tmp_path / "agent.sock"), "")
    units.folder = str(tmp_path / "system")
    units.start()
    both = "komodo-agent.socket komodo-agent.service"
    assert manager.told == [
        "systemctl is-active --quiet komodo-agent.socket",
        "systemctl daemon-reload",
        f"systemctl stop {both}",
        f"systemctl enable {both}",
        f"systemctl start {both}",
    ]
    for name, text in units.units().items():
        assert (tmp_path / "system" / name).read_text() == text
        assert (tmp_path / "system" / name).stat().st_mode & 0o777 == 0o644
    units.remove()
    assert list((tmp_path / "system").iterdir()) == []


def test_complaint_of_systemd_is_told(tmp_path: Path, manager: Manager) -> None:
    units = UserUnits("/base", str(tmp_path / "agent.sock"), "")
    units.folder = str(tmp_path)
    manager.answers["systemctl --user start"] = (1, "Job for komodo-agent.socket failed.\n")
    with pytest.raises(InstallError, match=r"systemctl --user start .*: Job for komodo-agent\.socket failed"):
        units.start()


def _order(tmp_path: Path, *, systemd: bool, socket: str = "") -> dict[str, object]:
    return {"base": str(tmp_path), "runtime": str(tmp_path / "run"), "docker_host": "", "socket": socket,
            "systemd": systemd}  # fmt: skip


@pytest.mark.parametrize(
    ("uid", "systemd", "mode", "socket"),
    [
        (0, True, "system", "/run/komodo/agent.sock"),
        (0, False, "process", "/run/komodo/agent.sock"),
        (1000, True, "user", "{run}/komodo/agent.sock"),
        (1000, False, "process", "{home}/.local/state/komodo/agent.sock"),
    ],
)
def test_way_is_chosen_by_user_and_machine(
    uid: int, systemd: bool, mode: str, socket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manager: Manager
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: pwd.getpwnam("root"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(remote_service, "_LINGER", str(tmp_path))
    (tmp_path / "run" / "systemd" / "private").mkdir(parents=True)
    chosen = choose(_order(tmp_path, systemd=systemd), lambda **said: None)
    assert chosen.mode == mode
    assert chosen.socket == socket.format(run=tmp_path / "run", home=tmp_path / "home")
    assert ("loginctl --no-ask-password enable-linger root" in manager.told) is (mode == "user")
    assert choose(_order(tmp_path, systemd=systemd, socket="/own.sock"), lambda **said: None).socket == "/own.sock"


def test_user_whose_manager_ends_at_logout_gets_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manager: Manager
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: pwd.getpwnam("root"))
    monkeypatch.setattr(remote_service, "_LINGER", str(tmp_path))
    (tmp_path / "run" / "systemd" / "private").mkdir(parents=True)
    manager.answers["loginctl"] = (1, "denied")
    said: list[dict[str, object]] = []
    assert choose(_order(tmp_path, systemd=True), lambda **fields: said.append(fields)).mode == "process"
    assert "loginctl enable-linger root" in str(said[0]["progress"])
    (tmp_path / "root").touch()
    assert choose(_order(tmp_path, systemd=True), lambda **fields: said.append(fields)).mode == "user"


def test_way_is_remembered(tmp_path: Path) -> None:
    assert recorded(str(tmp_path)) is None
    record(UserUnits(str(tmp_path), "/s.sock", "unix:///d.sock"))
    found = recorded(str(tmp_path))
    assert isinstance(found, UserUnits)
    assert (found.socket, found.docker_host) == ("/s.sock", "unix:///d.sock")
    for broken in ("", "{", "[]", '{"mode": "else"}', '{"mode": "user"}'):
        (tmp_path / "service.json").write_text(broken)
        assert recorded(str(tmp_path)) is None


def test_what_is_sent_runs_on_an_old_and_bare_python() -> None:
    for name in bootstrap._MODULES:
        path = Path(bootstrap.__file__).with_name(f"{name}.py")
        tree = ast.parse(path.read_text(), feature_version=MINIMUM_PYTHON)
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                assert {alias.name for alias in node.names} <= sys.stdlib_module_names
            elif isinstance(node, ast.ImportFrom):
                own = {f"{bootstrap.__name__}.{module}" for module in bootstrap._MODULES}
                assert node.module in own or node.module in sys.stdlib_module_names or node.module == "collections.abc"
