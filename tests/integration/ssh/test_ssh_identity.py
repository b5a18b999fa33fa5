"""Who is who: host keys of servers, keys and passwords of people. What is refused is never tried again by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from komodo_tui.domain.errors import AuthenticationError, HostKeyChangedError, HostKeyUnknownError
from komodo_tui.fleet import connect
from komodo_tui.fleet.backoff import HostPauses
from tests.integration.ssh.lab import PATIENCE, Person, definition, fleet
from tests.integration.ssh.sshd import admit, new_key, sshd, write_config
from tests.rig.processes import run, spawn, stop, wait_for

if TYPE_CHECKING:
    from tests.integration.ssh.lab import Fleet, RemoteAgent
    from tests.integration.ssh.sshd import Sshd

pytestmark = pytest.mark.rig

PASSWORD = "correct horse"
HASHED = "$6$komodo$r0D4Vx0jK1zcmrWiqTMDQos0Z0lSzL9PL7iWd1lERLZkGUnnhWLfKBTHGmdYr.exGCs4tXk00vOKQVateII2T/"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever would try again does it now, so that a test sees it."""
    monkeypatch.setattr(HostPauses, "next", lambda *_, **__: 0.01)


async def never_again(our: Fleet, ours: Sshd, name: str, proof: str) -> None:
    """Make sure that a refused server is left alone, while ``proof`` comes up after it."""
    before = ours.connections
    our.manager.reconnect(proof)
    await our.until(lambda: our.live(proof).status == "connecting")
    await our.up(proof)
    assert ours.connections == before
    assert not our.live(name).live


async def test_unknown_key_is_shown_and_remembered_once_accepted(agent: RemoteAgent, tmp_path: Path) -> None:
    with sshd(agent.server, tmp_path / "sshd") as ours:
        config = write_config(tmp_path, ours.config("fresh", known=False))
        known_hosts = ours.folder / "known_hosts"
        async with fleet(tmp_path / "home", config, definition(agent, address="fresh")) as our:
            error = await our.status("alpha", "host_key_unknown")
            assert isinstance(error, HostKeyUnknownError)
            assert (error.server, error.fingerprint) == ("alpha", ours.fingerprint)
            assert str(error) == (
                f"alpha: the ssh-ed25519 key of fresh ({agent.server.address}:{ours.port}) is not known yet: "
                f"{ours.fingerprint} (compare {ours.fingerprint} with the server's own, then accept it)"
            )
            assert not known_hosts.exists()
            with pytest.raises(HostKeyUnknownError):
                await our.manager.link("alpha").client()
            await our.manager.link("alpha").accept_host_key(error)
            await our.up("alpha")
        assert known_hosts.read_text() == ours.entry
        assert run("ssh", "-F", str(config), "-o", "StrictHostKeyChecking=yes", "fresh", "echo", "in") == "in\n"


async def test_changed_key_is_refused_loudly_and_left_alone(agent: RemoteAgent, tmp_path: Path) -> None:
    with sshd(agent.server, tmp_path / "sshd") as ours:
        new_key(tmp_path / "other")
        known_hosts = ours.folder / "known_hosts"
        wrong = f"[{agent.server.address}]:{ours.port} {' '.join((tmp_path / 'other.pub').read_text().split()[:2])}\n"
        known_hosts.write_text(wrong)
        config = write_config(tmp_path, ours.config("shifty"), (agent.server.run_dir / "ssh_config").read_text())
        definitions = (definition(agent, address="shifty"), definition(agent, name="beta"))
        async with fleet(tmp_path / "home", config, *definitions) as our:
            error = await our.status("alpha", "host_key_changed")
            assert isinstance(error, HostKeyChangedError)
            assert "has CHANGED" in error.message
            assert ours.fingerprint in error.message
            assert f"ssh-keygen -f {known_hosts} -R '[{agent.server.address}]:{ours.port}'" in error.hint
            await never_again(our, ours, "alpha", "beta")
            assert known_hosts.read_text() == wrong
            run("ssh-keygen", "-f", str(known_hosts), "-R", f"[{agent.server.address}]:{ours.port}")
            our.manager.reconnect("alpha")
            unknown = await our.status("alpha", "host_key_unknown")
            assert isinstance(unknown, HostKeyUnknownError)


async def test_refused_key_stops_and_says_what_was_tried(agent: RemoteAgent, tmp_path: Path) -> None:
    with sshd(agent.server, tmp_path / "sshd") as ours:
        admit(ours, new_key(tmp_path / "somebody"))
        config = write_config(tmp_path, ours.config("strict"), (agent.server.run_dir / "ssh_config").read_text())
        definitions = (definition(agent, address="strict"), definition(agent, name="beta"))
        async with fleet(tmp_path / "home", config, *definitions) as our:
            error = await our.status("alpha", "auth")
            assert isinstance(error, AuthenticationError)
            assert str(error) == (
                f"alpha: root@strict was not let in; it did not take {agent.server.key} (try: ssh strict)"
            )
            await never_again(our, ours, "alpha", "beta")


async def test_passphrase_is_asked_for_once_for_all_servers(agent: RemoteAgent, tmp_path: Path) -> None:
    key = new_key(tmp_path / "locked", "sesame")
    with sshd(agent.server, tmp_path / "sshd") as ours:
        admit(ours, key)
        config = write_config(
            tmp_path, ours.config("one", f"IdentityFile {key}"), ours.config("two", f"IdentityFile {key}")
        )
        definitions = (definition(agent, address="one"), definition(agent, name="beta", address="two"))
        person = Person(passphrases=["wrong", "sesame"])
        async with fleet(tmp_path / "home", config, *definitions, person=person) as our:
            await our.up("alpha")
            await our.up("beta")
        assert [asked.partition(": ")[2] for asked in person.asked] == [f"passphrase of {key}"] * 2


async def test_question_delays_no_other_server(
    agent: RemoteAgent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "HANDSHAKE_TIMEOUT", 1000.0)  # who waits in a handshake would hold its slot
    key = new_key(tmp_path / "locked", "sesame")
    with sshd(agent.server, tmp_path / "sshd", "MaxStartups 100") as ours:
        admit(ours, key)
        config = write_config(
            tmp_path, ours.config("one", f"IdentityFile {key}"), Path(agent.server.ssh_config).read_text()
        )
        many = [definition(agent, name=f"many{n}", address="one") for n in range(connect.HANDSHAKES + 2)]
        answered = asyncio.Event()
        person = Person(passphrases=["sesame"], hurry=answered)
        async with fleet(tmp_path / "home", config, *many, person=person) as our:
            async with asyncio.timeout(PATIENCE):
                while ours.log.count("Postponed publickey") < len(many):  # all have got as far as they can
                    await asyncio.sleep(0.02)
            await our.manager.add(definition(agent))
            await our.up("alpha")
            assert len(person.asked) == 1
            asker = person.asked[0].partition(":")[0]
            await our.manager.remove(asker)  # the question is another one's then
            answered.set()
            for other in many:
                if other.name != asker:
                    await our.up(other.name)


@pytest.mark.parametrize("given", [[None], ["wrong"] * 3], ids=["declined", "wrong"])
async def test_passphrase_not_given_is_asked_for_again_only_on_demand(
    agent: RemoteAgent, tmp_path: Path, given: list[str | None]
) -> None:
    key = new_key(tmp_path / "locked", "sesame")
    with sshd(agent.server, tmp_path / "sshd") as ours:
        admit(ours, key)
        config = write_config(tmp_path, ours.config("one", f"IdentityFile {key}"))
        person = Person(passphrases=[*given, "sesame"])
        async with fleet(tmp_path / "home", config, definition(agent, address="one"), person=person) as our:
            error = await our.status("alpha", "auth")
            assert error is not None
            assert "a passphrase or password is needed" in error.hint
            assert len(person.asked) == len(given)
            our.manager.reconnect("alpha")
            await our.up("alpha")
        assert len(person.asked) == len(given) + 1


@pytest.mark.parametrize("method", ["password", "keyboard-interactive"])
async def test_password_is_asked_for_and_kept_for_reconnects(agent: RemoteAgent, tmp_path: Path, method: str) -> None:
    settings = (
        ("PasswordAuthentication yes",) if method == "password" else ("UsePAM yes", "KbdInteractiveAuthentication yes")
    )
    with sshd(agent.server, tmp_path / "sshd", "PubkeyAuthentication no", *settings, shadow=HASHED) as ours:
        config = write_config(tmp_path, ours.config("asks"))
        person = Person(replies=[["wrong"], [PASSWORD]])
        async with fleet(tmp_path / "home", config, definition(agent, address="asks"), person=person) as our:
            await our.up("alpha")
            assert len(person.asked) == 2
            our.manager.reconnect("alpha")
            await our.until(lambda: our.live("alpha").status == "connecting")
            await our.up("alpha")
            assert len(person.asked) == 2
        async with fleet(tmp_path / "other-home", config, definition(agent, address="asks")) as our:
            error = await our.status("alpha", "auth")
            assert error is not None
            assert "a passphrase or password is needed" in error.hint


async def test_keys_of_the_ssh_agent_are_offered(agent: RemoteAgent, tmp_path: Path) -> None:
    key = new_key(tmp_path / "held")
    socket = tmp_path / "agent"
    holder = spawn(["ssh-agent", "-D", "-a", str(socket)], log=tmp_path / "log")
    try:
        wait_for(socket.exists, 10, what="the ssh-agent")
        run("env", f"SSH_AUTH_SOCK={socket}", "ssh-add", "-q", str(key))
        key.unlink()
        with sshd(agent.server, tmp_path / "sshd") as ours:
            admit(ours, key)
            config = write_config(
                tmp_path, ours.config("held", f"IdentityAgent {socket}", "IdentitiesOnly no", f"IdentityFile {key}")
            )
            async with fleet(tmp_path / "home", config, definition(agent, address="held")) as our:
                await our.up("alpha")
    finally:
        stop(holder)
