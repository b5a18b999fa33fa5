"""In which order stacks and deployments are deployed that name others they come after. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def in_deploy_order(names: Iterable[str], after: Mapping[str, Sequence[str]]) -> list[str]:
    """Names so that each comes behind those it is to come after; as given otherwise. Others count for nothing.

    Raises:
        UsageError: some wait for one another; it names them.
    """
    waiting, done = list(names), set[str]()
    wanted, found = set(waiting), list[str]()
    while waiting:
        ready = next((name for name in waiting if all(n in done for n in after.get(name, ()) if n in wanted)), None)
        if ready is None:
            raise UsageError(
                f"{_circle(waiting[0], waiting, after)} are each to be deployed after the next: it never ends",
                hint="take one of them out of `after`",
            )
        done.add(ready)
        found.append(ready)
        waiting.remove(ready)
    return found


def _circle(name: str, waiting: Sequence[str], after: Mapping[str, Sequence[str]]) -> str:
    """``a > b > a``: each of those that wait waits for another of them, so that one comes again."""
    way = [name]
    while True:
        name = next(n for n in after[name] if n in waiting)
        if name in way:
            return " > ".join([*way[way.index(name) :], name])
        way.append(name)
