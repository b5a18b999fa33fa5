"""The four sides of a stack, service by service."""

from __future__ import annotations

from typing import Any

import pytest

from komodo_agent.compose.revisions import against
from komodo_agent.wire.compose import ComposePreview, ComposeProject, Revision, RevisionSummary, RunningService
from komodo_agent.wire.compose_changes import ServiceChange
from komodo_agent.wire.compose_git import GitNews
from komodo_agent.wire.repos import RepoCommit
from komodo_tui.domain.stack_drift import four_way

GOOD = RevisionSummary(number=3, started=1.0, outcome="success", images={"web": "sha256:a", "db": "sha256:b"})


def commit(id: str) -> RepoCommit:
    return RepoCommit(id=id * 40, when=1.0, author="Ana", subject="x")


def test_each_side_is_told_against_the_one_before_it() -> None:
    project = ComposeProject(
        name="shop",
        services=(
            RunningService(service="web", image="x", containers=("shop-web-1",), state="running", drift="other image"),
            RunningService(service="extra", image="x", containers=("shop-extra-1",), state="running"),
        ),
    )
    preview = ComposePreview(
        project="shop", fingerprint="", command="", compose="", folder="", last_good=GOOD,
        services=(
            ServiceChange(service="web", verb="recreate", deployed="same"),
            ServiceChange(service="cache", verb="create", deployed="new"),
            ServiceChange(service="extra", verb="remove", deployed="gone"),
        ),
        git=GitNews(target=commit("a"), tip=commit("b"), behind=2),
    )  # fmt: skip
    rows = {row.service: row for row in four_way(project, preview)}
    assert list(rows) == ["cache", "db", "extra", "web"]
    web = rows["web"]
    assert (web.running, web.deployed, web.definition, web.git) == (
        "running", "revision 3", "as deployed", "2 commits on",
    )  # fmt: skip
    assert web.differs == ("running", "git")
    assert (rows["db"].running, rows["db"].definition) == ("not there", "not in it")
    assert (rows["cache"].deployed, rows["cache"].definition, rows["cache"].differs) == (
        "-",
        "new",
        ("definition", "git"),
    )


def test_of_no_revision_nothing_differs() -> None:
    preview = ComposePreview(
        project="shop", fingerprint="", command="", compose="", folder="",
        services=(ServiceChange(service="web", verb="create"),),
    )  # fmt: skip
    row = four_way(None, preview)[0]
    assert (row.running, row.deployed, row.definition, row.git, row.differs) == ("not there", "-", "-", "-", ())


@pytest.mark.parametrize(
    ("service", "fields", "expected"),
    [
        ("web", {"config": "c1"}, "same"),
        ("web", {"config": "c2", "hash": "h1"}, "changed"),
        ("web", {"config": "c1", "image": "other"}, "changed"),
        ("db", {"hash": "h2"}, "same"),  # adopted: no configuration is known
        ("db", {"hash": "h3"}, "changed"),
        ("db", {}, "unknown"),
        ("new", {"config": "c"}, "new"),
    ],
)
def test_a_definition_against_the_newest_good_revision(service: str, fields: dict[str, Any], expected: str) -> None:
    good = Revision(
        summary=GOOD, hashes={"web": "h1", "db": "h2"}, configs={"web": "c1"}, references={"web": "x", "db": "x"}
    )
    assert against(good, service, **{"config": "", "hash": "", "image": "x", **fields}) == expected
    assert against(None, service, config="c", hash="h", image="x") == "unknown"
