"""A tar archive back into a volume. Blocking; links are never followed, see :mod:`.volume_tree`."""

from __future__ import annotations

import os
import shutil
import tarfile
import uuid
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from ..problems import AgentError
from ..wire.volumes import Restored
from .volume_tar import names_in
from .volume_tree import DEEPEST, FOLDER, show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

_PIECE = 1 << 20
_SKIPPED_NAMED = 20
_OURS = b".komodo-"
"""Names of folders that a restore makes beside the data begin with this."""


def read_tar(root: int, source: IO[bytes], *, replace: bool) -> Restored:
    """Unpack an archive beside the data, and put it in their place once all of it is there.

    Raises:
        AgentError: ``conflict``: the volume is not empty; ``bad_request``: it is no archive, or one that leads out of
            the volume; ``failed``: it cannot be written. The volume is as it was.
    """
    if not replace and any(not name.startswith(_OURS) for name in names_in(root)):
        raise AgentError("conflict", "the volume is not empty", hint="restore into a new one, or replace what is there")
    before = os.fstat(root)
    mark = uuid.uuid4().hex[:12].encode()
    fresh, old = _OURS + b"new-" + mark, _OURS + b"old-" + mark
    try:
        with _made(root, fresh) as new:
            restored, top = _unpack(new, source)
            with _made(root, old) as aside:
                _swap(root, new, aside)
        _remove(root, old)
        _remove(root, fresh)
        if top is not None:
            _own(root, top)  # at the very end: it bears the time of its last change
    except OSError as error:
        raise AgentError(
            "failed", f"the archive cannot be unpacked: {error.strerror or error}", hint="is the disk full?"
        ) from error
    finally:
        if os.path.lexists(_path(root, fresh)):
            _remove(root, fresh)
            with suppress(OSError):  # what could not be moved back stays in it
                os.rmdir(old, dir_fd=root)
            os.utime(root, ns=(before.st_atime_ns, before.st_mtime_ns))
    return restored


@contextmanager
def _made(root: int, name: bytes) -> Iterator[int]:
    """A new folder and its descriptor; the folder stays."""
    os.mkdir(name, 0o700, dir_fd=root)
    held = os.open(name, FOLDER, dir_fd=root)
    try:
        yield held
    finally:
        os.close(held)


def _remove(root: int, name: bytes) -> None:
    # rmtree takes no descriptor before Python 3.11; below the name it goes by descriptors itself.
    shutil.rmtree(_path(root, name))


def _path(root: int, name: bytes) -> bytes:
    return b"/proc/self/fd/%d/%s" % (root, name)


def _swap(root: int, new: int, aside: int) -> None:
    """Move what is there aside and what is new in; only renames, so it is quick and cannot run out of space.

    Should one fail, all of them are taken back. A program that dies here leaves what was there in the folder beside.
    """
    moved: list[tuple[bytes, int, int]] = []

    def move(name: bytes, origin: int, goal: int) -> None:
        os.rename(name, name, src_dir_fd=origin, dst_dir_fd=goal)
        moved.append((name, origin, goal))

    try:
        for name in names_in(root):
            if not name.startswith(_OURS):  # also what a restore that died may have left: it holds data
                move(name, root, aside)
        for name in names_in(new):
            move(name, new, root)
    except OSError:
        for name, origin, goal in reversed(moved):
            os.rename(name, name, src_dir_fd=goal, dst_dir_fd=origin)
        raise


def _unpack(root: int, source: IO[bytes]) -> tuple[Restored, tarfile.TarInfo | None]:
    """What was unpacked, and the archive's entry of the top folder itself."""
    top: tarfile.TarInfo | None = None
    files, size, ended = 0, 0, False
    skipped: list[str] = []
    folders: list[tuple[list[bytes], tarfile.TarInfo]] = []

    class Header(tarfile.TarInfo):
        """Notices the block of zeros that ends an archive: one that was cut between two entries has none."""

        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
            nonlocal ended
            ended = ended or (len(buf) == tarfile.BLOCKSIZE and not any(buf))
            return super().frombuf(buf, encoding, errors)

    try:
        with tarfile.open(
            fileobj=source, mode="r|*", bufsize=_PIECE, tarinfo=Header, encoding="utf-8", errors="surrogateescape"
        ) as tar:
            for entry in tar:
                parts = _parts(entry.name)
                if not parts:
                    top = entry if entry.isdir() else top
                    continue
                if not _put(root, tar, entry, parts):
                    skipped.append(entry.name[:200].encode("utf-8", "replace").decode())
                    continue
                files, size = files + 1, size + entry.size
                if entry.isdir():
                    folders.append((parts, entry))
    except (tarfile.TarError, EOFError) as error:
        raise AgentError("bad_request", f"this is no whole tar archive: {error}") from error
    if not ended:
        raise AgentError("bad_request", "the archive is cut off: its end is missing")
    while source.read(_PIECE):
        pass  # the padding behind its end: who sends it waits until it is taken
    for parts, entry in reversed(folders):  # last, for putting something into a folder changes its time
        _dress(root, parts, entry)
    return Restored(files=files, size=size, skipped=tuple(skipped[:_SKIPPED_NAMED])), top


def _parts(name: str) -> list[bytes]:
    parts = [part for part in os.fsencode(name).split(b"/") if part not in (b"", b".")]
    if b".." in parts or len(parts) > DEEPEST:
        raise AgentError("bad_request", f"the archive has an entry that leads out of the volume: {name[:80]!r}")
    return parts


def _put(root: int, tar: tarfile.TarFile, entry: tarfile.TarInfo, parts: list[bytes]) -> bool:
    """Make one entry; False for a kind that is not made."""
    with _Parent(root, parts[:-1]) as held:
        name = parts[-1]
        if entry.isdir():
            with suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=held)
            return True
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=held)
        if entry.isreg():
            _put_file(tar, entry, held, name)
        elif entry.issym():
            os.symlink(os.fsencode(entry.linkname), name, dir_fd=held)
            _own_link(held, name, entry)
        elif entry.islnk():
            target = _parts(entry.linkname)
            with _Parent(root, target[:-1]) as other:
                os.link(target[-1], name, src_dir_fd=other, dst_dir_fd=held, follow_symlinks=False)
        elif entry.isfifo():
            os.mkfifo(name, entry.mode & 0o777, dir_fd=held)
            _own_link(held, name, entry)
        else:
            return False
    return True


def _put_file(tar: tarfile.TarFile, entry: tarfile.TarInfo, held: int, name: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    content = tar.extractfile(entry)
    with os.fdopen(os.open(name, flags, 0o600, dir_fd=held), "wb") as file:
        if content is not None:
            shutil.copyfileobj(content, file, _PIECE)
        file.flush()
        _own(file.fileno(), entry)


def _dress(root: int, parts: list[bytes], entry: tarfile.TarInfo) -> None:
    with _Parent(root, parts) as held:
        _own(held, entry)


def _own(descriptor: int, entry: tarfile.TarInfo) -> None:
    if os.geteuid() == 0:  # others cannot give files away; first, for it takes set-uid bits away
        os.fchown(descriptor, entry.uid, entry.gid)
    os.fchmod(descriptor, entry.mode & 0o7777)
    os.utime(descriptor, (entry.mtime, entry.mtime))


def _own_link(held: int, name: bytes, entry: tarfile.TarInfo) -> None:
    if os.geteuid() == 0:
        os.chown(name, entry.uid, entry.gid, dir_fd=held, follow_symlinks=False)
    os.utime(name, (entry.mtime, entry.mtime), dir_fd=held, follow_symlinks=False)


class _Parent:
    """A descriptor of a folder inside, made where it is missing; a link in its way is an error."""

    def __init__(self, root: int, parts: list[bytes]) -> None:
        self._held = os.dup(root)
        try:
            for part in parts:
                with suppress(FileExistsError):
                    os.mkdir(part, 0o755, dir_fd=self._held)
                deeper = os.open(part, FOLDER, dir_fd=self._held)
                os.close(self._held)
                self._held = deeper
        except OSError as error:
            os.close(self._held)
            raise AgentError(
                "bad_request", f"the archive puts something below {show(b'/'.join(parts))[:80]!r}, which is no folder"
            ) from error

    def __enter__(self) -> int:
        return self._held

    def __exit__(self, *_: object) -> None:
        os.close(self._held)
