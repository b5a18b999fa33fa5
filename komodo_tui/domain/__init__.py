"""Definitions, plans, errors, texts: pure, no I/O."""

from komodo_tui.domain.one_at_a_time import guard_msgspec

guard_msgspec()
