"""Deploys that nobody planned: what they are sent before git or compose is asked, and when that is not enough."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from komodo_agent.compose.unplanned import missing
from komodo_agent.wire.compose import (
    ComposeDeploy,
    ComposePreview,
    ComposeProject,
    ComposeSource,
    Revision,
    RevisionSummary,
)
from komodo_agent.wire.compose_changes import ServiceChange
from komodo_tui.domain.errors import NotFoundError
from komodo_tui.domain.operations import Plan, PlanStep, Target
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.domain.stack_git import StackGit
from komodo_tui.operations.intents import new_intent, written
from komodo_tui.operations.logins import jobs_with_logins
from komodo_tui.operations.stack_prepare import StackPreparer
from tests.unit.compose.test_stack_sources import sources, stack

if TYPE_CHECKING:
    from komodo_tui.operations.stack_sources import StackSources

__all__ = ["sources"]
SHOP = stack(git=StackGit(repo="shop"), environment={"E": "[[NAME]]"})


def good(number: int = 3, **templates: str) -> Revision:
    summary = RevisionSummary(number=number, started=1.0, outcome="success")
    return Revision(summary=summary, templates=templates, references={"web": "app:1"})


def preparer(sources: StackSources, revision: Revision | None) -> StackPreparer:
    """One server, where this is the last good revision."""

    class Client:
        async def compose_project(self, name: str) -> ComposeProject:
            if revision is None:
                raise NotFoundError(f"there is no {name}")
            bad = RevisionSummary(number=9, started=2.0, outcome="failed")
            return ComposeProject(name=name, revisions=(bad, revision.summary))

        async def compose_revision(self, name: str, number: int) -> Revision:
            assert revision is not None
            assert number == revision.summary.number
            return revision

    async def client() -> Client:
        return Client()

    fleet: Any = SimpleNamespace(link=lambda server: SimpleNamespace(client=client))
    servers: Any = SimpleNamespace(fleet=lambda: [ServerDefinition(name="web-1", address="web-1")])
    return StackPreparer(fleet, servers, sources)


async def test_it_is_sent_what_the_last_good_revision_took(sources: StackSources) -> None:
    operation = await preparer(sources, good(VALUE_PASSWORD="[[PASSWORD]]", OLD="[[TAG]]")).unplanned(SHOP, "web-1")
    assert operation is not None
    (target,) = operation.targets
    spec = target.spec
    assert isinstance(spec, ComposeDeploy)
    assert spec.unplanned
    assert spec.source.environment == {"E": "it's $(x)", "VALUE_PASSWORD": "hunter2"}
    assert (spec.fallback, spec.fallback_of) == ({"VALUE_PASSWORD": "hunter2", "OLD": "1.9"}, 3)
    assert spec.images == ("app:1",)
    step = PlanStep(target=Target(server="web-1", name="shop"), text="deploy")
    plan = Plan(operation=operation, title="deploy", verb="deploy", steps=(step,), confirm="none")
    (job,) = jobs_with_logins(plan, sources._values)
    assert isinstance(job, ComposeDeploy)
    assert job.source.git is not None
    assert job.source.git.repo.token == "t0ken"
    kept = msgspec.json.encode(written(operation, new_intent(plan))).decode()
    assert not any(secret in kept for secret in ("t0ken", "hunter2"))


@pytest.mark.parametrize("revision", [None, good(VALUE_GONE="[[GONE]]")])
async def test_it_is_planned_where_nothing_good_is_known(sources: StackSources, revision: Revision | None) -> None:
    assert await preparer(sources, revision).unplanned(SHOP, "web-1") is None


def test_what_the_job_finds_missing() -> None:
    spec = ComposeDeploy(source=ComposeSource(project="shop"), unplanned=True, fallback_of=3, images=("app:1",))
    here = ServiceChange(service="web", verb="recreate", image="other:1")
    plain = ComposePreview(project="shop", fingerprint="", command="", compose="", folder="", services=(here,))
    known = msgspec.structs.replace(plain, last_good=good(3).summary, last_good_templates={"A": "[[A]]"})
    assert missing(spec, plain) == missing(spec, known) == ""
    newer = msgspec.structs.replace(known, last_good=good(4).summary)
    assert missing(spec, newer) == "the values of revision 4, to return to"
    absent = msgspec.structs.replace(here, present=False)
    pulls = msgspec.structs.replace(plain, services=(absent, msgspec.structs.replace(absent, image="app:1")))
    assert missing(spec, pulls) == "the logins for other:1"
    assert missing(msgspec.structs.replace(spec, pull="always"), plain) == "the logins for other:1"
