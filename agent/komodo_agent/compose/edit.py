"""Files of a stack's folder on the server, read and written for one who has the agent's own rights anyway.

The folder is the user's: a file is only ever replaced as a whole, by one that was based on what is there.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from ..engine.volume_tree import FOLDER, PLAIN, decode_path, folder, inside, root_of, show
from ..problems import AgentError
from ..wire.compose_files import ComposeWrite, StackText

if TYPE_CHECKING:
    from ..jobs import JobContext
    from ..wire.volumes import VolumeFolder

_LARGEST = 1 << 20


def check_rights(uid: int) -> None:
    """Raise AgentError ``forbidden`` unless this user could do it without us: the agent never lends its rights."""
    if uid not in (0, os.geteuid()):
        raise AgentError(
            "forbidden",
            f"files of the server are shown to root and to the agent's own user, not to user {uid}",
            hint="log in as one of them, or use a terminal on the server",
        )


def listed(top: str, path: str) -> VolumeFolder:
    """A folder below ``top``. Blocks. Raises AgentError."""
    with root_of(_absolute(top)) as root:
        return folder(root, decode_path(path))


def text_of(top: str, path: str) -> StackText:
    """A file below ``top``. Blocks.

    Raises:
        AgentError: there is none, it is no text, or it is too large for an editor.
    """
    wanted = decode_path(path)
    with root_of(_absolute(top)) as root:
        content = _read(root, wanted)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise AgentError("bad_request", f"{show(wanted)} is no text in UTF-8") from error
    return StackText(shown=show(wanted), content=text, digest=_digest(content))


def write(context: JobContext, spec: ComposeWrite) -> None:
    """Replace a file, or make a new one. Blocks.

    Raises:
        AgentError: ``conflict``: it is not what the change is based on; or the disk refuses.
    """
    check_rights(context.uid)
    path = decode_path(spec.path)
    parent, _, name = path.rpartition(b"/")
    with root_of(_absolute(spec.folder)) as root, inside(root, parent, FOLDER) as held:
        now, status = b"", None
        with suppress(FileNotFoundError):
            status = os.stat(name, dir_fd=held, follow_symlinks=False)
            now = _read(root, path)
        found = "" if status is None else _digest(now)
        if found != spec.digest:
            raise AgentError(
                "conflict",
                f"{show(path)} was changed on the server since it was opened: nothing was written",
                hint="open it again and make the change there",
            )
        _replace(held, name, spec.content.encode("utf-8", "surrogatepass"), status)
    context.log(f"{spec.folder}/{show(path)}: {len(spec.content)} characters written")
    context.result(outcome="success")


def _replace(held: int, name: bytes, content: bytes, status: os.stat_result | None) -> None:
    """Whole or not at all, with the mode and the owner it had."""
    new = b"." + name[:200] + b"." + secrets.token_hex(6).encode()
    try:
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=held)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(content)
                file.flush()
                os.fchmod(fd, stat.S_IMODE(status.st_mode) if status is not None else 0o644)
                if status is not None and os.geteuid() == 0:
                    os.fchown(fd, status.st_uid, status.st_gid)
                os.fsync(fd)
            os.rename(new, name, src_dir_fd=held, dst_dir_fd=held)
            os.fsync(held)
        except OSError:
            with suppress(OSError):
                os.unlink(new, dir_fd=held)
            raise
    except OSError as error:
        raise AgentError("failed", f"{show(name)} cannot be written: {error.strerror}; it is as it was") from error


def _read(root: int, path: bytes) -> bytes:
    with inside(root, path, PLAIN) as held:
        status = os.fstat(held)
        if not stat.S_ISREG(status.st_mode):
            raise AgentError("bad_request", f"{show(path)} is no file")
        if status.st_size > _LARGEST:
            raise AgentError("bad_request", f"{show(path)} is larger than {_LARGEST >> 20} MiB")
        content = b""
        while piece := os.read(held, _LARGEST + 1 - len(content)):
            content += piece
        return content


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _absolute(top: str) -> str:
    if not top.startswith("/") or "\0" in top or ".." in top.split("/"):
        raise AgentError("bad_request", f"{top[:200]!r} is no absolute path of a folder")
    return top
