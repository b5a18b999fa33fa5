"""Operations as a person would type them."""

from __future__ import annotations

import shlex

import pytest

from komodo_tui.headless.arguments import parse
from komodo_tui.operations.commands import definition_command

KINDS = ("stack", "deployment", "build", "repo", "sync", "procedure")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("verb", ["add", "edit", "remove"])
def test_what_a_plan_shows_for_a_definition_can_be_typed(kind: str, verb: str) -> None:
    words = shlex.split(definition_command(kind, verb, "my shop"), comments=True)
    assert parse(words[1:])
    assert shlex.quote("my shop") in definition_command(kind, verb, "my shop")
