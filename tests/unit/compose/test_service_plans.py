"""The plan of an act on some services names those alone."""

from __future__ import annotations

from komodo_agent.wire.compose import ComposeAct, ComposePreview, ComposeProject, ComposeRollback, RunningService
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.domain.stacks import StackOperation, StackTarget
from komodo_tui.fleet.live import FleetState
from komodo_tui.operations.stack_plans import draft_stack


def step_of(services: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """What a stop of these says."""
    state = FleetState()
    state.define(ServerDefinition(name="web-1", address="web-1"))
    running = tuple(
        RunningService(service=name, image=f"{name}:1", containers=(f"shop-{name}-1",), state="running")
        for name in ("db", "web")
    )
    target = StackTarget(
        server="web-1", project="shop", spec=ComposeAct(project="shop", verb="stop", services=services),
        found=ComposeProject(name="shop", services=running),
    )  # fmt: skip
    (step,) = draft_stack(StackOperation(verb="stop", stack="shop", targets=(target,)), state).steps
    return step.text, step.details


def test_one_service_is_named_alone() -> None:
    assert step_of(("db",)) == ("stop shop: db", ("db: running, db:1",))


def test_without_services_all_are_meant() -> None:
    assert step_of(()) == ("stop shop: db, web", ("db: running, db:1", "web: running, web:1"))


def test_a_rollback_names_its_revision() -> None:
    state = FleetState()
    state.define(ServerDefinition(name="web-1", address="web-1"))
    preview = ComposePreview(project="shop", fingerprint="f", command="up", compose="2", folder="/x")
    target = StackTarget(
        server="web-1", project="shop", spec=ComposeRollback(project="shop", revision=7), preview=preview
    )
    (step,) = draft_stack(StackOperation(verb="rollback", stack="shop", targets=(target,)), state).steps
    assert step.text == "rollback shop to revision 7: nothing would change"
