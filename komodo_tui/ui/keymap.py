"""The keys a user gives to bindings in ``config.yaml``: what can be used of them, and what is wrong with the rest.

A line that is wrong is left out alone; the others hold. Where two bindings may meet is known by where their classes
stand: a page with its panes, the dialogs each for themselves, and what is on every page.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.binding import Binding, InvalidBinding
from textual.dom import DOMNode
from textual.keys import REPLACED_KEYS, Keys, key_to_character
from textual.screen import ModalScreen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EVERYWHERE = ""
"""Place of what is on every page."""
RESERVED = {"g": "it begins go-to commands", "ctrl+c": "it copies and never quits"}
_PACKAGE = "komodo_tui.ui"
_NAMED = frozenset(key.value for key in Keys)
_MODIFIERS = ("ctrl+", "shift+", "alt+", "super+", "meta+", "hyper+")


@dataclass(frozen=True)
class Known:
    """A binding there is."""

    id: str
    keys: frozenset[str]
    places: frozenset[str]
    """Pages or dialogs it works in."""


def known_bindings() -> dict[str, Known]:
    """All bindings with an id, of all pages and dialogs. Imports them: it takes some tenths of a second."""
    from komodo_tui.ui.pages import PAGES

    importlib.import_module(f"{_PACKAGE}.app")
    for spec in PAGES:
        spec.load()
    for package in ("modals", "widgets", "servers", "containers", "logs", "actions"):
        for module in pkgutil.iter_modules(importlib.import_module(f"{_PACKAGE}.{package}").__path__):
            importlib.import_module(f"{_PACKAGE}.{package}.{module.name}")
    found: dict[str, Known] = {}
    for node in _ours(DOMNode):
        for key, binding in _bindings(node):
            before = found.get(binding.id or "", Known(binding.id or "", frozenset(), frozenset()))
            found[before.id] = Known(before.id, before.keys | {key}, before.places | {_place(node)})
    found.pop("", None)
    return found


def checked(keymap: Mapping[str, str], known: Mapping[str, Known]) -> tuple[dict[str, str], list[str]]:
    """The lines that can be used, and what is wrong with each of the others.

    Lines are taken in their order: of two that claim the same key the first gets it.
    """
    good: dict[str, frozenset[str]] = {}
    wrong: list[str] = []
    for name, text in keymap.items():
        keys, why = _keys(text)
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            why = f"there is no such key binding{f'; did you mean {near[0]}?' if near else ''}"
        why = why or _clash(name, keys, known, good, keymap)
        if why:
            wrong.append(f"keymap {name}: {text!r} is not used: {why}")
        else:
            good[name] = keys
    return {name: ",".join(sorted(keys)) for name, keys in good.items()}, wrong


def _clash(
    name: str, keys: frozenset[str], known: Mapping[str, Known], good: Mapping[str, frozenset[str]],
    keymap: Mapping[str, str],
) -> str:  # fmt: skip
    """Who has one of the keys already; empty when nobody has."""
    for key in sorted(keys):
        if key in RESERVED:
            return f"{key} is taken, {RESERVED[key]}"
        for other in known.values():
            if other.id == name or not _meet(known[name], other):
                continue
            # A binding that gets other keys by a later line gives up its own, if that line turns out to be right.
            theirs = good.get(other.id, frozenset() if _moves(other.id, keymap, known) else other.keys)
            if key in theirs:
                return f"{key} is {other.id}"
    return ""


def _moves(name: str, keymap: Mapping[str, str], known: Mapping[str, Known]) -> bool:
    """Whether a line of the keymap takes a binding away from all of its keys."""
    if name not in keymap:
        return False
    keys, why = _keys(keymap[name])
    return not why and not keys & known[name].keys and not keys & RESERVED.keys()


def _meet(one: Known, other: Known) -> bool:
    """Whether both can work at the same time."""
    if one.places & other.places:
        return True
    pages = [known for known in (one, other) if any(not place.startswith("dialog ") for place in known.places)]
    return len(pages) == 2 and EVERYWHERE in (one.places | other.places)


def _keys(text: str) -> tuple[frozenset[str], str]:
    """The keys of a line as Textual names them, and what is wrong with them."""
    try:
        keys = [binding.key for binding in Binding.make_bindings([Binding(text, "none")])]
    except InvalidBinding:
        return frozenset(), "no key is given"
    for key in keys:
        if not _is_key(key):
            return frozenset(), f"{key} is no key"
    return frozenset(keys), ""


def _is_key(key: str) -> bool:
    plain = key
    while (modifier := next((m for m in _MODIFIERS if plain.startswith(m)), "")) and len(plain) > len(modifier):
        plain = plain[len(modifier) :]
    return plain in _NAMED or plain in REPLACED_KEYS or key_to_character(plain) is not None


def _ours(base: type[DOMNode]) -> Iterator[type[DOMNode]]:
    for node in base.__subclasses__():
        if node.__module__.startswith(_PACKAGE):
            yield node
        yield from _ours(node)


def _bindings(node: type[DOMNode]) -> Iterator[tuple[str, Binding]]:
    own = node.__dict__.get("BINDINGS", ())
    for binding in Binding.make_bindings(own):
        if binding.id:
            yield binding.key, binding


def _place(node: type[DOMNode]) -> str:
    """``dialog Name``, the page a class belongs to, or everywhere."""
    if issubclass(node, ModalScreen):
        return f"dialog {node.__name__}"
    parts = node.__module__.removeprefix(f"{_PACKAGE}.").split(".")
    if parts[0] in ("widgets",) or len(parts) == 1:
        return EVERYWHERE
    page = parts[1] if parts[0] == "pages" else parts[0]
    return "terminals" if page == "terminal" else page
