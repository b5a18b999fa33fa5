"""The tables of the journals of runs, and what their rows say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.procedures.journal import RunSummary

if TYPE_CHECKING:
    from komodo_tui.domain.procedures.journal import Entry

SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
  run TEXT PRIMARY KEY, procedure TEXT NOT NULL, started REAL NOT NULL, who TEXT NOT NULL, parameters TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS runs_by_procedure ON runs (procedure, started);
CREATE TABLE IF NOT EXISTS entries (
  run TEXT NOT NULL, seq INTEGER NOT NULL, at REAL NOT NULL, content TEXT NOT NULL, PRIMARY KEY (run, seq))
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ends (run TEXT PRIMARY KEY, at REAL NOT NULL, outcome TEXT NOT NULL, summary TEXT NOT NULL);
CREATE TRIGGER IF NOT EXISTS runs_no_update BEFORE UPDATE ON runs BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER IF NOT EXISTS entries_no_update BEFORE UPDATE ON entries
  BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TABLE IF NOT EXISTS answers (
  run TEXT NOT NULL, stage INTEGER NOT NULL, step INTEGER NOT NULL, at REAL NOT NULL, yes INTEGER NOT NULL,
  who TEXT NOT NULL, note TEXT NOT NULL, PRIMARY KEY (run, stage, step)) WITHOUT ROWID;
PRAGMA user_version = 2;
"""
VERSION = 2
"""Of the schema, as ``user_version``."""
SUMMARY = """\
SELECT runs.run, procedure, started, who, parameters, ends.at, outcome, summary
FROM runs LEFT JOIN ends ON ends.run = runs.run"""
SHORTEST = "ORDER BY length(runs.run), runs.run LIMIT 2"


def text_of(entry: Entry) -> str:
    """An entry as its row has it."""
    return msgspec.json.encode(entry).decode()


def summary_of(
    run: str, procedure: str, started: float, who: str, parameters: str, ended: float | None, outcome: str | None,
    summary: str | None,
) -> RunSummary:  # fmt: skip
    """A row of :data:`SUMMARY`."""
    return msgspec.convert(
        {
            "run": run, "procedure": procedure, "started": started, "who": who, "ended": ended, "outcome": outcome,
            "summary": summary or "", "parameters": msgspec.json.decode(parameters),
        },
        RunSummary,
    )  # fmt: skip
