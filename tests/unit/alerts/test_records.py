"""What alerts read besides live state, from real stores: builds, procedures, schedules, syncs, drift, images."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from komodo_agent.wire.compose import ComposeProject, RevisionSummary, RunningService
from komodo_agent.wire.models import Engine
from komodo_tui.domain.alerts import Subject
from komodo_tui.domain.alerts_evaluator import Evaluator
from komodo_tui.domain.builds import BuildDefinition
from komodo_tui.domain.errors import HostUnreachableError
from komodo_tui.domain.follow_ups import FollowStep
from komodo_tui.domain.log_rules import LogRule
from komodo_tui.domain.operations import ActionRecord, Actor, StepResult, Target
from komodo_tui.domain.procedures.journal import RunEnded, RunStarted
from komodo_tui.domain.procedures.model import ProcedureDefinition
from komodo_tui.domain.pushes import Push, SeenBranch
from komodo_tui.domain.repos import RepoDefinition
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.domain.settings import AlertSettings, Settings
from komodo_tui.domain.syncs import SyncBase, SyncDefinition
from komodo_tui.fleet.live import ServerLive
from komodo_tui.operations.alerts.records import RecordSurvey
from komodo_tui.operations.alerts.surveys import all_rules
from komodo_tui.operations.procedure_definitions import ProcedureDefinitions
from komodo_tui.store.definitions import DefinitionStore
from komodo_tui.store.follow_ups import FollowUpStore
from komodo_tui.store.history import History
from komodo_tui.store.paths import StateDirectory
from komodo_tui.store.pushes import PushStore
from komodo_tui.store.runs import RunStore
from komodo_tui.store.slots import SlotStore
from komodo_tui.store.sync_bases import SyncBases
from tests.ui.fleets import container

if TYPE_CHECKING:
    from pathlib import Path

    from komodo_tui.domain.operations import Outcome
    from komodo_tui.domain.procedures.journal import RunOutcome

ANA = Actor(name="ana", via="cli")
RUN = "20260101-0300{:02d}-aaaaaa"


class Agent:
    """Tells of its projects; or is away."""

    def __init__(self) -> None:
        self.drift = ""
        self.away = False
        self.shop: ComposeProject | None = None

    async def client(self) -> Agent:
        if self.away:
            raise HostUnreachableError("it is away", server="web-1")
        return self

    async def compose_projects(self) -> list[ComposeProject]:
        service = RunningService(
            service="api", image="a:1", containers=("shop-api-1",), state="running", drift=self.drift
        )
        stray = RunningService(service="x", image="x", containers=("x",), state="running", drift="not ours")
        return [
            self.shop or ComposeProject(name="shop", managed=True, services=(service,)),
            ComposeProject(name="stray", services=(stray,)),
        ]


class Scene:
    """A state directory, one server, and what would be read of them."""

    def __init__(self, folder: Path, settings: AlertSettings | None = None, last_look: float | None = None) -> None:
        self.paths = StateDirectory(folder, folder, folder)
        self.definitions = DefinitionStore(self.paths.definitions)
        self.clock = time.time()
        self.history = History(self.paths.history, clock=lambda: self.clock)
        self.runs = RunStore(self.paths.runs, clock=lambda: self.clock)
        self.bases = SyncBases(self.paths.syncs)
        self.agent = Agent()
        self.server = ServerLive(ServerDefinition(name="web-1", address="web-1"))
        self.server.status, self.server.engine = "up", Engine(status="up")
        self.outdated: list[Any] = []
        self.asked: frozenset[str] = frozenset()
        runtime: Any = SimpleNamespace(
            state_dir=self.paths, settings=Settings(alerts=settings or AlertSettings()), definitions=self.definitions,
            history=self.history, procedures=lambda: ProcedureDefinitions(self.definitions),
            fleet=SimpleNamespace(
                state=SimpleNamespace(servers={"web-1": self.server}), link=lambda name: self.agent
            ),
            updates=SimpleNamespace(available=lambda: tuple(self.outdated), asked=lambda: self.asked),
        )  # fmt: skip
        self.survey = RecordSurvey(runtime, last_look)

    def read(self) -> list[str]:
        """All that is not well by our records."""
        asyncio.run(self.survey.read())
        return self.known()

    def known(self) -> list[str]:
        return [
            f"{r.level} {r.subject.kind} {r.subject}: {r.text}{' (old)' * r.old}" for r in self.survey.latest().readings
        ]

    def build(self, number: int, outcome: Outcome | None, failed_step: str = "") -> None:
        """One that began a minute ago, and is over unless there is no outcome."""
        action = f"00000000-0000-0000-0000-{number:012d}"
        self.history.begin(
            ActionRecord(
                id=action, seq=0, started=self.clock, actor=ANA, act="build",
                targets=(Target(server="web-1", name="shop"),), operation={"version": f"1.{number}"},
            )
        )  # fmt: skip
        if outcome is not None:
            end: Any = "done" if outcome == "success" else outcome
            step = StepResult(
                target=Target(server="web-1", name="shop"),
                ok=end == "done",
                end=end,
                result={"failed_step": failed_step},
            )
            self.history.finish(action, outcome, (step,))

    def run(self, number: int, outcome: RunOutcome | None, summary: str = "") -> None:
        """A run of the procedure ``nightly``."""
        name = RUN.format(number)
        self.runs.begin(
            RunStarted(run=name, procedure="nightly", definition={}, parameters={}, actor=ANA, pid=1)
        )  # fmt: skip
        if outcome is not None:
            self.runs.append(name, RunEnded(outcome=outcome, summary=summary))


def test_nothing_is_known_before_the_first_look_and_all_is_well_after_it(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    off = {("web-1", "registry")}  # not looked for, so none is open
    assert scene.survey.latest().told == off
    assert scene.read() == []
    assert scene.survey.latest().told == {("", "records"), *off}


def test_a_failed_build_lasts_until_one_succeeds(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.definitions.put("build", "shop", BuildDefinition(name="shop", repo="shop"), None)
    scene.build(1, "success")
    assert scene.read() == []
    scene.build(2, "failed", "RUN make")
    scene.build(3, None)  # under way: it says nothing yet
    assert scene.read() == ["warning build shop: 1.2: RUN make"]
    scene.build(4, "success")
    follow_ups, act = FollowUpStore(scene.paths.follow_ups), "00000000-0000-0000-0000-000000000004"
    follow_ups.note(act, "shop", scene.clock)
    assert scene.read() == []  # what follows goes on
    refused = FollowStep(what="push to reg.example", act="x", outcome="failed", error="denied")
    follow_ups.write(act, [refused], scene.clock)
    assert scene.read() == ["warning build shop: 1.4 is built, but push to reg.example: denied"]
    scene.build(5, "success")
    assert scene.read() == []


def test_a_build_nobody_defines_any_more_is_none_of_it(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.build(1, "failed")
    assert scene.read() == []


def test_what_failed_long_before_anybody_watched_is_no_news_but_no_end_either(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.definitions.put("build", "shop", BuildDefinition(name="shop", repo="shop"), None)
    scene.clock -= 7200.0
    scene.build(1, "failed", "RUN make")
    assert scene.read() == ["warning build shop: 1.1: RUN make (old)"]
    survey, fresh, restored = scene.survey.latest(), Evaluator(), Evaluator()
    restored.restore([(Subject("", "build", "shop"), "warning")], [], 0.0)
    assert fresh.look(survey, 1.0) == restored.look(survey, 1.0) == []


def test_what_failed_shortly_before_the_last_look_is_news_for_who_looks_next(tmp_path: Path) -> None:
    scene = Scene(tmp_path, last_look=time.time() + 5.0)
    scene.definitions.put("procedure", "nightly", ProcedureDefinition(name="nightly"), None)
    scene.run(1, "failed")
    assert not any("(old)" in found for found in scene.read()), "who looked may have ended before it read the records"


def test_a_failed_procedure_is_worse_where_nobody_started_it(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.definitions.put("procedure", "nightly", ProcedureDefinition(name="nightly"), None)
    scene.run(1, "failed", "step dump: exit 1")
    assert scene.read() == [f"warning procedure nightly: run {RUN.format(1)} failed: step dump: exit 1"]
    scene.definitions.put("procedure", "nightly", ProcedureDefinition(name="nightly", schedule="every day"), 1)
    assert scene.read()[0].startswith("critical procedure nightly")
    scene.clock += 60.0
    scene.run(2, "success")
    scene.run(3, None)
    assert scene.read() == []


def test_a_missed_schedule_lasts_until_one_is_kept(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.definitions.put("procedure", "nightly", ProcedureDefinition(name="nightly", schedule="every day"), None)
    slots = SlotStore(scene.paths.runs / "slots.db")
    at = time.time() - 60
    slots.claim("nightly", at, "ana", at, run=RUN.format(0))
    assert scene.read() == []  # taken, and not yet started
    slots.note("nightly", at, "missed")
    assert scene.read() == ["warning schedule nightly: missed"]
    slots.claim("nightly", at + 60, "ana", at + 60, run=RUN.format(1))
    slots.note("nightly", at + 60, RUN.format(1))
    assert scene.read() == []


def test_a_sync_that_is_stuck_and_what_drifted_from_its_files(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.definitions.put("sync", "fleet", SyncDefinition(name="fleet", repo="shop"), None)
    now = time.time()
    scene.bases.write("fleet", SyncBase(looked=now, problem="the repository is empty"))
    assert scene.read() == ["warning sync fleet: the repository is empty"]
    scene.bases.write("fleet", SyncBase(looked=now, conflicts=2, drifted=("shop@web-1",)))
    assert scene.read() == [
        "warning sync fleet: 2 changed here and in the files",
        "warning drift shop@web-1: it does not run as the files of sync fleet say",
    ]
    scene.bases.write("fleet", SyncBase(looked=now))
    assert scene.read() == []


def test_a_sync_whose_memory_is_damaged_is_stuck_and_hides_nothing_else(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    for name in ("fleet", "other"):
        scene.definitions.put("sync", name, SyncDefinition(name=name, folder="/etc/fleet"), None)
    scene.bases.write("other", SyncBase(looked=time.time(), problem="it is empty"))
    scene.bases.write("fleet", SyncBase())
    (scene.paths.syncs / "fleet.json").write_text("{")
    damaged, empty = scene.read()
    assert damaged.startswith(f"warning sync fleet: {scene.paths.syncs / 'fleet.json'} is damaged")
    assert empty == "warning sync other: it is empty"


def test_a_push_that_failed_and_a_repository_that_cannot_be_looked_at(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    assert scene.read() == []
    for name in ("shop", "lost"):
        scene.definitions.put("repo", name, RepoDefinition(name=name, url="git@host:x"), None)
    now, store = time.time(), PushStore(scene.paths.pushes)
    seen = SeenBranch(repo="shop", url="git@host:x", branch="", commit="a" * 40)
    for commit, good in (("a" * 40, False), ("b" * 40, True)):
        store.delivered(Push(repo="shop", commit=commit), msgspec.structs.replace(seen, commit=commit), (commit,), now)
        push = store.claim("20261126-120000-abcdef", now)
        assert push is not None
        store.ended(push, good=good, note="stage deploy: not healthy", now=now)
        assert scene.read() == ([] if good else ["warning push shop: aaaaaaaa stage deploy: not healthy"])
    lost = SeenBranch(repo="lost", url="git@host:x", branch="")
    store.failed_look(lost, "no such host", now)
    assert scene.read() == []
    store.failed_look(msgspec.structs.replace(lost, url="other"), "no such host", now - 700)
    assert scene.read() == ["warning push lost: not looked for: no such host"]
    store.close()


def test_a_store_that_cannot_be_read_leaves_all_as_it_was(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.definitions.put("sync", "fleet", SyncDefinition(name="fleet", repo="shop"), None)
    scene.bases.write("fleet", SyncBase(looked=time.time(), problem="it is away"))
    before = scene.read()
    scene.paths.pushes.parent.mkdir(parents=True, exist_ok=True)
    scene.paths.pushes.write_bytes(b"no database at all" * 100)
    assert scene.read() == before == ["warning sync fleet: it is away"]
    assert ("", "records") in scene.survey.latest().told


def test_drift_of_what_was_deployed_is_kept_while_its_server_is_away(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    asyncio.run(scene.survey.ask_projects())
    assert (scene.known(), ("web-1", "compose") in scene.survey.latest().told) == ([], True)
    scene.agent.drift = "image b:2 instead of a:1"
    asyncio.run(scene.survey.ask_projects())
    drifted = ["warning drift shop@web-1: api: image b:2 instead of a:1"]
    assert scene.known() == drifted
    scene.agent.away = True
    asyncio.run(scene.survey.ask_projects())
    assert scene.known() == drifted
    scene.agent.away, scene.agent.drift = False, ""
    asyncio.run(scene.survey.ask_projects())
    assert scene.known() == []


def service(name: str, state: str = "running") -> RunningService:
    return RunningService(service=name, image="a:1", containers=(), state=state, drift="" if state else "x")


def deploys(outcome: Any, finished: float) -> tuple[RevisionSummary, ...]:
    return (RevisionSummary(number=7, started=finished, finished=finished, outcome=outcome, error="no such image"),)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"services": (service("api"),)}, []),
        ({"services": (service("api"), service("db", "missing"))}, ["warning deployment shop@web-1: not there: db"]),
        (
            {"services": (service("db", "missing"),)},
            ["critical deployment shop@web-1: nothing of it is there any more"],
        ),
        ({"services": (service("db", "missing"),), "busy": True}, []),
        ({"services": ()}, []),  # somebody took it down: then its agent names none as missing
        ({"services": (service("db", "missing"),), "managed": False}, []),
        (
            {"services": (service("api"),), "revisions": deploys("failed", 9e9)},
            ["warning deployment shop@web-1: deploy 7 failed: no such image"],
        ),
        (
            {"services": (service("api"),), "revisions": deploys("rollback_failed", 9e9)},
            ["critical deployment shop@web-1: deploy 7 rollback failed: no such image"],
        ),
        ({"services": (service("api"),), "revisions": deploys("cancelled", 9e9)}, []),
    ],
)
def test_a_deployment_that_is_not_there_or_not_well(
    tmp_path: Path, fields: dict[str, Any], expected: list[str]
) -> None:
    scene = Scene(tmp_path)
    scene.agent.shop = ComposeProject(**{"name": "shop", "managed": True, **fields})
    asyncio.run(scene.survey.ask_projects())
    assert scene.known() == expected


def test_a_deploy_that_failed_long_ago_is_no_news(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.agent.shop = ComposeProject(
        name="shop", managed=True, services=(service("api"),), revisions=deploys("failed", 10.0)
    )
    asyncio.run(scene.survey.ask_projects())
    assert [reading.old for reading in scene.survey.latest().readings] == [True]


@pytest.mark.parametrize("wanted", [False, True])
def test_replaced_images_are_alerts_only_where_that_is_asked_for(wanted: bool, tmp_path: Path) -> None:
    scene = Scene(tmp_path, AlertSettings(updates=wanted))
    scene.outdated = [SimpleNamespace(server="web-1", container=container("api", 1, image="shop/api:1"))]
    # not asked yet: nobody can say that all is new; where it is never asked, what was open is over
    assert (("web-1", "registry") in scene.survey.latest().told) is not wanted
    scene.asked = frozenset({"web-1"})
    assert scene.known() == (["warning update api@web-1: shop/api:1 has a newer image"] if wanted else [])
    assert ("web-1", "registry") in scene.survey.latest().told


def test_rules_for_logs_are_those_of_the_settings_and_those_defined(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    for name in ("payments", "twice"):
        scene.definitions.put("log_rule", name, LogRule(name=name, pattern="defined"), None)
    asyncio.run(scene.survey.read())
    settings = [LogRule(name="twice", pattern="settings")]
    assert [(rule.name, rule.pattern) for rule in all_rules(settings, scene.survey.log_rules)] == [
        ("twice", "settings"), ("payments", "defined"),
    ]  # fmt: skip
