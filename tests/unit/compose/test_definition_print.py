"""What of a stack's definition counts as another one on a server."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from komodo_tui.domain.stack_git import StackGit
from komodo_tui.domain.stack_print import definition_print
from komodo_tui.domain.stacks import StackDefinition

STACK = StackDefinition(name="shop", servers=("web-1",), compose="services: {}", environment={"A": "1", "B": "2"})


@pytest.mark.parametrize(
    "change",
    [
        {"description": "another"}, {"tags": ("prod",)}, {"servers": ("web-2",)}, {"revisions": 3},
        {"environment": {"B": "2", "A": "1"}}, {"per_server": {"web-2": {"A": "3"}}}, {"files": ("compose.yaml",)},
    ],
    ids=str,
)  # fmt: skip
def test_what_changes_nothing_that_runs_does_not_count(change: dict[str, Any]) -> None:
    assert definition_print(msgspec.structs.replace(STACK, **change), "web-1") == definition_print(STACK, "web-1")


@pytest.mark.parametrize(
    "change",
    [
        {"compose": "services: {a: {}}"}, {"environment": {"A": "1"}}, {"per_server": {"web-1": {"A": "3"}}},
        {"attached": {"a.conf": "x"}}, {"profiles": ("debug",)}, {"build": True}, {"project": "other"},
        {"compose": "", "git": StackGit(repo="shop")},
    ],
    ids=str,
)  # fmt: skip
def test_what_could_change_what_runs_counts(change: dict[str, Any]) -> None:
    assert definition_print(msgspec.structs.replace(STACK, **change), "web-1") != definition_print(STACK, "web-1")
