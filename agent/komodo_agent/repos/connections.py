"""ssh connections that are kept for a moment: a push is fetched, pulled and deployed over one login instead of three.

ssh does it by itself (``ControlMaster``, ``ControlPersist`` in ssh_config(5)): the process that logged in first stays
in the background and carries later ones. A login costs several turns to the server and both sides a key exchange,
which is most of the time that a fetch of a small commit takes.
"""

from __future__ import annotations

import atexit
import os
import re
import stat
import tempfile
from shutil import rmtree
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..wire.repos import RepoSource

KEPT = 60
"""Seconds after its last use for which a connection stays open."""
OWN = ("-o", "ControlMaster=no", "-o", "ControlPath=none")
"""A connection of one's own: not one that the user's configuration keeps, which may have logged in with another key."""
_LONGEST = 107 - 57 - 17
"""Bytes of the folder: those of a socket's path (unix(7)) less its name and what ssh adds while it makes the socket."""
_folders: list[str] = []
_NOISE = re.compile(rb"ControlSocket |Control socket |mux_client_|muxclient")


def kept(source: RepoSource) -> list[str]:
    """Options with which ssh uses the connection of an earlier call, or leaves its own for the next; maybe :data:`OWN`.

    One connection is shared by whom would log in there in the same way: the same user and host, key, and host keys to
    trust. Who logs in by somebody's ssh-agent is not to use this: that agent is asked each time.
    """
    folder = _folder()
    if not folder or len(os.fsencode(folder)) > _LONGEST:
        return [*OWN]
    login = hash((source.ssh_key, source.key, source.host_keys)) & (1 << 64) - 1
    path = f"{folder.replace('%', '%%')}/{login:016x}%C"  # %C: host, port and user as ssh understands them
    return ["-o", "ControlMaster=auto", "-o", f'ControlPath="{path}"', "-o", f"ControlPersist={KEPT}"]


def is_noise(line: bytes) -> bool:
    """Whether ssh tells of nothing but that a connection cannot be shared now: it goes on with one of its own."""
    return _NOISE.match(line) is not None


def _folder() -> str:
    """Where the sockets are, of this process alone; empty where none can be made.

    No connection is taken over from a process that was here before. The folder goes with this one, and the connections,
    which nobody finds any more, when their time is over. It is looked at each time: what clears old temporary files
    takes it away, and another user could put theirs in its place.
    """
    if not _folders or not _is_own(_folders[-1]):
        try:
            _folders.append(tempfile.mkdtemp(prefix="komodo-git-"))
        except OSError:
            return ""
        atexit.register(rmtree, _folders[-1], ignore_errors=True)
    return _folders[-1]


def _is_own(folder: str) -> bool:
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
