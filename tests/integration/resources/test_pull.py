"""Pulling from a registry on the server's own loopback."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from komodo_agent.wire.resources import PullImage
from komodo_tui.domain.resources import ResourceOperation
from tests.integration.resources.lab import resources
from tests.integration.resources.registry import NAME, TAG
from tests.integration.ssh.lab import RemoteAgent, definition, fleet
from tests.rig.processes import stop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from komodo_tui.operations.progress import StepProgress

pytestmark = pytest.mark.rig
PORT = 5000


@pytest.fixture
def registry(clean: RemoteAgent) -> Iterator[str]:
    """Its address, as the server's engine sees it."""
    command = ["nsenter", f"--net={clean.server.netns}", sys.executable, "-m", "tests.integration.resources.registry"]
    process = subprocess.Popen([*command, str(PORT)], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        yield f"127.0.0.1:{PORT}"
    finally:
        stop(process.pid)
        process.wait(timeout=10)
        process.stdout.close()


async def test_a_pull_tells_how_far_it_is_and_ends_with_the_image(
    clean: RemoteAgent, registry: str, tmp_path: Path
) -> None:
    reference = f"{registry}/{NAME}:{TAG}"
    told: list[StepProgress] = []
    async with fleet(tmp_path / "home", clean.server.ssh_config, definition(clean)) as our:
        await our.up("alpha")
        executor = our.runtime.executor
        plan = executor.plan(ResourceOperation(verb="pull", servers=("alpha",), spec=PullImage(image=reference)))
        assert plan.steps[0].command == f"docker pull {reference}"
        record = await executor.submit(plan, our.runtime.actor, given=True, progress=told.append)
        assert record.outcome == "success", record
        assert (await resources(our))[reference].tags == (reference,)
        assert "Pull complete" in record.steps[0].output
        assert any(f"pulling {reference}" in step.text for step in told)

        missing = ResourceOperation(verb="pull", servers=("alpha",), spec=PullImage(image=f"{registry}/{NAME}:9"))
        record = await executor.submit(executor.plan(missing), our.runtime.actor, given=True)
        assert record.outcome == "failed"
        assert "cannot be pulled" in record.steps[0].error
