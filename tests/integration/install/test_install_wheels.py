"""What this machine has not got is fetched by its pip, for the server's Python, and runs there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from komodo_tui.fleet.bootstrap import parts
from komodo_tui.fleet.bootstrap.parts import find_parts
from komodo_tui.fleet.bootstrap.target import Target
from komodo_tui.fleet.probe import ServerPython

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tests.integration.install.bare import Bare
    from tests.integration.ssh.lab import Fleet

pytestmark = pytest.mark.rig


async def test_fetched_wheels_run_on_a_server_without_a_way_out(
    debian: Bare, connect: Callable[..., AbstractAsyncContextManager[Fleet]], monkeypatch: pytest.MonkeyPatch
) -> None:
    fits = parts._fits
    monkeypatch.setattr(
        parts, "_fits", lambda found, target: found.name not in ("msgspec", "psutil") and fits(found, target)
    )
    said: list[str] = []
    async with connect() as our:
        await our.manager.link("web").install_agent(said.append)
        live = await our.up("web")
        await our.until(lambda: live.sample is not None and live.engine is not None)
        fetched = [path.name for path in (our.runtime.state_dir.cache / "wheels").iterdir()]
    python = f"cp{live.hello.python.replace('.', '')[:3]}" if live.hello is not None else ""
    assert [name for name in fetched if name.startswith("msgspec-") and f"-{python}-" in name]
    assert [name for name in fetched if name.startswith("psutil-")]
    assert [line for line in said if "msgspec" in line and "psutil" in line]
    assert len(debian.agents()) == 1


async def test_server_of_another_make_gets_wheels_of_its_own(tmp_path: Path) -> None:
    python = ServerPython("/usr/bin/python3", (3, 13), "cpython-313-aarch64-linux-musl", "-", "linux-aarch64")
    found = await find_parts(Target(python), tmp_path, lambda text: None)
    compiled = [path.name for path in found.fetched if "musllinux" in path.name]
    assert {name.partition("-")[0] for name in compiled} >= {"aiohttp", "msgspec", "psutil", "multidict", "yarl"}
    assert [name for name in compiled if "aarch64" not in name] == []
    files = dict(found.files())
    assert [name for name in files if name.startswith("msgspec/_core.") and "aarch64-linux-musl" in name]
    assert "aiodocker/__init__.py" in files
