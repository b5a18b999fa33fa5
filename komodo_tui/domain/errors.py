"""The one tree of errors. Each edge to a library translates that library's errors into it once.

::

    KomodoError                    exit
    ├── UsageError                    2   the command line, a definition or a setting is wrong
    ├── UnreachableError              3   the server or its agent cannot be reached
    │   ├── HostUnreachableError          no answer, refused, name unknown, connection lost
    │   ├── AuthenticationError           the server does not take the keys or answers it was given
    │   ├── HostKeyUnknownError           never seen before: a person has to say yes
    │   ├── HostKeyChangedError           not the key of last time: never accepted by us
    │   ├── AgentMissingError             no agent listens there
    │   ├── AgentMismatchError            an agent of another protocol version, or not ours
    │   └── AgentTimeoutError             SSH is fine, the agent does not answer
    ├── RefusedError                  4   we would not
    │   ├── ReadOnlyError
    │   ├── LockedError                   another act holds the lock of the same target
    │   └── NotConfirmedError
    ├── ActError                      1   it was tried and failed
    │   ├── EngineError                   the engine said no, or is not there
    │   ├── NotFoundError                 no such server, container, …
    │   └── BrokenOffError                another attempt may do better
    └── StoreError                    1   the state directory cannot be read or written
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells its caller (DESIGN: command line)."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    REFUSED = 4
    PARTLY_FAILED = 5
    INTERRUPTED = 130


class KomodoError(Exception):
    """An error a person will read.

    ``message`` says what happened, to what; ``hint`` what to do next. Neither ever holds a secret,
    and both are plain text: no markup, no escape sequences.
    """

    exit_code: ExitCode = ExitCode.FAILED

    def __init__(self, message: str, *, hint: str = "", server: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.server = server

    def __str__(self) -> str:
        where = f"{self.server}: " if self.server else ""
        return f"{where}{self.message}" + (f" ({self.hint})" if self.hint else "")


class UsageError(KomodoError):
    """The command line, a definition or a setting is wrong; the message names file, line and key where it can."""

    exit_code = ExitCode.USAGE


class UnreachableError(KomodoError):
    """The server or its agent cannot be reached. ``retry`` tells whether time alone may cure it."""

    exit_code = ExitCode.UNREACHABLE
    retry = True


class HostUnreachableError(UnreachableError):
    """No answer, connection refused, name not known, connection lost."""


class AuthenticationError(UnreachableError):
    """The server does not take what it was offered. Never retried: servers block addresses that keep failing."""

    retry = False


class HostKeyUnknownError(UnreachableError):
    """This server's key has never been seen; a person has to compare and accept it."""

    retry = False

    def __init__(self, message: str, *, host: str, port: int, algorithm: str, fingerprint: str, key: str) -> None:
        super().__init__(message, hint=f"compare {fingerprint} with the server's own, then accept it")
        self.host = host
        self.port = port
        self.algorithm = algorithm
        self.fingerprint = fingerprint
        """``SHA256:…`` as ``ssh-keygen -l`` prints it."""
        self.key = key
        """The public key in OpenSSH format, as known_hosts takes it."""


class HostKeyChangedError(UnreachableError):
    """The server's key is not the one on record: a new installation, or somebody in between."""

    retry = False


class AgentMissingError(UnreachableError):
    """SSH works; no agent listens on the socket."""


class AgentMismatchError(UnreachableError):
    """Something answers that is no agent, or an agent whose protocol we do not speak."""

    retry = False


class AgentTimeoutError(UnreachableError):
    """SSH works; the agent does not answer in time."""


class RefusedError(KomodoError):
    """We would not do it; nothing has been changed."""

    exit_code = ExitCode.REFUSED


class ReadOnlyError(RefusedError):
    """Read-only mode is on."""


class LockedError(RefusedError):
    """Another act on the same target is under way."""


class NotConfirmedError(RefusedError):
    """The confirm policy asks for a yes that was not given."""


class ActError(KomodoError):
    """It was tried and it failed."""


class EngineError(ActError):
    """The engine refused, failed or is not there."""


class NotFoundError(ActError):
    """No such server, container, image…"""


class BrokenOffError(ActError):
    """It broke off, or things changed meanwhile: another attempt may do better."""


class StoreError(KomodoError):
    """The state directory cannot be read or written."""


def told_by(errors: BaseExceptionGroup[BaseException]) -> KomodoError | None:
    """The first of errors that came together, where all of them are ours; None = something else is among them."""
    ours, others = errors.split(KomodoError)
    found: BaseException | None = ours if others is None else None
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found if isinstance(found, KomodoError) else None
