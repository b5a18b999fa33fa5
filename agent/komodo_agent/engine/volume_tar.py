"""A volume as a tar archive. Blocking; links are never followed, see :mod:`.volume_tree`."""

from __future__ import annotations

import os
import stat
import tarfile
from typing import IO, TYPE_CHECKING

from ..problems import AgentError
from .volume_tree import DEEPEST, FOLDER, PLAIN, show

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 1 << 20
_ZEROS = bytes(_PIECE)


def write_tar(root: int, out: IO[bytes]) -> None:
    """All of the volume, with owners, modes, times and hard links.

    Raises:
        AgentError: something in it cannot be read.
    """
    linked: dict[tuple[int, int], str] = {}
    with tarfile.open(
        fileobj=out, mode="w|", format=tarfile.PAX_FORMAT, bufsize=_PIECE, encoding="utf-8", errors="surrogateescape"
    ) as tar:
        _add(tar, root, b".", b".", linked)  # the top folder's owner matters to what runs in it
        for held, name, path in _walk(root):
            try:
                _add(tar, held, name, path, linked)
            except FileNotFoundError:
                continue  # it went while we looked: a volume in use changes
            except OSError as error:
                raise AgentError("failed", f"/{show(path)} cannot be read: {error.strerror}") from error


def _walk(root: int) -> Iterator[tuple[int, bytes, bytes]]:
    """Descriptor of the folder, name in it, and path of everything, each folder before what is in it."""
    open_folders = [(os.dup(root), b"", names_in(root))]
    try:
        while open_folders:
            held, path, names = open_folders[-1]
            if not names:
                os.close(held)
                open_folders.pop()
                continue
            name = names.pop()
            inner = path + b"/" + name if path else name
            yield held, name, inner
            deeper = _open_folder(held, name, inner)
            if deeper is not None:
                if len(open_folders) > DEEPEST:
                    os.close(deeper)
                    raise AgentError("failed", f"/{show(inner[:80])}… is more than {DEEPEST} folders deep")
                open_folders.append((deeper, inner, names_in(deeper)))
    finally:
        for held, _, _ in open_folders:
            os.close(held)


def _open_folder(held: int, name: bytes, path: bytes) -> int | None:
    """A descriptor of a folder; None for what is none, or gone. One that cannot be read ends it: no silent gaps."""
    try:
        return os.open(name, FOLDER, dir_fd=held)
    except (NotADirectoryError, FileNotFoundError):
        return None
    except OSError as error:
        raise AgentError("failed", f"/{show(path)} cannot be read: {error.strerror}") from error


def names_in(folder: int) -> list[bytes]:
    """What is in a folder, in reverse order, so that the first can be popped."""
    return sorted((os.fsencode(name) for name in os.listdir(folder)), reverse=True)


def _add(tar: tarfile.TarFile, held: int, name: bytes, path: bytes, linked: dict[tuple[int, int], str]) -> None:
    status = os.stat(name, dir_fd=held, follow_symlinks=False)
    mode = status.st_mode
    if stat.S_ISSOCK(mode):
        return  # of use to a running process only
    entry = tarfile.TarInfo(os.fsdecode(path))
    entry.mode, entry.uid, entry.gid, entry.mtime = (
        stat.S_IMODE(mode),
        status.st_uid,
        status.st_gid,
        int(status.st_mtime),
    )
    if stat.S_ISREG(mode):
        known = linked.get((status.st_dev, status.st_ino))
        if known is not None:
            entry.type, entry.linkname = tarfile.LNKTYPE, known
            tar.addfile(entry)
            return
        _add_file(tar, entry, held, name)
        if status.st_nlink > 1:
            linked[status.st_dev, status.st_ino] = entry.name
        return
    if stat.S_ISLNK(mode):
        entry.type, entry.linkname = tarfile.SYMTYPE, os.fsdecode(os.readlink(name, dir_fd=held))
    elif stat.S_ISDIR(mode):
        entry.type = tarfile.DIRTYPE
    elif stat.S_ISFIFO(mode):
        entry.type = tarfile.FIFOTYPE
    else:
        entry.type = tarfile.CHRTYPE if stat.S_ISCHR(mode) else tarfile.BLKTYPE
        entry.devmajor, entry.devminor = os.major(status.st_rdev), os.minor(status.st_rdev)
    tar.addfile(entry)


def _add_file(tar: tarfile.TarFile, entry: tarfile.TarInfo, held: int, name: bytes) -> None:
    with os.fdopen(os.open(name, PLAIN, dir_fd=held), "rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise FileNotFoundError  # another thing has taken its place
        entry.size = status.st_size
        tar.addfile(entry, _Exactly(file, entry.size))


class _Exactly:
    """As many bytes as were announced, also of a file that shrinks while it is read (zeros stand for the rest)."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._left = size

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._file.read(wanted)
        while len(data) < wanted:
            more = self._file.read(wanted - len(data))
            data += more or _ZEROS[: wanted - len(data)]
        self._left -= len(data)
        return data
