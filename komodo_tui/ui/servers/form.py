"""The form of a server's definition."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.servers import LOCAL_ADDRESS, ServerDefinition, Threshold, Thresholds, check_server
from komodo_tui.ui.modals.form import Field, FormDialog

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from komodo_tui.ui.modals.form import Values

_FIGURES = ("cpu", "memory", "disk")
_PAIR = re.compile(r"\s*(\d{1,3}(?:\.\d+)?)\s*[/ ,]\s*(\d{1,3}(?:\.\d+)?)\s*%?\s*")


def server_form(
    before: ServerDefinition, *, new: bool, hosts: Sequence[str] = (), taken: Collection[str] = ()
) -> FormDialog:
    """The form, filled in with ``before``; ``hosts`` are offered as addresses, ``taken`` names are refused."""
    alerts = before.alerts
    fields = [
        Field("address", "address", value=before.address, suggestions=(*hosts, LOCAL_ADDRESS),
              help="[user@]host[:port], a name from ~/.ssh/config, or local", check=_address),
        Field("name", "name", value=before.name, read_only=not new, check=_name,
              help="how it is called here; empty: as its address" if new else "a name stays"),
        Field("tags", "tags", value=" ".join(before.tags), check=_tags, help="words; prod asks for more confirmation"),
        Field("description", "description", value=before.description),
        *(
            Field(name, f"{name} alert", value=f"{limit.warning:g}/{limit.critical:g}", check=_limit,
                  help="percent: warning/critical")
            for name, limit in (("cpu", alerts.cpu), ("memory", alerts.memory), ("disk", alerts.disk))
        ),
        Field("agent_socket", "agent socket", value=before.agent_socket,
              help="path on the server; empty: found by itself"),
    ]  # fmt: skip

    def check(values: Values) -> dict[str, str]:
        definition = definition_of(values, before)
        if new and definition.name in taken:
            return {"name": f"there is a server {definition.name} already"}
        try:
            check_server(definition)
        except UsageError as error:
            return {"name": error.hint or error.message}
        return {}

    title = "Add a server" if new else f"Edit {before.name}"
    return FormDialog(title, fields, verb="add" if new else "save", check=check)


def definition_of(values: Values, before: ServerDefinition) -> ServerDefinition:
    """What the form says; its fields have been checked."""
    address = str(values["address"])
    limits = {name: _threshold(str(values[name]), getattr(before.alerts, name)) for name in _FIGURES}
    return msgspec.structs.replace(
        before, address=address, name=str(values["name"]) or name_for(address), tags=_words(str(values["tags"])),
        description=str(values["description"]), agent_socket=str(values["agent_socket"]),
        alerts=msgspec.structs.replace(
            before.alerts, **{n: limit or getattr(Thresholds(), n) for n, limit in limits.items()}
        ),
    )  # fmt: skip


def name_for(address: str) -> str:
    """A name made of an address: ``root@web-01:2222`` -> ``web-01``."""
    host = address.rpartition("@")[2]
    host = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return re.sub(r"[^A-Za-z0-9._-]", "-", host).lstrip("._-")[:63]


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.replace(",", " ").split()))


def _threshold(text: str, before: Threshold) -> Threshold | None:
    found = _PAIR.fullmatch(text)
    return Threshold(float(found[1]), float(found[2]), before.lasts) if found else None


def _limit(text: str) -> str:
    if not text:
        return ""
    found = _threshold(text, Threshold())
    if found is None:
        return "write it as 80/95"
    return "" if found.warning <= found.critical <= 100 else "the first may not be above the second, nor that above 100"


def _address(text: str) -> str:
    return "an address is needed" if not text else _wrong(ServerDefinition(name="x", address=text))


def _name(text: str) -> str:
    return _wrong(ServerDefinition(name=text, address=LOCAL_ADDRESS)) if text else ""


def _tags(text: str) -> str:
    return _wrong(ServerDefinition(name="x", address=LOCAL_ADDRESS, tags=_words(text)))


def _wrong(definition: ServerDefinition) -> str:
    try:
        check_server(definition)
    except UsageError as error:
        return error.hint
    return ""
