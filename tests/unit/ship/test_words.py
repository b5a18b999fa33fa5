"""What ``images push`` says where the registry is a second argument; what verbs say to what they do not know."""

from __future__ import annotations

import pytest

from komodo_tui.headless.arguments import parse
from komodo_tui.headless.ships import wrong_push


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("shop/api:1.4 127.0.0.1:5000", "shop/api:1.4 --to 127.0.0.1:5000"),
        ("127.0.0.1:5000 shop/api:1.4", "shop/api:1.4 --to 127.0.0.1:5000"),
        ("shop/api:1.4 127.0.0.1:5000/shop/api:1.4", "shop/api:1.4 --to 127.0.0.1:5000"),
        ("api ghcr.io/shop registry.example", "api --to ghcr.io/shop --to registry.example"),
        ("redis:7 hub.example", "redis:7 --to hub.example"),
        ("shop/api:1 shop/web:1", "shop/api:1 --to REGISTRY"),
        ("a.example/x b.example/x", "a.example/x --to b.example/x"),
    ],
)
def test_the_right_form_is_taught(words: str, wanted: str) -> None:
    error = wrong_push(words.split())
    assert error.hint == f"komodo-tui images push {wanted}"
    assert words in error.message


def test_a_second_name_reaches_the_verb() -> None:
    arguments = parse(["images", "push", "shop/api:1", "hub.example", "--yes"])
    assert (arguments.image, arguments.others, arguments.yes) == ("shop/api:1", ["hub.example"], True)


def test_what_a_verb_does_not_know_is_told_with_its_own_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        parse(["images", "tag", "a", "b", "c", "--json"])
    assert raised.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("usage: komodo-tui images tag")
    assert told.endswith("komodo-tui images tag: unrecognized arguments: c\n  try: komodo-tui images tag --help\n")
