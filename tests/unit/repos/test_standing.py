"""How a clone stands, by what anybody knows of its branch."""

from __future__ import annotations

from typing import Any

import pytest

from komodo_agent.wire.repos import RepoCommit, RepoState
from komodo_tui.domain.pushes import SeenBranch
from komodo_tui.domain.repos import BranchHead, RepoDefinition, newest_head, standing

URL = "https://git.example.com/shop.git"
SHOP = RepoDefinition(name="shop", url=URL, branch="main", servers=("a", "b"))


def commit(letter: str) -> RepoCommit:
    return RepoCommit(id=letter * 40, when=1.0, author="Ana", subject=letter)


def clone(letter: str, fetched: float, **more: Any) -> RepoState:
    given = {"url": URL, "branch": "main", "commit": commit(letter), "remote": commit(letter), **more}
    return RepoState(name="shop", path="/x", fetched=fetched, **given)


def seen(letter: str, checked: float, **more: Any) -> SeenBranch:
    return SeenBranch(repo="shop", commit=letter * 40, checked=checked, **{"url": URL, "branch": "main", **more})


@pytest.mark.parametrize(
    ("state", "found", "words"),
    [
        (clone("a", 10), seen("b", 20), ("new commits", "warn")),
        (clone("a", 10, behind=2), seen("b", 20), ("2 behind, new commits", "warn")),
        (clone("a", 10), seen("a", 20), ("up to date", "ok")),
        (clone("b", 30), seen("a", 20), ("up to date", "ok")),  # it was pulled since somebody looked
        (clone("a", 10), seen("b", 20, branch="next"), ("up to date", "ok")),
        (clone("a", 10), seen("b", 20, url="https://elsewhere.example/shop.git"), ("up to date", "ok")),
        (clone("a", 10), None, ("up to date", "ok")),
        (clone("a", 10, commit=commit("b")), seen("b", 20), ("up to date", "ok")),  # what was committed there itself
    ],
)  # fmt: skip
def test_a_look_for_pushes_tells_of_news(state: RepoState, found: SeenBranch | None, words: tuple[str, str]) -> None:
    assert standing(SHOP, state, newest_head(SHOP, [state], found)) == words


def test_what_one_clone_has_heard_of_is_news_for_the_other() -> None:
    old, new = clone("a", 10), clone("b", 20)
    head = newest_head(SHOP, [old, None, new], None)
    assert head == BranchHead("b" * 40, 20)
    assert [standing(SHOP, state, head)[0] for state in (old, new)] == ["new commits", "up to date"]


def test_what_stays_at_a_commit_has_no_news() -> None:
    pinned = RepoDefinition(name="shop", url=URL, branch="main", commit="aaaaaaaa")
    state = clone("a", 10)
    assert standing(pinned, state, newest_head(pinned, [state], seen("b", 20))) == ("pinned", "ok")
