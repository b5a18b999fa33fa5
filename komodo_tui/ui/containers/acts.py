"""What can be done to containers from the keyboard: key, words, and to which states it applies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from komodo_tui.domain.operations import ContainerOperation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from komodo_agent.wire.jobs import ContainerVerb
    from komodo_agent.wire.models import Container, ContainerState
    from komodo_tui.domain.operations import Target
    from komodo_tui.ui.containers.columns import Row

_ALIVE: frozenset[ContainerState] = frozenset({"running", "paused", "restarting"})
_ANY: frozenset[ContainerState] = frozenset(
    {"created", "running", "paused", "restarting", "removing", "exited", "dead"}
)


@dataclass(frozen=True)
class ContainerActKey:
    """An act as menus, the footer and help show it."""

    id: str
    """Id of its binding, for the user's keymap."""
    key: str
    verb: ContainerVerb
    label: str
    help: str
    states: frozenset[ContainerState]
    single: bool = False
    """Whether it makes sense for one container only."""

    def applies_to(self, containers: Iterable[Container]) -> bool:
        """Whether any of them is in a state for it."""
        return any(container.state in self.states for container in containers)


ACTS: tuple[ContainerActKey, ...] = (
    ContainerActKey("container.start", "U", "start", "start", "start, or go on after a pause",
                    frozenset({"created", "exited", "dead", "paused"})),
    ContainerActKey("container.stop", "S", "stop", "stop", "stop, and kill after the container's own timeout", _ALIVE),
    ContainerActKey("container.restart", "R", "restart", "restart", "stop and start again", _ANY - {"removing"}),
    ContainerActKey("container.pause", "P", "pause", "pause", "freeze its processes", frozenset({"running"})),
    ContainerActKey("container.kill", "K", "kill", "kill", "end its processes at once", _ALIVE),
    ContainerActKey("container.rename", "E", "rename", "rename", "give it another name", _ANY - {"removing"}, True),
    ContainerActKey("container.remove", "X", "remove", "remove…", "remove it; volumes stay unless you say so", _ANY),
)  # fmt: skip
BY_ID = {act.id: act for act in ACTS}


def operations_for(act: ContainerActKey, picked: Sequence[Row], **options: Any) -> list[ContainerOperation]:
    """The operations of this act on these containers; containers in a state it does not fit are left out.

    Starting a paused container means to unpause it, so one key may come to two operations. ``options`` are further
    fields of :class:`ContainerOperation`.
    """
    fitting = [p for p in picked if p.container.state in act.states]
    if act.verb != "start":
        return [ContainerOperation(verb=act.verb, targets=_targets(fitting), **options)] if fitting else []
    paused = [p for p in fitting if p.container.state == "paused"]
    stopped = [p for p in fitting if p.container.state != "paused"]
    found: list[tuple[ContainerVerb, list[Row]]] = [("start", stopped), ("unpause", paused)]
    return [ContainerOperation(verb=verb, targets=_targets(those)) for verb, those in found if those]


def _targets(picked: Sequence[Row]) -> tuple[Target, ...]:
    return tuple(p.target for p in picked)
