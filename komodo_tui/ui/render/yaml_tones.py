"""Tones for a line of YAML: keys, texts in quotes, comments, values looked up elsewhere. Pure, a line at a time."""

from __future__ import annotations

import re

_MOST = 500
"""Characters of a line that are looked at: a pattern must not cost more than it is worth."""
_TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')"""
    r"""|(?P<comment>(?:^|(?<=\s))\#.*)"""
    r"""|(?P<key>[\w./-]+(?=:(?:\s|$)))"""
)
_VALUE = re.compile(r"\$\{[^}]*\}|\[\[[^\]\[]*\]\]")
_TONES = {"string": "ok", "comment": "dim", "key": "accent"}


def yaml_tones(line: str) -> list[tuple[int, int, str]]:
    """Start, end and tone of what stands out; later ones lie over earlier ones."""
    found = []
    text = line[:_MOST]
    end = len(text)
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        found.append((match.start(), match.end(), _TONES[kind]))
        if kind == "comment":
            end = match.start()
    found += [(match.start(), match.end(), "warn") for match in _VALUE.finditer(text, 0, end)]
    return found
