"""What can be done to deployments and their services from the keyboard: key, words, and when it makes sense."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from komodo_agent.wire.models import ContainerState
    from komodo_tui.domain.stacks import StackVerb
    from komodo_tui.ui.stacks.book import Place

_ALIVE: frozenset[ContainerState] = frozenset({"running", "paused", "restarting"})
_ANY: frozenset[ContainerState] = frozenset(
    {"created", "running", "paused", "restarting", "removing", "exited", "dead"}
)


@dataclass(frozen=True)
class DeploymentAct:
    """An act as menus, the footer and help show it."""

    id: str
    """Id of its binding, for the user's keymap."""
    key: str
    verb: StackVerb
    label: str
    help: str
    states: frozenset[ContainerState]
    """It makes sense where a container is in one of these."""
    whole: bool = False
    """Whether it is for a deployment, and not for one service."""

    def why_not(self, places: Iterable[Place], services: Iterable[str] = ()) -> str:
        """Why it makes no sense here; empty where it does."""
        wanted = frozenset(services)
        containers = [
            c
            for place in places
            for service in place.deployment.services
            if not wanted or service.name in wanted
            for c in service.containers
        ]
        if not containers:
            return "it has no container"
        if any(c.state in self.states for c in containers):
            return ""
        return f"all of it is {' and '.join(sorted({c.state for c in containers}))}"


ACTS: tuple[DeploymentAct, ...] = (
    DeploymentAct("deployment.start", "U", "start", "start", "start what is stopped",
                  frozenset({"created", "exited", "dead"})),
    DeploymentAct("deployment.stop", "S", "stop", "stop", "stop, and keep its containers", _ALIVE),
    DeploymentAct("deployment.restart", "R", "restart", "restart", "stop and start again", _ANY - {"removing"}),
    DeploymentAct("deployment.pause", "P", "pause", "pause", "freeze its processes", frozenset({"running"})),
    DeploymentAct("deployment.unpause", "u", "unpause", "unpause", "go on after a pause", frozenset({"paused"})),
    DeploymentAct("deployment.pull", "i", "pull", "pull images",
                  "newer ones of the same tags; what runs is left alone", _ANY),
    DeploymentAct("deployment.destroy", "X", "destroy", "destroy…", "remove containers and networks; volumes stay",
                  _ANY, whole=True),
)  # fmt: skip
BY_ID = {act.id: act for act in ACTS}
KEYS = tuple(act for act in ACTS if act.key.isupper())
"""Those with a key of their own beside the one in the menu: a small letter changes nothing."""
