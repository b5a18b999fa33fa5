"""Definitions, history, settings and secrets keep what they are given and refuse what does not fit."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from komodo_tui.domain.errors import KomodoError, NotFoundError, StoreError, UsageError
from komodo_tui.domain.filters import parse_actions
from komodo_tui.domain.operations import ActionRecord, Actor, StepResult, Target
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.domain.settings import Settings
from komodo_tui.store.definitions import ConflictError, DefinitionStore
from komodo_tui.store.history import History
from komodo_tui.store.locks import FileLock
from komodo_tui.store.paths import state_directory
from komodo_tui.store.secrets import Secret, SecretStore, resolve_reference
from komodo_tui.store.settings_file import TEMPLATE, load_settings, write_template
from komodo_tui.store.yaml_files import parse_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WEB = ServerDefinition(name="web-1", address="deploy@web", tags=("prod",))


def test_definitions_by_revision(tmp_path: Path) -> None:
    mine, theirs = DefinitionStore(tmp_path / "d.json"), DefinitionStore(tmp_path / "d.json")
    assert mine.put("server", "web-1", WEB, None) == 1
    assert theirs.servers()[0].value == WEB
    assert theirs.put("server", "web-1", ServerDefinition(name="web-1", address="web2"), 1) == 2
    with pytest.raises(ConflictError, match="revision 2"):
        mine.put("server", "web-1", WEB, 1)
    with pytest.raises(ConflictError, match="already"):
        mine.put("server", "web-1", WEB, None)
    mine.delete("server", "web-1", 2)
    assert theirs.servers() == []
    with pytest.raises(ConflictError, match="removed"):
        theirs.put("server", "web-1", WEB, 2)
    with pytest.raises(NotFoundError):
        theirs.delete("server", "web-1", None)


def test_what_is_unknown_is_kept_and_one_bad_document_hides_no_other(tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    path.write_text(
        '{"servers": {"a": {"rev": 3, "address": "a", "colour": "red"}, "b": {"address": 7}, "c": 1},'
        ' "gadgets": {"x": {"y": 1}}}'
    )
    store = DefinitionStore(path)
    assert [s.value.name for s in store.servers()] == ["a"]
    assert "b" in store.problems()[0]
    store.put("server", "a", ServerDefinition(name="a", address="z"), 3)
    content = path.read_text()
    assert '"colour": "red"' in content
    assert '"gadgets"' in content
    assert '"b"' in content


def test_a_newer_schema_is_read_and_not_written(tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    path.write_text('{"servers": {"a": {"address": "a"}}, "_meta": {"schema": {"version": 99}}}')
    store = DefinitionStore(path)
    assert len(store.servers()) == 1
    with pytest.raises(StoreError, match="newer"):
        store.put("server", "b", WEB, None)


@pytest.fixture
def careless() -> Iterator[None]:
    """A shell whose umask takes nothing away."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("careless")
def test_files_are_private(tmp_path: Path) -> None:
    state = state_directory(tmp_path / "home")
    DefinitionStore(state.definitions).put("server", "web-1", WEB, None)
    History(state.history).begin(_record("1"))
    SecretStore(state.secrets, state.identity).set("A", Secret("x" * 9))
    for folder, _, files in os.walk(state.root):
        assert stat.S_IMODE(os.stat(folder).st_mode) & 0o077 == 0, folder
        for name in files:
            assert stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) & 0o077 == 0, name


def _record(action: str, act: str = "restart", started: float = 100.0) -> ActionRecord:
    return ActionRecord(
        id=action,
        seq=0,
        started=started,
        actor=Actor(name="ana"),
        act=act,
        targets=(Target(server="web-1", name="api"),),
    )


def test_history_joins_intent_and_outcome(tmp_path: Path) -> None:
    history = History(tmp_path)
    for number in range(5):
        history.begin(_record(f"a{number}", act="stop" if number % 2 else "restart", started=100.0 + number))
    step = StepResult(target=Target(server="web-1", name="api"), ok=False, error="no", commands=("docker restart api",))
    history.finish("a1", "failed", (step,), summary="no")
    assert [r.id for r in history.unfinished()] == ["a0", "a2", "a3", "a4"]
    newest = history.query(limit=2)
    assert [r.id for r in newest] == ["a4", "a3"]
    assert [r.id for r in history.query(before=newest[-1].seq)] == ["a2", "a1", "a0"]
    assert [r.id for r in history.query(parse_actions("act:stop outcome:failed"))] == ["a1"]
    assert [r.id for r in history.query(parse_actions("act:stop server:web-1 !server:web-2"))] == ["a3", "a1"]
    assert history.query(parse_actions("server:api")) == [], "the target's name is not its server"
    assert history.get("a1").steps == (step,)
    assert history.get("a1").outcome == "failed"
    with pytest.raises(StoreError):
        history.finish("a1", "success")
    with pytest.raises(NotFoundError):
        history.get("nope")


def test_history_goes_on_over_months_and_a_clock_that_goes_back(tmp_path: Path) -> None:
    times = iter([1_700_000_000.0, 1_703_000_000.0, 1_700_000_001.0, 1_706_000_000.0])
    history = History(tmp_path, clock=lambda: next(times))
    for number in range(3):
        history.begin(_record(str(number)))
    history.finish("0", "success")
    assert len(list(tmp_path.glob("history-*.db"))) == 3
    assert history.get("0").outcome == "success"
    report = history.verify()
    assert report.ok
    assert report.rows == 4
    history.close()
    sorted(tmp_path.glob("history-*.db"))[0].unlink()
    assert History(tmp_path).verify().ok


@pytest.mark.parametrize(
    "sabotage",
    [
        "UPDATE rows SET content = replace(content, 'ana', 'bob') WHERE seq = 2",
        "DELETE FROM rows WHERE seq = 2",
        "UPDATE rows SET at = at + 1 WHERE seq = 3",
    ],
)
def test_history_shows_who_meddles(tmp_path: Path, sabotage: str) -> None:
    history = History(tmp_path)
    for number in range(4):
        history.begin(_record(str(number)))
    assert history.verify().ok
    history.close()
    with contextlib.closing(sqlite3.connect(next(tmp_path.glob("*.db")), isolation_level=None)) as raw:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            raw.execute(sabotage)
        for trigger in ("rows_no_update", "rows_no_delete"):
            raw.execute(f"DROP TRIGGER {trigger}")
        raw.execute(sabotage)
    report = History(tmp_path).verify()
    assert not report.ok
    assert "row 2" in report.broken or "row 3" in report.broken


def test_locks_exclude(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "l"), FileLock(tmp_path / "l")
    with first:
        assert not second.try_acquire()
    assert second.try_acquire()
    second.release()


def test_settings_are_read_and_errors_name_file_line_and_key(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    assert load_settings(path) == Settings()
    assert write_template(path)
    assert not write_template(path)
    assert load_settings(path) == Settings()
    uncommented = "\n".join(
        line.removeprefix("# ") for line in TEMPLATE.splitlines()[3:] if not line.startswith("# What")
    )
    path.write_text(uncommented)
    assert load_settings(path).keymap == {"container.restart": "R,f5"}
    for content, words in (
        ("theme: mono\nread_onyl: true\n", ("line 2", "read_onyl", "read_only")),
        ("confirm:\n  tags:\n    prod:\n      harm: sometimes\n", ("line 4", "confirm.tags", "sometimes")),
        ("logs:\n  lines: many\n", ("line 2", "logs.lines")),
        ("a: 1\na: 2\n", ("line 2", "twice")),
        ("refresh: 0.01\n", ("refresh", "0.5")),
        ("x: [", ("line",)),
        ("- 1\n", ("the file",)),
    ):
        path.write_text(content)
        with pytest.raises(UsageError) as refused:
            load_settings(path)
        assert all(word in f"{refused.value}" for word in (str(path), *words)), refused.value


@given(st.binary(max_size=200) | st.text(alphabet="a:-[]{}&*!|>'\"\n #%@`yesno01", max_size=80).map(str.encode))
def test_any_yaml_is_read_or_refused_in_words(content: bytes) -> None:
    with contextlib.suppress(UsageError):
        parse_yaml(content, Settings, name="x")


def test_yaml_bombs_are_refused() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(8)
    )
    for content in (bomb, "[" * 3000, "x" * (2 << 20)):
        with pytest.raises(UsageError):
            parse_yaml(content.encode(), dict, name="x")


def test_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SecretStore(tmp_path / "s.age", tmp_path / "id.txt")
    assert store.names() == []
    store.set("API_TOKEN", Secret("hunter2hunter2"))
    assert SecretStore(tmp_path / "s.age", tmp_path / "id.txt").get("API_TOKEN").reveal() == "hunter2hunter2"
    assert b"hunter2" not in (tmp_path / "s.age").read_bytes()
    assert "hunter2" not in f"{store.get('API_TOKEN')!r}{store.get('API_TOKEN')}"
    assert resolve_reference("secret:API_TOKEN", store).reveal() == "hunter2hunter2"
    monkeypatch.setenv("ELSEWHERE", "abc")
    assert resolve_reference("env:ELSEWHERE").reveal() == "abc"
    assert resolve_reference("cmd:printf %s 'a b'").reveal() == "a b"
    store.delete("API_TOKEN")
    with pytest.raises(NotFoundError):
        store.get("API_TOKEN")
    store.set("B", Secret("x"))
    (tmp_path / "id.txt").chmod(0o644)
    with pytest.raises(StoreError, match="chmod 600"):
        store.get("B")
    for reference in ("env:NOT_THERE", "file:/not/there", "what:x", "cmd:false"):
        with pytest.raises(KomodoError):
            resolve_reference(reference)
