"""Kinds of keys and records: old formats, certificates of both sides, hashed and revoked entries; no ``ssh`` to ask."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from komodo_tui.domain.errors import AuthenticationError, HostKeyChangedError, HostKeyUnknownError, UsageError
from tests.integration.ssh.lab import Person, definition, fleet
from tests.integration.ssh.sshd import admit, new_key, sshd, write_config
from tests.rig.processes import run, spawn, stop, wait_for

if TYPE_CHECKING:
    from tests.integration.ssh.lab import RemoteAgent

pytestmark = pytest.mark.rig

INSIDE = "127.0.0.1"


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
@pytest.mark.parametrize("form", ["PEM", "RFC4716"], ids=["pem", "openssh"])
async def test_locked_keys_of_every_kind_and_form_open(
    agent: RemoteAgent, tmp_path: Path, kind: str, form: str
) -> None:
    key = tmp_path / "locked"
    run("ssh-keygen", "-q", "-t", kind, "-m", form, "-N", "sesame", "-f", str(key))
    with sshd(agent.server, tmp_path / "sshd") as ours:
        admit(ours, key)
        if form == "PEM":
            Path(f"{key}.pub").unlink()  # then the public half is not known before the passphrase is
        config = write_config(tmp_path, ours.config("one", f"IdentityFile {key}"))
        person = Person(passphrases=["sesame"])
        async with fleet(tmp_path / "home", config, definition(agent, address="one"), person=person) as our:
            await our.up("alpha")
        assert len(person.asked) == 1


async def test_certificates_of_host_and_user_are_taken(agent: RemoteAgent, tmp_path: Path) -> None:
    authority, key = new_key(tmp_path / "authority"), new_key(tmp_path / "certified")
    run("ssh-keygen", "-q", "-s", str(authority), "-I", "me", "-n", "root", f"{key}.pub")
    settings = (f"TrustedUserCAKeys {authority}.pub", f"HostCertificate {tmp_path}/sshd/host_key-cert.pub")
    with sshd(agent.server, tmp_path / "sshd", *settings, authority=authority) as ours:
        (ours.folder / "authorized_keys").write_text("")
        public = " ".join(Path(f"{authority}.pub").read_text().split()[:2])
        (ours.folder / "known_hosts").write_text(f"@cert-authority [{ours.address}]:{ours.port} {public}\n")
        config = write_config(tmp_path, ours.config("one", f"IdentityFile {key}"))
        async with fleet(tmp_path / "home", config, definition(agent, address="one")) as our:
            await our.up("alpha")


async def test_hashed_records_are_read_and_written(agent: RemoteAgent, tmp_path: Path) -> None:
    with sshd(agent.server, tmp_path / "sshd") as ours:
        known_hosts = ours.folder / "known_hosts"
        known_hosts.write_text("what does not parse\n# a comment")
        config = write_config(tmp_path, ours.config("one", "HashKnownHosts yes"))
        async with fleet(tmp_path / "home", config, definition(agent, address="one")) as our:
            error = await our.status("alpha", "host_key_unknown")
            assert isinstance(error, HostKeyUnknownError)
            await our.manager.link("alpha").accept_host_key(error)
            await our.up("alpha")
        assert known_hosts.read_text().splitlines()[2].startswith("|1|")
        run("ssh-keygen", "-f", str(known_hosts), "-F", f"[{ours.address}]:{ours.port}")
        assert run("ssh", "-F", str(config), "-o", "StrictHostKeyChecking=yes", "one", "echo", "in") == "in\n"


async def test_revoked_key_is_never_taken(agent: RemoteAgent, tmp_path: Path) -> None:
    with sshd(agent.server, tmp_path / "sshd") as ours:
        (ours.folder / "known_hosts").write_text(ours.entry + f"@revoked {ours.entry}")
        config = write_config(tmp_path, ours.config("one"))
        async with fleet(tmp_path / "home", config, definition(agent, address="one")) as our:
            error = await our.status("alpha", "host_key_changed")
            assert isinstance(error, HostKeyChangedError)
            assert error.message.startswith(f"the key of one ({ours.address}:{ours.port}) is refused: ")
            assert "revoked" in error.message
            assert str(ours.folder / "known_hosts") in error.hint


async def test_too_many_keys_are_told(agent: RemoteAgent, tmp_path: Path) -> None:
    socket = tmp_path / "agent"
    holder = spawn(["ssh-agent", "-D", "-a", str(socket)], log=tmp_path / "log")
    try:
        wait_for(socket.exists, 10, what="the ssh-agent")
        for number in range(3):
            run("env", f"SSH_AUTH_SOCK={socket}", "ssh-add", "-q", str(new_key(tmp_path / f"key{number}")))
        with sshd(agent.server, tmp_path / "sshd", "MaxAuthTries 2") as ours:
            block = ours.config("one", f"IdentityAgent {socket}", "IdentitiesOnly no")
            config = write_config(tmp_path, block)
            async with fleet(tmp_path / "home", config, definition(agent, address="one")) as our:
                error = await our.status("alpha", "auth")
                assert isinstance(error, AuthenticationError)
                assert error.message.startswith("root@one was not let in after too many keys; it did not take key0 of")
                assert "IdentitiesOnly yes, under Host one" in error.hint
    finally:
        stop(holder)


async def test_configuration_that_cannot_be_read_is_told(agent: RemoteAgent, tmp_path: Path) -> None:
    config = write_config(tmp_path, "Host one\n  HostNaem nowhere\n")
    async with fleet(tmp_path / "home", config, definition(agent, address="one")) as our:
        error = await our.status("alpha", "unreachable")
        assert isinstance(error, UsageError)
        assert error.message.startswith(f"ssh cannot read its configuration: {config}: line 2: ")
        config.write_text(Path(agent.server.ssh_config).read_text().replace(f"Host {agent.server.name}", "Host one"))
        our.manager.reconnect("alpha")
        await our.up("alpha")


async def test_configuration_is_read_without_ssh(
    agent: RemoteAgent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sshd(agent.server, tmp_path / "b") as bastion, sshd(agent.server, tmp_path / "i", address=INSIDE) as inner:
        (tmp_path / "bastion.conf").write_text(bastion.config("door"))
        config = write_config(tmp_path, f"Include {tmp_path}/bastion.conf\n", inner.config("one", "ProxyJump door"))
        monkeypatch.setattr(shutil, "which", lambda *_: None)
        async with fleet(tmp_path / "home", config, definition(agent, address="one")) as our:
            await our.up("alpha")
            assert bastion.connections == 1
