"""What follows a build: in which order, where to, and how far; and that no version is taken twice."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from komodo_agent.wire.models import Engine
from komodo_tui.domain.builds import BuildDefinition, BuildOperation, BuildRegistry
from komodo_tui.domain.errors import NotFoundError, RefusedError, UnreachableError, UsageError
from komodo_tui.domain.interpolation import Value
from komodo_tui.domain.operations import ActionRecord, Actor, StepResult, Target
from komodo_tui.domain.repos import RepoDefinition
from komodo_tui.domain.resources import ResourceOperation
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.domain.shipping import ShipOperation
from komodo_tui.domain.stacks import StackDefinition, StackOperation
from komodo_tui.fleet.live import FleetState
from komodo_tui.operations import build_wants
from komodo_tui.operations.build_follow import BuildFollower, not_well
from komodo_tui.operations.build_history import NOT_FOLLOWED, run_of
from komodo_tui.operations.build_plans import draft_build
from komodo_tui.operations.build_prepare import BuildPreparer, pick_server
from komodo_tui.operations.locking import TargetLocks
from komodo_tui.store.follow_ups import FollowUpStore
from komodo_tui.store.history import History
from komodo_tui.store.paths import state_directory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KNOWN = {name: ServerDefinition(name=name, address=name) for name in ("build-1", "web-1", "web-2")}
RECORD = ActionRecord(
    id="1", seq=1, started=0.0, actor=Actor(name="ana"), act="build", outcome="success",
    targets=(Target(server="build-1", name="api"),), operation={"version": "1.0.0"}, ended=0.0,
    steps=(
        StepResult(
            target=Target(server="build-1", name="api"), ok=True,
            result={"image": "sha256:0123", "references": "api:1.0.0 api:latest"},
        ),
    ),
)  # fmt: skip


class Preparer:
    """Stacks run on the servers they name."""

    def places(self, stack: StackDefinition, only: Sequence[str] = ()) -> tuple[str, ...]:
        return stack.servers

    async def deploy(self, stack: StackDefinition) -> StackOperation:
        if stack.name == "away":
            raise UnreachableError("web-2 does not answer", hint="look at its agent")
        return StackOperation(verb="deploy", stack=stack.name, targets=())


class Deployables:
    """Three stacks."""

    def find(self, name: str) -> StackDefinition:
        servers = {"shop": ("web-1", "build-1"), "away": ("web-2",), "blog": ("web-2",)}
        if name not in servers:
            raise NotFoundError(f"there is no stack {name}")
        return StackDefinition(name=name, servers=servers[name], compose="services: {}\n")


class Executor:
    """A plan is its operation."""

    def plan(self, operation: Any) -> Any:
        return operation

    def under_way(self, record: ActionRecord) -> bool:
        return False

    async def recover(self, patience: float) -> None:
        """Nothing is found."""


@pytest.fixture
def follower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BuildFollower:
    async def ship(fleet: Any, image: str, servers: Sequence[str], source: str, *, tags: Sequence[str]) -> Any:
        return ShipOperation(image=f"{image} to {','.join(servers)}", id=image, source=source, tags=tuple(tags))

    monkeypatch.setattr(build_wants, "prepare_ship", ship)
    make: Any = BuildFollower
    paths = state_directory(tmp_path)
    made: BuildFollower = make(
        None, Executor(), Preparer(), Deployables(), lambda: KNOWN,
        history=History(paths.history), store=FollowUpStore(paths.follow_ups), locks=TargetLocks(paths.locks),
    )  # fmt: skip
    return made


async def follow(follower: BuildFollower, build: BuildDefinition, bad: type[Any] = Exception) -> tuple[list[Any], Any]:
    """What was submitted, and what came of it; operations of the type ``bad`` fail."""
    submitted: list[Any] = []

    async def submit(plan: Any, act_id: str) -> ActionRecord:
        submitted.append(plan)
        outcome = "failed" if isinstance(plan, bad) else "success"
        return ActionRecord(id=act_id, seq=2, started=0.0, actor=Actor(name="ana"), act="x", outcome=outcome)  # type: ignore[arg-type]

    record = msgspec.structs.replace(RECORD, id=str(uuid.uuid4()))
    return submitted, await follower.follow(build, record, submit)


def build(**fields: Any) -> BuildDefinition:
    return BuildDefinition(**{"name": "api", "dockerfile": "FROM a\n", **fields})


async def test_an_image_without_a_registry_is_shipped_where_it_is_to_run(follower: BuildFollower) -> None:
    submitted, done = await follow(follower, build(redeploy_on_build=("shop", "blog")))
    ship = submitted[0]
    assert (ship.image, ship.source, ship.tags) == (
        "sha256:0123 to web-1,web-2", "build-1", ("api:1.0.0", "api:latest"),
    )  # fmt: skip
    assert [operation.stack for operation in submitted[1:]] == ["shop", "blog"]
    assert not_well(done) == []


async def test_one_in_a_registry_is_pushed_with_all_its_tags_before_anything_is_deployed(
    follower: BuildFollower,
) -> None:
    registries = (BuildRegistry(domain="reg.example", organization="ana"), BuildRegistry(domain="127.0.0.1:5000"))
    submitted, _ = await follow(follower, build(registries=registries, redeploy_on_build=("shop",)))
    push = submitted[0]
    assert isinstance(push, ResourceOperation)
    assert (push.verb, push.targets[0].server, push.targets[0].id) == ("push", "build-1", "sha256:0123")
    assert push.references == (
        "reg.example/ana/api:1.0.0", "reg.example/ana/api:latest", "127.0.0.1:5000/api:1.0.0",
        "127.0.0.1:5000/api:latest",
    )  # fmt: skip
    assert isinstance(submitted[1], StackOperation)


async def test_nothing_follows_what_did_not_go_well(follower: BuildFollower) -> None:
    submitted, done = await follow(follower, build(redeploy_on_build=("shop", "blog")), bad=ShipOperation)
    assert len(submitted) == 1
    assert [one.ok for one in done] == [False, False, False]
    submitted, done = await follow(follower, build(redeploy_on_build=("away", "blog")))
    assert len(submitted) == 1  # the ship
    assert [one.error.message if one.error else "" for one in done] == [
        "", "web-2 does not answer", "not begun, since redeploy away did not end well",
    ]  # fmt: skip


class Killed(BaseException):
    """The program's end."""


class Program:
    """Does the acts of one follow-up; ends at one of them, at a moment of it."""

    def __init__(self, history: History, at: int, moment: str) -> None:
        self._history = history
        self._at = at
        self._moment = moment
        self.done: list[str] = []
        self.asked = 0

    async def submit(self, plan: Any, act_id: str) -> ActionRecord:
        """An act, in the history as the executor enters it."""
        self.asked += 1
        ends = self._moment if self.asked == self._at else ""
        if ends == "before it begins":
            raise Killed
        verb = type(plan).__name__
        self._history.begin(ActionRecord(id=act_id, seq=0, started=0.0, actor=Actor(name="ana"), act="x", title=verb))
        self.done.append(verb)
        if ends == "in it":
            raise Killed
        self._history.finish(act_id, "success", [])
        if ends == "after it":
            raise Killed
        return self._history.get(act_id)


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("moment", ["before it begins", "in it", "after it"])
async def test_a_program_that_ends_leaves_it_to_the_next_which_does_each_thing_once(
    follower: BuildFollower, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, moment: str
) -> None:
    history = History(state_directory(tmp_path).history)
    wanted = build(registries=(BuildRegistry(domain="reg.example"),), ship=("web-2",), redeploy_on_build=("shop",))
    first = Program(history, at, moment)
    with pytest.raises(Killed):
        await follower.follow(wanted, RECORD, first.submit)
    open_ = follower.store.open()
    assert [one.act for one in open_] == [RECORD.id]
    assert open_[0].state == "under way"

    async def recover(self: Executor, patience: float) -> None:
        for record in history.unfinished():
            history.finish(record.id, "success", [])

    monkeypatch.setattr(Executor, "recover", recover)
    next_one = Program(history, 0, "")
    done = await follower.follow(wanted, RECORD, next_one.submit)
    assert [one.ok for one in done] == [True, True, True]
    assert first.done + next_one.done == ["ShipOperation", "ResourceOperation", "StackOperation"]
    assert follower.store.open() == []
    again = Program(history, 0, "")
    assert [one.what for one in await follower.follow(wanted, RECORD, again.submit)] == [one.what for one in done]
    assert again.done == []


async def test_what_did_not_go_well_is_kept_and_can_be_done_again(follower: BuildFollower) -> None:
    wanted = build(ship=("web-2",), redeploy_on_build=("away", "blog"))
    program = Program(follower._history, 0, "")
    done = await follower.follow(wanted, RECORD, program.submit)
    assert [one.why for one in done[1:]] == [
        "web-2 does not answer (look at its agent)", "not begun, since redeploy away did not end well"
    ]  # fmt: skip
    found = follower.store.get(RECORD.id)
    assert found is not None
    assert (found.state, found.words) == ("failed", "redeploy away: web-2 does not answer")
    (entered,) = [one for one in follower._history.query(lambda one: one.act == "follow up")]
    assert (entered.outcome, entered.summary) == ("failed", "redeploy away: web-2 does not answer")
    run = msgspec.structs.replace(run_of(RECORD), follow_up=found)
    assert (run.state, run.why) == (NOT_FOLLOWED, "redeploy away: web-2 does not answer")
    mended = build(ship=("web-2",), redeploy_on_build=("shop", "blog"))
    assert follower.left(mended, RECORD)[-2:] == ["redeploy shop", "redeploy blog"]
    follower.again(RECORD.id)
    assert all(one.ok for one in await follower.follow(mended, RECORD, program.submit))
    found = follower.store.get(RECORD.id)
    assert found is not None
    assert (found.state, found.words) == ("success", "")


async def test_two_programs_do_it_once(follower: BuildFollower) -> None:
    program = Program(follower._history, 0, "")
    wanted = build(registries=(BuildRegistry(domain="reg.example"),))
    found = await asyncio.gather(*(follower.follow(wanted, RECORD, program.submit) for _ in range(3)))
    assert program.done == ["ResourceOperation"]
    assert all(one[0].ok for one in found)


def test_what_is_to_follow_has_to_be_known_before(follower: BuildFollower) -> None:
    assert follower.places(build(ship=("web-2",), redeploy_on_build=("shop",))) == ("web-2", "web-1", "build-1")
    with pytest.raises(NotFoundError):
        follower.places(build(redeploy_on_build=("nope",)))
    with pytest.raises(UsageError):
        follower.places(build(ship=("moon",)))


class LastVersion:
    """The last build's version."""

    def __init__(self, version: str) -> None:
        self.version = version

    def last_version(self, name: str) -> str:
        return self.version


class Values:
    """A variable and a secret."""

    def lookup(self, stack: str, server: str) -> Any:
        return {"PYTHON": Value("3.13"), "TOKEN": Value("hunter2", secret=True)}.get

    def registry_auth(self, image: str) -> str:
        return "login" if image.startswith("known.example/") else ""


class Repos:
    """One repo, pinned."""

    def find(self, name: str) -> RepoDefinition | None:
        return RepoDefinition(name="shop", url="/srv/shop", branch="main", commit="abcdef0") if name == "shop" else None


def prepare(definition: BuildDefinition, last: str = "", version: str = "") -> BuildOperation:
    parts: Any = (Repos(), Values(), LastVersion(last))
    return BuildPreparer(*parts).prepare(definition, "build-1", version)


def test_a_build_is_made_ready() -> None:
    made = prepare(build(dockerfile="", repo="shop", build_args={"P": "python [[PYTHON]]"}), "1.4.2")
    assert (made.version, made.after, made.arguments) == ("1.4.3", "1.4.2", {"P": "python 3.13"})
    assert made.repo is not None
    assert (made.repo.branch, made.repo.commit) == ("main", "abcdef0")
    other = prepare(build(dockerfile="", repo="shop", branch="next"), version="2.0.0")
    assert other.repo is not None
    assert (other.version, other.after, other.repo.branch, other.repo.commit) == ("2.0.0", None, "next", "")


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"build_args": {"T": "[[TOKEN]]"}}, UsageError, "has a secret in it"),
        ({"build_args": {"T": "[[NOWHERE]]"}}, UsageError, "not set: NOWHERE"),
        ({"dockerfile": "", "repo": "nope"}, NotFoundError, "no repo 'nope'"),
        ({"logins": ("strange.example",)}, NotFoundError, "no login is kept"),
    ],
)
def test_what_cannot_be_made_ready(fields: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        prepare(build(**fields))
    assert words in str(caught.value)


def test_a_version_that_another_build_has_taken_meanwhile_is_refused() -> None:
    state = FleetState()
    state.define(KNOWN["build-1"])
    made = prepare(build(), "0.1.0")
    assert draft_build(made, state, dict, lambda name: "0.1.0").verb == "build"
    with pytest.raises(RefusedError, match="meanwhile"):
        draft_build(made, state, dict, lambda name: "0.1.1")
    state.servers["build-1"].engine = Engine(status="up", builder="docker 28.0.0, BuildKit (buildx)")
    by_hand = prepare(build(), "0.1.0", version="3.0.0")
    (step,) = draft_build(by_hand, state, dict, lambda name: "0.1.1").steps
    assert step.details[0] == "by docker 28.0.0, BuildKit (buildx)"
    assert draft_build(by_hand, state, dict, lambda name: "0.1.1").verb == "build"


def test_where_nothing_can_be_built_it_says_why() -> None:
    state = FleetState()
    state.define(KNOWN["build-1"])
    with pytest.raises(UnreachableError, match="build-1: it does not answer"):
        pick_server(build(), ["build-1"], state)
