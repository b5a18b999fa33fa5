"""What a list says of one resource, as labelled lines in sections. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.units import bytes_text, duration_text, time_text

if TYPE_CHECKING:
    from komodo_tui.ui.resources.columns import Row
    from komodo_tui.ui.widgets.facts import Facts


def overview(row: Row, now: float) -> Facts:
    """What is known from the list, in sections."""
    resource, space = row.resource, row.space
    size = "not measured; u measures it" if row.size is None and resource.kind == "volume" else ""
    if row.size is not None:
        size = bytes_text(row.size)
        if space is not None and space.freed != space.size:
            size += f", of which its removal frees {bytes_text(space.freed)}"
    detail = {"image": "", "volume": "mount point", "network": "subnets"}[resource.kind]
    facts = [
        ("name", resource.name or "none", ""), ("id", resource.id, ""), ("driver", resource.driver, ""),
        ("size", size, ""), (detail, resource.detail, ""),
        ("created", f"{time_text(resource.created)}, {duration_text(now - resource.created)} ago"
         if resource.created else "", ""),
    ]  # fmt: skip
    sections: Facts = [("", [fact for fact in facts if fact[0] and fact[1]])]
    if len(resource.tags) > 1:
        sections.append(("Tags", [("", tag, "") for tag in resource.tags]))
    used = [("", name, "") for name in resource.used_by] or [("", "no container", "dim")]
    sections.append(("Used by", used))
    if resource.labels:
        sections.append(("Labels", [(key, value, "") for key, value in sorted(resource.labels.items())]))
    return sections
