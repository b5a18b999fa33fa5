"""Putting the agent on a server over SSH, with nothing there but python3.

One command on the server reads everything from its standard input: the code of :mod:`.remote`, what it shall do, and
a compressed tar. It needs no pip, no virtual environment, no SFTP and no way to the internet.
"""

from __future__ import annotations

import asyncio
import json
import shlex
from typing import TYPE_CHECKING, Any, Protocol

import komodo_agent
from komodo_tui.domain.errors import ActError, RefusedError
from komodo_tui.domain.text import clean
from komodo_tui.domain.units import bytes_text, count_text
from komodo_tui.fleet.versions import is_newer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from komodo_tui.domain.servers import ServerDefinition
    from komodo_tui.fleet.bootstrap.bundle import Bundle
    from komodo_tui.fleet.channels import Output
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.fleet.probe import ServerProbe, ServerPython

TIMEOUT = 900.0
"""Seconds for the transfer and the start: a slow line takes minutes for the 4 MB."""
_MODULES = ("remote_talk", "remote_service", "remote")
"""What is sent, in the order of their imports."""
_ROOM = 64 << 20
"""Bytes beyond the agent's own files that must be free: its logs, its compiled code."""
_MARK = "komodo-install "
_LINE_LIMIT = 400
# Runs in the server's python3 and fits into single quotes of any shell.
_BOOT = """
import json, sys, types
source = sys.stdin.buffer
sent = json.loads(source.readline())
for name, text in sent["modules"]:
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(text, name, "exec"), module.__dict__)
sys.exit(module.run(sent["order"], source))
"""


class Runner(Protocol):
    """What runs a command on the server (``SshTunnel``)."""

    async def probe(self) -> ServerProbe:
        """What the server has."""
        ...

    async def run(
        self, command: str, stdin: bytes = b"", *, timeout: float = ..., on_line: Callable[[str], None] | None = None
    ) -> Output:
        """Run a command."""
        ...


async def install(
    tunnel: Runner, definition: ServerDefinition, live: ServerLive, cache: Path, progress: Callable[[str], None]
) -> str:
    """Install the agent, or upgrade it, and have it answer on the server; returns the path of its socket.

    Raises:
        RefusedError: the agent there is newer, or runs jobs.
        ActError: the server lacks something, or it failed; what was there before runs again.
        UnreachableError: the connection went; the server finishes or undoes what it had begun.
    """
    progress(f"looking at {definition.address}")
    found = await tunnel.probe()
    _refuse(definition.name, found, live)
    bundle, python = await _bundle(found, cache, progress)
    _check_room(found, bundle)
    progress(f"sending agent {bundle.version} ({bytes_text(len(bundle.archive))})")
    report = _Report(progress)
    order = _order(definition, found, bundle)
    output = await tunnel.run(
        f"exec {shlex.quote(python.path)} -I -c {shlex.quote(_BOOT)}",
        _letter(order) + bundle.archive,
        timeout=TIMEOUT,
        on_line=report.line,
    )
    socket = report.socket(definition.name, output)
    if found.docker_problem:
        progress(f"warning: {found.docker_problem}")
    return socket


def refusal(live: ServerLive, installed: str = "") -> RefusedError | None:
    """Why the agent of a server must not be replaced now. ``installed`` is the version on its disk, when known."""
    hello = live.hello if live.status in ("up", "agent_mismatch") else None
    for version in (hello.version if hello is not None else "", installed):
        if version and is_newer(version, komodo_agent.__version__):
            return RefusedError(
                f"agent {version} on {live.name} is newer than this program's {komodo_agent.__version__}",
                hint="update komodo-tui",
            )
    running = [job for job in live.jobs.values() if not job.ended] if live.status == "up" else []
    if running:
        return RefusedError(
            f"the agent on {live.name} runs {count_text(len(running), 'job')}, which the upgrade would end",
            hint="wait for them, or stop them first",
        )
    return None


def _refuse(name: str, found: ServerProbe, live: ServerLive) -> None:
    version = found.installed.rpartition("/")[2].rpartition("-")[0]
    error = refusal(live, version)
    if error is not None:
        raise error


async def _bundle(found: ServerProbe, cache: Path, progress: Callable[[str], None]) -> tuple[Bundle, ServerPython]:
    """What to send, and the interpreter it is for."""
    from komodo_tui.fleet.bootstrap.bundle import make_bundle
    from komodo_tui.fleet.bootstrap.parts import find_parts
    from komodo_tui.fleet.bootstrap.target import target_of

    target = target_of(found)
    assert found.python is not None
    progress(f"found {target}: {found.python.path}")
    parts = await find_parts(target, cache / "wheels", progress)
    return await asyncio.to_thread(make_bundle, parts), found.python


def _check_room(found: ServerProbe, bundle: Bundle) -> None:
    needed = bundle.size + _ROOM
    if 0 <= found.free < needed:
        raise ActError(
            f"{found.home} has {bytes_text(found.free)} free, and the agent needs {bytes_text(needed)}",
            hint="free some space there",
        )


def _order(definition: ServerDefinition, found: ServerProbe, bundle: Bundle) -> dict[str, Any]:
    return {
        "base": found.base,
        "id": bundle.id,
        "version": bundle.version,
        "length": len(bundle.archive),
        "sha256": bundle.sha256,
        "socket": definition.agent_socket,
        "systemd": bool(found.systemd),
        "runtime": found.runtime,
        "docker_host": found.docker_host if found.docker_host.startswith("unix://") else "",
    }


def _letter(order: dict[str, Any]) -> bytes:
    """The first line of the command's input: code and orders."""
    from importlib import resources

    folder = resources.files(__name__)
    modules = [(f"{__name__}.{name}", folder.joinpath(f"{name}.py").read_text("utf-8")) for name in _MODULES]
    return json.dumps({"modules": modules, "order": order}).encode() + b"\n"


class _Report:
    """What the server's side says, as it says it."""

    def __init__(self, progress: Callable[[str], None]) -> None:
        self._progress = progress
        self._last: dict[str, Any] = {}

    def line(self, text: str) -> None:
        """One line; what a login shell printed is passed over."""
        if not text.startswith(_MARK):
            return
        try:
            said = json.loads(text.removeprefix(_MARK))
        except ValueError:
            return
        if isinstance(said, dict):
            self._last = said
            if isinstance(said.get("progress"), str):
                self._progress(clean(said["progress"])[:_LINE_LIMIT])

    def socket(self, server: str, output: Output) -> str:
        """Where the agent listens now.

        Raises:
            ActError: it was not installed, and why.
        """
        last = self._last
        if last.get("done") is True and isinstance(last.get("socket"), str):
            return clean(last["socket"])
        if isinstance(last.get("failed"), str):
            raise ActError(clean(last["failed"])[:1000], hint=clean(str(last.get("hint", "")))[:300], server=server)
        why = output.complaint or f"exit code {output.status}"
        raise ActError(
            f"the installation ended without a word: {why[-500:]}",
            hint=f"look there with: komodo-tui server check {server}",
            server=server,
        )
