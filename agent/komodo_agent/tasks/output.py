"""What a command writes, into its job's log by whole lines, its tail kept as the job's result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..compose.cli import Masker
from ..problems import AgentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..jobs import JobContext

LINE_LIMIT = 8 << 10
"""Bytes after which a line without an end is broken."""
TAIL = 16 << 10
"""Bytes of the output that a job's result keeps."""


class Output:
    """Takes bytes of one command. Lines longer than :data:`LINE_LIMIT` are broken, binary output becomes U+FFFD."""

    def __init__(self, context: JobContext, environment: Mapping[str, str], secret_keys: Sequence[str]) -> None:
        """Values of ``secret_keys`` are taken out of every line."""
        self._context = context
        self._mask = Masker(environment, secret_keys)
        self._rest = b""
        self._tail = bytearray()

    def add(self, data: bytes) -> None:
        """Take some more."""
        self._tail += data
        if len(self._tail) > 4 * TAIL:
            del self._tail[:-TAIL]
        *lines, self._rest = (self._rest + data).split(b"\n")
        while len(self._rest) > LINE_LIMIT:
            lines.append(self._rest[:LINE_LIMIT])
            self._rest = self._rest[LINE_LIMIT:]
        for line in lines:
            for start in range(0, max(len(line), 1), LINE_LIMIT):
                self._log(line[start : start + LINE_LIMIT].decode("utf-8", "replace"))

    def _log(self, text: str) -> None:
        self._context.log(self._mask(text))

    def end(self, code: int) -> None:
        """The command has ended with this status.

        Raises:
            AgentError: it is not 0.
        """
        if self._rest:
            self._log(self._rest.decode("utf-8", "replace"))
            self._rest = b""
        tail = self._mask(bytes(self._tail[-2 * TAIL :]).decode("utf-8", "replace"))[-TAIL:]
        self._context.result(exit=str(code), output=tail)
        if code:
            last = next((line for line in reversed(tail.splitlines()) if line.strip()), "")
            raise AgentError("failed", f"it ended with status {code}" + (f": {last.strip()[:200]}" if last else ""))
