"""What the kernel's files say, in the units of the wire format. Pure functions of their bytes."""

from __future__ import annotations

_USAGE = b"usage_usec "
_UNLIMITED = b"max"


def cpu_v1(data: bytes) -> int:
    """CPU time in ns: ``cpuacct.usage`` (Linux Documentation/admin-guide/cgroup-v1/cpuacct.rst)."""
    return int(data)


def cpu_v2(data: bytes) -> int:
    """CPU time in ns: ``usage_usec`` of ``cpu.stat`` (Linux Documentation/admin-guide/cgroup-v2.rst)."""
    start = 0 if data.startswith(_USAGE) else data.index(b"\n" + _USAGE) + 1
    return int(data[start + len(_USAGE) : data.index(b"\n", start)]) * 1000


def inactive_file(data: bytes, version: int) -> int:
    """Bytes of page cache the kernel would drop first, out of ``memory.stat``.

    v1 has the cgroup's own and, as ``total_inactive_file``, the one with its children.
    """
    key = b"\ntotal_inactive_file " if version == 1 else b"\ninactive_file "
    start = data.find(key)
    if start < 0:
        return 0
    start += len(key)
    return int(data[start : data.index(b"\n", start)])


def memory_used(usage: int, inactive: int) -> int:
    """Memory as Docker shows it: usage less inactive page cache, unless that is more.

    Source: docker/cli, cli/command/container/stats_helpers.go, ``calculateMemUsageUnixNoCache``.
    """
    return usage - inactive if inactive < usage else usage


def memory_limit(data: bytes, host_total: int) -> int:
    """Bytes from ``memory.limit_in_bytes`` or ``memory.max``; 0 when it is no less than the host has."""
    text = data.strip()
    if text == _UNLIMITED:
        return 0
    limit = int(text)
    return 0 if limit >= host_total else limit


def block_v1(data: bytes) -> tuple[int, int] | None:
    """Bytes read and written from ``blkio.throttle.io_service_bytes``: ``8:0 Read 4096``.

    None without a line of a device: this hierarchy has not been told of any I/O (buffered writes never are).
    """
    read = written = 0
    seen = False
    for line in data.splitlines():
        fields = line.split()
        if len(fields) == 3:
            seen = True
            if fields[1] == b"Read":
                read += int(fields[2])
            elif fields[1] == b"Write":
                written += int(fields[2])
    return (read, written) if seen else None


def block_v2(data: bytes) -> tuple[int, int]:
    """Bytes read and written from ``io.stat``: ``8:0 rbytes=4096 wbytes=0 …``, all devices summed as Docker does."""
    read = written = 0
    for field in data.split():
        if field.startswith(b"rbytes="):
            read += int(field[7:])
        elif field.startswith(b"wbytes="):
            written += int(field[7:])
    return read, written


def interfaces(data: bytes) -> dict[bytes, tuple[int, int]]:
    """Bytes received and sent by interface from ``/proc/<pid>/net/dev`` (proc(5)), in the file's order."""
    found = {}
    for line in data.split(b"\n")[2:]:
        name, separator, rest = line.partition(b":")
        if separator:
            fields = rest.split()
            found[name.strip()] = (int(fields[0]), int(fields[8]))
    return found


def network(data: bytes) -> tuple[int, int]:
    """Bytes received and sent by all interfaces of a network namespace but its loopback."""
    received = sent = 0
    for line in data.split(b"\n")[2:]:
        name, separator, rest = line.partition(b":")
        if separator and name.strip() != b"lo":
            fields = rest.split()
            received += int(fields[0])
            sent += int(fields[8])
    return received, sent


def rate(before: int, after: int, seconds: float) -> float:
    """Units per second; 0 when the counter was set back (an interface or a device made anew)."""
    return (after - before) / seconds if after > before and seconds > 0 else 0.0
