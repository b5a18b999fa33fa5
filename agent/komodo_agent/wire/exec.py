"""A process inside a container over one WebSocket.

The client's first message is a text :class:`ExecRequest`; the agent answers with a text :class:`ExecStarted` or
:class:`ExecExit`. Then binary messages carry bytes: from the client, standard input; from the agent, one byte
(1 standard output, 2 standard error) and the bytes. Text messages carry the structs below. When the socket
closes, the agent ends the process.
"""

from __future__ import annotations

import msgspec

ONE_OFF = "one-off"
"""In :attr:`~.protocol.Hello.features` where the agent knows :attr:`ExecRequest.fresh`. One that does not would run it
in the container itself: never ask it."""

STDOUT = 1
STDERR = 2


class ExecRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to run, where."""

    container: str
    otherwise: str = ""
    """Its name: where there is no container of that id any more, the one that has the name now is meant."""
    command: tuple[str, ...] = ()
    """Empty = the best shell there is: bash, else ash, else sh."""
    tty: bool = True
    rows: int = 24
    cols: int = 80
    user: str = ""
    workdir: str = ""
    environment: dict[str, str] = msgspec.field(default_factory=dict)
    attach: bool = False
    """Attach to the container's own process instead of starting one; closing detaches, it does not end."""
    fresh: bool = False
    """Run it in a new container like this one, removed at its end: same image, environment, user, mounts, networks,
    no ports. The one that is named need not run. Without a command, its own."""
    stdin: bool = True


class ExecStarted(msgspec.Struct, frozen=True, kw_only=True, tag="started", tag_field="k"):
    """It runs."""

    command: tuple[str, ...]


class ExecExit(msgspec.Struct, frozen=True, kw_only=True, tag="exit", tag_field="k"):
    """It ended, or could not start (then ``code`` is None and ``reason`` says why)."""

    code: int | None
    reason: str = ""


class Resize(msgspec.Struct, frozen=True, kw_only=True, tag="resize", tag_field="k"):
    """The client's window changed."""

    rows: int
    cols: int


class EndOfInput(msgspec.Struct, frozen=True, kw_only=True, tag="eof", tag_field="k"):
    """Close the process's standard input; its output still comes."""


ExecControl = Resize | EndOfInput
"""Client to agent."""
ExecEvent = ExecStarted | ExecExit
"""Agent to client."""

request_decoder = msgspec.json.Decoder(ExecRequest)
control_decoder = msgspec.json.Decoder(ExecControl)
event_decoder = msgspec.json.Decoder(ExecEvent)
