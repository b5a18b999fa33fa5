"""What ``:`` finds: every view, server, container and act, and what the program itself can do."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from komodo_tui.domain.operations import Target
from komodo_tui.ui.containers.acts import ACTS, operations_for
from komodo_tui.ui.containers.columns import Row
from komodo_tui.ui.finder import Entry, find
from komodo_tui.ui.pages import PAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from komodo_tui.ui.containers.acts import ContainerActKey
    from komodo_tui.ui.page import Page
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_PICKED = 60
"""Containers that an act is offered for, at most: more letters narrow them."""
_BY_NAME = tuple(act for act in ACTS if act.verb not in ("rename", "remove"))
"""Acts that need nothing but a container; the others ask for more, on the container's own page."""


class Goto:
    """The entries at one moment. Those of containers are made when something is typed: there may be thousands."""

    def __init__(self, runtime: Runtime, shell: Shell, page: Page | None, own: Sequence[Entry]) -> None:
        """``page`` is the one on screen, whose acts come first; ``own`` is what the program adds."""
        self._runtime = runtime
        self._shell = shell
        acts = [
            Entry(command.label, command.kind, command.help, run=command.run)
            for command in (page.commands() if page is not None else ())
        ]
        self._few = [*acts, *self._views(), *self._servers(), *own]
        self._containers: list[Entry] | None = None

    def search(self, query: str, limit: int) -> list[Entry]:
        """The best entries for what is typed."""
        if not query.strip():
            return find(query, self._few, limit)
        if self._containers is None:
            self._containers = list(self._all_containers())
        return find(query, [*self._few, *self._acts_on(query), *self._containers], limit)

    def _views(self) -> Iterator[Entry]:
        for spec in PAGES:
            run = partial(self._shell.go, spec.id)
            yield Entry(
                spec.title, "view", spec.note, spec.key or f"g{spec.letter}", run, (spec.id, spec.short.lower())
            )

    def _servers(self) -> Iterator[Entry]:
        for name, live in self._runtime.fleet.state.servers.items():
            run = partial(self._shell.go, "servers", Target(server=name))
            yield Entry(name, "server", f"{live.status}, {live.definition.address}", run=run)

    def _all_containers(self) -> Iterator[Entry]:
        for name, live in self._runtime.fleet.state.servers.items():
            for container in live.containers.values():
                target = Target(server=name, name=container.name, id=container.id)
                run = partial(self._shell.go, "containers", target)
                yield Entry(str(target), "container", f"{container.state}, {container.image}", run=run)

    def _acts_on(self, query: str) -> Iterator[Entry]:
        """``restart api``: the act on each container the rest of the query finds."""
        first, _, rest = query.strip().lower().partition(" ")
        acts = [act for act in _BY_NAME if len(first) > 1 and act.label.startswith(first)]
        if not acts or not rest.strip() or self._runtime.settings.read_only:
            return
        words, left = rest.split(), _PICKED
        for live in self._runtime.fleet.state.servers.values():
            for container in live.containers.values():
                row = Row(live, container)
                text = str(row.target)
                if all(word in text.lower() for word in words):
                    for act in acts:
                        if container.state in act.states:
                            yield Entry(f"{act.label} {text}", "act", act.help, act.key, self._starter(act, row))
                    left -= 1
                if not left:
                    return

    def _starter(self, act: ContainerActKey, row: Row) -> Callable[[], None]:
        def start() -> None:
            for operation in operations_for(act, [row]):
                self._shell.acts.start(operation)

        return start
