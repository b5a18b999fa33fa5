"""What tests of resources do again and again."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.rig.processes import run

if TYPE_CHECKING:
    from komodo_agent.wire.resources import Resource
    from komodo_tui.domain.operations import ActionRecord, Operation
    from tests.integration.ssh.lab import Fleet
    from tests.rig.server import Server


async def resources(our: Fleet, server: str = "alpha") -> dict[str, Resource]:
    """What the server has, by name, or by the twelve digits of the id where there is none."""
    client = await our.manager.link(server).client()
    found = await client.resources()
    return {resource.name or resource.id.removeprefix("sha256:")[:12]: resource for resource in found}


async def act(our: Fleet, operation: Operation) -> ActionRecord:
    """Plan and run it, with whatever it asks for."""
    plan = our.runtime.executor.plan(operation)
    return await our.runtime.executor.submit(plan, our.runtime.actor, given=plan.phrase or True)


def import_image(server: Server, name: str, content: bytes = b"x") -> None:
    """An image of one small file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        entry = tarfile.TarInfo("file")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    run("docker", "-H", server.docker_host, "import", "-", name, stdin=out.getvalue())


def folder_of(server: Server, volume: str) -> Path:
    """Where the volume lies on the server; the private server shares our file system."""
    return Path(server.docker("volume", "inspect", "-f", "{{.Mountpoint}}", volume).strip())
