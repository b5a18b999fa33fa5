"""An agent without the right to look into volumes: what it can do by a container, and what it says of the rest."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.integration.agent.lab import AgentProcess, answers
from tests.integration.resources.lab import folder_of
from tests.rig.images import BUSYBOX
from tests.rig.processes import stop, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.ssh.lab import RemoteAgent

pytestmark = pytest.mark.rig


@pytest.fixture
def weak(clean: RemoteAgent, tmp_path: Path) -> Iterator[AgentProcess]:
    """An agent that file modes hold back, as they do any user but root."""
    socket, log = tmp_path / "agent.sock", tmp_path / "agent.log"
    command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search",
               sys.executable, "-m", "komodo_agent", "serve", "--socket", str(socket),
               "--state", str(tmp_path / "state"), "--docker-host", clean.server.docker_host]  # fmt: skip
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        wait_for(lambda: answers(socket) or process.poll() is not None, 20, what="an answer of the agent")
        yield AgentProcess(process, socket, log)
    finally:
        stop(process.pid)
        process.wait(timeout=10)


async def test_it_archives_by_a_container_and_says_what_it_cannot(weak: AgentProcess, clean: RemoteAgent) -> None:
    for name in ("data", "alone"):
        clean.server.docker("volume", "create", name)
        (folder_of(clean.server, name) / "file").write_text(name)
        os.chown(folder_of(clean.server, name), 999, 999)
        os.chmod(folder_of(clean.server, name), 0o700)
    clean.server.docker("create", "--name", "db", "-v", "data:/var/lib/db", BUSYBOX)
    async with weak.session() as session:
        async with session.get("/v1/volumes/data/archive") as answer:
            assert answer.status == 200
            with tarfile.open(fileobj=io.BytesIO(await answer.read())) as tar:
                members = {member.name: member for member in tar.getmembers()}
                assert (members["."].uid, members["."].mode & 0o777) == (999, 0o700)
                content = tar.extractfile("./file")
                assert content is not None
                assert content.read() == b"data"
        for path in ("alone/archive", "data/files", "alone/files"):
            async with session.get(f"/v1/volumes/{path}") as answer:
                assert answer.status == 403, path
                assert "cannot look into" in await answer.text()
        async with session.put("/v1/volumes/alone/archive", data=b"x") as answer:
            assert answer.status == 403
