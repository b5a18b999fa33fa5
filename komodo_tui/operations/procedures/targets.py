"""What a step is done to: servers and containers picked when it begins, from what is known then."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import NotFoundError, UsageError
from komodo_tui.domain.operations import Target
from komodo_tui.domain.procedures import steps
from komodo_tui.domain.procedures.words import words
from komodo_tui.domain.selectors import select

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_agent.wire.models import Container
    from komodo_tui.fleet.live import FleetState, ServerLive


class Picked:
    """Targets, servers that could not be asked, and why nothing was found."""

    def __init__(self) -> None:
        self.targets: list[Target] = []
        self.away: list[ServerLive] = []
        """Servers that were named and are not there: each counts as a failed target."""
        self.left_out: list[ServerLive] = []
        """Servers that are not there and were not named."""
        self.problem = ""


def pick_servers(wanted: steps.Words, state: FleetState) -> tuple[list[ServerLive], bool]:
    """The servers that the words name (names, wildcards, ``tag:NAME``), and whether any were named.

    Raises:
        NotFoundError: a word names none.
    """
    named = words(wanted)
    if not named:
        return list(state.servers.values()), False
    found: dict[str, ServerLive] = {}
    for word in named:
        fitting = [live for live in state.servers.values() if _fits(word, live)]
        if not fitting:
            raise NotFoundError(f"no server is {word!r}", hint=f"known: {', '.join(state.servers)}")
        found |= {live.name: live for live in fitting}
    return list(found.values()), True


def _fits(word: str, live: ServerLive) -> bool:
    if word.startswith("tag:"):
        return word.removeprefix("tag:") in live.definition.tags
    return live.name == word or fnmatchcase(live.name, word)


def pick_for_servers(step: steps.Spread, state: FleetState) -> Picked:
    """The servers of a step that is done on servers."""
    picked = Picked()
    servers, named = pick_servers(step.servers, state)
    for live in servers:
        if live.live:
            picked.targets.append(Target(server=live.name))
        else:
            (picked.away if named else picked.left_out).append(live)
    if not servers:
        picked.problem = "there are no servers"
    return picked


def pick_containers(step: steps.OnContainers, match: Sequence[str], state: FleetState) -> Picked:
    """The containers of a step, in the order of servers and names."""
    picked = Picked()
    servers, named = pick_servers(step.servers, state)
    rows: list[tuple[str, Container]] = []
    for live in servers:
        if live.engine_live:
            rows += [(live.name, container) for container in sorted(live.containers.values(), key=lambda c: c.name)]
        else:
            (picked.away if named else picked.left_out).append(live)
    states = words(step.state)
    found = [(server, c) for server, c in _matching(match, rows) if not states or c.state in states]
    picked.targets = [Target(server=server, name=c.name, id=c.id) for server, c in found]
    if not found:
        picked.problem = f"nothing matches {' '.join(match)}"
    return picked


def _matching(match: Sequence[str], rows: list[tuple[str, Container]]) -> list[tuple[str, Container]]:
    """Rows that one of the words fits. A plain name fits on every server: a step is meant for all of them."""
    found: dict[tuple[str, str], tuple[str, Container]] = {}
    for word in match:
        for server in dict.fromkeys(name for name, _ in rows):
            here = [row for row in rows if row[0] == server]
            try:
                picked = select([word], here)
            except NotFoundError:
                continue
            found |= {(name, container.id): (name, container) for name, container in picked}
    return [row for row in rows if (row[0], row[1].id) in found]


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
