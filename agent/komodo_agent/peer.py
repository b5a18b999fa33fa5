"""Who is at the other end of a connection, and whether that user may talk to the agent (``SO_PEERCRED``)."""

from __future__ import annotations

import grp
import os
import pwd
import socket
import struct
from typing import NamedTuple

_UCRED = struct.Struct("3i")


class Peer(NamedTuple):
    """Credentials the kernel recorded when the peer connected."""

    pid: int
    uid: int
    gid: int


def peer_of(sock: socket.socket) -> Peer:
    """The peer of a connected Unix socket.

    Raises:
        OSError: the kernel does not say.
    """
    return Peer(*_UCRED.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)))


class AllowList:
    """The users that may talk to the agent: its own, root, those named, and members of one group."""

    def __init__(self, uids: frozenset[int] = frozenset(), group: int | None = None) -> None:
        self._uids = uids | {0, os.geteuid()}
        self._group = group

    def allows(self, peer: Peer) -> bool:
        """Whether this peer may. The kernel reports the primary group only, so others are looked up by user."""
        if peer.uid in self._uids:
            return True
        return self._group is not None and (peer.gid == self._group or self._group in _groups_of(peer))


def group_id(name: str) -> int:
    """The number of a group given by name or number.

    Raises:
        KeyError: no such group.
    """
    return int(name) if name.isdigit() else grp.getgrnam(name).gr_gid


def _groups_of(peer: Peer) -> list[int]:
    try:
        user = pwd.getpwuid(peer.uid)
    except KeyError:
        return []
    return os.getgrouplist(user.pw_name, user.pw_gid)
