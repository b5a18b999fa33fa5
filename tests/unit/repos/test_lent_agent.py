"""The ssh-agent that is lent: what may be asked of it, who is told what, and where a loan is named."""

from __future__ import annotations

import shlex
import struct
from contextlib import AsyncExitStack
from typing import Any

import asyncssh
import msgspec
import pytest

from komodo_agent.problems import AgentError
from komodo_agent.repos import lent
from komodo_agent.repos.lent import lent_agent, through
from komodo_agent.repos.said import explained
from komodo_agent.wire.builds import BuildJob, BuildSource
from komodo_agent.wire.compose import ComposeDeploy, ComposeSource
from komodo_agent.wire.compose_git import GitOrigin
from komodo_agent.wire.lent import pack, unpack
from komodo_agent.wire.repo_checks import user_of, wrong_source
from komodo_agent.wire.repos import RepoJob, RepoSource
from komodo_tui.domain.repos import RepoDefinition
from komodo_tui.fleet.ssh_agent import Guard, limits_of
from komodo_tui.operations.job_steps import lent_source
from komodo_tui.operations.repo_plans import lent_words, source_with_token

SOURCE = RepoSource(url="git@git.example.com:ana/shop.git", ssh_agent=True)
SESSION = b"\x07" * 32
HOST = asyncssh.generate_private_key("ssh-ed25519")
OTHER = asyncssh.generate_private_key("ssh-ed25519")
LIST = b"\x0b"


def words(*parts: bytes) -> bytes:
    """Strings as the protocol has them."""
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def sign(user: bytes = b"git", *, session: bytes = SESSION, service: bytes = b"ssh-connection",
         method: bytes = b"publickey", kind: bytes = b"\x32") -> bytes:  # fmt: skip
    """A login to be signed."""
    login = words(session) + kind + words(user, service, method) + b"\x01" + words(b"ssh-ed25519", b"key")
    return b"\x0d" + words(b"key", login) + bytes(4)


def bind(host: asyncssh.SSHKey = HOST, by: asyncssh.SSHKey = HOST, session: bytes = SESSION) -> bytes:
    """A host shows who it is."""
    signature = by.sign(session, b"ssh-ed25519")
    return b"\x1b" + words(b"session-bind@openssh.com", host.public_data, session, signature) + b"\0"


def guard(*keys: asyncssh.SSHKey) -> Guard:
    """With these keys of hosts to trust."""
    lines = tuple(f"git.example.com {key.export_public_key().decode().strip()}" for key in keys)
    return Guard(limits_of(msgspec.structs.replace(SOURCE, host_keys=lines)))


def test_keys_are_told_and_logins_of_the_urls_user_are_signed() -> None:
    open_to_all = guard()
    for question in (LIST, bind(OTHER, OTHER), sign(), sign(method=b"publickey-hostbound-v00@openssh.com")):
        assert open_to_all.refusal(question) == ""


@pytest.mark.parametrize(("question", "why"), [
    (sign(b"root"), "another one was to log in"),
    (sign(service=b"sudo"), "something else"),
    (sign(kind=b"\x33"), "something else"),
    (b"\x0d" + words(b"key", b"SSHSIG" + words(b"git", b"", b"sha512", b"digest")) + bytes(4), "more than"),
    (b"\x0d" + words(b"key"), "more than"),
    (b"\x0d\xff\xff\xff\xff", "more than"),
    (b"\x11" + words(b"ssh-ed25519"), "more than"),  # add a key
    (b"\x13", "more than"),  # remove all
    (b"\x16" + words(b"word"), "more than"),  # lock it
    (b"\x1b" + words(b"other@example.com"), "more than"),
])  # fmt: skip
def test_nothing_else_is_asked(question: bytes, why: str) -> None:
    assert why in guard().refusal(question)


def test_with_host_keys_only_their_hosts_are_logged_in_to() -> None:
    ours = guard(HOST)
    assert "does not say which host" in ours.refusal(sign())
    assert "none of the repo's host_keys" in ours.refusal(bind(OTHER, OTHER))
    assert "does not own its key" in ours.refusal(bind(HOST, OTHER))
    assert "does not say which host" in ours.refusal(sign())
    assert ours.refusal(bind()) == ""
    assert ours.refusal(sign()) == ""
    assert "does not say which host" in ours.refusal(sign(session=b"\x08" * 32))
    assert "does not say which host" in guard(HOST).refusal(sign())  # another connection

    unreadable = Guard(limits_of(msgspec.structs.replace(SOURCE, host_keys=("@cert-authority * ssh-ed25519 AAAA",))))
    assert unreadable.refusal(bind())


@pytest.mark.parametrize("fields", [
    {"url": "https://git.example.com/x"}, {"url": "/srv/git/x"}, {"url": "git.example.com:x"},
    {"url": "ssh://git.example.com/x@y"}, {"ssh_key": "/root/.ssh/id"}, {"key_secret": "K"},
])  # fmt: skip
def test_where_none_can_be_lent(fields: dict[str, Any]) -> None:
    assert "ssh_agent" in wrong_source(msgspec.structs.replace(SOURCE, **fields))


def test_whom_a_url_logs_in() -> None:
    assert not wrong_source(SOURCE)
    assert [user_of(url) for url in ("ssh://ana@[::1]:22/x", "git@h:x", "h:x", "h:x@y")] == ["ana", "git", "", ""]


def test_a_loan_has_an_id_of_its_own_that_is_not_written_down() -> None:
    assert not RepoDefinition(name="shop", url=SOURCE.url).source.ssh_agent
    first, second = (source_with_token("shop", SOURCE, "web", None) for _ in range(2))  # type: ignore[arg-type]
    assert len(first.lent) == 32
    assert first.lent != second.lent
    assert (first.agent_socket, first.bare) == ("", SOURCE)
    assert not source_with_token("shop", RepoSource(url="git@h:x"), "web", None).lent  # type: ignore[arg-type]


def test_a_plan_tells_how_far_a_loan_goes() -> None:
    assert lent_words(RepoSource(url="git@h:x")) == ()
    (any_host,) = lent_words(SOURCE)
    (known,) = lent_words(msgspec.structs.replace(SOURCE, host_keys=("h ssh-ed25519 AAAA",)))
    assert any_host.endswith("for logins as git to any host, since no host_keys are named")
    assert known.endswith("for logins as git to the hosts of host_keys")


def test_jobs_that_a_loan_is_for() -> None:
    source = msgspec.structs.replace(SOURCE, lent="id")
    stack = ComposeSource(project="shop", git=GitOrigin(repo=source))
    job = BuildJob(name="api", image="api", tags=("1",), source=BuildSource(repo=source))
    for spec in (RepoJob(verb="pull", name="shop", source=source), ComposeDeploy(source=stack), job):
        assert lent_source(spec) is source
    assert lent_source(RepoJob(verb="pull", name="shop", source=SOURCE)) is None


def test_ssh_has_no_other_keys_and_shares_no_connection() -> None:
    login = through({"GIT_SSH_COMMAND": "ssh -o ControlMaster=auto", "X": "y"}, "/tmp/a b/agent")
    options = shlex.split(login["GIT_SSH_COMMAND"])[2::2]
    assert options[0] == 'IdentityAgent="/tmp/a b/agent"'
    assert {"IdentityFile=none", "ForwardAgent=no", "ControlPath=none"} <= set(options)
    assert options.index("ControlMaster=no") < options.index("ControlMaster=auto")  # what comes first counts
    assert through({"GIT_ALLOW_PROTOCOL": "https"}, "/tmp/agent") == {"GIT_ALLOW_PROTOCOL": "https"}


async def test_who_asked_and_went_away_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lent, "_PATIENCE", 0.0)
    async with AsyncExitStack() as held:
        assert await held.enter_async_context(lent_agent(SOURCE)) == ("", None)
        with pytest.raises(AgentError, match="not connected any more"):
            await held.enter_async_context(lent_agent(msgspec.structs.replace(SOURCE, lent="id")))


def test_messages_of_the_wire() -> None:
    assert unpack(pack(7, b"x")) == (7, b"x")
    assert unpack(b"\0") == (0, b"")
    from komodo_agent.repos.git import GitFailedError

    error = GitFailedError("git@h: Permission denied (publickey).", 128)
    assert "no key of the ssh-agent that was lent" in explained(error, SOURCE).sentence()
