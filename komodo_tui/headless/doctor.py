"""``doctor`` and ``info``: is all well here, and what is here?"""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import msgspec

from komodo_agent import __version__ as agent_version
from komodo_agent.wire.protocol import PROTOCOL
from komodo_tui import __version__
from komodo_tui.domain.errors import ExitCode
from komodo_tui.operations.health import Check, check_machine
from komodo_tui.operations.overview import problems

if TYPE_CHECKING:
    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.headless.output import Output
    from komodo_tui.headless.session import Session

_LIBRARIES = ("textual", "asyncssh", "aiohttp", "aiodocker", "msgspec", "psutil", "tinydb", "pyghostty", "bittty")


async def doctor(session: Session) -> int:
    """Look at this machine, the state directory and every server."""
    async with session.fleet(lambda known: None) as runtime:
        checks = await check_machine(runtime.state_dir, runtime.definitions, runtime.history)
        for live in runtime.fleet.state.servers.values():
            checks += _server(live)
        if session.out.json:
            session.out.document(checks)
        else:
            for check in checks:
                _print(session.out, check)
    return ExitCode.FAILED if any(check.level == "failed" for check in checks) else ExitCode.DONE


async def info(session: Session) -> int:
    """Versions, folders, settings: what a bug report needs. Connects to nothing."""
    async with session.runtime() as runtime:
        paths = runtime.state_dir
        facts = {
            "komodo-tui": __version__,
            "agent": f"{agent_version} (protocol {PROTOCOL})",
            "python": platform.python_version(),
            "system": platform.platform(),
            "state": str(paths.root),
            "settings": str(paths.settings),
            "runtime": str(paths.runtime),
            "servers": str(len(runtime.servers.known())),
            "read-only": "on" if runtime.settings.read_only else "off",
            **{library: _version(library) for library in _LIBRARIES},
        }
        if session.out.json:
            session.out.document({"facts": facts, "settings": msgspec.to_builtins(runtime.settings)})
        else:
            session.out.pairs(facts)
    return ExitCode.DONE


def _server(live: ServerLive) -> list[Check]:
    found = [
        Check(
            name=f"server {live.name}",
            level="failed" if problem.level == "critical" and not live.live else "warning",
            message=problem.message,
            hint=problem.hint,
        )
        for problem in problems(live)
    ]
    return found or [Check(name=f"server {live.name}", level="ok", message="up")]


def _print(out: Output, check: Check) -> None:
    glyph = {"ok": out.paint(out.glyphs.ok, "good"), "warning": out.paint(out.glyphs.warn, "warn")}.get(
        check.level, out.paint(out.glyphs.fail, "bad")
    )
    out.write(f"{glyph} {out.paint(check.name, 'bold')} {out.paint(check.message, '')}\n")
    if check.hint:
        out.line(f"    {check.hint}")


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "not installed"
