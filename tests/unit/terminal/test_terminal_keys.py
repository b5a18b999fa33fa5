"""Keys from the terminal outside to the bytes a program gets."""

from __future__ import annotations

import pytest
from textual import events

from komodo_tui.ui.terminal import keys
from komodo_tui.ui.terminal.core import KeyInput, Mods, Options
from komodo_tui.ui.terminal.cores import CoreName, make_core
from komodo_tui.ui.terminal.private import ESCAPE_DELAY, KeyMode, PaneKey, PaneParser

PRINTABLE = [chr(code) for code in range(0x20, 0x7F)]
MODIFIED = {
    name: code
    for name, code in [
        ("A", "up"), ("B", "down"), ("C", "right"), ("D", "left"), ("H", "home"), ("F", "end"),
        ("P", "f1"), ("Q", "f2"), ("R", "f3"), ("S", "f4"),
    ]
}  # fmt: skip
TILDES = [2, 3, 5, 6, 15, 17, 18, 19, 20, 21, 23, 24]

SAME: list[bytes] = [
    *[char.encode() for char in PRINTABLE],
    *[bytes([code]) for code in (*range(1, 0x20), 0x7F, 0x00)],
    *[b"\x1b" + char.encode() for char in PRINTABLE if char not in "[O"],
    *[b"\x1b" + bytes([code]) for code in (*range(1, 8), 0x0B, 0x0C, 0x0D, *range(0x0E, 0x1B), 0x7F)],
    *[f"\x1b[{final}".encode() for final in "ABCDHF"],
    *[f"\x1bO{final}".encode() for final in "PQRS"],
    *[f"\x1b[1;{mods}{final}".encode() for mods in range(2, 9) for final in MODIFIED],
    *[f"\x1b[{code}~".encode() for code in TILDES],
    *[f"\x1b[{code};{mods}~".encode() for mods in range(2, 9) for code in TILDES],
    b"\x1b[Z", "é".encode(), "漢".encode(), "😀".encode(), "\x1bé".encode(),
]  # fmt: skip
"""What a terminal sends in its normal modes, and what therefore a program behind it has to get."""


def pressed(sequence: str) -> KeyInput:
    """The key that the parser makes of a sequence while a pane takes the keys."""
    mode = KeyMode()
    mode.active = True
    parser = PaneParser(mode)
    found = [message for message in parser.feed(sequence) if isinstance(message, PaneKey)]
    if not found:  # an Escape, or what begins like a longer sequence: decided when nothing more comes
        parser._timeout_time = 0.0
        found = [message for message in parser.tick() if isinstance(message, PaneKey)]
    assert len(found) == 1, found
    return found[0].pane


def sent(core_name: CoreName, key: KeyInput, before: bytes = b"") -> bytes:
    """The bytes a program gets for a key."""
    core = make_core(core_name, 20, 5, Options())
    try:
        core.feed(before)
        keyboard = core.take_frame().keyboard
        raw = keys.direct(key, keyboard)
        return raw if raw is not None else core.encode_key(keys.expressible(key, keyboard))
    finally:
        core.close()


def application(sequence: bytes) -> bytes:
    """What the same key sends once the program has asked for application cursor keys."""
    plain = len(sequence) == 3 and sequence.startswith(b"\x1b[") and sequence[2:] in b"ABCDHF"
    return b"\x1bO" + sequence[2:] if plain else sequence


def wrong_keys(core_name: CoreName, before: bytes = b"") -> dict[bytes, bytes]:
    """Those that a program gets otherwise than from the terminal itself, and how, after it has written ``before``."""
    expected = application if before else bytes
    core = make_core(core_name, 20, 5, Options())
    core.feed(before)
    wrong = {}
    for sequence in SAME:
        key = pressed(sequence.decode())
        raw = keys.direct(key, 0)
        got = raw if raw is not None else core.encode_key(keys.expressible(key, 0))
        if got != expected(sequence):
            wrong[sequence] = got
    core.close()
    return wrong


@pytest.mark.parametrize("before", [b"", b"\x1b[?1h"], ids=["normal", "application"])
def test_every_key_of_a_terminal_reaches_the_program_as_it_was(before: bytes) -> None:
    assert wrong_keys("ghostty", before) == {}


@pytest.mark.parametrize("before", [b"", b"\x1b[?1h"], ids=["normal", "application"])
def test_the_fallback_core_gets_them_right_too(before: bytes) -> None:
    assert wrong_keys("bittty", before) == {}


@pytest.mark.parametrize("core_name", ["ghostty", "bittty"])
def test_application_cursor_mode(core_name: CoreName) -> None:
    for final in "ABCDHF":
        key = pressed(f"\x1b[{final}")
        assert sent(core_name, key, b"\x1b[?1h") == f"\x1bO{final}".encode()
        assert pressed(f"\x1bO{final}") == key


@pytest.mark.parametrize(
    ("sequence", "key"),
    [
        ("\x1b[97;5u", KeyInput("a", Mods.CTRL)), ("\x1b[97;3u", KeyInput("a", Mods.ALT)),
        ("\x1b[97;4u", KeyInput("A", Mods.ALT)), ("\x1b[97:65;2;65u", KeyInput("A")),
        ("\x1b[105;5u", KeyInput("i", Mods.CTRL)), ("\x1b[109;5u", KeyInput("m", Mods.CTRL)),
        ("\x1b[13;2u", KeyInput("enter", Mods.SHIFT)), ("\x1b[27u", KeyInput("escape")),
        ("\x1b[127;3u", KeyInput("backspace", Mods.ALT)), ("\x1b[9;2u", KeyInput("tab", Mods.SHIFT)),
        ("\x1b[233;;233u", KeyInput("é")), ("\x1b[49;2;33u", KeyInput("!")), ("\x1b[57399u", KeyInput("0")),
        ("\x1b[57417;5u", KeyInput("left", Mods.CTRL)), ("\x1b[57376u", KeyInput("f13")),
        ("\x1b[93;5u", KeyInput("]", Mods.CTRL)), ("\x1b[1;65A", KeyInput("up")),
        ("\x1b[27;5;105~", KeyInput("i", Mods.CTRL)),
    ],
)  # fmt: skip
def test_keys_of_the_kitty_protocol(sequence: str, key: KeyInput) -> None:
    assert pressed(sequence) == key


@pytest.mark.parametrize("sequence", ["\x1b[57441;2u", "\x1b[57358u", "\x1b[97;9u", "\x1b[1;9A", "\x1b[57428u"])
def test_modifiers_locks_and_foreign_modifiers_send_nothing(sequence: str) -> None:
    mode = KeyMode()
    mode.active = True
    assert list(PaneParser(mode).feed(sequence)) == []


def test_mouse_paste_and_focus_are_left_to_textual() -> None:
    mode = KeyMode()
    mode.active = True
    parser = PaneParser(mode)
    found = list(parser.feed("\x1b[<0;3;4M\x1b[200~a\x1b[31mb\x1b[201~\x1b[I"))
    assert [type(message).__name__ for message in found] == ["MouseDown", "Paste", "AppFocus"]
    assert isinstance(found[1], events.Paste)
    assert found[1].text == "a\x1b[31mb"


@pytest.mark.parametrize("cut", [3, 4, 5, 7, 1000])
def test_a_paste_is_one_paste_however_it_comes(cut: int) -> None:
    text = "one\r\x1b[2Jtwo\x1b[20\x1b]0;x\x07\x1b[200~three"
    parser = PaneParser(KeyMode())
    data = f"\x1b[200~{text}\x1b[201~q"
    found = [m for start in range(0, len(data), cut) for m in parser.feed(data[start : start + cut])]
    assert [type(message).__name__ for message in found] == ["Paste", "Key"]
    assert isinstance(found[0], events.Paste)
    assert found[0].text == text


def test_what_only_begins_like_a_paste_is_a_key_after_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    mode = KeyMode()
    mode.active = True
    parser = PaneParser(mode)
    assert list(parser.feed("\x1b[2")) == []
    assert parser.waiting
    assert [m.pane for m in parser.feed("~") if isinstance(m, PaneKey)] == [KeyInput("insert")]


def test_a_paste_that_never_ends_is_given_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("komodo_tui.ui.terminal.private.PASTE_LIMIT", 10_000)
    parser = PaneParser(KeyMode())
    found = [m for _ in range(11) for m in parser.feed("\x1b[200~" + "x" * 1000)]
    assert [type(message).__name__ for message in found] == ["Paste"]


def test_outside_a_pane_nothing_changes() -> None:
    parser = PaneParser(KeyMode())
    found = list(parser.feed("a\x1bOP\x10"))
    assert [message.key for message in found if isinstance(message, events.Key)] == ["a", "f1", "ctrl+p"]
    assert not any(isinstance(message, PaneKey) for message in found)


def test_a_lone_escape_waits_no_longer_than_it_must(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ESCDELAY", raising=False)
    from textual._time import get_time

    parser = PaneParser(KeyMode())
    assert list(parser.feed("\x1b")) == []
    assert parser.waiting
    assert parser._timeout_time is not None
    assert parser._timeout_time - get_time() <= ESCAPE_DELAY


def test_an_escape_and_a_key_soon_after_are_no_key_with_alt(monkeypatch: pytest.MonkeyPatch) -> None:
    mode = KeyMode()
    mode.active = True
    parser = PaneParser(mode)
    now = 100.0
    monkeypatch.setattr("textual._parser.get_time", lambda: now)
    monkeypatch.setattr("komodo_tui.ui.terminal.private.get_time", lambda: now)
    assert list(parser.feed("\x1b")) == []
    assert [event.pane for event in parser.feed("g")] == [KeyInput("escape"), KeyInput("g")]  # type: ignore[attr-defined]
    assert [event.pane for event in parser.feed("\x1bg")] == [KeyInput("g", Mods.ALT)]  # type: ignore[attr-defined]
    assert list(parser.feed("\x1b")) == []
    now += ESCAPE_DELAY
    assert [event.pane for event in parser.tick()] == [KeyInput("escape")]  # type: ignore[attr-defined]
    assert [event.pane for event in parser.feed("g")] == [KeyInput("g")]  # type: ignore[attr-defined]
    assert [*parser.feed("\x1b"), *parser.feed("[")] == []
    assert [event.pane for event in parser.feed("A")] == [KeyInput("up")]  # type: ignore[attr-defined]


def test_no_binding_can_match_a_key_meant_for_the_program() -> None:
    event = PaneKey(KeyInput("q", Mods.CTRL))
    assert "ctrl+q" not in (event.key, *event.aliases)
    assert event.handler_name == events.Key.handler_name
    assert event.copy().pane == event.pane


@pytest.mark.parametrize(
    ("name", "character", "key"),
    [
        ("a", "a", KeyInput("a")), ("A", "A", KeyInput("A")), ("ctrl+c", "\x03", KeyInput("c", Mods.CTRL)),
        ("ctrl+c", None, KeyInput("c", Mods.CTRL)), ("enter", "\r", KeyInput("enter")),
        ("ctrl+right_square_bracket", "\x1d", KeyInput("]", Mods.CTRL)), ("ctrl+@", "\x00", KeyInput("@", Mods.CTRL)),
        ("shift+tab", None, KeyInput("tab", Mods.SHIFT)), ("backtab", None, KeyInput("tab", Mods.SHIFT)),
        ("alt+b", None, KeyInput("b", Mods.ALT)), ("space", " ", KeyInput(" ")), ("plus", "+", KeyInput("+")),
        ("ctrl+shift+left", None, KeyInput("left", Mods.CTRL | Mods.SHIFT)), ("f12", None, KeyInput("f12")),
        ("alt+shift+x", None, KeyInput("X", Mods.ALT)), ("question_mark", "?", KeyInput("?")),
        ("ctrl+underscore", "\x1f", KeyInput("_", Mods.CTRL)), ("super+a", None, None), ("left_shift", None, None),
    ],
)  # fmt: skip
def test_keys_by_textuals_names(name: str, character: str | None, key: KeyInput | None) -> None:
    assert keys.from_textual(name, character) == key
