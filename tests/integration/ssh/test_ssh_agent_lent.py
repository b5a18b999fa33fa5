"""A key that is nowhere but in the ssh-agent of who acts opens a repository on a server, as long as git runs."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from komodo_agent.wire.jobs import JobRequest
from komodo_agent.wire.repos import RepoChange, RepoJob
from komodo_tui.domain.errors import ActError
from komodo_tui.domain.operations import Actor
from komodo_tui.domain.repos import DefineRepoOperation, RepoDefinition, RepoOperation
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.domain.stack_git import StackGit
from komodo_tui.domain.stacks import StackDefinition
from komodo_tui.operations.repo_plans import source_with_token
from tests.integration.agent.lab import agent_process
from tests.integration.compose.conftest import compose_folder
from tests.integration.ssh.lab import PATIENCE, fleet
from tests.integration.ssh.sshd import admit, new_key, sshd, write_config
from tests.rig.processes import run, spawn, stop, wait_for
from tests.unit.repos.lab import Author, git

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from tests.integration.agent.lab import AgentProcess
    from tests.integration.ssh.lab import Fleet
    from tests.integration.ssh.sshd import Sshd
    from tests.rig.server import Server

__all__ = ["compose_folder"]

pytestmark = pytest.mark.rig

ME = Actor(name="ana", via="cli")


class Shop:
    """A private repository, and the one ssh-agent that has the key to it."""

    def __init__(self, folder: Path, host: Sshd, author: Author) -> None:
        self.author = author
        self.host = host
        self.ssh_agent = folder / "ssh-agent"
        self.key = new_key(folder / "held")
        self.repo = RepoDefinition(
            name="shop", url=f"ssh://root@{host.address}:{host.port}{author.bare}", servers=("alpha",),
            ssh_agent=True, host_keys=(host.entry.strip(),),
        )  # fmt: skip
        admit(host, self.key)

    async def act(self, our: Fleet, verb: Any, **fields: Any) -> tuple[str, str]:
        """One act on the clone: its outcome, and what it says of a failure."""
        repo = msgspec.structs.replace(self.repo, **fields.pop("repo", {}))
        executor = our.runtime.executor
        plan = executor.plan(RepoOperation(verb=verb, repo=repo, servers=("alpha",), **fields))
        record = await executor.submit(plan, ME, given=True)
        (step,) = record.steps
        return record.outcome or "", f"{step.error} ({step.hint})"


@pytest.fixture
def agent(server: Server, tmp_path: Path, compose_folder: Path) -> Iterator[AgentProcess]:
    """One of the private server that has compose."""
    with agent_process(tmp_path / "a", server.docker_host, environment={"DOCKER_CONFIG": str(compose_folder)}) as ours:
        yield ours


@pytest.fixture
def shop(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The key is in no file any more."""
    with sshd(server, tmp_path / "git") as host:
        shop = Shop(tmp_path, host, Author(tmp_path))
        holder = spawn(["ssh-agent", "-D", "-a", str(shop.ssh_agent)], log=tmp_path / "log")
        try:
            wait_for(shop.ssh_agent.exists, 10, what="the ssh-agent")
            run("env", f"SSH_AUTH_SOCK={shop.ssh_agent}", "ssh-add", "-q", str(shop.key))
            shop.key.unlink()
            monkeypatch.setenv("SSH_AUTH_SOCK", str(shop.ssh_agent))
            os.chown(shop.ssh_agent, 65534, -1)  # the server is this machine here, and would find one of its own user
            yield shop
        finally:
            stop(holder)


def reached(agent: AgentProcess, address: str) -> ServerDefinition:
    """The server by this alias."""
    return ServerDefinition(name="alpha", address=address, agent_socket=str(agent.socket))


def lent(agent: AgentProcess) -> list[Path]:
    """The sockets of ssh-agents that are lent to the server now."""
    return list(Path(tempfile.gettempdir()).glob(f"komodo-lent-{agent.process.pid}-*/agent"))


@contextmanager
def frozen(ours: Sshd) -> Iterator[None]:
    """It says nothing."""
    ours.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        ours.signal(signal.SIGCONT)


async def until(what: Callable[[], object]) -> None:
    """Wait for it."""
    async with asyncio.timeout(PATIENCE):
        while not what():
            await asyncio.sleep(0.01)


async def test_git_logs_in_by_the_lent_ssh_agent_behind_a_bastion(
    server: Server, agent: AgentProcess, shop: Shop, tmp_path: Path
) -> None:
    with sshd(server, tmp_path / "b") as bastion, sshd(server, tmp_path / "i") as inner:
        config = write_config(tmp_path, bastion.config("door"), inner.config("one", "ProxyJump door"))
        async with fleet(tmp_path / "home", config, reached(agent, "one")) as our:
            await our.up("alpha")
            outcome, said = await shop.act(our, "clone", repo={"ssh_agent": False})
            assert (outcome, "ssh key was refused" in said) == ("failed", True)
            assert (await shop.act(our, "clone"))[0] == "success"
            assert list((tmp_path / "a").rglob("repos/shop/files/compose.yaml"))

            second = shop.author.push("second")
            client = await our.manager.link("alpha").client()
            source = source_with_token("shop", shop.repo.source, "alpha", our.runtime.values)
            assert (await client.remote_head(source)).commit == second
            assert (await shop.act(our, "pull"))[0] == "success"
            change = RepoChange(path="note", text="mine\n")
            done = await shop.act(our, "commit", changes=(change,), message="Mine", author="Bea <bea@example.com>")
            assert done[0] == "success", done
            assert git(shop.author.bare, "log", "-1", "--format=%an %s", "main") == "Bea Mine"

            executor = our.runtime.executor
            plan = executor.plan(DefineRepoOperation(verb="add", name="shop", definition=shop.repo))
            assert (await executor.submit(plan, ME, given=True)).outcome == "success"
            stack = StackDefinition(name="site", servers=("alpha",), git=StackGit(repo="shop"))
            preview = await our.runtime.preparer.preview(stack, "alpha")
            assert preview.git is not None
            assert preview.git.target.subject == "Mine"
            assert lent(agent) == []


async def test_nothing_is_left_of_a_loan_after_a_failure_or_a_cancelled_call(
    server: Server, agent: AgentProcess, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"SetEnv PATH={Path(sys.executable).parent}:/usr/bin:/bin HOME={tmp_path}"
    with sshd(server, tmp_path / "sshd", "AllowStreamLocalForwarding no", path) as ours:
        config = write_config(tmp_path, ours.config("strict"))
        async with fleet(tmp_path / "home", config, reached(agent, "strict")) as our:
            await our.up("alpha")
            client = await our.manager.link("alpha").client()
            source = source_with_token("shop", shop.repo.source, "alpha", our.runtime.values)
            with frozen(shop.host):
                async with client.lending(source):
                    spec = RepoJob(verb="clone", name="shop", source=source)
                    job = await client.submit(JobRequest(id=str(uuid.uuid4()), spec=spec, actor="ana"))
                    await until(lambda: lent(agent))
                    (socket,) = lent(agent)
                    assert socket.parent.stat().st_mode & 0o777 == 0o700
                    await client.cancel_job(job.id)
                    while not (job := await client.job(job.id)).ended:
                        await client.job_log(job.id, 0, wait=1.0)
                    assert (job.status, lent(agent)) == ("cancelled", [])

            with frozen(shop.host):
                async with client.lending(source):
                    job = await client.submit(JobRequest(id=str(uuid.uuid4()), spec=spec, actor="ana"))
                    await until(lambda: lent(agent))
            while not (job := await client.job(job.id)).ended:
                await client.job_log(job.id, 0, wait=1.0)
            assert (job.status, lent(agent)) == ("failed", [])
            assert "who asked went away" in job.error

            other = f"{shop.host.address} {new_key(tmp_path / 'x').with_suffix('.pub').read_text()}"
            for repo, words in (
                ({"host_keys": (other.strip(),)}, "not trusted"),
                ({"branch": "gone"}, "no branch gone"),
                ({"url": shop.repo.url.replace("root@", "ana@")}, "no key of the ssh-agent that was lent"),
            ):
                outcome, said = await shop.act(our, "clone", repo=repo)
                assert (outcome, words in said) == ("failed", True), said
                assert lent(agent) == []

            run("ssh-add", "-q", "-D")
            outcome, said = await shop.act(our, "clone")
            assert (outcome, "has no key" in said) == ("failed", True), said
            monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "nobody"))
            with pytest.raises(ActError, match="does not answer"):
                await client.remote_head(source)
            monkeypatch.delenv("SSH_AUTH_SOCK")
            outcome, said = await shop.act(our, "clone")
            assert (outcome, "SSH_AUTH_SOCK is not set" in said) == ("failed", True), said
