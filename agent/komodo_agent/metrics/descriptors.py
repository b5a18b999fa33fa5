"""Kernel files that are opened once and read again and again at offset 0.

Opening is what costs: an ``open``/``read``/``close`` of a cgroup file takes 5 times as long as a ``pread`` of a kept
descriptor. Reading at offset 0 makes the kernel produce the contents anew.
"""

from __future__ import annotations

import os

CHUNK = 1 << 16
_PAGE = 4096
_LONGEST_RECORD = 512


class KeptFile:
    """One small file of /proc or of a cgroup, open for reading until :meth:`close`."""

    __slots__ = ("fd",)

    def __init__(self, path: str) -> None:
        """Open it.

        Raises:
            OSError: it does not exist, or may not be read.
        """
        self.fd = os.open(path, os.O_RDONLY)

    def read(self) -> bytes:
        """Its contents now, for files the kernel gives in one read (one record, however long).

        Raises:
            OSError: ``ENODEV`` from a cgroup that is gone, ``ESRCH`` from a process that is gone.
        """
        return os.pread(self.fd, CHUNK, 0)

    def read_table(self) -> bytes:
        """Its contents now, for tables of many records: those come about a page at a time (Linux ``seq_read``).

        Raises:
            OSError: as :meth:`read`.
        """
        data = os.pread(self.fd, CHUNK, 0)
        if len(data) < _PAGE - _LONGEST_RECORD:
            return data
        parts, offset = [data], len(data)
        while more := os.pread(self.fd, CHUNK, offset):
            parts.append(more)
            offset += len(more)
        return b"".join(parts)

    def close(self) -> None:
        """Give the descriptor back; safe to call twice."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def open_optional(path: str) -> KeptFile | None:
    """The file, or None where this kernel does not have it or does not let us read it."""
    try:
        return KeptFile(path)
    except OSError:
        return None
