"""Pulling from a registry on the server's own loopback."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from komodo_agent.wire.resources import PullImage
from komodo_tui.domain.resources import ResourceOperation
from komodo_tui.domain.values import ValueOperation
from komodo_tui.store.secrets import Secret
from tests.integration.resources.lab import act, resources
from tests.integration.resources.registry import NAME, TAG
from tests.integration.ssh.lab import RemoteAgent, definition, fleet
from tests.rig.processes import stop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from komodo_tui.operations.progress import StepProgress

pytestmark = pytest.mark.rig
PORT = 5000


@contextmanager
def registry(agent: RemoteAgent, login: str = "") -> Iterator[str]:
    """Its address, as the server's engine sees it."""
    command = ["nsenter", f"--net={agent.server.netns}", sys.executable, "-m", "tests.integration.resources.registry"]
    process = subprocess.Popen([*command, str(PORT), login], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        yield f"127.0.0.1:{PORT}"
    finally:
        stop(process.pid)
        process.wait(timeout=10)
        process.stdout.close()


async def test_a_pull_tells_how_far_it_is_and_ends_with_the_image(clean: RemoteAgent, tmp_path: Path) -> None:
    told: list[StepProgress] = []
    with registry(clean) as host:
        reference = f"{host}/{NAME}:{TAG}"
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

            missing = ResourceOperation(verb="pull", servers=("alpha",), spec=PullImage(image=f"{host}/{NAME}:9"))
            record = await executor.submit(executor.plan(missing), our.runtime.actor, given=True)
            assert record.outcome == "failed"
            assert "cannot be pulled" in record.steps[0].error


async def test_a_login_that_is_kept_opens_a_private_registry_and_shows_nowhere(
    clean: RemoteAgent, tmp_path: Path
) -> None:
    with registry(clean, "ana:tr0ub4dor") as host:
        operation = ResourceOperation(verb="pull", servers=("alpha",), spec=PullImage(image=f"{host}/{NAME}:{TAG}"))
        async with fleet(tmp_path / "home", clean.server.ssh_config, definition(clean)) as our:
            await our.up("alpha")
            record = await act(our, operation)
            assert record.outcome == "failed"
            values = our.runtime.values
            token = values.hand_in(Secret('{"username":"ana","password":"tr0ub4dor"}'))
            record = await act(our, ValueOperation(verb="set", kind="registry", name=host, token=token))
            assert record.outcome == "success", record
            record = await act(our, operation)
            assert record.outcome == "success", record
    for folder in (tmp_path, clean.server.run_dir):
        for file in folder.rglob("*"):
            if file.is_file():
                content = file.read_bytes()
                assert b"tr0ub4dor" not in content, file
                assert values.registry_auth(f"{host}/x").encode() not in content, file
