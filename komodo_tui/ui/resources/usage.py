"""What takes how much on a server, asked when somebody wants to know."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_tui.domain.units import bytes_text, count_text
from komodo_tui.ui.modals.report import ReportDialog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.ui.resources.book import Book, Listing
    from komodo_tui.ui.shell import Shell

_LARGEST = 5


async def show_usage(shell: Shell, book: Book, servers: Sequence[str]) -> None:
    """Measure these servers and show what they said; the table has the sizes of volumes from then on."""
    shell.flash(f"measuring {', '.join(servers)}: large disks need minutes", "busy")
    listings = await asyncio.gather(*(book.measured(name) for name in servers))
    pairs: list[tuple[str, str]] = []
    for name, listing in zip(servers, listings, strict=True):
        pairs += [(name, listing.usage_problem)] if listing.usage_problem else _lines(name, listing)
    shell.flash("measured", "ok")
    headline = f"Disk usage of {servers[0] if len(servers) == 1 else count_text(len(servers), 'server')}"
    await shell.ask(ReportDialog("Disk usage", headline, pairs, hint="P finds what nothing uses", copy=shell.copy))


def _lines(name: str, listing: Listing) -> list[tuple[str, str]]:
    usage = listing.usage
    if usage is None:
        return []
    unused = {(r.kind, r.id) for r in listing.resources if not r.used_by}
    free = {kind: sum(i.freed for i in usage.items if i.kind == kind and (i.kind, i.id) in unused)
            for kind in ("image", "volume")}  # fmt: skip
    lines = [
        (name, ""),
        ("  images", f"{bytes_text(usage.images)}, unused ones alone hold {bytes_text(free['image'])}"),
        ("  volumes", f"{bytes_text(usage.volumes)}, in no container {bytes_text(free['volume'])}"),
        ("  containers", f"{bytes_text(usage.containers)} written beside volumes"),
        ("  build cache", bytes_text(usage.build_cache)),
    ]
    names = {r.id: r.name for r in listing.resources if r.name}
    largest = sorted(usage.items, key=lambda item: -item.size)[:_LARGEST]
    lines += [
        (
            "  largest" if number == 0 else "",
            f"{bytes_text(item.size):>6}  {item.kind} {names.get(item.id, item.id.removeprefix('sha256:')[:12])}",
        )
        for number, item in enumerate(largest)
    ]
    return lines
