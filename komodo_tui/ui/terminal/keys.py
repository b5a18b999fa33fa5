"""Key presses: from Textual's events, or from what a terminal sends, to what a core encodes."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from komodo_tui.ui.terminal.core import KeyInput, Mods

LEAVE_KEYS: Final = (KeyInput("]", Mods.CTRL), KeyInput("f12"))
"""What leads from TERMINAL to PANE mode; the first one pressed again sends itself."""

NAMED: Final = frozenset(
    [
        "enter",
        "tab",
        "escape",
        "backspace",
        "insert",
        "delete",
        "home",
        "end",
        "pageup",
        "pagedown",
        "up",
        "down",
        "left",
        "right",
    ]
) | frozenset(f"f{n}" for n in range(1, 21))

_TEXTUAL_MODS = {"shift": Mods.SHIFT, "alt": Mods.ALT, "ctrl": Mods.CTRL}
_FOREIGN_MODS = frozenset({"super", "hyper", "meta"})
_TEXTUAL_NAMES = {
    "minus": "-", "plus": "+", "slash": "/", "backslash": "\\", "at": "@", "underscore": "_", "space": " ",
    "backtab": "tab",
}  # fmt: skip
_CONTROLS = {
    0: " ",
    9: "tab",
    13: "enter",
    27: "escape",
    0x1C: "\\",
    0x1D: "]",
    0x1E: "^",
    0x1F: "_",
    0x7F: "backspace",
}
_DELETE = 0x7F


def control_key(char: str) -> KeyInput:
    """The key of a C0 character or DEL."""
    code = ord(char)
    name = _CONTROLS.get(code) or chr(code + 0x60)
    return KeyInput(name, Mods.NONE if name in NAMED else Mods.CTRL)


def from_textual(key: str, character: str | None) -> KeyInput | None:
    """The key of a Textual event (``ctrl+right_square_bracket``); None for one that sends nothing (a bare modifier)."""
    *prefixes, name = key.split("+") if not key.endswith("+") else (*key[:-1].rstrip("+").split("+"), "+")
    if _FOREIGN_MODS.intersection(prefixes):
        return None
    mods = Mods.NONE
    for prefix in prefixes:
        mods |= _TEXTUAL_MODS.get(prefix, Mods.NONE)
    if name == "backtab":
        return KeyInput("tab", mods | Mods.SHIFT)
    if name in NAMED:
        return KeyInput(name, mods)
    if character and character.isprintable():
        return KeyInput(character, mods & ~Mods.SHIFT)
    char = name if len(name) == 1 else _TEXTUAL_NAMES.get(name, "") or _by_unicode_name(name)
    if not char:
        return control_key(character) if character and len(character) == 1 else None
    if mods & Mods.SHIFT and char.isalpha():
        return KeyInput(char.upper(), mods & ~Mods.SHIFT)
    return KeyInput(char, mods)


def _by_unicode_name(name: str) -> str:
    for spelled in (name.replace("_", " "), name.replace("_", "-")):
        try:
            return unicodedata.lookup(spelled)
        except KeyError:
            continue
    return ""


_FINALS = {
    "A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end",
    "P": "f1", "Q": "f2", "R": "f3", "S": "f4",
}  # fmt: skip
_TILDES = {
    1: "home", 2: "insert", 3: "delete", 4: "end", 5: "pageup", 6: "pagedown", 7: "home", 8: "end",
    11: "f1", 12: "f2", 13: "f3", 14: "f4", 15: "f5", 17: "f6", 18: "f7", 19: "f8", 20: "f9", 21: "f10", 23: "f11",
    24: "f12", 25: "f13", 26: "f14", 28: "f15", 29: "f16", 31: "f17", 32: "f18", 33: "f19", 34: "f20",
}  # fmt: skip
_KEYPAD = {
    **{57399 + n: str(n) for n in range(10)}, 57409: ".", 57410: "/", 57411: "*", 57412: "-", 57413: "+",
    57414: "enter", 57415: "=", 57416: ",", 57417: "left", 57418: "right", 57419: "up", 57420: "down",
    57421: "pageup", 57422: "pagedown", 57423: "home", 57424: "end", 57425: "insert", 57426: "delete",
    **{57363 + n: f"f{n}" for n in range(13, 21)},
}  # fmt: skip
_KITTY_NAMED = {27: "escape", 13: "enter", 9: "tab", 127: "backspace"}
_LINUX_CONSOLE = {f"\x1b[[{letter}": f"f{n}" for n, letter in enumerate("ABCDE", 1)}
_APPLICATION_KEYPAD = dict(zip("jklmnopqrstuvwxy", "*+,-./0123456789", strict=True)) | {"M": "enter", "X": "="}

_LETTER = re.compile(r"\x1b\[(?:1;(?P<mods>\d+))?(?P<final>[ABCDHFPQRS])|\x1bO(?P<ss3>[ABCDHFPQRS])")
_TILDE = re.compile(r"\x1b\[(?P<code>\d+)(?:;(?P<mods>\d+))?~")
_OTHER = re.compile(r"\x1b\[27;(?P<mods>\d+);(?P<code>\d+)~")
_KITTY = re.compile(
    r"\x1b\[(?P<code>\d+)(?::(?P<shifted>\d*))?(?::\d*)?(?:;(?P<mods>\d*)(?::\d+)?)?(?:;(?P<text>[\d:]+))?u"
)
_FOREIGN_BITS = 8 | 16 | 32
_TWO = 2

NOTHING: Final = KeyInput("")
"""A complete sequence that is no key of ours: to be swallowed."""


def from_sequence(sequence: str, alt: bool = False) -> KeyInput | None:
    """The key a terminal means by a sequence; None when it is none, or not complete yet."""
    extra = Mods.ALT if alt else Mods.NONE
    if len(sequence) == 1:
        key = _from_char(sequence)
        return KeyInput(key.key, key.mods | extra)
    if len(sequence) == _TWO and sequence[0] == "\x1b" and sequence[1] not in "[O\x1b":
        key = _from_char(sequence[1])
        return KeyInput(key.key, key.mods | Mods.ALT)
    if match := _LETTER.fullmatch(sequence):
        return _modified(_FINALS[match["final"] or match["ss3"]], match["mods"])
    if match := _OTHER.fullmatch(sequence):
        return _kitty(int(match["code"]), "", match["mods"], "")
    if (match := _TILDE.fullmatch(sequence)) and (name := _TILDES.get(int(match["code"]))):
        return _modified(name, match["mods"])
    if match := _KITTY.fullmatch(sequence):
        return _kitty(int(match["code"]), match["shifted"] or "", match["mods"], match["text"] or "")
    if sequence == "\x1b[Z":
        return KeyInput("tab", Mods.SHIFT)
    if sequence.startswith("\x1bO") and sequence[2:] in _APPLICATION_KEYPAD:
        return KeyInput(_APPLICATION_KEYPAD[sequence[2:]])
    return KeyInput(_LINUX_CONSOLE[sequence]) if sequence in _LINUX_CONSOLE else None


def _from_char(char: str) -> KeyInput:
    if char == "\b":
        return KeyInput("h", Mods.CTRL)
    return control_key(char) if ord(char) < ord(" ") or ord(char) == _DELETE else KeyInput(char)


def _mods(parameter: str | None) -> Mods | None:
    """The modifiers of a CSI parameter; None when one is held that programs get no bytes for."""
    bits = max(0, int(parameter or 1) - 1)
    return None if bits & _FOREIGN_BITS else Mods(bits & 7)


def _modified(name: str, parameter: str | None) -> KeyInput:
    mods = _mods(parameter)
    return NOTHING if mods is None else KeyInput(name, mods)


def _kitty(code: int, shifted: str, parameter: str | None, text: str) -> KeyInput:
    """A key of the kitty keyboard protocol: code, shifted code, modifiers, text it types."""
    mods = _mods(parameter)
    if mods is None:
        return NOTHING
    if name := _KITTY_NAMED.get(code) or _KEYPAD.get(code, ""):
        return KeyInput(name, mods if name in NAMED else mods & ~Mods.SHIFT)
    if 0xE000 <= code <= 0xF8FF:  # a modifier, a lock or a media key
        return NOTHING
    if text and not mods & Mods.CTRL:
        typed = "".join(chr(int(part)) for part in text.split(":") if part)
        return KeyInput(typed, mods & ~Mods.SHIFT) if typed.isprintable() else NOTHING
    char = chr(code)
    if mods & Mods.SHIFT and not mods & Mods.CTRL:
        return KeyInput(chr(int(shifted)) if shifted else char.upper(), mods & ~Mods.SHIFT)
    return KeyInput(char, mods)


_F3_DIALECT = "\x1b[1;{}R"
_RAW_CONTROLS = {
    " ": b"\x00", "@": b"\x00", "[": b"\x1b", "\\": b"\x1c", "]": b"\x1d", "^": b"\x1e", "_": b"\x1f", "/": b"\x1f",
    "?": b"\x7f", "2": b"\x00", "3": b"\x1b", "4": b"\x1c", "5": b"\x1d", "6": b"\x1e", "7": b"\x1f", "8": b"\x7f",
}  # fmt: skip
"""Control and a sign, as xterm has it."""


def direct(key: KeyInput, keyboard: int) -> bytes | None:
    """The bytes of a key that do not depend on the modes of the program, or that the cores' encoders get wrong for
    programs that have asked for nothing (``keyboard`` 0); None to ask the core."""
    if keyboard:
        return None
    if not key.mods and key.key not in NAMED:
        return key.key.encode("utf-8", "replace")
    if key.mods & Mods.CTRL and (raw := _RAW_CONTROLS.get(key.key)) is not None:
        return (b"\x1b" if key.mods & Mods.ALT else b"") + raw
    if key.mods and key.key == "f3":
        return _F3_DIALECT.format(1 + key.mods).encode()
    return None


def expressible(key: KeyInput, keyboard: int) -> KeyInput:
    """The key without what a program that has asked for nothing cannot be told about."""
    if not keyboard and key.key in ("enter", "backspace", "escape"):
        return KeyInput(key.key, key.mods & ~Mods.SHIFT)
    return key
