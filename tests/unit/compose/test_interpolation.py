"""``[[NAME]]`` finds its value on the server, the stack or everywhere, and is never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.interpolation import Value, interpolate, references, scoped

VALUES = {
    "TOKEN": Value("global", secret=True),
    "stack.shop.TOKEN": Value("of the stack", secret=True),
    "server.web-1.TOKEN": Value("of the server", secret=True),
    "DOMAIN": Value("example.test"),
    "TRICK": Value("[[TOKEN]]"),
}


@pytest.mark.parametrize(
    ("stack", "server", "expected"),
    [("shop", "web-1", "of the server"), ("shop", "web-2", "of the stack"), ("blog", "web-2", "global")],
)
def test_the_nearest_scope_counts(stack: str, server: str, expected: str) -> None:
    found = interpolate({"A": "x[[TOKEN]]y"}, scoped(stack, server, VALUES.get), where="stack")
    assert (found.values, found.secret_keys) == ({"A": f"x{expected}y"}, ("A",))


def test_no_stack_reaches_into_the_scope_of_another() -> None:
    text = "[[stack.shop.TOKEN]]"
    assert interpolate({"A": text}, scoped("blog", "web-2", VALUES.get), where="stack").values == {"A": text}


def test_values_are_put_in_as_they_are_and_only_secrets_are_masked() -> None:
    found = interpolate({"A": "[[ DOMAIN ]]", "B": "[[TRICK]]", "C": "[plain]"}, VALUES.get, where="stack")
    assert (found.values, found.secret_keys) == ({"A": "example.test", "B": "[[TOKEN]]", "C": "[plain]"}, ())


def test_all_that_is_missing_is_named_with_who_wants_it() -> None:
    with pytest.raises(UsageError, match=r"stack shop: not set: NOPE \(for A, B\), NIX \(for B\)"):
        interpolate({"A": "[[NOPE]]", "B": "[[NOPE]][[NIX]]"}, VALUES.get, where="stack shop")


@given(st.dictionaries(st.text(max_size=5), st.text(alphabet="[]AB. \n", max_size=30)))
def test_text_without_references_is_left_as_it_is(environment: dict[str, str]) -> None:
    if not any(references(text) for text in environment.values()):
        assert interpolate(environment, lambda _: None, where="").values == environment
