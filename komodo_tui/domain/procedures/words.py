"""Lists and commands that people may write as one text."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import UsageError

if TYPE_CHECKING:
    from komodo_tui.domain.procedures.steps import Words


def words(value: Words) -> tuple[str, ...]:
    """Words given as a list, or as one text with white space or commas between them."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def argv(value: Words) -> tuple[str, ...]:
    """A command given as a list, or as one text split as a shell would. Raises UsageError."""
    try:
        return tuple(shlex.split(value)) if isinstance(value, str) else value
    except ValueError as error:
        raise UsageError(f"command {value!r}: {error}", hint="close the quotes") from error
