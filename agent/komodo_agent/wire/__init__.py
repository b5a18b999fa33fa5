"""What the agent and its clients say to each other: structs, routes and the protocol's version.

The only part of the agent that ``komodo_tui`` may import. It depends on msgspec alone.
Unary calls are HTTP with JSON bodies; streams are WebSockets (see :mod:`.feed`, :mod:`.logs`, :mod:`.exec`).
Unknown fields are ignored by both sides, so a field may be added within one protocol version.
"""
