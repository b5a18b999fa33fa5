"""What a step is done to: servers, containers, stacks… picked when it begins, from what is known then."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import NotFoundError, UsageError
from komodo_tui.domain.operations import Target
from komodo_tui.domain.procedures import expressions, steps
from komodo_tui.domain.procedures.facts import target_facts
from komodo_tui.domain.procedures.words import words
from komodo_tui.domain.selectors import select

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from komodo_agent.wire.models import Container
    from komodo_tui.fleet.live import FleetState, ServerLive
    from komodo_tui.operations.procedures.parts import RunParts


class Picked:
    """Targets, servers that could not be asked, and why nothing was found."""

    def __init__(self) -> None:
        self.targets: list[Target] = []
        self.away: list[ServerLive] = []
        """Servers that were named and are not there: each counts as a failed target."""
        self.left_out: list[ServerLive] = []
        """Servers that are not there and were not named."""
        self.problem = ""

    def no_answer(self, live: ServerLive, named: bool) -> None:
        """This server cannot be asked."""
        (self.away if named else self.left_out).append(live)


def pick_servers(wanted: steps.Words, parts: RunParts) -> tuple[list[ServerLive], bool]:
    """The servers that the words name, within what the run is limited to, and whether any were named.

    Raises:
        NotFoundError: a word names none.
    """
    state = parts.state
    named = [word for word in words(wanted) if not word.startswith("!")]
    not_these = [word.removeprefix("!") for word in words(wanted) if word.startswith("!")]
    found: dict[str, ServerLive] = {}
    for word in named:
        fits = word_test(word)
        fitting = [live for live in state.servers.values() if fits(live.name, live.definition.tags)]
        if not fitting:
            raise NotFoundError(f"no server is {word!r}", hint=f"known: {', '.join(state.servers)}")
        found |= {live.name: live for live in fitting}
    tests = [word_test(word) for word in not_these]
    return [
        live
        for live in (found.values() if named else state.servers.values())
        if not any(test(live.name, live.definition.tags) for test in tests)
        and (not parts.only or live.name in parts.only)
    ], bool(named or parts.only)


def word_test(word: str) -> Callable[[str, Collection[str]], bool]:
    """The test of a name, a wildcard, ``re:PATTERN`` or ``tag:NAME`` against a name and tags.

    Raises:
        UsageError: the pattern cannot be read.
    """
    kind, _, value = word.partition(":")
    if kind == "tag" and value:
        return lambda name, tags: value in tags
    if kind == "re" and value:
        try:
            search = re.compile(value).search
        except re.error as error:
            raise UsageError(f"the pattern {value!r} cannot be read: {error}") from error
        return lambda name, tags: search(name) is not None
    return lambda name, tags: name == word or fnmatchcase(name, word)


def pick_named(wanted: steps.Words, known: Iterable[tuple[str, Collection[str]]], what: str) -> list[str]:
    """The names that the words fit, of (name, tags), in their order.

    Raises:
        NotFoundError: a plain name is not there; a pattern may fit nothing.
    """
    pairs, found = list(known), set[str]()
    for word in words(wanted):
        test = word_test(word.removeprefix("!"))
        fitting = {name for name, tags in pairs if test(name, tags)}
        plain = not any(letter in word for letter in "*?[:!")
        if plain and not fitting:
            raise NotFoundError(
                f"there is no {what} {word!r}", hint=f"known: {', '.join(name for name, _ in pairs) or 'none'}"
            )
        found = found - fitting if word.startswith("!") else found | fitting
    return [name for name, _ in pairs if name in found]


def pick_for_servers(step: steps.Spread, parts: RunParts) -> Picked:
    """The servers of a step that is done on servers."""
    picked = Picked()
    servers, named = pick_servers(step.servers, parts)
    for live in servers:
        if live.live:
            picked.targets.append(Target(server=live.name))
        else:
            picked.no_answer(live, named)
    if not servers:
        picked.problem = "there are no servers"
    return picked


def pick_containers(step: steps.OnContainers, match: Sequence[str], parts: RunParts) -> Picked:
    """The containers of a step, in the order of servers and names."""
    picked = Picked()
    servers, named = pick_servers(step.servers, parts)
    rows: list[tuple[str, Container]] = []
    for live in servers:
        if live.engine_live:
            rows += [(live.name, container) for container in sorted(live.containers.values(), key=lambda c: c.name)]
        else:
            picked.no_answer(live, named)
    states = words(step.state)
    found = [(server, c) for server, c in _matching(match, rows) if not states or c.state in states]
    picked.targets = [Target(server=server, name=c.name, id=c.id) for server, c in found]
    if not found:
        picked.problem = f"nothing matches {' '.join(match)}"
    return picked


def _matching(match: Sequence[str], rows: list[tuple[str, Container]]) -> list[tuple[str, Container]]:
    """Rows that one of the words fits. A plain name fits on every server: a step is meant for all of them."""
    wanted = [word for word in match if not word.startswith("!")] or ["*"]
    not_these = _fitting([word.removeprefix("!") for word in match if word.startswith("!")], rows)
    these = _fitting(wanted, rows) - not_these
    return [row for row in rows if (row[0], row[1].id) in these]


def _fitting(match: Sequence[str], rows: list[tuple[str, Container]]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    by_server: dict[str, list[tuple[str, Container]]] = {}
    for row in rows:
        by_server.setdefault(row[0], []).append(row)
    for word in match:
        for here in by_server.values():
            try:
                found |= {(name, container.id) for name, container in select([word], here)}
            except NotFoundError:
                continue
    return found


def keep_where(where: str, picked: Picked, state: FleetState) -> None:
    """Leave only the targets for which a condition on their facts holds. Raises UsageError."""
    if not where.strip():
        return
    before = len(picked.targets)
    picked.targets = [target for target in picked.targets if expressions.holds(where, _facts(target, state))]
    if before and not picked.targets and not picked.problem:
        picked.problem = f"nothing fits {where}"


def _facts(target: Target, state: FleetState) -> dict[str, object]:
    live = state.servers[target.server]
    container = live.containers.get(target.id) if target.id else None
    return target_facts(live.name, live.definition.tags, live.host, live.engine, container)


def why_away(live: ServerLive) -> tuple[str, str]:
    """Message and hint of a server that cannot be asked."""
    if live.error is not None:
        return live.error.message, live.error.hint
    if live.engine is not None and live.engine.status != "up":
        return live.engine.message or f"its engine is {live.engine.status}", ""
    return f"{live.name} does not answer", ""


def container_words(step: steps.OnContainers) -> tuple[str, ...]:
    """What a step wants to match. Raises UsageError for nothing."""
    found = (step.container,) if isinstance(step, steps.Exec) and step.container else words(step.match)
    if not found:
        raise UsageError("which containers?")
    return found
