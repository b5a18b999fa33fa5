"""Which calls of ssh share a connection, and what of it is told."""

from __future__ import annotations

import os
import socket
import tempfile
from typing import TYPE_CHECKING

import msgspec

from komodo_agent.repos import connections
from komodo_agent.repos.connections import is_noise, kept
from komodo_agent.repos.git import _login
from komodo_agent.wire.repos import RepoSource

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SOURCE = RepoSource(url="ssh://git@h/x.git", ssh_key="/root/.ssh/a", host_keys=("h ssh-ed25519 AAAA",))


def test_who_would_log_in_otherwise_has_a_connection_of_its_own() -> None:
    other_repo = msgspec.structs.replace(SOURCE, url="ssh://git@h/y.git", branch="dev", token="t")
    assert kept(SOURCE) == kept(other_repo)
    others = (
        msgspec.structs.replace(SOURCE, ssh_key="/root/.ssh/b"), msgspec.structs.replace(SOURCE, ssh_key="", key="k"),
        msgspec.structs.replace(SOURCE, host_keys=()), msgspec.structs.replace(SOURCE, ssh_key="", key="l"),
    )  # fmt: skip
    assert len({str(kept(source)) for source in (SOURCE, *others)}) == 5
    assert all("%C" in str(kept(source)) for source in others), "host, port and user are part of the name"


def test_a_login_by_the_ssh_agent_of_who_asks_is_shared_with_nobody(tmp_path: Path) -> None:
    assert "ControlPath" in _login(SOURCE, tmp_path, SOURCE.ssh_key)["GIT_SSH_COMMAND"]
    with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX) as agent:
        agent.bind(f"{short}/agent")
        source = RepoSource(url="git@h:x", agent_socket=f"{short}/agent")
        command = _login(source, tmp_path, "")["GIT_SSH_COMMAND"]
    # nor with what the user's own configuration keeps open, which may have logged in with another key
    assert command.endswith("-o ControlMaster=no -o ControlPath=none")


def test_no_server_of_a_repository_is_lent_an_ssh_agent(tmp_path: Path) -> None:
    """The user's own configuration may say ``ForwardAgent yes`` for all hosts."""
    assert "-o ForwardAgent=no" in _login(SOURCE, tmp_path, SOURCE.ssh_key)["GIT_SSH_COMMAND"]


def test_the_folder_is_this_users_own_and_a_long_one_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = connections._folder()
    assert os.stat(first).st_mode & 0o777 == 0o700
    assert connections._folder() == first
    os.rmdir(first)
    os.symlink(tmp_path, first)
    second = connections._folder()
    os.unlink(first)
    assert second != first, "it was cleared, and somebody put something else there"
    long = tmp_path / ("long" * 20)
    long.mkdir()
    for folder in (str(long), ""):
        monkeypatch.setattr(connections, "_folder", lambda folder=folder: folder)
        assert kept(SOURCE) == list(connections.OWN)


def test_what_ssh_says_of_a_connection_it_cannot_share_is_not_told() -> None:
    assert is_noise(b"ControlSocket /tmp/x already exists, disabling multiplexing")
    assert is_noise(b"mux_client_request_session: session request failed: Session open refused by peer")
    assert not is_noise(b"remote: ControlSocket /tmp/x already exists")
    assert not is_noise(b"git@h: Permission denied (publickey).")
