"""What a server has for an agent, asked by one small shell script on the standard input of one ``sh``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.errors import ActError
from komodo_tui.domain.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MINIMUM_PYTHON = (3, 10)
BASE = ".local/share/komodo-agent"
"""Where the agent is installed, beneath the user's home."""
_BEGIN, _END = "komodo-probe-begin", "komodo-probe-end"

# A login shell may print what it likes before and after, so only what stands between the markers counts.
_WHO = r"""
echo komodo-probe-begin
echo "uid=$(id -u)"
echo "user=$(id -un)"
echo "groups=$(id -Gn)"
echo "home=$HOME"
echo "system=$(uname -s)"
echo "arch=$(uname -m)"
echo "docker_host=$DOCKER_HOST"
runtime=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}
echo "runtime=$runtime"
"""
# Each python is asked for what decides which wheels run on it.
_MEANS = r"""
for name in python3 python3.14 python3.13 python3.12 python3.11 python3.10 \
    /usr/bin/python3 /usr/local/bin/python3 /opt/python3/bin/python3; do
  path=$(command -v "$name" 2>/dev/null) || continue
  "$path" -I -c 'import sys, sysconfig, platform
print("python=" + "|".join([sys.executable, "%d.%d" % sys.version_info[:2],
    sysconfig.get_config_var("SOABI") or "", "-".join(platform.libc_ver()), sysconfig.get_platform()]))' 2>/dev/null
done
[ -d /run/systemd/system ] && echo systemd=system
[ -S "$runtime/systemd/private" ] && echo systemd=user
for path in "${DOCKER_HOST#unix://}" "$runtime/docker.sock" /var/run/docker.sock "$runtime/podman/podman.sock" \
    /run/podman/podman.sock; do
  [ -S "$path" ] || continue
  if [ -w "$path" ]; then echo "docker=yes|$path"; else echo "docker=denied|$path"; fi
done
set -- $(df -Pk "$HOME" 2>/dev/null | tail -n 1)
echo "free=$4"
"""
_AGENT = r"""
for path in EXTRA_SOCKET /run/komodo/agent.sock "$runtime/komodo/agent.sock" "$HOME/.local/state/komodo/agent.sock"; do
  [ -S "$path" ] || continue
  if [ -w "$path" ]; then echo "socket=yes|$path"; else echo "socket=denied|$path"; fi
done
[ -L "$HOME/BASE/current" ] && echo "installed=$(readlink "$HOME/BASE/current")"
echo komodo-probe-end
""".replace("BASE", BASE)


class ServerPython(msgspec.Struct, frozen=True):
    """A Python interpreter of a server."""

    path: str
    version: tuple[int, int]
    soabi: str
    """``cpython-311-x86_64-linux-gnu``"""
    libc: str
    """``glibc-2.36``; ``-`` where it does not say, as with musl."""
    platform: str
    """``linux-x86_64``"""

    @property
    def ordinary(self) -> bool:
        """Whether wheels of everything are made for it: CPython, with its lock."""
        return self.soabi.startswith(f"cpython-{self.version[0]}{self.version[1]}-")

    @property
    def musl(self) -> bool:
        """Whether its C library is musl (Alpine)."""
        return "musl" in self.soabi or not self.libc.startswith("glibc")


class ServerProbe(msgspec.Struct, frozen=True, kw_only=True):
    """What a server has."""

    uid: int
    user: str
    groups: tuple[str, ...]
    home: str
    system: str
    """``Linux``"""
    arch: str
    runtime: str
    """The user's runtime directory, whether it exists or not."""
    docker_host: str
    pythons: tuple[ServerPython, ...]
    systemd: frozenset[str]
    """``system`` and ``user``, where such a manager runs."""
    docker: tuple[tuple[bool, str], ...]
    """(may be opened, path) of each engine socket that was found."""
    sockets: tuple[tuple[bool, str], ...]
    """(may be opened, path) of each agent socket that was found."""
    installed: str
    """What the link ``current`` of the agent's folder names, or an empty string."""
    free: int
    """Bytes free in the home directory; -1 = not known."""

    @property
    def python(self) -> ServerPython | None:
        """The interpreter to use: the newest that is new enough for the agent, an ordinary CPython if there is one."""
        usable = [python for python in self.pythons if python.version >= MINIMUM_PYTHON]
        return max(usable, key=lambda python: (python.ordinary, python.version), default=None)

    @property
    def base(self) -> str:
        """Where the agent is installed."""
        return f"{self.home}/{BASE}"

    @property
    def docker_problem(self) -> str:
        """Why the agent will see no containers, in a sentence; empty when it will."""
        if any(allowed for allowed, _ in self.docker):
            return ""
        if not self.docker:
            return "no Docker engine was found there; its containers appear once there is one"
        return (
            f"user {self.user} may not open {self.docker[0][1]}; "
            f"as root there: usermod -aG docker {self.user}, then install the agent again"
        )


def script(agent_socket: str = "", *, means: bool = True) -> str:
    """The script, which also looks at ``agent_socket``.

    Without ``means`` it asks for nothing but the agent and its sockets, which takes milliseconds: no Python is run.
    """
    import shlex

    extra = shlex.quote(agent_socket) if agent_socket else ""
    return _WHO + (_MEANS if means else "") + _AGENT.replace("EXTRA_SOCKET", extra)


def parse(output: str) -> ServerProbe:
    """What the script printed.

    Raises:
        ActError: it did not run to its end.
    """
    _, begin, rest = output.partition(f"{_BEGIN}\n")
    body, ended, _ = rest.partition(f"{_END}\n")
    if not (begin and ended):
        said = clean(output.strip()[:200]) or "nothing"
        raise ActError(
            f"the server does not run commands for this login: it answered {said!r}",
            hint="the login needs a normal shell, without a forced command",
        )
    values: dict[str, list[str]] = {}
    for line in body.split("\n"):
        key, _, value = line.partition("=")
        values.setdefault(key, []).append(clean(value))
    return _convert({key: found[0] for key, found in values.items()}, values)


def _convert(one: Mapping[str, str], many: Mapping[str, Sequence[str]]) -> ServerProbe:
    free = one.get("free", "")
    return ServerProbe(
        uid=int(one["uid"]) if one.get("uid", "").isdigit() else -1,
        user=one.get("user", ""),
        groups=tuple(one.get("groups", "").split()),
        home=one.get("home", ""),
        system=one.get("system", ""),
        arch=one.get("arch", ""),
        runtime=one.get("runtime", ""),
        docker_host=one.get("docker_host", ""),
        pythons=_pythons(many.get("python", ())),
        systemd=frozenset(many.get("systemd", ())),
        docker=_paths(many.get("docker", ())),
        sockets=_paths(many.get("socket", ())),
        installed=one.get("installed", ""),
        free=int(free) * 1024 if free.isdigit() else -1,
    )


def _pythons(lines: Sequence[str]) -> tuple[ServerPython, ...]:
    found: dict[str, ServerPython] = {}
    for line in lines:
        parts = line.split("|")
        major, _, minor = parts[1].partition(".") if len(parts) == 5 else ("", "", "")
        if major.isdigit() and minor.isdigit() and parts[0]:
            found.setdefault(parts[0], ServerPython(parts[0], (int(major), int(minor)), *parts[2:]))
    return tuple(found.values())


def _paths(lines: Sequence[str]) -> tuple[tuple[bool, str], ...]:
    pairs = (line.partition("|") for line in lines)
    return tuple(dict.fromkeys((allowed == "yes", path) for allowed, _, path in pairs))


async def probe_local() -> ServerProbe:
    """What this machine has, asked the same way."""
    process = await asyncio.create_subprocess_exec(
        "/bin/sh", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    output, _ = await process.communicate(script().encode())
    return parse(output.decode("utf-8", "replace"))
