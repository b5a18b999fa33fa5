"""The create form's notation is docker's."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from komodo_agent.wire.jobs import Bind, PublishedPort
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.run_options import (
    RunOptions,
    parse_bind,
    parse_port,
    parse_restart,
    parse_run_options,
    run_command,
)


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("80", PublishedPort(private=80)),
        ("8080:80", PublishedPort(private=80, public=8080)),
        ("127.0.0.1:53:53/udp", PublishedPort(private=53, public=53, ip="127.0.0.1", protocol="udp")),
        ("127.0.0.1::80", PublishedPort(private=80, ip="127.0.0.1")),
        ("[::1]:8080:80", PublishedPort(private=80, public=8080, ip="::1")),
    ],
)
def test_ports(text: str, port: PublishedPort) -> None:
    assert parse_port(text) == port


@pytest.mark.parametrize("text", ["", "a", "80:", "0:80", "80:70000", "1:2:3:4", "80/icmp"])
def test_ports_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="ports"):
        parse_port(text)


def test_binds() -> None:
    assert parse_bind("data:/var/lib") == Bind(source="data", destination="/var/lib")
    assert parse_bind("/srv:/www:ro") == Bind(source="/srv", destination="/www", read_only=True)
    for wrong in ("data", "data:var", "../x:/y", "/a:/b:zz", ":/b"):
        with pytest.raises(UsageError, match="volumes"):
            parse_bind(wrong)


def test_restart() -> None:
    assert parse_restart("on-failure:3") == ("on-failure", 3)
    assert parse_restart("") == ("no", 0)
    with pytest.raises(UsageError):
        parse_restart("always:3")


def test_the_whole_form_and_its_command_hides_values() -> None:
    container = parse_run_options(
        RunOptions(
            image="nginx:1.27",
            name="web",
            command="nginx -g 'daemon off;'",
            ports="8080:80, 443",
            volumes="data:/data\n\n/srv:/www:ro\n",
            environment="TOKEN=hunter2=x\nEMPTY=\n",
            labels="tier=front",
            network="front",
        )
    )
    assert container.environment == {"TOKEN": "hunter2=x", "EMPTY": ""}
    assert container.command == ("nginx", "-g", "daemon off;")
    assert container.restart_policy == "unless-stopped"
    command = run_command(container)
    assert "hunter2" not in " ".join(command)
    assert command[:5] == ["docker", "run", "-d", "--name", "web"]
    assert command[-4:] == ["nginx:1.27", "nginx", "-g", "daemon off;"]


@given(st.text(), st.text(), st.text(), st.text())
def test_any_text_is_read_or_refused_in_words(image: str, ports: str, volumes: str, command: str) -> None:
    with contextlib.suppress(UsageError):
        parsed = parse_run_options(RunOptions(image=image, ports=ports, volumes=volumes, command=command))
        assert parsed.image == image.strip()
