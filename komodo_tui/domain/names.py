"""Names that can stand in paths, commands and messages as they are."""

from __future__ import annotations

import re

from komodo_tui.domain.errors import UsageError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def check_plain_name(what: str, name: str) -> str:
    """Return it, or raise :class:`UsageError`; ``what`` is what has it: ``sync``."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name[:80]!r} is no name for a {what}",
            hint="letters, digits, dot, dash and underscore, at most 63, the first a letter or digit",
        )
    return name
