"""The queue of pushes: each delivery counted once, bursts made one, nothing forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.procedures.check import check
from komodo_tui.domain.pushes import OnPush, Push, SeenBranch, check_on_push, run_of, wanted
from komodo_tui.store.pushes import KEPT_PUSHES, PushStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

URL = "git@host:shop.git"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PushStore]:
    """An empty one."""
    store = PushStore(tmp_path / "pushes.db")
    yield store
    store.close()


def seen(commit: str, **fields: Any) -> SeenBranch:
    return SeenBranch(**{"repo": "shop", "url": URL, "branch": "", "commit": commit, **fields})


def deliver(store: PushStore, commit: str, *ids: str, repo: str = "shop") -> str:
    push = Push(repo=repo, branch="main", commit=commit, source="github", delivery=ids[0])
    return store.delivered(push, seen(commit, repo=repo), ids, 1.0)


def test_a_look_sets_off_what_is_new_and_nothing_else(store: PushStore) -> None:
    assert [store.looked(seen(commit), "main", 1.0) for commit in "aabba"] == [False, False, True, False, True]
    (push,) = store.recent("shop")
    assert (push.before, push.commit, push.count, push.state, push.branch) == ("a", "a", 2, "pending", "main")
    assert not store.looked(seen("c", url="other"), "main", 2.0), "another repository: a new beginning"


def test_a_repository_that_cannot_be_looked_at_is_no_push(store: PushStore) -> None:
    store.looked(seen("a"), "main", 1.0)
    assert store.failed_look(seen(""), "gone", 2.0)
    assert not store.failed_look(seen(""), "gone", 3.0)
    known = store.seen()["shop"]
    assert (known.commit, known.problem, known.since, known.checked) == ("a", "gone", 2.0, 1.0)
    assert not store.looked(seen("a"), "main", 4.0)
    assert store.seen()["shop"].problem == ""
    assert store.failed_look(seen("", repo="new"), "no such host", 5.0)
    assert not store.looked(seen("x", repo="new"), "main", 6.0)


def test_each_delivery_counts_once_whatever_tells_of_it(store: PushStore) -> None:
    assert deliver(store, "a", "id1", "sum1") == "accepted"
    assert deliver(store, "a", "id1", "sum1") == "duplicate"
    assert deliver(store, "b", "id2", "sum1") == "duplicate", "the same body under another id"
    assert deliver(store, "a", "id3", "sum3") == "known"
    assert not store.looked(seen("a"), "main", 2.0)
    assert deliver(store, "b", "id4", "sum4") == "accepted"
    assert deliver(store, "b", "id4", repo="other") == "accepted", "another repo's"
    assert [(p.repo, p.count) for p in store.recent()] == [("other", 1), ("shop", 2)]


def test_one_run_of_a_repo_at_a_time_and_bursts_become_one(store: PushStore) -> None:
    deliver(store, "a", "1")
    first = store.claim("run1", 5.0)
    assert first is not None
    assert (first.run, first.state, first.tries) == ("run1", "running", 1)
    for commit in "bcd":
        deliver(store, commit, commit)
    assert store.claim("run2", 6.0) is None
    assert store.running() == [first]
    store.ended(first, good=False, note="why", now=7.0)
    second = store.claim("run2", 8.0)
    assert second is not None
    assert (second.commit, second.count, second.before) == ("d", 3, first.before)
    store.ended(second, good=True, note="", now=9.0)
    assert [p.state for p in store.recent("shop")] == ["done", "failed"]
    assert store.claim("run3", 10.0) is None


def test_a_push_that_waits_for_a_server_is_tried_again_or_merged(store: PushStore) -> None:
    deliver(store, "a", "1")
    push = store.claim("run1", 5.0)
    assert push is not None
    store.ended(push, good=False, note="away", now=6.0, again_at=36.0)
    assert store.next_due() == 36.0
    assert store.claim("run2", 7.0) is None
    deliver(store, "b", "2")
    again = store.claim("run2", 8.0)
    assert again is not None
    assert (again.id, again.commit, again.count) == (push.id, "b", 2)
    assert again.tries == 1, "the newer push has all its tries before it"


def test_what_a_push_did_not_do_the_next_one_has_to(store: PushStore) -> None:
    store.looked(seen("a"), "main", 1.0)
    for commit in "bc":
        store.looked(seen(commit), "main", 2.0)
        push = store.claim(f"run-{commit}", 3.0)
        assert push is not None
        assert push.before == "a", "what is new since the last that was done to its end"
        store.ended(push, good=commit == "c", note="", now=4.0)
    store.looked(seen("d"), "main", 5.0)
    push = store.claim("run-d", 6.0)
    assert push is not None
    assert push.before == "c"


def test_a_look_that_began_before_a_webhook_came_says_nothing_new(store: PushStore) -> None:
    store.looked(seen("a"), "main", 1.0)
    push = Push(repo="shop", branch="main", commit="b", source="github", delivery="1")
    store.delivered(push, seen("b"), ("1",), 10.0)
    assert not store.looked(seen("a"), "main", 10.5, began=9.5), "the branch was asked for before the push"
    assert not store.looked(seen("b"), "main", 15.0, began=14.0)
    assert [(push.commit, push.count) for push in store.recent()] == [("b", 1)]
    assert store.looked(seen("c"), "main", 8.0, began=7.0), "a clock that was set back stops nothing"


def test_the_queue_is_bounded(store: PushStore) -> None:
    for number in range(KEPT_PUSHES + 5):
        deliver(store, str(number), str(number))
        push = store.claim(f"r{number}", 1.0)
        assert push is not None
        store.ended(push, good=True, note="", now=1.0)
    assert len(store.recent("shop", 1000)) == KEPT_PUSHES
    store.prune([], 1.0 + 31 * 86400)
    assert store.seen() == {}
    assert deliver(store, "1", "1") == "accepted"


def test_what_a_push_becomes() -> None:
    actions = (OnPush(deploy="web"), OnPush(procedure="tell", parameters={"version": "{commit}"}))
    definition = run_of("shop", actions, pull=True)
    check(definition, lambda _: run_of("other", (), pull=False))
    assert [stage.name for stage in definition.stages] == ["pull", "deploy web", "procedure tell"]
    beside = run_of("shop", actions, pull=True, beside=True)
    check(beside, lambda _: run_of("other", (), pull=False))
    assert [[step.kind for step in stage.steps] for stage in beside.stages] == [["repo_pull", "deploy"], ["procedure"]]
    assert run_of("shop", actions, pull=False, beside=True) == run_of("shop", actions, pull=False)
    assert run_of("shop", (), pull=False).stages
    each = (OnPush(deploy="it"), OnPush(build="it"), OnPush(sync="it"), OnPush(procedure="it"))
    stages = run_of("shop", each, pull=False).stages
    assert [(s.name, s.steps[0].kind) for s in stages] == [
        (f"{kind} it", kind) for kind in ("deploy", "build", "sync", "procedure")]  # fmt: skip
    for bad in (OnPush(), OnPush(deploy="a", build="b"), OnPush(deploy="a", parameters={"x": "y"})):
        with pytest.raises(UsageError, match="entry 1"):
            check_on_push("repo shop", "", [bad])
    with pytest.raises(UsageError, match="too often"):
        check_on_push("repo shop", "1s", [])


@pytest.mark.parametrize(("paths", "changed", "expected"), [
    (("site/**",), ["site/a/b.html"], True), (("site/**",), ["sites/b"], False),
    (("*.md",), ["docs/x/README.md"], True),
    (("/compose.yaml", "site/"), ["site/x"], True), (("docs/*.md",), ["docs/a/b.md"], False),
    (("!docs/**",), ["docs/a"], False), (("!docs/**",), ["docs/a", "b"], True), (("a?c",), ["abc"], True),
    (("**/x",), ["x"], True), (("**/x",), ["a/b/x"], True), (("a.c",), ["abc"], False), (("x",), None, True),
    ((), [], True), (("x",), [], False), (("a/**/z",), ["a/z"], True),
])  # fmt: skip
def test_path_filters(paths: tuple[str, ...], changed: list[str] | None, expected: bool) -> None:
    assert wanted(OnPush(deploy="x", paths=paths), changed) is expected
