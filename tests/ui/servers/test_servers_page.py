"""What the keys of the Servers page do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec
import pytest
from textual.screen import Screen

from komodo_tui.domain.errors import RefusedError
from komodo_tui.domain.operations import ServerOperation, Target
from komodo_tui.domain.settings import Settings
from komodo_tui.ui.modals.confirm import ConfirmDialog
from komodo_tui.ui.modals.form import FormDialog
from komodo_tui.ui.modals.menu import MenuDialog
from komodo_tui.ui.pages.servers import ServersPage
from komodo_tui.ui.servers.standing_dialog import StandingDialog
from komodo_tui.ui.widgets.lines import Lines
from tests.ui.servers.lab import ExecutorLab, FleetLab, app_of, build, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from textual.pilot import Pilot

    from tests.ui.still import StillRuntime


S = TypeVar("S", bound=Screen[Any])


@pytest.fixture
def runtime(tmp_path: Path) -> StillRuntime:
    """One server of each kind."""
    return build(tmp_path)


@pytest.fixture
async def pilot(runtime: StillRuntime) -> AsyncIterator[Pilot[int]]:
    """The app on the Servers tab at 80x24, its first rows drawn."""
    async with app_of(runtime).run_test(size=(80, 24)) as found:
        await until(found, lambda: page(found).overview.table.model.view)
        yield found


def page(pilot: Pilot[int]) -> ServersPage:
    """The page."""
    return pilot.app.query_one(ServersPage)


def fleet(runtime: StillRuntime) -> FleetLab:
    """The fleet."""
    return cast("FleetLab", runtime.fleet)


def done(runtime: StillRuntime) -> list[tuple[ServerOperation, bool | str]]:
    """What has been done."""
    return cast("list[tuple[ServerOperation, bool | str]]", cast("ExecutorLab", runtime.executor).done)


async def choose(pilot: Pilot[int], name: str) -> None:
    """Put the cursor on a server."""
    page(pilot).overview.table.choose(name)
    await pilot.pause()


async def dialog(pilot: Pilot[int], kind: type[S]) -> S:
    """The dialog of this kind once it is there."""
    await until(pilot, lambda: isinstance(pilot.app.screen, kind) and pilot.app.screen.is_mounted and pilot.app.focused)
    shown = pilot.app.screen
    assert isinstance(shown, kind)
    return shown


async def test_the_worst_server_stands_first_and_the_healthy_last(pilot: Pilot[int]) -> None:
    names = page(pilot).overview.table.model.view
    assert names[0] == "gate"
    assert names[-1] == "web-01"


async def test_enter_opens_the_server_and_escape_goes_back_to_its_row(pilot: Pilot[int]) -> None:
    await choose(pilot, "db-01")
    await pilot.press("enter")
    assert page(pilot).in_detail
    assert page(pilot).detail.server == "db-01"
    await pilot.press("escape")
    assert not page(pilot).in_detail
    assert page(pilot).overview.table.cursor == "db-01"
    assert pilot.app.focused is page(pilot).overview.table


async def test_processes_are_fed_only_while_they_are_seen(pilot: Pilot[int], runtime: StillRuntime) -> None:
    await choose(pilot, "web-01")
    await pilot.press("enter", *["right_square_bracket"] * 4)
    link = fleet(runtime).link("web-01")
    assert link.feed == {"devices": False, "processes": True}
    await pilot.press("3")
    assert not link.feed["processes"]
    await pilot.press("1")
    await pilot.pause()
    assert link.feed["processes"]
    await pilot.press("escape")
    assert not link.feed["processes"]


async def test_braces_look_back_further_and_less_far(pilot: Pilot[int]) -> None:
    await choose(pilot, "web-01")
    await pilot.press("enter")
    window = page(pilot).detail.window
    await pilot.press("right_curly_bracket")
    assert page(pilot).detail.window == window + 1
    await pilot.press(*["left_curly_bracket"] * 6)
    assert page(pilot).detail.window == 0


async def test_a_filter_keeps_servers_by_state_and_escape_shows_all_again(pilot: Pilot[int]) -> None:
    await pilot.press("slash", *"state:up", "enter")
    assert set(page(pilot).overview.table.model.view) == {"db-01", "web-01"}
    await pilot.press("escape")
    assert len(page(pilot).overview.table.model.view) == 7


async def test_reconnect_is_meant_for_the_marked_servers(pilot: Pilot[int], runtime: StillRuntime) -> None:
    await choose(pilot, "gate")
    await pilot.press("space", "space", "ctrl+r")
    assert len(fleet(runtime).reconnected) == 2
    assert fleet(runtime).reconnected[0] == "gate"


async def test_why_a_server_is_not_well_stands_below_the_list(pilot: Pilot[int]) -> None:
    await choose(pilot, "bare-01")
    lines = page(pilot).overview.query_one("#reason", Lines)._lines
    text = " ".join(part for line in lines for part, _ in line)
    assert "the agent is not installed on bare-01" in text
    assert "I installs the agent" in text
    assert "install-agent" not in text  # the hint of the command line is of no use here


async def test_a_new_key_is_accepted_by_the_fingerprint_that_was_shown(
    pilot: Pilot[int], runtime: StillRuntime
) -> None:
    await choose(pilot, "new-01")
    await pilot.press("A")
    await dialog(pilot, StandingDialog)
    fleet(runtime).state.servers["new-01"].error = None  # whatever comes meanwhile
    await pilot.press("y")
    await pilot.pause()
    operation, given = done(runtime)[0]
    assert (operation.verb, operation.server) == ("accept_host_key", "new-01")
    assert operation.detail == "SHA256:F2ae7LcT7uR5pMxD7ctLUmfPHs8nHYqgqYPRR4ei4"
    assert given is True


async def test_a_changed_key_cannot_be_accepted(pilot: Pilot[int], runtime: StillRuntime) -> None:
    await choose(pilot, "gate")
    await pilot.press("A")
    shown = await dialog(pilot, StandingDialog)
    assert shown.has_class("-bad")
    await pilot.press("y", "I", "enter")
    await pilot.pause()
    assert done(runtime) == []
    assert len(pilot.app.screen_stack) == 1  # Enter closed it


async def test_enter_alone_accepts_no_key(pilot: Pilot[int], runtime: StillRuntime) -> None:
    await choose(pilot, "new-01")
    await pilot.press("A")
    await dialog(pilot, StandingDialog)
    await pilot.press("enter")
    await pilot.pause()
    assert done(runtime) == []


async def test_installing_asks_first(pilot: Pilot[int], runtime: StillRuntime) -> None:
    await choose(pilot, "bare-01")
    await pilot.press("I")
    await dialog(pilot, ConfirmDialog)
    assert done(runtime) == []
    await pilot.press("y")
    await pilot.pause()
    assert [(o.verb, o.server) for o, _ in done(runtime)] == [("install_agent", "bare-01")]


async def test_adding_offers_hosts_of_the_ssh_configuration_and_fills_the_form(
    pilot: Pilot[int], runtime: StillRuntime
) -> None:
    cast("ExecutorLab", runtime.executor).confirm = "none"
    await pilot.press("N")
    menu = await dialog(pilot, MenuDialog)
    assert [item.label for item in menu.items] == ["another address…", "web-01", "bastion", "staging"]
    await pilot.press("b")
    form = await dialog(pilot, FormDialog)
    assert (form.values()["address"], form.values()["name"]) == ("bastion", "bastion")
    await pilot.press("tab", "tab", *"prod eu", "ctrl+s")
    await pilot.pause()
    operation, _ = done(runtime)[0]
    assert operation.verb == "add"
    assert operation.definition is not None
    assert operation.definition.address == "bastion"
    assert operation.definition.tags == ("prod", "eu")


async def test_a_form_with_a_bad_address_or_a_taken_name_stays(pilot: Pilot[int], runtime: StillRuntime) -> None:
    fleet(runtime).hosts = []
    await pilot.press("N")
    form = await dialog(pilot, FormDialog)
    await pilot.press(*"-oProxy=x", "ctrl+s")
    assert pilot.app.screen is form
    assert form.query_one("#help-address").has_class("-wrong")
    await pilot.press("ctrl+u", *"web-01", "ctrl+s")
    assert pilot.app.screen is form
    assert form.query_one("#help-name").has_class("-wrong")
    assert done(runtime) == []


async def test_editing_changes_what_was_edited_alone(pilot: Pilot[int], runtime: StillRuntime) -> None:
    before = fleet(runtime).state.servers["web-01"].definition
    await choose(pilot, "web-01")
    await pilot.press("e")
    await dialog(pilot, FormDialog)
    await pilot.press("tab", "tab", *"shop", "ctrl+s")
    await dialog(pilot, ConfirmDialog)
    await pilot.press("y")
    await pilot.pause()
    operation, _ = done(runtime)[0]
    assert operation.definition == msgspec.structs.replace(before, description="shop")
    assert operation.rev == 3


async def test_removing_asks_first(pilot: Pilot[int], runtime: StillRuntime) -> None:
    await choose(pilot, "vault")
    await pilot.press("X")
    await dialog(pilot, ConfirmDialog)
    await pilot.press("enter")  # the safe choice has the focus
    await pilot.pause()
    assert done(runtime) == []


async def test_the_detail_of_a_server_that_was_removed_closes(pilot: Pilot[int], runtime: StillRuntime) -> None:
    await choose(pilot, "web-01")
    await pilot.press("enter")
    fleet(runtime).state.forget("web-01")
    await until(pilot, lambda: not page(pilot).in_detail)
    assert "web-01" not in page(pilot).overview.table.model.view


async def test_somebody_may_ask_for_a_server_from_elsewhere(pilot: Pilot[int]) -> None:
    page(pilot).reveal(Target(server="db-01"))
    await pilot.pause()
    assert page(pilot).detail.server == "db-01"


async def test_the_menu_says_why_an_act_is_not_possible(pilot: Pilot[int]) -> None:
    await choose(pilot, "web-01")
    await pilot.press("m")
    menu = await dialog(pilot, MenuDialog)
    accept = next(item for item in menu.items if item.id == "accept")
    assert accept.disabled
    await pilot.press("A")
    assert pilot.app.screen is menu


async def test_no_lower_case_key_changes_a_server(pilot: Pilot[int], runtime: StillRuntime) -> None:
    await choose(pilot, "bare-01")
    for key in "abcdfghijklmnopqrtuvwxyz":
        await pilot.press(key, "escape", "escape")
        await pilot.pause()
    assert done(runtime) == []


async def test_read_only_mode_offers_nothing_that_changes(tmp_path: Path) -> None:
    runtime = build(tmp_path, Settings(read_only=True))
    async with app_of(runtime).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: page(pilot).overview.table.model.view)
        await choose(pilot, "bare-01")
        await pilot.press("N", "e", "I", "X")
        await pilot.pause()
        assert len(pilot.app.screen_stack) == 1
        assert done(runtime) == []
        labels = {command.label for command in page(pilot).commands()}
        assert "check bare-01" in labels
        assert "install agent bare-01" not in labels


async def test_the_palette_knows_every_server_and_the_acts_on_the_chosen_one(pilot: Pilot[int]) -> None:
    await choose(pilot, "bare-01")
    commands = {command.label: command for command in page(pilot).commands()}
    assert {"open web-01", "add", "install agent bare-01"} <= set(commands)
    commands["open web-01"].run()
    await pilot.pause()
    assert page(pilot).detail.server == "web-01"


async def test_zooming_takes_away_what_stands_beside_and_brings_it_back(runtime: StillRuntime) -> None:
    async with app_of(runtime).run_test(size=(200, 50)) as pilot:
        await until(pilot, lambda: page(pilot).overview.table.model.view)
        beside = [page(pilot).query_one(name) for name in ("#fleet-side", "#events")]
        assert all(widget.display for widget in beside)
        await pilot.press("z")
        await until(pilot, lambda: not any(widget.display for widget in beside))
        await pilot.press("z")
        await until(pilot, lambda: all(widget.display for widget in beside))


async def test_an_install_that_is_refused_leaves_the_others_their_turn(
    pilot: Pilot[int], runtime: StillRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = cast("ExecutorLab", runtime.executor)
    executor.confirm = "none"
    plan = executor.plan

    def refuse(operation: Any) -> Any:
        if operation.server == "vault":
            raise RefusedError("it runs jobs")
        return plan(operation)

    monkeypatch.setattr(executor, "plan", refuse)
    await choose(pilot, "vault")
    await pilot.press("space")
    await choose(pilot, "bare-01")
    await pilot.press("space", "I")
    await until(pilot, lambda: done(runtime))
    assert [(o.verb, o.server) for o, _ in done(runtime)] == [("install_agent", "bare-01")]
