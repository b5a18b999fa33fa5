"""Patterns in logs: which rules are taken, what is shown of a line, and alerts of logs that are followed."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest

from komodo_agent.wire.models import Engine
from komodo_tui.domain.alerts_evaluator import Evaluator
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.log_rules import LogRule, check_log_rules
from komodo_tui.domain.masking import MASK, mask_line
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.fleet.live import ServerLive
from komodo_tui.operations.alerts.logs import LOOK, LogSurvey
from tests.ui.fleets import container
from tests.unit.log_wire import Agent, Client, Log, run_virtual, stamp

API = container("api", 1, image="shop/api:1")
RULE = LogRule(name="errors", match="api", pattern="error", at_least=2, within="1m")


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"pattern": "(a+)+$"}, "for ever"),
        ({"pattern": "(a|a)*b"}, "for ever"),
        ({"pattern": ".*a.*b.*c.*d"}, "for ever"),
        ({"pattern": "[oops"}, "no regular expression"),
        ({"pattern": "x*"}, "every line"),
        ({"name": "a/b"}, "name"),
        ({"at_least": 0}, "0 lines"),
        ({"within": "3d"}, "3d"),
    ],
)
def test_rules_that_cannot_be_used_are_named(rule: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        check_log_rules([LogRule(**{"name": "r", "pattern": "x", **rule})])


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="errors"):
        check_log_rules([RULE, RULE])


@pytest.mark.parametrize("pattern", ["x", "a+b", "a.*b.*c", "a.*b.*c.*d"])
def test_no_line_takes_long(pattern: str) -> None:
    rule = LogRule(name="r", pattern=pattern)
    check_log_rules([rule])
    began = time.process_time()
    rule.regex().search("abc" * 10_000 + "a" * 10_000, 0, rule.longest)
    rule.regex().search("a" * 20_000, 0, rule.longest)
    assert time.process_time() - began < 20.0  # without the limit it would be hours


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("no connection to postgres://u:canary@db/x", f"no connection to postgres://u:{MASK}@db/x"),
        ("password=canary refused", f"password={MASK} refused"),
        ('{"api_key": "canary", "msg": "boom"}', f'{{"api_key": "{MASK}", "msg": "boom"}}'),
        ("Authorization: Bearer canary", f"Authorization: Bearer {MASK}"),
        ("with ghp_canary01234567890 it failed", f"with {MASK} it failed"),
        ("GET /items?page=2 took 12 ms: error", "GET /items?page=2 took 12 ms: error"),
    ],
)
def test_secrets_in_a_line_are_masked(line: str, shown: str) -> None:
    assert mask_line(line) == shown


class Scene:
    """A server with the container ``api`` and its log; time is that of the loop."""

    def __init__(self, *rules: LogRule) -> None:
        self.server = ServerLive(ServerDefinition(name="web-1", address="web-1"))
        self.server.status, self.server.engine = "up", Engine(status="up")
        self.log = Log()
        self.agent = Agent({API.id: self.log})
        self.has(API)
        fleet: Any = SimpleNamespace(
            state=SimpleNamespace(servers={"web-1": self.server}),
            link=lambda name: SimpleNamespace(client=self._client),
        )
        self.rules = rules
        self.clock = asyncio.get_running_loop().time
        self.survey = LogSurvey(fleet, lambda: self.rules, monotonic=self.clock)
        self.evaluator = Evaluator()
        self.number = 0

    async def _client(self) -> Client:
        return Client(self.agent)

    def has(self, *containers: Any) -> None:
        self.server.containers = {one.id: one for one in containers}

    def write(self, text: str) -> None:
        self.number += 1
        self.log.write(stamp(10**12 + self.number), text.encode())

    async def after(self, seconds: float) -> list[str]:
        """What changed when some time has passed."""
        await asyncio.sleep(seconds)
        survey = self.survey.latest()._replace(servers=frozenset({"web-1"}))
        return [f"{t.change} {t.subject}: {t.text}" for t in self.evaluator.look(survey, self.clock())]


async def _following(scene: Scene, play: Any) -> None:
    task = asyncio.create_task(scene.survey.run())
    try:
        await play(scene)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _play(play: Any, *rules: LogRule) -> None:
    async def main() -> None:
        await _following(Scene(*(rules or (RULE,))), play)

    run_virtual(main())


def test_enough_lines_within_the_time_open_it_and_silence_ends_it() -> None:
    async def play(scene: Scene) -> None:
        scene.write("an ERROR of old")  # before anybody followed: it does not count
        await asyncio.sleep(LOOK)
        scene.write("an ERROR, password=canary \x1b[31m")
        assert await scene.after(50) == []
        scene.write("all is fine")
        await scene.after(30)
        scene.write("one more error")  # the first is too old by now
        assert await scene.after(20) == []
        scene.write("error: token=canary")
        assert await scene.after(5) == [f"opened api/errors@web-1: 2 lines in 1m, the last: error: token={MASK}"]
        assert await scene.after(20) == []
        assert [change.split(":")[0] for change in await scene.after(60)] == ["resolved api/errors@web-1"]

    _play(play)


def test_a_lost_connection_loses_no_line() -> None:
    async def play(scene: Scene) -> None:
        await asyncio.sleep(LOOK)
        scene.write("first line")
        await scene.after(5)
        scene.agent.cut()
        scene.write("error 1")
        scene.write("error 2")
        assert len(await scene.after(20)) == 1

    _play(play)


def test_only_containers_that_fit_are_followed_and_new_ones_are_taken_in() -> None:
    async def play(scene: Scene) -> None:
        other = container("db", 2)
        scene.agent.logs[other.id] = Log()
        scene.has(other)
        await asyncio.sleep(2 * LOOK)
        scene.has(other, API)
        await asyncio.sleep(2 * LOOK)
        scene.write("error 1")
        scene.write("error 2")
        scene.agent.logs[other.id].write(stamp(10**12), b"error error")
        scene.agent.logs[other.id].write(stamp(10**12 + 9), b"error error")
        assert [change.split(":")[0] for change in await scene.after(5)] == ["opened api/errors@web-1"]

    _play(play)


def test_nobody_says_all_is_well_before_the_time_of_a_rule_has_passed() -> None:
    async def play(scene: Scene) -> None:
        assert scene.survey.latest().told == frozenset()
        await asyncio.sleep(RULE.seconds)
        assert scene.survey.latest().told == {("web-1", "logs")}

    _play(play)


def test_rules_that_change_are_taken_up_and_what_fitted_those_that_stay_counts_on() -> None:
    async def play(scene: Scene) -> None:
        await asyncio.sleep(LOOK)
        scene.write("error 1")
        await scene.after(5)
        scene.rules = (RULE, LogRule(name="panic", pattern="panic", level="critical"))
        await scene.after(2 * LOOK)
        scene.write("error 2, panic")
        opened = await scene.after(5)
        assert [change.split(":")[0] for change in opened] == ["opened api/errors@web-1", "opened api/panic@web-1"]
        scene.rules = (RULE,)
        assert [change.split(":")[0] for change in await scene.after(2 * LOOK)] == ["resolved api/panic@web-1"]
        scene.rules = ()
        assert [change.split(":")[0] for change in await scene.after(LOOK)] == ["resolved api/errors@web-1"]
        scene.write("panic")
        assert await scene.after(2 * LOOK) == []

    _play(play)
