"""Terminals that live in the agent: their programs go on while nobody looks, and whoever comes back sees the same.

The first message on the attach WebSocket is a text :class:`Attach`; the agent answers with a text :class:`Attached`,
or with :class:`~.exec.ExecExit` where there is nothing to attach to. Then binary messages carry input one way and
output the other, and text messages the structs below. Every byte of output has its place: what is kept is sent again,
with the sizes it was written at, so a terminal emulator that takes all of it ends with the same screen. Closing the
socket leaves the program running.
"""

from __future__ import annotations

import msgspec

from .exec import ExecExit, ExecRequest, Resize

ROUTE_TERMINALS = "/v1/terminals"
"""GET -> list of :class:`TerminalInfo`, oldest first: those that this user opened, or all for root."""
ROUTE_TERMINAL = "/v1/terminals/{id}"
"""PUT :class:`Rename` -> :class:`TerminalInfo`. DELETE ends the program and forgets the terminal (204)."""
ROUTE_TERMINAL_ATTACH = "/v1/terminals/{id}/attach"
"""WebSocket: see this module."""

FEATURE = "terminals"
"""In :attr:`~.protocol.Hello.features` where the agent has them."""

MAX_TERMINALS = 64
"""Terminals of one agent that run, at most."""


class ShellRequest(msgspec.Struct, frozen=True, kw_only=True, tag="shell", tag_field="on"):
    """A program on the server itself, as the agent's own user: refused to every other one."""

    command: tuple[str, ...] = ()
    """Empty = the user's login shell."""
    environment: dict[str, str] = msgspec.field(default_factory=dict)


class ContainerRequest(msgspec.Struct, frozen=True, kw_only=True, tag="container", tag_field="on"):
    """A program in a container."""

    process: ExecRequest
    """Always with a terminal; ``tty``, ``rows`` and ``cols`` are not looked at."""


class OpenTerminal(msgspec.Struct, frozen=True, kw_only=True):
    """A terminal to begin."""

    program: ContainerRequest | ShellRequest
    name: str = ""
    """What people call it; the target's name when empty."""


class Attach(msgspec.Struct, frozen=True, kw_only=True):
    """How a client looks at a terminal."""

    rows: int = 24
    cols: int = 80
    """The smallest size of all that are attached is the terminal's."""
    read_only: bool = False
    """What it types is thrown away, and its size does not count."""
    since: int | None = None
    """The place up to which the client has taken the output already; None = nothing yet."""
    open: OpenTerminal | None = None
    """Begin it with this where the id is not known yet; None = it must be there."""


class TerminalInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One terminal of the agent."""

    id: str
    name: str
    target: str
    """The container's name; empty = the server itself."""
    command: tuple[str, ...]
    """As it was asked for; empty = the best shell there is."""
    opened: float
    """Unix time."""
    rows: int
    cols: int
    clients: int
    """How many look at it now."""
    container: str = ""
    """The container's id."""
    ended: float | None = None
    """Unix time; None = it runs."""
    code: int | None = None
    """Exit status, once it has ended and that is known."""
    reason: str = ""
    uid: int = 0
    """Who opened it."""
    attached: bool = False
    """It is the container's own process: ending the terminal leaves that."""
    fresh: bool = False
    """It runs in a new container like the one that is named."""


class Attached(msgspec.Struct, frozen=True, kw_only=True, tag="attached", tag_field="k"):
    """The client sees it from now on. Comes again when a client was too slow to be given everything."""

    info: TerminalInfo
    place: int
    """The first byte that follows has this place in the output."""
    live: int
    """What comes before this place is repeated: its questions have been answered already."""
    fresh: bool
    """What the client has shown so far no longer counts: begin with an empty screen."""
    rows: int = 24
    cols: int = 80
    """For a fresh beginning: the size that what follows was written at."""
    state: bytes = b""
    """For a fresh beginning: output to take first, which has no place of its own."""
    cut: bool = False
    """The beginning of the output is lost; the program was asked to draw its screen anew."""


class Sized(msgspec.Struct, frozen=True, kw_only=True, tag="sized", tag_field="k"):
    """What follows was written at this size."""

    rows: int
    cols: int


class Answers(msgspec.Struct, frozen=True, kw_only=True, tag="answers", tag_field="k"):
    """Whether this client's emulator is the one that answers what the program asks its terminal."""

    yours: bool


class Rename(msgspec.Struct, frozen=True, kw_only=True):
    """A new name."""

    name: str


TerminalEvent = Attached | Sized | Answers | ExecExit
"""Agent to client."""

attach_decoder = msgspec.json.Decoder(Attach)
control_decoder = msgspec.json.Decoder(Resize)
event_decoder = msgspec.json.Decoder(TerminalEvent)
rename_decoder = msgspec.json.Decoder(Rename)
