"""The pure parts of the Servers tab."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.servers import ServerDefinition, Threshold, check_server
from komodo_tui.fleet.changes import FleetEvent
from komodo_tui.fleet.live import FleetState, ServerLive
from komodo_tui.ui.render.cells import text_of, width_of
from komodo_tui.ui.render.glyphs import ASCII, UNICODE
from komodo_tui.ui.servers.detail_tabs import no_containers
from komodo_tui.ui.servers.filtering import parse_servers
from komodo_tui.ui.servers.form import definition_of, name_for
from komodo_tui.ui.servers.menu import ACTS, copies
from komodo_tui.ui.servers.side import side_lines
from komodo_tui.ui.servers.state import freshness, reason, reason_lines, sentences, standing
from komodo_tui.ui.servers.tables import container_columns, container_rows
from komodo_tui.ui.servers.trouble import report
from tests.ui.servers.lab import NOW, build, container, no_docker, put_up

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def live() -> ServerLive:
    """A healthy server."""
    server = ServerLive(ServerDefinition(name="web", address="web.example", tags=("prod",)))
    put_up(server)
    return server


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("web-01", "web-01"), ("root@web-01:2222", "web-01"), ("[fe80::1]:22", "fe80--1"),
        ("deploy@10.0.0.7", "10.0.0.7"),
        ("", ""), ("_gate.example", "gate.example"),
    ],
)  # fmt: skip
def test_a_name_is_made_of_an_address(address: str, name: str) -> None:
    assert name_for(address) == name


def test_a_name_made_of_an_address_can_be_used() -> None:
    for address in ("root@web-01:2222", "[fe80::1]:22", "a" * 200):
        check_server(ServerDefinition(name=name_for(address), address="local"))


def test_a_form_becomes_a_definition_and_keeps_what_it_does_not_show() -> None:
    before = ServerDefinition(name="web", address="old")
    values = {
        "address": "new", "name": "web", "tags": "prod, eu  prod", "description": "d", "agent_socket": "",
        "cpu": "70 / 90", "memory": "50/60.5", "disk": "",
    }  # fmt: skip
    after = definition_of(values, before)
    assert after.tags == ("prod", "eu")
    assert after.alerts.cpu == Threshold(70, 90)
    assert after.alerts.memory == Threshold(50, 60.5)
    assert after.alerts.disk == before.alerts.disk


def test_every_key_that_changes_a_server_is_upper_case() -> None:
    opens_a_session_or_a_form = {"shell", "edit"}
    for act in ACTS:
        if act.changes and act.id not in opens_a_session_or_a_form:
            assert act.key.isupper()


def test_no_two_acts_have_one_key() -> None:
    assert len({act.key for act in ACTS}) == len(ACTS)


def test_sentences_end_once() -> None:
    assert sentences("no answer", "is it on?", "^R tries") == "no answer; is it on? ^R tries"


def test_a_stale_server_is_dated_by_what_it_said_last(live: ServerLive) -> None:
    assert freshness(live, NOW) == "live"
    live.status = "unreachable"
    assert freshness(live, NOW + 245) == "stale 4m"
    live.seen = 0.0
    assert freshness(live, NOW) == "never"


def test_the_worse_a_server_stands_the_lower_its_rank(live: ServerLive) -> None:
    ranks = {}
    for status in ("host_key_changed", "unreachable", "auth", "agent_missing", "connecting", "up"):
        live.status = status
        ranks[status] = standing(live, UNICODE).rank
    assert list(ranks.values()) == sorted(ranks.values())
    assert len(set(ranks.values())) == len(ranks)


def test_a_server_that_is_well_gives_no_reason(live: ServerLive) -> None:
    assert reason(live, UNICODE) == ("", "")
    assert reason_lines(live, UNICODE, 80, 3) == []


def test_without_an_engine_it_is_said_what_is_missing_and_what_works(live: ServerLive) -> None:
    no_docker(live)
    text = no_containers(live)
    assert "Install Docker" in text
    assert "figures and shells work" in text


def test_a_container_of_an_engine_that_is_away_is_not_shown_running(live: ServerLive) -> None:
    live.containers["c"] = container("c", 1)
    column = container_columns(UNICODE)[0]
    assert text_of(column.cell(container_rows(live)["c"])) == UNICODE.ok
    no_docker(live)
    live.containers["c"] = container("c", 1)
    assert text_of(column.cell(container_rows(live)["c"])) == UNICODE.unknown
    assert any(text_of(line).startswith(UNICODE.unknown) for line in side_lines(live, [], 60, 30, UNICODE))


def test_a_reason_fits_its_width(tmp_path: Path) -> None:
    runtime = build(tmp_path)
    for server in runtime.fleet.state.servers.values():
        for width in (40, 80):
            lines = reason_lines(server, ASCII, width, 3)
            assert len(lines) <= 3
            assert all(width_of(text_of(line)) <= width for line in lines)


def test_only_an_unknown_key_can_be_accepted(tmp_path: Path) -> None:
    runtime = build(tmp_path)
    offered = {
        name: {step.id for step in report(server, None, NOW, UNICODE).steps}
        for name, server in runtime.fleet.state.servers.items()
    }
    assert {name for name, steps in offered.items() if "accept" in steps} == {"new-01"}
    assert {name for name, steps in offered.items() if "install" in steps} == {"bare-01"}


def test_the_side_counts_containers_that_do_not_fit_and_shows_events_of_its_server_alone(live: ServerLive) -> None:
    live.containers = {f"{n:064x}": container(f"box-{n:02}", n) for n in range(40)}
    events = [FleetEvent(NOW, "web", "container", "mine"), FleetEvent(NOW, "other", "container", "not mine")]
    lines = side_lines(live, events, 62, 20, UNICODE)
    texts = [text_of(line) for line in lines]
    assert len(lines) <= 20
    assert any("30 more" in text for text in texts)
    assert any("mine" in text for text in texts)
    assert not any("not mine" in text for text in texts)


def test_filters_take_states_tags_and_words(live: ServerLive) -> None:
    def found(line: str) -> bool:
        return parse_servers(line, UNICODE)(live)

    assert found("state:up")
    assert found("tag:prod")
    assert not found("!tag:prod")
    assert found("web.example")
    with pytest.raises(UsageError):
        parse_servers("/(/", UNICODE)


def test_the_first_connection_is_not_called_another_one() -> None:
    state = FleetState()
    state.define(ServerDefinition(name="web", address="web"))
    heard = state.subscribe()
    put_up(state.servers["web"])
    state.servers["web"].met, state.servers["web"].status = False, "connecting"
    for status in ("up", "connecting", "up"):
        state.set_status("web", status)
    assert [event.text for event in heard.take().events] == ["connected", "connected again"]


def test_a_check_names_the_figures_that_reached_a_limit_and_the_limit(live: ServerLive) -> None:
    assert not any("from" in value for _, value, _ in report(live, None, NOW, UNICODE).facts)
    put_up(live, cpu=98.0, memory=0.88, disk=0.97)
    facts = {label: value for label, value, _ in report(live, None, NOW, UNICODE).facts}
    assert facts["cpu"] == "98%, critical from 97%"
    assert facts["memory"] == "88%, warning from 85%"
    assert facts["disk /"] == "97%, critical from 92%"


def test_what_is_known_can_be_copied_as_json(live: ServerLive) -> None:
    found = {item.id: text for item, text in copies(live, UNICODE)}
    assert json.loads(found["json"])["name"] == "web"
    assert found["row"].split("\t") == ["web", "web.example", "up"]
    assert "why" not in found
