"""The state of a deployment tells the truth about its containers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from komodo_agent.wire.compose import RevisionSummary
from komodo_agent.wire.jobs import Job
from komodo_agent.wire.models import Container
from komodo_tui.domain.deployments import Deployment, after_deploys, deployments_on
from komodo_tui.domain.stacks import StackDefinition

PROJECT, SERVICE = "com.docker.compose.project", "com.docker.compose.service"


def container(name: str, state: str = "running", service: str = "web", **fields: Any) -> Container:
    labels = {PROJECT: "shop", SERVICE: service, **fields.pop("labels", {})}
    return Container(id=name, name=name, image="busybox", state=state, labels=labels, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("containers", "state", "why"),
    [
        ([container("a"), container("b", service="db", health="healthy")], "running", ""),
        ([container("a"), container("b", service="db", health="unhealthy")], "unhealthy", "b is unhealthy"),
        ([container("a"), container("b", health="starting")], "starting", "b is starting"),
        ([container("a", "restarting")], "restarting", "a restarts"),
        ([container("a", restarts=5, started=990.0)], "restarting", "a restarts again and again"),
        ([container("a", restarts=5, started=10.0)], "running", ""),
        ([container("a"), container("b", "exited", exit_code=1)], "partly running", "b ended with code 1"),
        ([container("a"), container("b", "exited", "db", exit_code=137, oom_killed=True)], "partly running",
         "b ended with code 137 (out of memory)"),
        ([container("a"), container("b", "exited", "job", exit_code=0)], "running", ""),
        ([container("a", "exited", exit_code=0)], "finished", ""),
        ([container("a", "exited", exit_code=2)], "exited", "a ended with code 2"),
        ([container("a", "created")], "exited", "a was never started"),
        ([container("a", "paused"), container("b", service="db")], "paused", "a is paused"),
        ([container("run", "exited", exit_code=1, labels={"com.docker.compose.oneoff": "True"}), container("a")],
         "running", ""),
    ],
)  # fmt: skip
def test_state(containers: list[Container], state: str, why: str) -> None:
    (found,) = deployments_on("web-1", containers, known=True, now=1000.0)
    assert (found.state, found.why, found.project) == (state, why, "shop")


def test_what_is_not_there_what_works_and_what_cannot_be_asked() -> None:
    stacks = {"Blog": StackDefinition(name="Blog", servers=("web-1",), compose="x")}
    job = Job(id="j-1", kind="deploy", target="shop", status="running")
    blog, shop = deployments_on("web-1", [container("a")], known=True, jobs=[job], stacks=stacks)
    assert (blog.project, blog.stack, blog.state) == ("blog", "Blog", "down")
    assert (shop.state, shop.job, shop.stack) == ("deploying", "j-1", "")
    (away,) = deployments_on("web-1", [container("a")], known=False)
    assert away.state == "unknown"
    ended = Job(id="j-1", kind="deploy", target="shop", status="failed")
    assert deployments_on("web-1", [], known=True, jobs=[ended]) == []


def test_what_a_first_deploy_that_failed_left_stopped_is_not_finished() -> None:
    left = Deployment(server="web-1", project="shop", state="finished")
    failed = RevisionSummary(number=1, started=0.0, outcome="failed", error="web ended with code 1")
    assert after_deploys(left, [failed]).state == "failed"
    assert "web ended with code 1" in after_deploys(left, [failed]).why
    for others in ([], [failed, RevisionSummary(number=0, started=0.0, outcome="success")]):
        assert after_deploys(left, others).state == "finished"
    running = msgspec.structs.replace(failed, outcome="running")
    assert after_deploys(left, [running]).state == "finished"
    assert after_deploys(msgspec.structs.replace(left, state="running"), [failed]).state == "running"
