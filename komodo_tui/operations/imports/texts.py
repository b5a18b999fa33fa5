"""Komodo's small languages: lists of pairs in a text, commands, globs."""

from __future__ import annotations

from typing import Any


def pairs(text: Any) -> list[tuple[str, str]]:
    """``KEY = value`` lines, also as YAML lists and with ``:``; comments and empty lines are none."""
    if isinstance(text, list):  # an older form: [{variable = "A", value = "b"}]
        return [(str(one.get("variable", one.get("local", ""))), str(one.get("value", one.get("container", ""))))
                for one in text if isinstance(one, dict)]  # fmt: skip
    found = []
    for line in str(text or "").splitlines():
        stripped = line.strip().removeprefix("- ").strip()
        if not stripped or stripped.startswith("#"):
            continue
        stripped = _unquoted(stripped.split(" #")[0].strip())
        cut = min((at for sign in "=:" if (at := stripped.find(sign)) > 0), default=-1)
        if cut > 0:
            found.append((_unquoted(stripped[:cut].strip()), _unquoted(stripped[cut + 1 :].strip())))
    return found


def mapping(text: Any) -> dict[str, str]:
    """The same by key."""
    return dict(pairs(text))


def joined(text: Any) -> list[str]:
    """``8080:80`` of each pair: ports and mounts as ``docker run`` has them."""
    return [f"{local}:{container}" for local, container in pairs(text)]


def commands(command: Any) -> list[str]:
    """A system command as ours: its lines are run by a shell, the next one only where the one before went well."""
    if not isinstance(command, dict):
        return []
    lines = [line.strip() for line in str(command.get("command", "")).splitlines()]
    whole = " && ".join(line for line in lines if line and not line.startswith("#"))
    if not whole:
        return []
    path = str(command.get("path", "")).strip()
    script = f"cd {_quoted(path)} && {whole}" if path not in ("", ".") else whole
    return [f"sh -c {_quoted(script)}"]


def patterns(text: Any) -> list[str]:
    """``foo-*, \\^bar-.*$\\`` as our words: names, globs, ``re:`` expressions."""
    found = []
    for part in str(text or "").replace("\n", ",").split(","):
        word = part.strip()
        if len(word) > 2 and word.startswith("\\") and word.endswith("\\"):
            found.append(f"re:{word[1:-1]}")
        elif word:
            found.append(word)
    return found


def _unquoted(text: str) -> str:
    whole = len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" and text[0] not in text[1:-1]
    return text[1:-1] if whole else text


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
