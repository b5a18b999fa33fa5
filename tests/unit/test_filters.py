"""The filter language of the lists, as people type it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from komodo_agent.wire.models import Container
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.filters import parse, parse_actions, parse_text
from komodo_tui.domain.operations import ActionRecord, Actor, Target

API = Container(
    id="abc123" + "0" * 58, name="shop-api-1", image="registry.example/shop/api:1.9", state="running", health="healthy",
    labels={"com.docker.compose.project": "shop", "tier": "Front End", "Owner": "ana"},
)  # fmt: skip
REDIS = Container(id="f" * 64, name="redis", image="redis:7", state="exited", labels={"tier": "back"})
ROWS = {"api": ("web-01", API), "redis": ("db-01", REDIS)}


def matched(text: str) -> set[str]:
    wanted = parse(text)
    return {name for name, row in ROWS.items() if wanted(row)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {"api", "redis"}),
        ("   ", {"api", "redis"}),
        ("API", {"api"}),
        ("redis:7", {"redis"}),
        ("web-01", {"api"}),
        ("!api", {"redis"}),
        ("~spi1", {"api"}),
        ("!~spi1", {"redis"}),
        ("~1ips", set()),
        (r"/^shop-API-\d+$/", {"api"}),
        (r"/^api/", set()),
        (r"/redis:\d$/", {"redis"}),
        (r"!/\S-\d/", set()),
        (r"/^(api|redis)$/", {"redis"}),
        ("/[Z-a]/", {"api"}),
        ("/api", {"api"}),
        ("state:run", {"api"}),
        ("state:run,ex", {"api", "redis"}),
        ("!state:run", {"redis"}),
        ("STATE:Run", {"api"}),
        ("state:unning", set()),
        ("server:db", {"redis"}),
        ("server:*-01 name:r*s", {"redis"}),
        ("server:web,db state:exited", {"redis"}),
        ("stack:sho", {"api"}),
        ("stack:none", {"redis"}),
        ("!stack:none", {"api"}),
        ("health:healthy", {"api"}),
        ("health:none", {"redis"}),
        ("image:shop/", {"api"}),
        ("image:*api:1.?", {"api"}),
        ("name:redis", {"redis"}),
        ("id:abc", {"api"}),
        ("abc123", {"api"}),
        ("abc12", set()),
        ("label:tier", {"api", "redis"}),
        ("label:tier=back", {"redis"}),
        ("label:tier=b*", {"redis"}),
        ('label:tier="front end"', {"api"}),
        ("label:owner=ANA", {"api"}),
        ("label:tier=bac", set()),
        ("!label:tier=back", {"api"}),
        ("server:", {"api", "redis"}),
        ("!", {"api", "redis"}),
        ("~", {"api", "redis"}),
        ("/", {"api", "redis"}),
        ('"shop-api', {"api"}),
        ('"shop api"', set()),
        ("state:run !server:edge api", {"api"}),
    ],
)
def test_what_a_line_matches(text: str, expected: set[str]) -> None:
    assert matched(text) == expected


def test_a_regex_may_hold_spaces_and_slashes() -> None:
    wanted = parse_text(r"/disk /var/log is (full|gone)/ !web")
    assert wanted("alert: disk /var/log is full")
    assert not wanted("web: disk /var/log is full")


def test_a_regex_that_cannot_be_compiled_is_named() -> None:
    with pytest.raises(UsageError, match=r"/\(/ is no regular expression: .*unterminated"):
        parse("state:run /(/")


def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(UsageError, match="512"):
        parse("x" * 513)


def test_whether_it_asks_for_anything() -> None:
    assert not parse("server: ")
    assert parse("server:a")
    assert parse("a")
    assert not parse_text(" ")


def test_actions() -> None:
    record = ActionRecord(
        id="1", seq=1, started=0, actor=Actor(name="root", sudo_user="ana", ssh_client="10.0.0.7"), act="restart",
        targets=(Target(server="web-01", name="api"), Target(server="db-01", name="redis")), outcome="failed",
        title="Restart 2 containers", summary="redis did not stop in time",
    )  # fmt: skip
    running = ActionRecord(id="2", seq=2, started=0, actor=Actor(name="cron"), act="server add")
    for line in (
        "who:ana act:restart",
        "target:redis@db",
        "target:api@web-01",
        "server:db-01 !server:edge",
        "server:*-01",
        "outcome:fail",
        "did not",
        "/^10|stop in/",
    ):
        assert parse_actions(line)(record), line
    for line in (
        "!who:ana",
        "act:start",
        "outcome:success",
        "!target:redis",
        "target:api@db",
        "server:api",
        "!server:db",
    ):
        assert not parse_actions(line)(record), line
    assert parse_actions("outcome:running who:cron")(running)
    assert parse_actions('act:"server add"')(running)


@given(st.text(alphabet=st.sampled_from('!~/"\\:,=*?()[]ab state'), max_size=40))
@settings(max_examples=400, deadline=None)
def test_any_line_gives_a_filter_or_a_usage_error(text: str) -> None:
    try:
        wanted = parse(text)
    except UsageError:
        return
    assert wanted(("web-01", API)) in (True, False)
    assert wanted(("", REDIS)) in (True, False)


@given(st.text(max_size=20), st.text(max_size=20))
@settings(max_examples=200, deadline=None)
def test_a_quoted_word_is_found_exactly_where_it_is_contained(word: str, text: str) -> None:
    if '"' in word or "\\" in word or not word:
        return
    assert parse_text(f'"{word}"')(text) == (word.lower() in text.lower())


@pytest.mark.parametrize(
    "line", ["api-77", r"/api-\d+7$/", "~api7", "state:run", "label:tier=back", "!server:web-3 api"]
)
def test_twenty_thousand_rows_cost_little(line: str) -> None:
    labels = {f"label{n}": "value" for n in range(6)} | {"tier": "back"}
    rows = [
        (
            f"web-{n % 50}",
            Container(id=f"{n:064x}", name=f"shop-api-{n}", image="shop/api:1", state="running", labels=labels),
        )
        for n in range(20_000)
    ]
    wanted = parse(line)
    needles = [str(n) for n in range(40)]

    def cost_of_filter() -> float:
        begin = time.process_time()
        for row in rows:
            wanted(row)
        return time.process_time() - begin

    def cost_of_searching() -> float:
        """The same number of rows, each searched 40 times: what the machine can do today."""
        begin = time.process_time()
        for _, container in rows:
            for needle in needles:
                _ = needle in container.name
        return time.process_time() - begin

    assert min(cost_of_filter() for _ in range(3)) < 2 * min(cost_of_searching() for _ in range(3))
