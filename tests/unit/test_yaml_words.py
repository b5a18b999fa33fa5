"""What is said of values in YAML files that do not fit."""

from __future__ import annotations

import pytest

from komodo_tui.domain.errors import UsageError
from komodo_tui.store.fleet_files import FleetFile
from komodo_tui.store.yaml_files import parse_yaml


@pytest.mark.parametrize(
    ("line", "words", "hint"),
    [
        ("git: {url: u, host_keys: text}", 'git.host_keys has to be a list, not "text" (a text)',
         'write host_keys: ["text"]'),
        ("revisions: many", 'revisions has to be a whole number, not "many" (a text)', ""),
        ("pull: sometimes", 'pull cannot be "sometimes"', "one of: missing, always, never"),
        ("health: {on_failure: cry}", 'health.on_failure cannot be "cry"', "one of: rollback, stop, keep"),
        ("environment: [a]", "environment has to be a map (name: value), not a list", ""),
        ("environment: {a: yes, b: 8080}", "environment.b has to be a text, not 8080 (a whole number)",
         'write b: "8080"'),
        ("per_server: {a: {b: '3'}, c: {d: true}}", "per_server.c.d has to be a text, not true",
         'write d: "true"'),
        ("health: {window: {}}", "health.window has to be a number, not a map (name: value)", ""),
    ],
)  # fmt: skip
def test_a_misfit_is_told_in_the_words_of_who_wrote_it(line: str, words: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_yaml(f"stacks:\n  - name: a\n    {line}\n".encode(), FleetFile, name="f.yaml")
    assert caught.value.message == f"f.yaml, line 3: stacks.0.{words}"
    assert caught.value.hint == hint


def test_what_is_missing_is_named() -> None:
    with pytest.raises(UsageError, match=r"line 2: stacks\.0: name is missing"):
        parse_yaml(b"stacks:\n  - servers: [a]\n", FleetFile, name="f.yaml")
