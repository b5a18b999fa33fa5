"""Inspect and list documents become containers, whatever is missing from them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from komodo_agent.engine.convert import container, timestamp
from komodo_agent.engine.summary import differs, from_summary
from komodo_agent.wire.models import Port

ID = "0123456789abcdef" * 4


def inspect(**changes: Any) -> dict[str, Any]:
    """An inspect document of Docker 20.10, shortened."""
    return {
        "Id": ID,
        "Created": "2026-11-24T19:05:01.123456789Z",
        "Path": "sh",
        "Args": ["-c", "echo 'a b'"],
        "State": {
            "Status": "exited", "Running": False, "Pid": 0, "ExitCode": 137, "OOMKilled": True,
            "StartedAt": "2026-11-24T19:05:02Z", "FinishedAt": "2026-11-24T20:05:02.5+01:00",
        },
        "Image": "sha256:abc",
        "Name": "/shop-web-1",
        "RestartCount": 2,
        "HostConfig": {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}, "LogConfig": {"Type": "local"}},
        "Config": {
            "Image": "httpd:2.4", "Tty": True, "ExposedPorts": {"80/tcp": {}, "443/tcp": {}},
            "Labels": {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"},
        },
        "NetworkSettings": {
            "Networks": {"shop_default": {}, "edge": {}},
            "Ports": {
                "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}],
                "53/udp": [{"HostIp": "127.0.0.1", "HostPort": "5353"}],
                "443/tcp": None,
            },
        },
        **changes,
    }  # fmt: skip


def test_everything_that_a_list_shows() -> None:
    found = container(inspect())
    assert (found.name, found.image, found.image_id) == ("shop-web-1", "httpd:2.4", "sha256:abc")
    assert found.command == """sh -c 'echo '"'"'a b'"'"''"""
    assert (found.state, found.exit_code, found.oom_killed, found.restarts) == ("exited", 137, True, 2)
    assert found.restart_policy == "on-failure:3"
    assert found.finished - found.started == 0.5
    assert found.networks == ("edge", "shop_default")
    assert (found.stack, found.service) == ("shop", "web")
    assert (found.tty, found.log_driver) == (True, "local")
    assert found.ports == (
        Port(private=53, protocol="udp", public=5353, ip="127.0.0.1"),
        Port(private=80, public=8080),
        Port(private=443),
    )


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"Status": "created", "ExitCode": 0, "StartedAt": "0001-01-01T00:00:00Z"}, ("created", None)),
        ({"Status": "running", "Running": True, "ExitCode": 0}, ("running", None)),
        ({"Status": "paused", "Running": True}, ("paused", None)),
        ({"Status": "Stopped", "ExitCode": 1, "StartedAt": "2026-01-01T00:00:00Z"}, ("exited", 1)),  # Podman
        ({"Status": "configured"}, ("created", None)),  # Podman
        ({"Status": "something new", "Running": True}, ("running", None)),
        ({}, ("exited", None)),
    ],
)
def test_states(state: dict[str, Any], expected: tuple[str, int | None]) -> None:
    found = container(inspect(State=state))
    assert (found.state, found.exit_code) == expected


def test_health() -> None:
    assert container(inspect(State={"Status": "running", "Health": {"Status": "unhealthy"}})).health == "unhealthy"
    assert container(inspect(State={"Status": "running", "Health": {"Status": "none"}})).health == ""
    assert container(inspect(State={"Status": "running", "Health": None})).health == ""


@pytest.mark.parametrize("part", ["State", "HostConfig", "Config", "NetworkSettings", "Args", "Name", "Created"])
@pytest.mark.parametrize("value", [None, "", [], {}])
def test_a_part_that_is_missing_or_odd_does_not_lose_the_container(part: str, value: object) -> None:
    assert container(inspect(**{part: value})).id == ID


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:10Z", 10.0),
        ("1970-01-01T01:00:10.25+01:00", 10.25),
        ("1969-12-31T23:00:10-0100", 0.0),
        ("1970-01-01T00:00:10.123456789Z", 10.123456789),
        ("1970-01-01 00:00:10 +0000 UTC", 10.0),
        ("0001-01-01T00:00:00Z", 0.0),
        ("", 0.0),
        (None, 0.0),
        ("yesterday", 0.0),
    ],
)
def test_times(text: object, expected: float) -> None:
    assert timestamp(text) == expected


@given(st.recursive(st.none() | st.booleans() | st.text() | st.integers(), lambda c: st.dictionaries(st.text(), c)))
def test_any_time(value: object) -> None:
    assert timestamp(value) >= 0.0


def listed(**changes: Any) -> dict[str, Any]:
    """The same container in the engine's list."""
    return {
        "Id": ID, "Names": ["/other/alias", "/shop-web-1"], "Image": "httpd:2.4", "State": "exited",
        "Status": "Exited (137) 2 hours ago", "NetworkSettings": {"Networks": {"shop_default": {}, "edge": {}}},
        **changes,
    }  # fmt: skip


def test_a_list_that_says_the_same() -> None:
    assert not differs(container(inspect()), listed())
    running = container(inspect(State={"Status": "running", "Health": {"Status": "starting"}}))
    assert not differs(running, listed(State="running", Status="Up 2 seconds (health: starting)"))


@pytest.mark.parametrize(
    "changes",
    [
        {"Names": ["/renamed"]},
        {"State": "running", "Status": "Up 1 second"},
        {"Status": "Exited (0) 1 second ago"},
        {"NetworkSettings": {"Networks": {"edge": {}}}},
    ],
)
def test_a_list_that_says_otherwise(changes: dict[str, Any]) -> None:
    assert differs(container(inspect()), listed(**changes))


def test_health_in_a_list() -> None:
    healthy = container(inspect(State={"Status": "running", "Health": {"Status": "healthy"}}))
    assert not differs(healthy, listed(State="running", Status="Up 2 hours (healthy)"))
    assert differs(healthy, listed(State="running", Status="Up 2 hours (unhealthy)"))


def test_a_list_entry_stands_in() -> None:
    entry = listed(Ports=[{"PrivatePort": 80, "PublicPort": 8080, "Type": "tcp", "IP": "::"}, {"PrivatePort": 81}])
    found = from_summary(entry)
    assert (found.name, found.state, found.exit_code) == ("shop-web-1", "exited", 137)
    assert found.ports == (Port(private=80, public=8080), Port(private=81))
