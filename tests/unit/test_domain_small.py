"""Units, masks, levels and the confirm policy."""

from __future__ import annotations

import pytest

from komodo_agent.wire.jobs import CreateContainer
from komodo_tui.domain import confirm
from komodo_tui.domain.errors import StoreError, UsageError, told_by
from komodo_tui.domain.levels import level, worst
from komodo_tui.domain.masking import MASK, mask_env
from komodo_tui.domain.operations import ContainerOperation, CreateOperation, ServerOperation, Target
from komodo_tui.domain.servers import ServerDefinition, Threshold, check_server, split_address
from komodo_tui.domain.settings import ConfirmPolicy, ConfirmRule
from komodo_tui.domain.units import bytes_text, duration_text, latency_text, long_duration_text, rate_text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0B"),
        (812, "812B"),
        (1000, "1.0K"),
        (1536, "1.5K"),
        (312 << 20, "312M"),
        (1023 << 20, "1.0G"),
        (1 << 60, "1.0E"),
    ],
)
def test_sizes(size: float, text: str) -> None:
    assert bytes_text(size) == text
    assert len(bytes_text(size)) <= 5


def test_times() -> None:
    assert [duration_text(s) for s in (-1, 59, 60, 3599, 86400 * 3)] == ["0s", "59s", "1m", "59m", "3d"]
    assert long_duration_text(90061) == "1d 1h"
    assert [latency_text(s) for s in (None, 0.0004, 0.018, 1.23)] == ["-", "0.4ms", "18ms", "1.2s"]
    assert [rate_text(r) for r in (0, 100, 2048)] == ["0", "100", "2.0K"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "x"), ("API_TOKEN", "t"), ("AWS_SECRET_ACCESS_KEY", "k"), ("ENCRYPTION_KEY", "k"),
        ("PLAIN", "ghp_0123456789abcdef"), ("BLOB", "aG93IG11Y2ggd29vZCB3b3VsZCBhIHdvb2RjaHVjaw"),
    ],
)  # fmt: skip
def test_secrets_are_masked(name: str, value: str) -> None:
    assert mask_env(name, value) == MASK


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"), ("KEYBOARD", "de"), ("MONKEY", "x"),
        ("DB_PASSWORD_FILE", "/run/secrets/db"), ("DB_PASSWORD", ""), ("VERSION", "1.27.3"),
    ],
)  # fmt: skip
def test_what_is_no_secret_is_shown(name: str, value: str) -> None:
    assert mask_env(name, value) == value


def test_passwords_inside_urls() -> None:
    assert mask_env("DATABASE_URL", "postgres://app:s3cret@db:5432/shop") == f"postgres://app:{MASK}@db:5432/shop"


def test_levels() -> None:
    limits = Threshold(80, 95)
    assert [level(v, limits) for v in (79.9, 80, 95)] == ["ok", "warning", "critical"]
    assert worst([]) == "ok"
    assert worst(["ok", "critical", "warning"]) == "critical"


def test_the_strictest_rule_is_asked() -> None:
    policy = ConfirmPolicy(
        tags={"prod": ConfirmRule(start="yes", change="yes", harm="type"), "lab": ConfirmRule("none", "none", "none")}
    )
    remove = ContainerOperation(verb="remove", targets=(Target(server="a", name="x"),))
    start = ContainerOperation(verb="start", targets=())
    assert confirm.required(policy, remove, ["prod", "lab"]) == "type"
    assert confirm.required(policy, remove, ["lab"]) == "yes"
    assert confirm.required(policy, start, []) == "none"
    assert confirm.required(policy, CreateOperation(servers=("a",), container=CreateContainer(image="x")), []) == "yes"
    assert confirm.required(policy, ServerOperation(verb="add", server="a"), []) == "none"
    assert confirm.required(policy, ServerOperation(verb="remove", server="a"), []) == "yes"


def test_addresses() -> None:
    assert split_address("deploy@web.example:2222") == ("deploy", "web.example", 2222)
    assert split_address("web") == (None, "web", None)
    assert split_address("root@[fe80::1]:22") == ("root", "fe80::1", 22)
    for good in ("local", "web", "u@h", "u@h:22", "u@[::1]:22", "DOM\\user@h"):
        assert check_server(ServerDefinition(name="a", address=good)).address == good
    for bad in ("h:0", "h:99999", "u@[::1]:65536"):
        with pytest.raises(UsageError, match="port"):
            check_server(ServerDefinition(name="a", address=bad))


def test_agent_sockets() -> None:
    for bad in ("relative.sock", "/", "/a\nExecStart=/bin/sh", "/" + "a" * 107, "/\x1b[2J"):
        with pytest.raises(UsageError, match="agent socket"):
            check_server(ServerDefinition(name="a", address="a", agent_socket=bad))
    assert check_server(ServerDefinition(name="a", address="a", agent_socket="/srv/my agent.sock"))


def test_errors_that_come_together_are_told_by_the_first_where_all_are_ours() -> None:
    ours = ExceptionGroup("loops", [ExceptionGroup("pushes", [StoreError("the queue is damaged")]), StoreError("x")])
    assert str(told_by(ours)) == "the queue is damaged"
    fault = ExceptionGroup("pushes", [ValueError("a fault")])
    assert told_by(ExceptionGroup("loops", [StoreError("x"), fault])) is None
