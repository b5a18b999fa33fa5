r"""Text from outside, made safe to print: names, labels, logs, messages of engines and programs.

A terminal obeys what it is sent, and widgets pass text through (research: OSC 52 in a container's name reaches the
clipboard). :func:`clean` is called once, where bytes become ``str``; nothing behind it has to think of this again.
It does not deal with markup: foreign text goes to widgets as ``rich.text.Text`` or with ``markup=False``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_agent.wire.models import Container, Port

REPLACEMENT = "\ufffd"
"""What stands for a character that may not be printed: one visible cell, so that hiding is seen."""

# One leading class lets the engine skip what is safe at full speed; what it found is told apart behind it. Each
# alternative consumes all it has looked at and none backtracks over more than a bounded piece, so the time is linear.
# A control string ends at its terminator, at an ESC that begins something else, and at a line's end: a terminal
# would swallow the rest of the text, we would rather show it.
_CONTROLS = (
    r"\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional marks, embeddings, overrides, isolates
    r"\u2028\u2029"  # line and paragraph separators
    r"\ud800-\udfff"  # surrogates: no encoder takes them
)
_UNSAFE = re.compile(
    rf"[{_CONTROLS}]"
    r"""
    (?:
        (?:(?<=\x1b)\[|(?<=\x9b)) (?P<sgr>(?:[0-9]{0,3}[;:]){0,31}[0-9]{0,3}) m
      | (?:(?<=\x1b)\[|(?<=\x9b)) (?P<csi>[0-?]*[ -/]*[@-~]?)
      | (?:(?<=\x1b)[\]PX^_]|(?<=[\x90\x98\x9d-\x9f]))
        (?P<string>[^\x07\x1b\x9c\x18\x1a\n\r]*(?:\x07|\x1b\\|[\x9c\x18\x1a])?)
      | (?<=\x1b) (?P<escape>[ -/]+[0-~]?|[0-~])
      | (?<=\r) \n
    )?
    """,
    re.VERBOSE,
)


def clean(text: str, *, keep_sgr: bool = False, keep_newlines: bool = False) -> str:
    r"""Return ``text`` with nothing in it that a terminal would obey. ``clean(clean(x)) == clean(x)``.

    Escape sequences and control strings, 7- and 8-bit, go whole; every other control, bidirectional or
    surrogate character becomes U+FFFD; a tab becomes a space.

    ``keep_sgr`` keeps colours and attributes (``ESC [ … m`` with at most 32 parameters of at most three digits) for
    views that parse them. ``keep_newlines`` keeps ``\n`` and ``\t`` and turns ``\r\n`` into ``\n``.
    """
    if text.isascii() and text.isprintable():
        return text

    def replace(match: re.Match[str]) -> str:
        kind = match.lastgroup
        if kind == "sgr" and keep_sgr:
            return f"\x1b[{match['sgr']}m"
        if kind is not None:
            return ""
        found = match[0]
        if found == "\t":
            return "\t" if keep_newlines else " "
        if found.endswith("\n") and keep_newlines:
            return "\n"
        return REPLACEMENT

    return _UNSAFE.sub(replace, text)


def clean_tree(value: Any, *, keep_newlines: bool = False) -> Any:
    """A JSON value with every string in it cleaned, keys too; for documents that are shown as they are."""
    if isinstance(value, str):
        return clean(value, keep_newlines=keep_newlines)
    if isinstance(value, dict):
        return {clean(key): clean_tree(item, keep_newlines=keep_newlines) for key, item in value.items()}
    if isinstance(value, list):
        return [clean_tree(item, keep_newlines=keep_newlines) for item in value]
    return value


def clean_container(container: Container) -> Container:
    """The container with all its text cleaned; the same object when there was nothing to do, as nearly always."""
    labels = container.labels
    everything = "".join(
        (
            container.id,
            container.name,
            container.image,
            container.image_id,
            container.command,
            container.restart_policy,
            container.log_driver,
            *container.networks,
            *labels,
            *labels.values(),
            *(f"{port.protocol}{port.ip}" for port in container.ports),
        )
    )
    if everything.isascii() and everything.isprintable():
        return container
    return msgspec.structs.replace(
        container,
        id=clean(container.id),
        name=clean(container.name),
        image=clean(container.image),
        image_id=clean(container.image_id),
        command=clean(container.command),
        restart_policy=clean(container.restart_policy),
        log_driver=clean(container.log_driver),
        networks=tuple(clean(network) for network in container.networks),
        labels=_clean_labels(labels),
        ports=tuple(_clean_port(port) for port in container.ports),
    )


def _clean_labels(labels: Mapping[str, str]) -> dict[str, str]:
    return {clean(key): clean(value) for key, value in labels.items()}


def _clean_port(port: Port) -> Port:
    return msgspec.structs.replace(port, protocol=clean(port.protocol), ip=clean(port.ip))
