"""Other versions of the agent to install, and an installation that is cut off."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import komodo_agent
from komodo_tui.fleet import bootstrap
from tests.rig.processes import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_tui.fleet.channels import Output
    from tests.integration.install.bare import Bare
    from tests.integration.ssh.lab import Fleet

_PACKAGE = Path(komodo_agent.__file__).parent
_VERSION = komodo_agent.__version__


def ship(monkeypatch: pytest.MonkeyPatch, folder: Path, version: str, *, broken: str = "", protocol: int = 0) -> None:
    """From now on install this version; ``broken`` is what it says when it ends instead of listening,
    ``protocol`` the only one it speaks, where it is not ours."""
    copy = folder / version / "komodo_agent"
    if not copy.exists():
        shutil.copytree(_PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
        init = copy / "__init__.py"
        init.write_text(init.read_text().replace(f'"{_VERSION}"', f'"{version}"'))
        if broken:
            (copy / "listening.py").write_text(f"raise SystemExit({broken!r})\n")
        if protocol:
            wire = copy / "wire" / "protocol.py"
            wire.write_text(wire.read_text().replace("PROTOCOL = 1", f"PROTOCOL = {protocol}"))
            wire.write_text(wire.read_text().replace("PROTOCOL_MIN = 1", f"PROTOCOL_MIN = {protocol}"))
    monkeypatch.setattr(komodo_agent, "__file__", str(copy / "__init__.py"))
    monkeypatch.setattr(komodo_agent, "__version__", version)


def versions(ours: Bare, home: str = "/root") -> list[str]:
    """The versions that are on the disk, whole or not, without their digests."""
    folder = ours.path(f"{home}/.local/share/komodo-agent/versions")
    return sorted(path.name.rpartition("-")[0] or path.name for path in folder.iterdir())


async def cut_off(our: Fleet, ours: Bare, name: str) -> None:
    """Begin an installation whose connection is cut in the middle of the transfer; wait until the server noticed."""
    tunnel = await our.tunnel(name)
    folder = ours.path("/root/.local/share/komodo-agent/versions")

    class Half:
        """The way there, for half of what is sent."""

        probe = tunnel.probe

        async def run(
            self, command: str, stdin: bytes = b"", *, timeout: float = 60, on_line: Callable[[str], None] | None = None
        ) -> Output:
            process = subprocess.Popen(
                ["ssh", "-F", str(ours.ssh_config), "bare", command], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
            assert process.stdin is not None
            await asyncio.to_thread(process.stdin.write, stdin[: len(stdin) // 2])
            process.stdin.flush()
            await asyncio.to_thread(wait_for, lambda: any(folder.glob("*.new/lib/*")), 20, what="a first file")
            process.kill()
            process.wait()
            process.stdin.close()
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await bootstrap.install(Half(), our.live(name).definition, our.live(name), folder, lambda text: None)
    await asyncio.to_thread(wait_for, lambda: not any(folder.glob("*.new")), 20, what="the end of what was begun")
