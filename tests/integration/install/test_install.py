"""The agent put on bare servers over SSH: the transfer, the switch, and the way back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import komodo_agent
from komodo_tui.domain.errors import ActError, AgentMismatchError, AgentMissingError, RefusedError
from komodo_tui.domain.operations import ContainerOperation, ServerOperation, Target
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.fleet import bootstrap
from tests.integration.install.bare import bare
from tests.integration.install.lab import cut_off, ship, versions
from tests.integration.ssh.lab import fleet
from tests.rig.images import BUSYBOX

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tests.integration.install.bare import Bare
    from tests.integration.ssh.lab import Fleet
    from tests.rig.server import Server

    Connect = Callable[..., AbstractAsyncContextManager[Fleet]]

pytestmark = pytest.mark.rig


async def test_bare_server_gets_an_agent_that_feeds_the_fleet(debian: Bare, connect: Connect, server: Server) -> None:
    server.docker("run", "-d", "--name", "web", BUSYBOX, "sleep", "1000")
    async with connect() as our:
        assert isinstance(our.live("web").error, AgentMissingError)
        plan = our.runtime.executor.plan(ServerOperation(verb="install_agent", server="web"))
        assert f"copy agent {komodo_agent.__version__} to bare over SSH" in plan.steps[0].text
        seen: list[str] = []
        record = await our.runtime.executor.submit(
            plan, our.runtime.actor, given=True, progress=lambda step: seen.append(step.output)
        )
        assert record.outcome == "success", record
        words = [line.split()[0] for line in record.steps[0].output.splitlines()]
        assert words == ["looking", "found", "sending", "unpacked", "starting"]
        assert record.steps[0].output == "".join(seen)
        assert our.runtime.history.query() == [record]
        live = await our.up("web")
        assert live.hello is not None
        assert live.hello.version == komodo_agent.__version__
        assert live.hello.python == debian.ssh("python3 -c 'import platform; print(platform.python_version())'").strip()
        await our.container("web", "web")
        await our.until(lambda: live.sample is not None)
    (pid,) = debian.agents()
    async with connect() as our:  # it goes on without us, and is found again
        await our.up("web")
    assert debian.agents() == [pid]
    assert oct(debian.path("/root/.local/share/komodo-agent").stat().st_mode)[-3:] == "700"


async def test_upgrade_replaces_the_running_agent_and_keeps_one_version_to_go_back_to(
    debian: Bare, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for version in ("0.0.1", "0.0.2"):
        with monkeypatch.context() as patch:
            ship(patch, tmp_path, version)
            async with connect() as our:
                before = debian.agents()
                hello = await our.manager.link("web").install_agent(lambda text: None)
                assert hello.version == version
                assert len(debian.agents()) == 1
                assert debian.agents() != before
                await our.up("web")
    assert versions(debian) == ["0.0.1", "0.0.2"]
    async with connect() as our:
        assert our.live("web").upgrade_available
        plan = our.runtime.executor.plan(ServerOperation(verb="install_agent", server="web"))
        assert "in place of 0.0.2" in plan.steps[0].text
        assert "terminals kept there end" in plan.steps[0].warning


async def test_agent_of_another_protocol_is_replaced(
    debian: Bare, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with connect() as our:
        with monkeypatch.context() as patch:
            ship(patch, tmp_path, "0.0.1", protocol=99)
            with pytest.raises(AgentMismatchError):
                await our.manager.link("web").install_agent(lambda text: None)
            await our.status("web", "agent_mismatch")
        hello = await our.manager.link("web").install_agent(lambda text: None)
        assert hello.version == komodo_agent.__version__
        await our.up("web")
    assert len(debian.agents()) == 1


async def test_agent_that_does_not_answer_gives_way_to_the_one_before(
    debian: Bare, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ship(monkeypatch, tmp_path, "0.0.1")
    async with connect() as our:
        first = await our.manager.link("web").install_agent(lambda text: None)
        ship(monkeypatch, tmp_path, "0.0.2", broken="broken on purpose")
        with pytest.raises(ActError, match=r"ends at once: broken on purpose; 0\.0\.1-\w+ runs again"):
            await our.manager.link("web").install_agent(lambda text: None)
        await our.until(lambda: our.live("web").live and our.live("web").hello != first)
        hello = our.live("web").hello
        assert hello is not None
        assert hello.version == "0.0.1"
    assert versions(debian) == ["0.0.1"]
    assert len(debian.agents()) == 1


async def test_agent_that_does_not_answer_leaves_nothing_on_a_new_server(
    debian: Bare, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ship(monkeypatch, tmp_path, "0.0.1", broken="broken on purpose")
    async with connect() as our:
        operation = ServerOperation(verb="install_agent", server="web")
        plan = our.runtime.executor.plan(operation)
        record = await our.runtime.executor.submit(plan, our.runtime.actor, given=True)
        assert record.outcome == "failed"
        assert "broken on purpose; no agent is left there, as before" in record.steps[0].error
    assert versions(debian) == []
    assert not debian.path("/root/.local/share/komodo-agent/current").is_symlink()
    assert debian.agents() == []


async def test_transfer_that_breaks_off_leaves_the_running_agent_alone(
    debian: Bare, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ship(monkeypatch, tmp_path, "0.0.1")
    async with connect() as our:
        await our.manager.link("web").install_agent(lambda text: None)
    running = debian.agents()
    ship(monkeypatch, tmp_path, "0.0.2")
    async with connect() as our:
        await cut_off(our, debian, "web")
        assert versions(debian) == ["0.0.1"]
        assert debian.agents() == running
        await our.manager.link("web").install_agent(lambda text: None)  # and the way is free for the next
    assert versions(debian) == ["0.0.1", "0.0.2"]


async def test_connection_lost_after_the_transfer_does_not_leave_the_work_half_done(
    debian: Bare, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ship(monkeypatch, tmp_path, "0.0.1")
    async with connect() as our:
        await our.manager.link("web").install_agent(lambda text: None)
        ship(monkeypatch, tmp_path, "0.0.2")

        def drop(text: str) -> None:
            if text.startswith("unpacked"):
                debian.drop_connections()

        with pytest.raises(Exception, match="lost"):
            await our.manager.link("web").install_agent(drop)
        await our.until(lambda: our.live("web").live and (h := our.live("web").hello) and h.version == "0.0.2")
    assert len(debian.agents()) == 1


async def test_newer_agent_and_running_jobs_are_left_alone(
    debian: Bare, connect: Connect, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server.docker("run", "-d", "--name", "slow", BUSYBOX, "sh", "-c", "trap '' TERM; while true; do sleep 1; done")
    with monkeypatch.context() as patch:
        ship(patch, tmp_path, "99.0.0")
        async with connect() as our:
            await our.manager.link("web").install_agent(lambda text: None)
            await our.up("web")
            slow = await our.container("web", "slow")
            target = Target(server="web", name="slow", id=slow.id)
            plan = our.runtime.executor.plan(ContainerOperation(verb="stop", targets=(target,), timeout=20))
            act = asyncio.create_task(our.runtime.executor.submit(plan, our.runtime.actor, given=True))
            await our.until(lambda: any(not job.ended for job in our.live("web").jobs.values()))
            with pytest.raises(RefusedError, match="runs 1 job"):
                our.runtime.executor.plan(ServerOperation(verb="install_agent", server="web"))
            server.docker("kill", "slow")
            await act
    running = debian.agents()
    async with connect() as our:
        await our.up("web")
        with pytest.raises(RefusedError, match=r"99\.0\.0 on web is newer"):
            our.runtime.executor.plan(ServerOperation(verb="install_agent", server="web"))
        with pytest.raises(RefusedError, match=r"99\.0\.0 on web is newer"):
            await our.manager.link("web").install_agent(lambda text: None)
    assert debian.agents() == running


async def test_user_without_root_installs_for_themselves(debian: Bare, connect: Connect) -> None:
    said: list[str] = []
    async with connect("bare-deploy") as our:
        hello = await our.manager.link("web").install_agent(said.append)
        live = await our.up("web")
        await our.until(lambda: live.engine is not None and live.engine.status == "up")
    async with connect("bare-deploy") as our:  # nobody tells the next program where its socket is
        again = await our.up("web")
        assert again.hello is not None
        assert again.hello.instance == hello.instance
    assert hello.uid == 1500
    assert not [text for text in said if text.startswith("warning")]
    assert debian.path("/home/deploy/.local/state/komodo/agent.sock").is_socket()


async def test_user_outside_the_docker_group_is_told(server: Server, tmp_path: Path) -> None:
    said: list[str] = []
    with bare(server, tmp_path / "bare") as ours:
        definition = ServerDefinition(name="web", address="bare-deploy")
        async with fleet(tmp_path / "home", ours.ssh_config, definition) as our:
            await our.status("web", "agent_missing")
            await our.manager.link("web").install_agent(said.append)
            live = await our.up("web")
            await our.until(lambda: live.engine is not None and live.engine.status == "denied")
    assert "usermod -aG docker deploy" in said[-1]


async def test_server_without_python_is_told_so(server: Server, tmp_path: Path) -> None:
    with bare(server, tmp_path / "bare", python=False) as ours:
        async with fleet(tmp_path / "home", ours.ssh_config, ServerDefinition(name="web", address="bare")) as our:
            await our.status("web", "agent_missing")
            with pytest.raises(ActError, match="no python3 on the server") as raised:
                await our.manager.link("web").install_agent(lambda text: None)
        assert "apt install python3" in raised.value.hint
        assert list(ours.path("/root").iterdir()) == []


async def test_full_disk_is_seen_before_or_survived(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bare(server, tmp_path / "bare", size="8m") as ours:
        async with fleet(tmp_path / "home", ours.ssh_config, ServerDefinition(name="web", address="bare")) as our:
            await our.status("web", "agent_missing")
            with pytest.raises(ActError, match=r"/root has 8\.0M free, and the agent needs"):
                await our.manager.link("web").install_agent(lambda text: None)
            monkeypatch.setattr(bootstrap, "_ROOM", -(1 << 30))
            with pytest.raises(ActError, match="No space left on device"):
                await our.manager.link("web").install_agent(lambda text: None)
        assert versions(ours) == []
        assert ours.agents() == []
