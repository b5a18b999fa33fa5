"""Keys, mouse, paste and focus to bytes, by the native encoders that follow the modes a program has set."""

from __future__ import annotations

from typing import Any

from komodo_tui.ui.terminal.core import KeyInput, Mods, MouseInput
from komodo_tui.ui.terminal.ghostty_abi import check, ffi, init_sized, lib
from komodo_tui.ui.terminal.ghostty_calls import CELL_HEIGHT, CELL_WIDTH

_SHIFT, _CTRL, _ALT = 1, 2, 4
"""GHOSTTY_MODS_*: macros of the C header, which the binding does not carry."""

_SHIFTED = dict(zip('~!@#$%^&*()_+{}|:"<>?', "`1234567890-=[]\\;',./", strict=True))
"""The key a character is on where a US keyboard needs shift for it."""

_PUNCTUATION = {
    "`": "BACKQUOTE", "\\": "BACKSLASH", "[": "BRACKET_LEFT", "]": "BRACKET_RIGHT", ",": "COMMA", "=": "EQUAL",
    "-": "MINUS", ".": "PERIOD", "'": "QUOTE", ";": "SEMICOLON", "/": "SLASH", " ": "SPACE",
}  # fmt: skip

_NAMED = {
    "enter": "ENTER", "tab": "TAB", "escape": "ESCAPE", "backspace": "BACKSPACE", "insert": "INSERT",
    "delete": "DELETE", "home": "HOME", "end": "END", "pageup": "PAGE_UP", "pagedown": "PAGE_DOWN",
    "up": "ARROW_UP", "down": "ARROW_DOWN", "left": "ARROW_LEFT", "right": "ARROW_RIGHT",
    **{f"f{n}": f"F{n}" for n in range(1, 26)},
}  # fmt: skip

_BUTTONS = {1: "LEFT", 2: "MIDDLE", 3: "RIGHT", 4: "FOUR", 5: "FIVE", 6: "SIX", 7: "SEVEN"}
_ACTIONS = {"press": "PRESS", "release": "RELEASE", "move": "MOTION"}
_BUFFER = 128


def _physical(key: str) -> tuple[int, str, bool]:
    """Native key, unshifted character, whether shift is needed for it."""
    if name := _NAMED.get(key):
        return getattr(lib, f"GHOSTTY_KEY_{name}"), "", False
    plain = _SHIFTED.get(key) or key.lower()
    shifted = plain != key
    if plain.isascii() and plain.isalpha():
        return getattr(lib, f"GHOSTTY_KEY_{plain.upper()}"), plain, shifted
    if plain.isascii() and plain.isdigit():
        return getattr(lib, f"GHOSTTY_KEY_DIGIT_{plain}"), plain, shifted
    name = _PUNCTUATION.get(plain, "")
    return (getattr(lib, f"GHOSTTY_KEY_{name}") if name else lib.GHOSTTY_KEY_UNIDENTIFIED), plain, shifted


def _mods(mods: int) -> int:
    return (_SHIFT if mods & Mods.SHIFT else 0) | (_CTRL if mods & Mods.CTRL else 0) | (_ALT if mods & Mods.ALT else 0)


class InputEncoder:
    """The native key and mouse encoders of one terminal. :meth:`free` them."""

    def __init__(self, terminal: Any) -> None:
        self._terminal = terminal
        self._key = ffi.new("GhosttyKeyEncoder*")
        self._key_event = ffi.new("GhosttyKeyEvent*")
        self._mouse = ffi.new("GhosttyMouseEncoder*")
        self._mouse_event = ffi.new("GhosttyMouseEvent*")
        check(lib.ghostty_key_encoder_new(ffi.NULL, self._key), "key_encoder_new")
        check(lib.ghostty_key_event_new(ffi.NULL, self._key_event), "key_event_new")
        check(lib.ghostty_mouse_encoder_new(ffi.NULL, self._mouse), "mouse_encoder_new")
        check(lib.ghostty_mouse_event_new(ffi.NULL, self._mouse_event), "mouse_event_new")
        self._size = init_sized("GhosttyMouseEncoderSize")
        self._size.cell_width, self._size.cell_height = CELL_WIDTH, CELL_HEIGHT
        self._out = ffi.new("char[]", _BUFFER)
        self._length = ffi.new("size_t*")

    def free(self) -> None:
        """Give the native objects back."""
        lib.ghostty_mouse_event_free(self._mouse_event[0])
        lib.ghostty_mouse_encoder_free(self._mouse[0])
        lib.ghostty_key_event_free(self._key_event[0])
        lib.ghostty_key_encoder_free(self._key[0])

    def key(self, key: KeyInput) -> bytes:
        """The bytes of a key press."""
        native, plain, shifted = _physical(key.key)
        text = key.key if plain else ""
        mods = _mods(key.mods) | (_SHIFT if shifted else 0)
        event, encoder = self._key_event[0], self._key[0]
        utf8 = text.encode()
        held = ffi.new("char[]", utf8)
        lib.ghostty_key_event_set_action(event, lib.GHOSTTY_KEY_ACTION_PRESS)
        lib.ghostty_key_event_set_key(event, native)
        lib.ghostty_key_event_set_mods(event, mods)
        lib.ghostty_key_event_set_consumed_mods(event, _SHIFT if shifted else 0)
        lib.ghostty_key_event_set_utf8(event, held, len(utf8))
        lib.ghostty_key_event_set_unshifted_codepoint(event, ord(plain) if len(plain) == 1 else 0)
        lib.ghostty_key_encoder_setopt_from_terminal(encoder, self._terminal)
        alt = ffi.new("bool*", True)  # programs expect ESC before the key whatever mode 1036 says at first
        lib.ghostty_key_encoder_setopt(encoder, lib.GHOSTTY_KEY_ENCODER_OPT_ALT_ESC_PREFIX, alt)
        if lib.ghostty_key_encoder_encode(encoder, event, self._out, _BUFFER, self._length) != lib.GHOSTTY_SUCCESS:
            return b""
        return bytes(ffi.buffer(self._out, self._length[0]))

    def mouse(self, mouse: MouseInput, cols: int, rows: int) -> bytes:
        """The bytes of a mouse event, none when the program does not track it."""
        event, encoder = self._mouse_event[0], self._mouse[0]
        lib.ghostty_mouse_event_set_action(event, getattr(lib, f"GHOSTTY_MOUSE_ACTION_{_ACTIONS[mouse.action]}"))
        if name := _BUTTONS.get(mouse.button):
            lib.ghostty_mouse_event_set_button(event, getattr(lib, f"GHOSTTY_MOUSE_BUTTON_{name}"))
        else:
            lib.ghostty_mouse_event_clear_button(event)
        lib.ghostty_mouse_event_set_mods(event, _mods(mouse.mods))
        position = ffi.new("GhosttyMousePosition*", ((mouse.x + 0.5) * CELL_WIDTH, (mouse.y + 0.5) * CELL_HEIGHT))
        lib.ghostty_mouse_event_set_position(event, position[0])
        lib.ghostty_mouse_encoder_setopt_from_terminal(encoder, self._terminal)
        self._size.screen_width, self._size.screen_height = cols * CELL_WIDTH, rows * CELL_HEIGHT
        lib.ghostty_mouse_encoder_setopt(encoder, lib.GHOSTTY_MOUSE_ENCODER_OPT_SIZE, self._size)
        pressed = ffi.new("bool*", mouse.pressed)
        lib.ghostty_mouse_encoder_setopt(encoder, lib.GHOSTTY_MOUSE_ENCODER_OPT_ANY_BUTTON_PRESSED, pressed)
        if lib.ghostty_mouse_encoder_encode(encoder, event, self._out, _BUFFER, self._length) != lib.GHOSTTY_SUCCESS:
            return b""
        return bytes(ffi.buffer(self._out, self._length[0]))


def encode_paste(text: str, bracketed: bool) -> bytes:
    """Pasted text as the program gets it; control characters that could end the brackets are neutralised."""
    data = text.encode("utf-8", "replace")
    source = ffi.new("char[]", data)
    size = ffi.new("size_t*")
    room = ffi.new("char[]", len(data) + 32)
    check(lib.ghostty_paste_encode(source, len(data), bracketed, room, len(room), size), "paste_encode")
    return bytes(ffi.buffer(room, size[0]))


def encode_focus(focused: bool) -> bytes:
    """The report of gained or lost focus."""
    room = ffi.new("char[]", 16)
    size = ffi.new("size_t*")
    what = lib.GHOSTTY_FOCUS_GAINED if focused else lib.GHOSTTY_FOCUS_LOST
    check(lib.ghostty_focus_encode(what, room, len(room), size), "focus_encode")
    return bytes(ffi.buffer(room, size[0]))
