"""Maintenance that comes again: when it is on, whose alerts it mutes, and that it mutes them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from komodo_tui.domain.alerts import HERE, Subject, Transition
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.maintenance import MaintenanceDefinition, check_maintenance, upcoming
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.operations.alerts.definitions import open_windows
from komodo_tui.operations.definitions import ServerDefinitions
from komodo_tui.store.alerts import AlertStore
from komodo_tui.store.definitions import DefinitionStore

if TYPE_CHECKING:
    from pathlib import Path

ZURICH = ZoneInfo("Europe/Zurich")


def at(text: str) -> float:
    """Unix time of a time in Zurich."""
    return datetime.fromisoformat(text).replace(tzinfo=ZURICH).timestamp()


def window(**fields: Any) -> MaintenanceDefinition:
    return MaintenanceDefinition(
        **{"name": "backups", "when": "every sunday 02:00 for 2h", "zone": "Europe/Zurich", **fields}
    )


@pytest.mark.parametrize(
    ("moment", "on", "begins"),
    [
        ("2026-11-22T01:59:59", False, "2026-11-22T02:00"),
        ("2026-11-22T02:00:00", True, "2026-11-22T02:00"),
        ("2026-11-22T03:59:59", True, "2026-11-22T02:00"),
        ("2026-11-22T04:00:00", False, "2026-11-29T02:00"),
        ("2026-11-25T12:00:00", False, "2026-11-29T02:00"),
    ],
)
def test_it_is_on_from_its_begin_to_its_end(moment: str, on: bool, begins: str) -> None:
    now = at(moment)
    assert window().on(now) is on
    assert window().span(now) == (at(begins), at(begins) + 7200)


def test_the_night_the_clock_changes_it_lasts_as_long_as_ever() -> None:
    spring = window(when="every sunday 01:30 for 1h")  # at 02:00 it is 03:00
    begins, ends = spring.span(at("2026-03-29T01:45"))
    assert (begins, ends) == (at("2026-03-29T01:30"), at("2026-03-29T03:30"))
    assert window(when="every sunday 02:30 for 1h").span(at("2026-03-29T00:00"))[0] == at("2026-03-29T03:00")


def test_one_that_lasts_until_the_next_is_always_on() -> None:
    always = window(when="0 * * * * for 1h")
    assert all(always.on(at("2026-11-22T00:00") + 600 * n) for n in range(20))


def test_one_that_is_switched_off_is_never_on() -> None:
    off = window(enabled=False)
    assert not off.on(at("2026-11-22T03:00"))
    assert upcoming([off], at("2026-11-22T03:00")) == []


def test_the_next_comes_first() -> None:
    other = window(name="kernel", when="monday 09:00 for 30m")
    found = upcoming([window(), other], at("2026-11-22T12:00"))
    assert [each.name for _, _, each in found] == ["kernel", "backups"]


@pytest.mark.parametrize(
    ("fields", "subject", "tags", "expected"),
    [
        ({}, Subject("db-1", "disk", "/var"), (), True),
        ({}, Subject(HERE, "build", "api"), (), True),
        ({"servers": ("web-*",)}, Subject("db-1", "disk", "/var"), (), False),
        ({"servers": ("web-*", "db-?")}, Subject("db-1", "disk", "/var"), (), True),
        ({"tags": ("prod",)}, Subject("db-1", "disk", "/var"), ("prod", "eu"), True),
        ({"tags": ("prod",)}, Subject("db-1", "disk", "/var"), ("test",), False),
        ({"kinds": ("cpu",)}, Subject("db-1", "disk", "/var"), (), False),
        ({"names": ("/var*",)}, Subject("db-1", "disk", "/var"), (), True),
        ({"names": ("/home",)}, Subject("db-1", "disk", "/var"), (), False),
    ],
)
def test_whose_alerts_it_mutes(fields: dict[str, Any], subject: Subject, tags: tuple[str, ...], expected: bool) -> None:
    assert window(**fields).chooses(subject, tags) is expected


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"when": "every sunday 02:00"}, "how long"),
        ({"when": "every sonntag 02:00 for 2h"}, "cannot be read"),
        ({"when": "every sunday 02:00 for long"}, "no span"),
        ({"when": "every sunday 02:00 for 0s"}, "longer than nothing"),
        ({"when": "every sunday 02:00 for 8d"}, "a week"),
        ({"when": "0 0 30 2 * for 1h"}, "cannot be read"),
        ({"zone": "Mars/Olympus"}, "time zone"),
        ({"name": "a b"}, "no name"),
        ({"servers": ()}, "nothing"),
    ],
)
def test_what_cannot_be_used_is_refused(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        check_maintenance(window(**fields))


def test_an_alert_is_muted_as_long_as_it_is_on(tmp_path: Path) -> None:
    definitions = DefinitionStore(tmp_path / "definitions.json")
    servers = ServerDefinitions(definitions)
    definitions.put("server", "db-1", ServerDefinition(name="db-1", address="db-1", tags=("prod",)), None)
    definitions.put("maintenance", "backups", window(tags=("prod",)), None)
    store = AlertStore(tmp_path / "alerts.db", lambda now: open_windows(definitions, servers, now))
    before = at("2026-11-22T01:00")
    store.apply([Transition(subject=Subject("db-1", "cpu"), change="opened", level="warning")], before)
    pressing = [[alert.pressing for alert in store.open_alerts(at(f"2026-11-22T{hour:02}:30"))] for hour in range(1, 5)]
    assert pressing == [[True], [False], [False], [True]]


@pytest.mark.parametrize("kind", ["maintenance", "alerter"])
def test_one_that_cannot_be_read_is_told(tmp_path: Path, kind: str) -> None:
    definitions = DefinitionStore(tmp_path / "definitions.json")
    definitions.put(kind, "odd", _Odd(name="odd", when=5, url=5), None)
    (found,) = definitions.problems()
    assert found.startswith(f"{kind} odd: ")


class _Odd(msgspec.Struct):
    """Of another version."""

    name: str
    when: int
    url: int
