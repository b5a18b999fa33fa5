"""Definitions of stacks, their files in YAML, and what operations on them keep to themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from komodo_agent.wire.compose import ComposeDeploy, ComposeSource, RevisionSummary, StackFile
from komodo_agent.wire.compose_changes import FileChange
from komodo_agent.wire.jobs import Job
from komodo_tui.domain.errors import ExitCode, UsageError
from komodo_tui.domain.operations import Target
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.domain.stacks import StackDefinition, StackOperation, StackTarget, check_stack, servers_of
from komodo_tui.operations.outcomes import conclude, of_job, skipped
from komodo_tui.operations.stack_jobs import stack_as_written
from komodo_tui.operations.stack_plans import file_diff
from komodo_tui.operations.stack_prepare import to_return_to
from komodo_tui.store.fleet_files import check_yaml, read_fleet

if TYPE_CHECKING:
    from pathlib import Path


def stack(**fields: Any) -> StackDefinition:
    return StackDefinition(**{"name": "shop", "servers": ("web-1",), "compose": "services: {}", **fields})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "$(x)"}, "stack name"),
        ({"name": "../x"}, "stack name"),
        ({"project": "Shop"}, "project 'Shop'"),
        ({"compose": ""}, "either compose"),
        ({"folder": "/srv"}, "either compose"),
        ({"compose": "", "folder": "srv"}, "no absolute path"),
        ({"compose": "", "folder": "/srv/../etc"}, "no absolute path"),
        ({"attached": {"../up": ""}}, "'../up' is no path"),
        ({"files": ("other.yaml",)}, "other.yaml is not among"),
        ({"environment": {"a b": ""}}, "'a b' is no name"),
        ({"per_server": {"web-1": {"1A": ""}}}, "'1A' is no name"),
        ({"pre_deploy": ('echo "open',)}, "cannot be read"),
        ({"revisions": 0}, "keep at least one"),
    ],
)
def test_a_definition_that_cannot_be(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_stack(stack(**fields))
    assert words in caught.value.message


def test_servers_by_name_and_tag_in_order() -> None:
    known = {
        name: ServerDefinition(name=name, address=name, tags=tags)
        for name, tags in (("a", ("prod",)), ("b", ()), ("c", ("prod",)))
    }
    assert servers_of(stack(servers=("b", "tag:prod", "a")), known) == ("b", "a", "c")
    for servers, words in ((("d",), "no server 'd'"), (("tag:none",), "runs on no server"), ((), "runs on no server")):
        with pytest.raises(UsageError, match=words):
            servers_of(stack(servers=servers), known)


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ("a: [1\nb: 2", "line 2, column 2"), ("a: b: c", "line 1, column 5"), ("\tx", "line 1, column 1"),
        ("- a", "line 1"),
    ],
)  # fmt: skip
def test_what_is_no_yaml_is_placed(content: str, where: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_yaml(content, name="compose.yaml")
    assert f"compose.yaml, {where}" in caught.value.message


def test_compose_may_have_tags_and_merges_of_its_own() -> None:
    check_yaml("x: &a {b: 1}\nservices: {web: {<<: *a, ports: !reset []}}", name="compose.yaml")


def test_files_are_taken_whole_or_not_at_all(tmp_path: Path) -> None:
    good = tmp_path / "good.yaml"
    good.write_text("servers: [{name: a, address: a}]\nstacks: [{name: s, servers: [a], compose: 'services: {}'}]")
    assert read_fleet([good]).stacks[0].compose == "services: {}"
    with pytest.raises(UsageError, match="server a is defined twice"):
        read_fleet([good, good])
    bad = tmp_path / "bad.yaml"
    bad.write_text("stacks:\n  - name: s\n    profils: [x]\n    compose: 'services: {}'")
    with pytest.raises(UsageError) as caught:
        read_fleet([good, bad])
    assert ("line 3" in caught.value.message, caught.value.hint) == (True, "did you mean profiles?")


def test_the_history_keeps_no_value_and_no_file() -> None:
    source = ComposeSource(
        project="shop", files=(StackFile(path="compose.yaml", content="password: hunter2"),),
        environment={"A": "hunter2"}, templates={"A": "hunter2"},
    )  # fmt: skip
    spec = ComposeDeploy(source=source, fallback={"A": "hunter2"})
    operation = StackOperation(
        verb="deploy", stack="shop", targets=(StackTarget(server="a", project="shop", spec=spec),)
    )
    written = msgspec.json.encode(stack_as_written(operation, "•••")).decode()
    assert "hunter2" not in written
    assert "sha256:" in written


@pytest.mark.parametrize(
    ("result", "end", "outcome", "code"),
    [
        ({"outcome": "rolled_back"}, "rolled_back", "rolled_back", ExitCode.FAILED),
        ({"outcome": "rollback_failed"}, "rollback_failed", "rollback_failed", ExitCode.FAILED),
        ({"outcome": "failed"}, "failed", "failed", ExitCode.FAILED),
        ({"refused": "conflict"}, "failed", "failed", ExitCode.REFUSED),
    ],
)
def test_outcomes_keep_their_names(result: dict[str, str], end: str, outcome: str, code: ExitCode) -> None:
    job = Job(id="j", kind="deploy", target="shop", status="failed", error="why", result=result)
    step = of_job(Target(server="a", name="shop"), job)
    assert (step.end, step.exit_code, conclude([step])[0]) == (end, code, outcome)


def test_what_was_not_begun_does_not_hide_why() -> None:
    job = Job(id="j", kind="deploy", target="shop", status="failed", error="sick", result={"outcome": "rolled_back"})
    steps = [of_job(Target(server="a", name="shop"), job), skipped(Target(server="b", name="shop"), "not begun")]
    assert conclude(steps) == ("rolled_back", "0 of 2 done; 1 not begun; shop@a: sick")


def test_a_rollback_without_a_number_means_the_newest_good_one_that_differs() -> None:
    def revision(number: int, outcome: str, digest: str) -> RevisionSummary:
        return RevisionSummary(number=number, started=0.0, outcome=outcome, digest=digest)  # type: ignore[arg-type]

    good = [revision(3, "success", "b"), revision(2, "success", "b"), revision(1, "success", "a")]
    assert to_return_to(good) == 1
    assert to_return_to([revision(4, "failed", "c"), *good]) == 3
    assert to_return_to([revision(4, "rolled_back", "c"), *good]) == 1
    assert to_return_to([revision(1, "success", "a")]) == 0
    assert to_return_to([]) == 0


def test_a_diff_reads_from_deployed_to_defined() -> None:
    text = file_diff(FileChange(path="compose.yaml", change="changed", before="a\nb\n", after="a\nc"))
    assert text.splitlines()[:2] == ["--- deployed/compose.yaml", "+++ stack/compose.yaml"]
    assert "-b\n+c\n" in text
