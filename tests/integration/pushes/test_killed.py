"""A watch that is killed between a delivery and the end of what it set off: nothing is lost, nothing is done twice."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.pushes.lab import Watching
    from tests.unit.repos.lab import Author

pytestmark = pytest.mark.rig


def noting(where: Path) -> dict[str, Any]:
    """A procedure that writes down the commit it was run for, and takes its time before and after."""
    script = 'sleep 0.4; echo "$KOMODO_PARAM_COMMIT" >> "$KOMODO_PARAM_WHERE"; sleep 0.4'
    return {
        "name": "note", "allow_dangerous": True, "parameters": {"commit": None, "where": str(where)},
        "stages": [{"steps": [{"script": {"script": script, "servers": "web"}}]}],
    }  # fmt: skip


def test_killed_at_any_moment(watching: Watching, author: Author, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    watching.secret()
    act = {"procedure": "note", "parameters": {"commit": "{commit}"}}
    watching.define(procedures=(noting(notes),), on_push=[act], poll="")
    watching.start()
    commits = []
    for moment in ("accepted", "run 2", "going on with", "done"):
        commits.append(author.push(f"until it says {moment}"))
        assert watching.hook(commits[-1]) == 202
        if moment != "going on with":
            watching.until_said(moment)
        watching.stop(signal.SIGKILL)
        watching.start()
    watching.until(lambda: notes.exists() and notes.read_text().split()[-1:] == commits[-1:])
    watching.until(lambda: _all_ended(watching))
    lines = notes.read_text().split()
    assert len(lines) == len(set(lines)), "something was done twice"
    pushes = json.loads(watching("repo", "pushes", "--json"))["pushes"]
    assert sum(push["count"] for push in pushes) == len(commits)
    done = [push["commit"] for push in pushes if push["state"] == "done"]
    assert sorted(done) == sorted(lines)
    assert done[0] == commits[-1]


def _all_ended(watching: Watching) -> bool:
    pushes = json.loads(watching("repo", "pushes", "--json"))["pushes"]
    return all(push["state"] in ("done", "failed") for push in pushes)
