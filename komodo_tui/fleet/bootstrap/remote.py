"""Runs on the server, by its own python3: unpacks what comes on standard input, switches to it, or switches back.

Standard library only and Python 3.10; sent as text, after the modules it imports. What it has to say goes to
standard output, one line each: ``komodo-install`` and a JSON object.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import io
import json
import os
import shutil
import signal
import sys
import tarfile
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO

from komodo_tui.fleet.bootstrap.remote_service import Service, choose, healthy, record, recorded
from komodo_tui.fleet.bootstrap.remote_talk import InstallError, greeting

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 1 << 16
_KEEP = 2
"""Versions that stay: the one that runs and the one before it."""
_LAUNCHER = """#!/bin/sh
exec {python} -I -S {run} "$@"
"""
_RUN = """import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from komodo_agent.__main__ import main
sys.exit(main())
"""


class Reader(io.RawIOBase):
    """The archive on standard input: counted, hashed, never read past its end."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._left = size
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Some bytes; none at the end."""
        if not self._left:
            return 0
        data = self._stream.read(min(len(buffer), self._left))
        if not data:
            raise InstallError("the transfer broke off", "nothing was changed; try again")
        self._left -= len(data)
        self._hash.update(data)
        buffer[: len(data)] = data
        return len(data)

    def finish(self) -> str:
        """The digest of all of it."""
        while self.read(_CHUNK):
            pass
        return self._hash.hexdigest()


def say(**fields: Any) -> None:
    """One line for the operator, who may have gone."""
    with suppress(OSError, ValueError):
        sys.stdout.write(f"komodo-install {json.dumps(fields)}\n")
        sys.stdout.flush()


def run(order: dict[str, Any], stream: BinaryIO) -> int:
    """Do what the order says; returns the exit code."""
    for number in (signal.SIGHUP, signal.SIGPIPE):
        # A lost connection must not leave the work half done; a function, since an ignored signal would be inherited.
        signal.signal(number, lambda *_: None)
    try:
        with _lock(order["base"]):
            _install(order, stream)
    except InstallError as error:
        say(failed=str(error), hint=error.hint)
        return 1
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        say(failed=f"{error.strerror or error}{where}", hint="the agent that was there before was left as it was")
        return 1
    return 0


@contextmanager
def _lock(base: str) -> Iterator[None]:
    """One installation at a time."""
    os.makedirs(os.path.join(base, "versions"), exist_ok=True)
    os.chmod(base, 0o700)
    fd = os.open(os.path.join(base, "install.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise InstallError("another installation is under way there", "wait for it and look again") from None
    finally:
        os.close(fd)


def _install(order: dict[str, Any], stream: BinaryIO) -> None:
    base, name = order["base"], order["id"]
    before, old = _current(base), recorded(base)
    _unpack(order, stream)
    say(progress=f"unpacked {name}")
    new = choose(order, say)
    ran = old is not None and greeting(old.socket) is not None
    say(progress=f"starting it as {new.how}")
    try:
        if old is not None and (old.mode, old.socket) != (new.mode, new.socket):
            old.stop()
        _switch(base, name)
        new.start()
        healthy(new, order["version"])
    except (InstallError, OSError) as error:
        back = _back(base, before, new, old if ran else None)
        if before != name:
            shutil.rmtree(os.path.join(base, "versions", name), ignore_errors=True)
        raise InstallError(f"{error}; {back}", getattr(error, "hint", "")) from error
    record(new)
    _prune(base, {name, before})
    say(done=True, socket=new.socket, mode=new.mode)


def _unpack(order: dict[str, Any], stream: BinaryIO) -> None:
    """Put the version beside the others, complete or not at all."""
    versions = os.path.join(order["base"], "versions")
    for left in os.listdir(versions):  # of a transfer that broke off
        if left.endswith(".new"):
            shutil.rmtree(os.path.join(versions, left), ignore_errors=True)
    new = os.path.join(versions, f"{order['id']}.new")
    reader = Reader(stream, order["length"])
    complete = False
    try:
        _extract(reader, os.path.join(new, "lib"))
        if reader.finish() != order["sha256"]:
            raise InstallError("what arrived is not what was sent", "try again")
        _write(os.path.join(new, "run.py"), _RUN)
        path = os.path.join(versions, order["id"])
        quoted = [_quote(sys.executable), _quote(os.path.join(path, "run.py"))]
        _write(os.path.join(new, "komodo-agent"), _LAUNCHER.format(python=quoted[0], run=quoted[1]), 0o755)
        _replace(new, path)
        complete = True
    except (tarfile.TarError, gzip.BadGzipFile, EOFError) as error:
        raise InstallError(f"what arrived cannot be unpacked: {error}", "try again") from error
    finally:
        if not complete:
            shutil.rmtree(new, ignore_errors=True)


def _extract(reader: Reader, folder: str) -> None:
    made = set()
    packed = io.BufferedReader(reader, _CHUNK)
    with gzip.open(packed) as plain, tarfile.open(fileobj=plain, mode="r|") as tar:
        for member in tar:
            parts = member.name.split("/")
            content = tar.extractfile(member) if member.isreg() else None
            if content is None or ".." in parts or "" in parts:
                raise InstallError(f"the archive holds something else than files: {member.name!r}")
            parent = os.path.join(folder, *parts[:-1])
            if parent not in made:
                os.makedirs(parent, exist_ok=True)
                made.add(parent)
            path = os.path.join(parent, parts[-1])
            with open(path, "wb") as out:
                shutil.copyfileobj(content, out, _CHUNK)
            os.utime(path, (member.mtime, member.mtime))


def _replace(new: str, path: str) -> None:
    old = f"{path}.old"
    shutil.rmtree(old, ignore_errors=True)
    if os.path.isdir(path):
        os.rename(path, old)
    os.rename(new, path)
    shutil.rmtree(old, ignore_errors=True)


def _current(base: str) -> str:
    """The version that is switched to, or an empty string."""
    try:
        return os.path.basename(os.readlink(os.path.join(base, "current")))
    except OSError:
        return ""


def _switch(base: str, name: str) -> None:
    link = os.path.join(base, "current")
    with suppress(FileNotFoundError):
        os.unlink(f"{link}.new")
    os.symlink(os.path.join("versions", name), f"{link}.new")
    os.replace(f"{link}.new", link)


def _back(base: str, before: str, new: Service, old: Service | None) -> str:
    """Undo the switch; what became of it, for the message."""
    try:
        new.stop()
        if old is None or old.mode != new.mode:
            new.remove()
        if not before:
            os.unlink(os.path.join(base, "current"))
            return "no agent is left there, as before"
        _switch(base, before)
        if old is None:
            return f"{before} is in place again, and does not run, as before"
        old.start()
        healthy(old, "")
        return f"{before} runs again"
    except (InstallError, OSError) as error:
        return f"and what was there before could not be restored: {error}"


def _prune(base: str, keep: set[str]) -> None:
    """Remove versions but the newest ones."""
    versions = os.path.join(base, "versions")
    names = [name for name in os.listdir(versions) if name not in keep]
    names.sort(key=lambda name: os.stat(os.path.join(versions, name)).st_mtime, reverse=True)
    for name in names[max(0, _KEEP - len(keep - {""})) :]:
        shutil.rmtree(os.path.join(versions, name), ignore_errors=True)


def _write(path: str, text: str, mode: int = 0o600) -> None:
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    os.chmod(path, mode)


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
