"""``[[NAME]]`` in compose files, arguments and commands of a stack: where values may go. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_agent.wire.compose_values import variable_of
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.interpolation import interpolate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from komodo_tui.domain.interpolation import Lookup


def variables_for(names: Iterable[str]) -> dict[str, str]:
    """The environment that compose files with these names want, before they are looked up."""
    return {variable_of(name): f"[[{name}]]" for name in names}


def words_with_values(words: Iterable[str], lookup: Lookup, *, where: str) -> tuple[str, ...]:
    """Words of a command line with their values.

    Raises:
        UsageError: a value is nowhere set; or it is a secret, which would stand on the command line for all to see.
    """
    given: Mapping[str, str] = {str(index): word for index, word in enumerate(words, 1)}
    found = interpolate(given, lookup, where=where)
    if found.secret_keys:
        raise UsageError(
            f"{where}: {given[found.secret_keys[0]]}: a secret would stand on a command line, where every user of the "
            "server can read it",
            hint="give it in the environment instead",
        )
    return tuple(found.values[key] for key in given)
