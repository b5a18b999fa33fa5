"""An ssh-agent that is lent to a server: its questions and answers over one WebSocket.

Who lends opens the WebSocket before the call of git, under the id that the source has (``lent``). Binary messages are
the number of a connection to the socket (32 bits, big-endian) and one message of the ssh-agent protocol
(draft-ietf-sshm-ssh-agent) without its length; an empty one says that the connection ended. A text from who lends says
why a question was not answered. Either side closes it to end the loan.
"""

from __future__ import annotations

import struct

ROUTE_LENT = "/v1/ssh-agents/{id}"
"""GET, a WebSocket."""
LONGEST_MESSAGE = 256 << 10
"""Bytes; what OpenSSH's own agent takes."""
_NUMBER = struct.Struct(">I")


def pack(number: int, body: bytes) -> bytes:
    """One binary message."""
    return _NUMBER.pack(number) + body


def unpack(message: bytes) -> tuple[int, bytes]:
    """The number of the connection, and what was said on it. What is too short is nothing on connection 0."""
    if len(message) < _NUMBER.size:
        return 0, b""
    return _NUMBER.unpack_from(message)[0], message[_NUMBER.size :]
