"""Conditions and placeholders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.procedures.expressions import condition_names, fill, fill_all, holds, names_in

VALUES = {"env": "prod", "count": "12", "out": "all done\nok", "failed": False}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("", True),
        ('env == "prod"', True),
        ("env != 'prod'", False),
        ("count > 9", True),
        ("count <= 9", False),
        ("count == 12", True),
        ('"done" in out', True),
        ('env in ["test", "prod"]', True),
        ('env not in ["test"]', True),
        ("not failed and env", True),
        ("failed or count >= 12", True),
        ("failed == false", True),
        (r'matches(out, "^all\s")', True),
        ('not (env == "prod" and count < 20)', False),
    ],
)
def test_conditions(condition: str, expected: bool) -> None:
    assert holds(condition, VALUES) is expected


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("env ==", "cannot be read"),
        ("other == 1", "asks for other"),
        ("__import__('os')", "do not have"),
        ("env.upper()", "do not have"),
        ("[x for x in env]", "do not have"),
        ("env < 3", "is no number"),
        ('matches(out, "(")', "matches"),
        ("(" * 500, "cannot be read"),
    ],
)
def test_conditions_that_say_nothing(condition: str, why: str) -> None:
    with pytest.raises(UsageError, match=why.replace("(", r"\(")):
        holds(condition, VALUES)


def test_names_of_a_condition() -> None:
    assert condition_names('a == "b" and matches(c, "d") or true') == {"a", "c"}


def test_placeholders_leave_shells_and_templates_alone() -> None:
    text = "{env} ${env} {{env}} {{.Names}} ${HOME} awk '{print $1}' {Unknown} {}"
    assert names_in(text) == {"env"}
    assert fill(text, {"env": "prod"}) == text.replace("{env}", "prod", 1)


def test_a_placeholder_without_value_is_named() -> None:
    with pytest.raises(UsageError, match=r"\{nope\} has no value"):
        fill("x {nope}", {})


def test_filling_reaches_into_lists_and_maps_but_not_keys() -> None:
    filled = fill_all({"{a}": ["{a}", 3, {"k": "-{a}"}], "n": None}, {"a": "1"})
    assert filled == {"{a}": ["1", 3, {"k": "-1"}], "n": None}


@given(st.text(max_size=60))
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    try:
        holds(text, VALUES)
    except UsageError:
        return
