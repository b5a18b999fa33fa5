"""What the agent keeps of a compose project: its placed files, its revisions, and the lock of the one deploy at a time.

A file that is not in the last revision's list is somebody's own and is never written over, moved or removed.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import secrets
import time
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import msgspec

from ..problems import AgentError
from ..wire.compose import Revision, StackFile
from .disk import content_of, disk_errors, remove_tree, write_whole
from .names import check_path, check_project
from .revisions import last_good

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

_LEFT_BEHIND = 600.0
"""Seconds after which a folder made to look at is nobody's any more."""
_decode = msgspec.json.Decoder(Revision).decode


class StackFolder:
    """The folder of one project. Its calls block a little; they are small files."""

    def __init__(self, root: Path, project: str) -> None:
        self.project = check_project(project)
        self._root = root
        self._base = root / project

    @property
    def base(self) -> Path:
        """All that is kept of it."""
        return self._base

    @property
    def files(self) -> Path:
        """Where placed files are: the project directory of compose."""
        return self._base / "files"

    @property
    def returned(self) -> Path:
        """Where the files of a revision lie that was brought back, when its own folder is not ours to write."""
        return self._base / "returned"

    def exists(self) -> bool:
        """Whether anything has been kept of this project."""
        return self._base.is_dir()

    def make(self) -> None:
        """Make the folders. Raises AgentError when the disk refuses."""
        with disk_errors(self._base):
            for folder in (self._root, self._base, self.files, self._base / "revisions"):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextmanager
    def lock(self) -> Iterator[int]:
        """Hold the project; gives the descriptor, for children to hold it on if the agent dies.

        Raises:
            AgentError: ``conflict``: somebody else holds it.
        """
        self.make()
        with disk_errors(self._base):
            fd = os.open(self._base / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise AgentError(
                    "conflict",
                    f"another job works on {self.project} on this server",
                    hint="wait for its end",
                    retryable=True,
                ) from error
            yield fd
        finally:
            os.close(fd)

    def set_down(self, down: bool) -> None:
        """Remember that the project was taken down on purpose, or that it is to run again."""
        if down and self.exists():
            write_whole(self._base / "down", b"")
        else:
            (self._base / "down").unlink(missing_ok=True)

    def is_down(self) -> bool:
        """Whether it was taken down on purpose."""
        return (self._base / "down").exists()

    def busy(self) -> bool:
        """Whether somebody holds the lock."""
        try:
            fd = os.open(self._base / "lock", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(fd)
        return False

    def revisions(self) -> list[Revision]:
        """All that can be read, newest first."""
        found = []
        for path in (self._base / "revisions").glob("*.json"):
            with suppress(OSError, msgspec.DecodeError):
                found.append(_decode(path.read_bytes()))
        return sorted(found, key=lambda revision: -revision.summary.number)

    def revision(self, number: int) -> Revision:
        """One of them; raises AgentError ``not_found``."""
        for revision in self.revisions():
            if revision.summary.number == number:
                return revision
        raise AgentError("not_found", f"{self.project} has no revision {number} on this server")

    def next_number(self) -> int:
        """Of a new revision; numbers are never used twice, also when one cannot be read."""
        numbers = [int(path.stem) for path in (self._base / "revisions").glob("*.json") if path.stem.isdigit()]
        return max(numbers, default=0) + 1

    def save(self, revision: Revision) -> None:
        """Keep a revision, on disk when this returns. Raises AgentError when the disk refuses."""
        write_whole(self._base / "revisions" / f"{revision.summary.number}.json", msgspec.json.encode(revision))

    def forget(self, number: int) -> None:
        """Drop a revision that is none."""
        with suppress(OSError):
            (self._base / "revisions" / f"{number}.json").unlink()

    def settle(self) -> None:
        """Close and clear away what a dead agent left open; the lock is held by the caller."""
        for revision in self.revisions():
            if revision.summary.outcome == "running":
                summary = msgspec.structs.replace(
                    revision.summary, outcome="interrupted", finished=time.time(), error="the agent ended meanwhile"
                )
                self.save(msgspec.structs.replace(revision, summary=summary))
        for folder in self._base.glob("look-*"):
            with suppress(OSError):
                if time.time() - folder.stat().st_mtime > _LEFT_BEHIND:
                    self.drop(folder)

    def prune(self, keep: int) -> None:
        """Drop the oldest revisions beyond ``keep``; the last good one always stays."""
        revisions = self.revisions()
        good = last_good(revisions)
        for revision in revisions[max(keep, 1) :]:
            if revision is not good:
                self.forget(revision.summary.number)

    def check_own(self, files: Iterable[StackFile], placed: Iterable[StackFile]) -> list[str]:
        """What stands in the way of placing ``files``: files of somebody else's, links, folders.

        ``placed`` are those that earlier revisions placed.
        """
        ours = {file.path for file in placed}
        found = []
        for file in files:
            path = self._inside(file.path)
            if path.is_symlink() or path.is_dir():
                found.append(f"{path} is in the way: it is not a file of ours")
            elif path.exists() and file.path not in ours and content_of(path) != file.content:
                found.append(f"{path} is somebody's own: it would be written over")
        return found

    def snapshot(self, files: Iterable[StackFile]) -> tuple[StackFile, ...]:
        """What is on disk at the paths of these files."""
        there = ((file.path, content_of(self._inside(file.path))) for file in files)
        return tuple(StackFile(path=path, content=content) for path, content in there if content is not None)

    def place(self, files: Iterable[StackFile], placed: Iterable[StackFile]) -> None:
        """Write these files, and take away those of ``placed`` that are not among them and are as we left them.

        Raises:
            AgentError: the disk refuses, or a path leads out of the folder.
        """
        files = tuple(files)
        now = {file.path for file in files}
        for file in files:
            path = self._inside(file.path)
            if content_of(path) != file.content:
                with disk_errors(path):
                    path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
                write_whole(path, file.content.encode("utf-8", "surrogatepass"), 0o644)
        for file in placed:
            path = self._inside(file.path)
            if file.path not in now and not path.is_symlink() and content_of(path) == file.content:
                with suppress(OSError):
                    path.unlink()

    def place_returned(self, files: Iterable[StackFile]) -> None:
        """Write a revision's files beside, for a project whose folder is not ours."""
        for file in files:
            path = self.returned / check_path(file.path)
            with disk_errors(path):
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_whole(path, file.content.encode("utf-8", "surrogatepass"))

    def write_pins(self, content: str) -> str:
        """Write the file that holds services to images; returns its path."""
        path = self._base / "pinned-images.yaml"
        write_whole(path, content.encode())
        return str(path)

    def scratch(self, files: Mapping[str, str]) -> Path:
        """A new folder with these files, for compose to look at; the caller removes it by :meth:`drop`."""
        self.make()
        with disk_errors(self._base):
            folder = self._base / f"look-{secrets.token_hex(6)}"
            folder.mkdir(mode=0o700)
        try:
            for name, content in files.items():
                path = folder / check_path(name)
                with disk_errors(path):
                    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                write_whole(path, content.encode("utf-8", "surrogatepass"))
        except AgentError:
            self.drop(folder)
            raise
        return folder

    def copy(self, files: Mapping[str, str], besides: Collection[str]) -> Path:
        """A scratch folder like the project's own: these files, and links to what else lies there.

        ``besides``: paths that are not linked to, since their files come and go.
        """
        folder = self.scratch(files)
        try:
            with disk_errors(folder):
                self._link(self.files, folder, {*files, *besides})
        except AgentError:
            self.drop(folder)
            raise
        return folder

    def _link(self, there: Path, here: Path, taken: Collection[str]) -> None:
        for entry in there.iterdir():
            relative = str(entry.relative_to(self.files))
            target = here / entry.name
            if any(path.startswith(f"{relative}/") for path in taken):
                target.mkdir(mode=0o700, exist_ok=True)
                self._link(entry, target, taken)
            elif relative not in taken and not target.exists():
                target.symlink_to(entry)

    def content(self, path: str) -> str | None:
        """What is on disk at the path of a placed file; None where there is no file."""
        return content_of(self._inside(path))

    def drop(self, folder: Path) -> None:
        """Remove a scratch folder; links in it are not followed."""
        remove_tree(folder)

    def prints(self, values: Mapping[str, str]) -> dict[str, str]:
        """Keyed fingerprints of values: equal for equal values of one name, and of no use without our key."""
        key = self._key()
        return {
            name: hmac.new(key, f"{name}={value}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:16]
            for name, value in values.items()
        }

    def _key(self) -> bytes:
        path = self._root / "key"
        with suppress(OSError):
            key = path.read_bytes()
            if len(key) >= 32:
                return key
        self.make()
        key = secrets.token_bytes(32)
        write_whole(path, key)
        return key

    def _inside(self, relative: str) -> Path:
        """The path of a placed file; no folder on the way may be a link."""
        path = self.files / PurePosixPath(check_path(relative))
        for parent in path.parents:
            if parent == self.files:
                break
            if parent.is_symlink():
                raise AgentError("conflict", f"{parent} is a link: nothing is written through it")
        return path
