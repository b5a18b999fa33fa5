"""What ``?`` shows: every key that works now, of the focused pane, its page and the program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from komodo_tui.ui.finder import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import App
    from textual.dom import DOMNode
    from textual.screen import Screen

    from komodo_tui.ui.chords import Chord


def entries(screen: Screen[Any], chords: Mapping[str, Mapping[str, Chord]]) -> list[Entry]:
    """The keys that work now: those of the footer first, then the focused pane's; keys of one act stand together.

    An entry's kind is the binding's id, by which the keymap in the settings names it.
    """
    app: App[Any] = screen.app
    found: dict[tuple[DOMNode, str], list[str]] = {}
    words: dict[tuple[DOMNode, str], tuple[str, str]] = {}
    rank: dict[tuple[DOMNode, str], tuple[bool, bool, int]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if not active.enabled or binding.system or not (binding.description or binding.id):
            continue
        act = (active.node, binding.action)
        # ``key_display`` names the first of several keys.
        shown = app.get_key_display(binding.with_key(binding.key, "") if act in found else binding)
        keys = found.setdefault(act, [])
        if shown not in keys:
            keys.append(shown)
        rank.setdefault(act, (not binding.id, not binding.show, -len(active.node.ancestors)))
        words.setdefault(act, (binding.description or binding.action, binding.id or "built in"))
    acts = sorted(found, key=rank.__getitem__)
    listed = [_entry(app, act, found[act], words[act]) for act in acts]
    for prefix, seconds in chords.items():
        listed += [Entry(chord.help, "go to", key=f"{prefix} {key}", run=chord.run) for key, chord in seconds.items()]
    return listed


def _entry(app: App[Any], act: tuple[DOMNode, str], keys: list[str], words: tuple[str, str]) -> Entry:
    node, action = act
    label, name = words

    def run() -> None:
        app.call_later(app.run_action, action, node)

    return Entry(label.lower(), name, key=" ".join(keys), run=run)
