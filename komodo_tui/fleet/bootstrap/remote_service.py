"""Runs on the server: how the agent is kept running there. Standard library only, Python 3.10.

As root under systemd: a system socket and service. As another user under systemd: the same as user units, with
lingering asked for. Elsewhere: a detached process, which a reboot ends.
"""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import time
from typing import TYPE_CHECKING, Any

from komodo_tui.fleet.bootstrap.remote_talk import InstallError, end_listener, greeting

if TYPE_CHECKING:
    from collections.abc import Callable

HEALTH_TIMEOUT = 20.0
"""Seconds a new agent may take to answer: its first start compiles it, on whatever machine that is."""
_MANAGER_TIMEOUT = 5.0
_COMMAND_TIMEOUT = 30.0
_TAIL = 600
_LINGER = "/var/lib/systemd/linger"
_UNITS = ("komodo-agent.socket", "komodo-agent.service")
_SOCKET_UNIT = """[Unit]
Description=Socket of komodo-tui's agent

[Socket]
ListenStream={socket}
SocketMode=0600
DirectoryMode=0700
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
"""
_SERVICE_UNIT = """[Unit]
Description=komodo-tui's agent
Requires=komodo-agent.socket
After=komodo-agent.socket{after}

[Service]
ExecStart={command}
Restart=on-failure
RestartSec=2
TimeoutStopSec=15

[Install]
WantedBy={wanted_by}
"""


class Service:
    """An agent that runs as a process of its own: the way where there is no systemd."""

    mode = "process"
    how = "a process of its own, which a reboot ends"

    def __init__(self, base: str, socket: str, docker_host: str) -> None:
        self.base = base
        self.socket = socket
        self.docker_host = docker_host
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start what ``current`` names, in place of what listens there. Raises InstallError."""
        end_listener(self.socket)
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/",
                env={name: value for name, value in os.environ.items() if not name.startswith("SSH_")},
            )  # fmt: skip

    def stop(self) -> None:
        """End it. Raises InstallError."""
        end_listener(self.socket)
        if self._process is not None and self._process.poll() is None:  # it never came to listen
            self._process.kill()
            self._process.wait()

    def remove(self) -> None:
        """Have it not started again."""

    def ended(self) -> bool:
        """Whether it is known to have ended."""
        return self._process is not None and self._process.poll() is not None

    def complaint(self) -> str:
        """The last it said."""
        try:
            with open(self._log, encoding="utf-8", errors="replace") as file:
                return _last_lines(file.read())
        except OSError:
            return ""

    def command(self) -> list[str]:
        """What is run."""
        command = [os.path.join(self.base, "current", "komodo-agent"), "serve", "--socket", self.socket]
        return [*command, "--docker-host", self.docker_host] if self.docker_host else command

    @property
    def _log(self) -> str:
        return os.path.join(self.base, "agent.log")


class Units(Service):
    """An agent that systemd runs."""

    folder = "/etc/systemd/system"
    scope: tuple[str, ...] = ()
    wanted_by = "multi-user.target"
    after = " docker.service"
    mode = "system"
    how = "a systemd unit of the system"

    def start(self) -> None:
        """Write the units, and start them in place of what listens there."""
        if not self._active():
            end_listener(self.socket)
        os.makedirs(self.folder, exist_ok=True)
        for name, text in self.units().items():
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(os.path.join(self.folder, name), 0o644)
        self._systemctl("daemon-reload")
        for verb in ("stop", "enable", "start"):  # not restart: a socket does not start beside its running service
            self._systemctl(verb, *_UNITS)

    def stop(self) -> None:
        """End it."""
        self._systemctl("stop", *_UNITS)

    def remove(self) -> None:
        """Take the units away."""
        self._systemctl("disable", *_UNITS)
        for name in _UNITS:
            os.unlink(os.path.join(self.folder, name))
        self._systemctl("daemon-reload")

    def ended(self) -> bool:
        """Whether it has failed, though systemd tries again."""
        status, said = _run(["systemctl", *self.scope, "show", "--property=Result", _UNITS[1]])
        return status == 0 and said.strip() not in ("", "Result=success")

    def complaint(self) -> str:
        """The last it said."""
        command = ["journalctl", *self.scope, "-u", _UNITS[1], "-n", "5", "-o", "cat", "--no-pager"]
        return _last_lines(_run(command)[1])

    def units(self) -> dict[str, str]:
        """Name -> text."""
        command = " ".join(map(unit_word, self.command()))
        service = _SERVICE_UNIT.format(after=self.after, command=command, wanted_by=self.wanted_by)
        return {_UNITS[0]: _SOCKET_UNIT.format(socket=self.socket.replace("%", "%%")), _UNITS[1]: service}

    def _active(self) -> bool:
        return _run(["systemctl", *self.scope, "is-active", "--quiet", _UNITS[0]])[0] == 0

    def _systemctl(self, *arguments: str) -> None:
        command = ["systemctl", *self.scope, *arguments]
        status, said = _run(command)
        if status:
            raise InstallError(f"{' '.join(command)}: {_last_lines(said) or status}", "see journalctl there")


class UserUnits(Units):
    """An agent that the user's own systemd runs."""

    scope = ("--user",)
    wanted_by = "default.target"
    after = ""
    mode = "user"
    how = "a systemd unit of the user"

    def __init__(self, base: str, socket: str, docker_host: str) -> None:
        super().__init__(base, socket, docker_host)
        config = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
        self.folder = os.path.join(config, "systemd", "user")


_MODES: dict[str, type[Service]] = {each.mode: each for each in (Service, Units, UserUnits)}


def choose(order: dict[str, Any], say: Callable[..., None]) -> Service:
    """The way for this user on this machine."""
    base, runtime, root = order["base"], order["runtime"], os.geteuid() == 0
    mode = "process"
    if order["systemd"]:
        mode = "system" if root else _user_mode(runtime, say)
    if root:
        usual = "/run/komodo/agent.sock"
    elif mode == "user":
        usual = f"{runtime}/komodo/agent.sock"
    else:
        usual = os.path.expanduser("~/.local/state/komodo/agent.sock")
    return _MODES[mode](base, order["socket"] or usual, order["docker_host"])


def _user_mode(runtime: str, say: Callable[..., None]) -> str:
    """``user`` when this user has a systemd that outlives the login, or can be given one.

    One that does not would end the agent's jobs at logout, which a process of its own survives.
    """
    user = pwd.getpwuid(os.geteuid()).pw_name
    if (
        not os.path.exists(f"{_LINGER}/{user}")
        and _run(["loginctl", "--no-ask-password", "enable-linger", user])[0] != 0
    ):
        say(progress=f"for a systemd unit instead, as root there: loginctl enable-linger {user}; then install again")
        return "process"
    os.environ["XDG_RUNTIME_DIR"] = runtime
    end = time.monotonic() + _MANAGER_TIMEOUT
    while not os.path.exists(f"{runtime}/systemd/private"):
        if time.monotonic() > end:
            return "process"
        time.sleep(0.1)
    return "user"


def recorded(base: str) -> Service | None:
    """How the agent installed here was started last; None when there is no telling."""
    try:
        with open(os.path.join(base, "service.json"), encoding="utf-8") as file:
            said = json.load(file)
        return _MODES[said["mode"]](base, said["socket"], said["docker_host"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def record(service: Service) -> None:
    """Note down how it is started."""
    path = os.path.join(service.base, "service.json")
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump({"mode": service.mode, "socket": service.socket, "docker_host": service.docker_host}, file)
    os.replace(f"{path}.new", path)


def healthy(service: Service, version: str) -> None:
    """Wait until the agent answers, with this version (empty: any).

    Raises:
        InstallError: it does not, and what it said last.
    """
    end = time.monotonic() + HEALTH_TIMEOUT
    while True:
        said = greeting(service.socket)
        if said is not None:
            if version and said.get("version") != version:
                raise InstallError(f"agent {said.get('version')} answers instead of {version}")
            return
        ended = service.ended()
        if ended or time.monotonic() > end:
            what = "ends at once" if ended else f"does not answer on {service.socket} within {HEALTH_TIMEOUT:.0f} s"
            raise InstallError(f"the new agent {what}: {service.complaint() or 'it says nothing'}")
        time.sleep(0.1)


def unit_word(word: str) -> str:
    """One word of an ``ExecStart=`` line."""
    for char, escaped in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%"), ("$", "$$")):
        word = word.replace(char, escaped)
    return f'"{word}"'


def _run(command: list[str]) -> tuple[int, str]:
    """Exit code and all output of a short command; 127 when there is no such command."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=_COMMAND_TIMEOUT, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return 124, "it does not end"
    except OSError as error:
        return 127, str(error)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def _last_lines(text: str) -> str:
    lines = [line.strip() for line in text[-_TAIL:].split("\n") if line.strip()]
    return " / ".join(lines[-4:])
