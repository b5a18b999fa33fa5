"""The index of one file of the history: a line of text an act, so that a filter need not open every row.

It is there for speed and proves nothing: what a query returns is read from the chained rows and tested again. An act
whose outcome stands in the file of a later month keeps an open line here, which every filter looks at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.domain.filters import ActionFilter, action_text

if TYPE_CHECKING:
    import sqlite3

    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.domain.terms import Term

SCHEMA = """
CREATE TABLE acts (
  seq INTEGER PRIMARY KEY, who TEXT NOT NULL, act TEXT NOT NULL, outcome TEXT, targets TEXT NOT NULL,
  text TEXT NOT NULL);
CREATE INDEX acts_open ON acts (seq) WHERE outcome IS NULL;
"""
_COLUMNS = {"who": "who", "act": "act", "outcome": "outcome", "target": "targets", "server": "targets"}


def add(connection: sqlite3.Connection, seq: int, record: ActionRecord) -> None:
    """Index an act that begins; part of the caller's transaction."""
    targets = "\n".join(str(target) for target in record.targets)
    values = (seq, str(record.actor).lower(), record.act.lower(), None, targets.lower(), action_text(record))
    connection.execute("INSERT INTO acts VALUES (?, ?, ?, ?, ?, ?)", values)


def close(connection: sqlite3.Connection, seq: int, record: ActionRecord) -> None:
    """Index the outcome of an act of this file; part of the caller's transaction."""
    connection.execute(
        "UPDATE acts SET outcome = ?, text = ? WHERE seq = ?", (record.outcome, action_text(record), seq)
    )


def unclosed(connection: sqlite3.Connection) -> list[int]:
    """Numbers of the acts with an open line, oldest first."""
    return [row[0] for row in connection.execute("SELECT seq FROM acts WHERE outcome IS NULL ORDER BY seq")]


def search(connection: sqlite3.Connection, wanted: ActionFilter | None, before: int, limit: int) -> list[int]:
    """Numbers of the newest acts below ``before`` that may pass, newest first."""
    conditions, values = ["seq < ?"], [str(before)]
    if wanted:
        for term in wanted.terms:
            condition, looked_for = _condition(term)
            if condition:
                conditions.append(f"(outcome IS NULL OR {condition})")
                values += looked_for
        connection.create_function("passes", 5, wanted.passes)
        conditions.append("(outcome IS NULL OR passes(who, act, outcome, targets, text))")
    # Only names of columns and question marks are put together here.
    statement = f"SELECT seq FROM acts WHERE {' AND '.join(conditions)} ORDER BY seq DESC LIMIT ?"
    return [row[0] for row in connection.execute(statement, (*values, limit))]


def _condition(term: Term) -> tuple[str, list[str]]:
    """What SQLite itself can look for first, which is ten times as quick; empty where it cannot."""
    if term.negated or "\n" in term.value:
        return "", []
    if term.kind == "plain":
        return "instr(text, ?) > 0", [term.value]
    values = list(term.values)
    if not values or any(letter in term.value for letter in "*?"):
        return "", []
    return "(" + " OR ".join(f"instr({_COLUMNS[term.field]}, ?) > 0" for _ in values) + ")", values
