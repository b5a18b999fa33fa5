"""Bare servers, and the program that installs the agent on them."""

from __future__ import annotations

import itertools
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.fleet.bootstrap import bundle
from tests.integration.install.bare import bare
from tests.integration.ssh.lab import fleet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tests.integration.install.bare import Bare
    from tests.integration.ssh.lab import Fleet
    from tests.rig.server import Server


@pytest.fixture
def debian(server: Server, tmp_path: Path) -> Iterator[Bare]:
    """A bare Debian with python3 and an engine that root, and ``deploy`` as a member of docker, may use."""
    with bare(server, tmp_path / "bare", groups="docker") as ours:
        yield ours


@pytest.fixture
def connect(debian: Bare, tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[Fleet]]:
    """``connect()``: the program, connected to the bare server under the name ``web``."""

    homes = itertools.count()

    @asynccontextmanager
    async def open_fleet(alias: str = "bare", agent_socket: str = "") -> AsyncIterator[Fleet]:
        definition = ServerDefinition(name="web", address=alias, agent_socket=agent_socket)
        async with fleet(tmp_path / f"home{next(homes)}", debian.ssh_config, definition) as our:
            await our.status("web", "agent_missing", "up")
            yield our

    return open_fleet


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compress less: every test sends the agent a few times."""
    monkeypatch.setattr(bundle, "_COMPRESSION", 1)
