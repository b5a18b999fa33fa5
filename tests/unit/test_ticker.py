"""When changes of the fleet come on screen."""

from __future__ import annotations

import pytest

from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.fleet.live import Changes, FleetState
from komodo_tui.ui.ticker import POLL, Ticker


class Screen:
    """A ticker at 1 s, and what it has committed."""

    def __init__(self) -> None:
        self.state = FleetState()
        self.state.define(ServerDefinition(name="alpha", address="alpha"))
        self.seen: list[Changes] = []
        self.ticker = Ticker(self.state.subscribe(), self.seen.append, 1.0)


@pytest.fixture
def screen() -> Screen:
    return Screen()


def test_figures_come_once_a_period(screen: Screen) -> None:
    screen.ticker.poll(10.0)
    screen.state.set_latency("alpha", 0.1)
    screen.ticker.poll(10.0 + POLL)
    screen.ticker.poll(10.0 + 2 * POLL)
    assert len(screen.seen) == 1
    screen.ticker.poll(11.0)
    assert [changes.servers for changes in screen.seen] == [set(), {"alpha"}]


def test_what_appears_comes_at_the_next_look(screen: Screen) -> None:
    screen.ticker.poll(10.0)
    screen.state.define(ServerDefinition(name="beta", address="beta"))
    screen.ticker.poll(10.0 + POLL)
    assert [changes.structure for changes in screen.seen] == [False, True]
