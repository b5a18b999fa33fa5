"""Procedures as cron runs them, on a real engine: what they do, how they end, and how they go on after a crash."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.procedures.lab import IDLE, PATIENCE, stage, until

if TYPE_CHECKING:
    from tests.integration.procedures.lab import Cli
    from tests.rig.server import Server

pytestmark = pytest.mark.rig


def test_a_run_does_its_steps_and_everything_is_on_record(cli: Cli, server: Server) -> None:
    for name in ("web-1", "web-2", "db"):
        server.docker("run", "-d", "--name", name, *IDLE)
    before = server.docker("inspect", "-f", "{{.State.StartedAt}}", "web-1")
    cli.define(
        stage({"restart_containers": {"match": "{pattern}", "grace": "0s"}}),
        stage({"exec": {"container": "db", "command": "sh -c 'echo migrated {run}'", "save": "result"}}),
        stage({"run": {"command": ["sh", "-c", 'echo "$0"', "{result}"], "save": "said"}}, when='"mi" in result'),
        parameters={"pattern": "web*"},
        allow_dangerous=True,
    )
    dry = cli("--run-procedure", "p", "--dry-run")
    assert "web-1@local" in dry.stdout
    assert "web-2@local" in dry.stdout
    assert server.docker("inspect", "-f", "{{.State.StartedAt}}", "web-1") == before
    done = cli("--run-procedure", "p")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "restart_containers: success" in done.stdout
    assert server.docker("inspect", "-f", "{{.State.StartedAt}}", "web-1") != before
    runs = cli.entries("procedure", "runs")
    assert [(run["procedure"], run["outcome"]) for run in runs] == [("p", "success")]
    saved = [entry["saved"] for entry in cli.entries("procedure", "log", runs[0]["run"]) if entry.get("saved")]
    assert {"said": f"migrated {runs[0]['run']}"} in saved
    acts = [row["act"] for row in cli.entries("actions")]
    assert acts[:3] == ["run", "exec", "restart"]


def test_a_failure_stops_runs_the_rescue_and_is_all_that_cron_mails(cli: Cli, server: Server) -> None:
    server.docker("run", "-d", "--name", "db", *IDLE)
    cli.define(
        stage(
            {"exec": {"container": "db", "command": "sh -c '{what}'", "retries": 1, "backoff": "0.1s"}}, name="migrate"
        ),
        stage({"exec": {"container": "db", "command": "touch /never"}}, name="later"),
        stage({"exec": {"container": "db", "command": "touch /rescued"}}, name="rescue", on="failure"),
        parameters={"what": "true"},
    )
    assert cli("--run-procedure", "p", "--quiet").stdout == ""
    done = cli("--run-procedure", "p", "--quiet", "--param", "what=echo no such table; exit 7")
    assert done.returncode == 1
    assert "| no such table" in done.stdout
    assert "status 7" in done.stdout
    assert "stage later: skipped" in done.stdout
    assert server.docker("exec", "db", "ls", "/").split().count("never") == 1  # of the run that was well
    assert "rescued" in server.docker("exec", "db", "ls", "/")
    run = cli.entries("procedure", "runs")[0]["run"]
    attempts = [
        e["attempt"] for e in cli.entries("procedure", "log", run) if e["k"] == "target_end" and e["stage"] == 0
    ]
    assert attempts == [1, 2]


def test_rolling_goes_no_further_after_a_failure(cli: Cli, server: Server) -> None:
    for number in range(4):
        server.docker("run", "-d", "--name", f"web-{number}", *IDLE)
    server.docker("exec", "web-1", "touch", "/bad")
    cli.define(stage({"exec": {"match": "web-*", "command": "sh -c 'touch /seen; test ! -e /bad'", "batch": 1}}))
    done = cli("--run-procedure", "p")
    assert done.returncode == 5
    assert "1 of 4 done; 2 not begun; web-1@local: it ended with status 1" in done.stdout
    seen = [name for name in ("web-0", "web-1", "web-2", "web-3") if "seen" in server.docker("exec", name, "ls", "/")]
    assert seen == ["web-0", "web-1"]


def test_nothing_to_do_is_a_failure_unless_the_procedure_says_otherwise(cli: Cli) -> None:
    cli.define(stage({"restart_containers": {"match": "nope*"}}))
    assert cli("--run-procedure", "p").returncode == 1
    cli.define(stage({"restart_containers": {"match": "nope*", "none": "pass"}}))
    assert cli("--run-procedure", "p").returncode == 0


def test_two_at_once_are_one_run_and_one_refusal(cli: Cli, server: Server, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    script = f"echo > {tmp_path}/begun; while [ ! -e {gate} ]; do sleep 0.05; done"
    cli.define(stage({"script": {"script": script}}), allow_dangerous=True)
    first = cli.start("--run-procedure", "p")
    until((tmp_path / "begun").exists)
    second = cli("--run-procedure", "p", "--lock", "fail")
    assert second.returncode == 4
    assert "under way already" in second.stderr
    third = cli.start("--run-procedure", "p", "--lock", "wait")
    gate.touch()
    for running in (first, third):
        output, _ = running.communicate(timeout=PATIENCE)
        assert running.returncode == 0, output


def test_sigterm_stops_what_runs_and_closes_the_records(cli: Cli, tmp_path: Path) -> None:
    script = f"echo $$ > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/pid; sleep 1000"
    cli.define(stage({"script": {"script": script}}), stage({"sleep": {"seconds": "1000s"}}), allow_dangerous=True)
    running = cli.start("--run-procedure", "p")
    until((tmp_path / "pid").exists)
    running.send_signal(signal.SIGTERM)
    output, _ = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130, output
    until(lambda: not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists())
    assert cli.entries("procedure", "runs")[0]["outcome"] == "cancelled"
    assert [row["outcome"] for row in cli.entries("actions") if row["act"] == "run"] == ["cancelled"]


def test_a_killed_run_goes_on_and_no_effect_happens_twice(cli: Cli, server: Server, tmp_path: Path) -> None:
    server.docker("run", "-d", "--name", "db", *IDLE)
    gate = tmp_path / "gate"
    slow = (
        f"echo two >> {tmp_path}/effects; while [ ! -e {gate} ]; do sleep 0.05; done; echo late >> {tmp_path}/effects"
    )
    cli.define(
        stage({"run": {"command": ["sh", "-c", f"echo one >> {tmp_path}/effects"]}}),
        stage({"script": {"script": slow}}),
        stage({"run": {"command": ["sh", "-c", f"echo three >> {tmp_path}/effects"]}}),
        allow_dangerous=True,
    )
    running = cli.start("--run-procedure", "p")
    effects = tmp_path / "effects"
    until(lambda: effects.exists() and "two" in effects.read_text())
    running.kill()
    running.communicate(timeout=PATIENCE)
    run = cli.entries("procedure", "runs")[0]
    assert run["outcome"] is None
    assert "interrupted" in cli("procedure", "list").stdout
    gate.touch()  # the job is the agent's: it goes on without the program that asked for it
    until(lambda: "late" in effects.read_text())
    done = cli("--resume", run["run"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert effects.read_text().split() == ["one", "two", "late", "three"]
    again = cli("--resume", run["run"])
    assert again.returncode == 4
    assert "has ended: success" in again.stderr


def test_values_are_words_and_never_commands(cli: Cli, server: Server, tmp_path: Path) -> None:
    server.docker("run", "-d", "--name", "db", *IDLE)
    evil = f"x; touch {tmp_path}/pwned $(touch {tmp_path}/pwned) 'a b'"
    cli.define(
        stage({"exec": {"container": "db", "command": "echo {word}", "save": "out"}}),
        stage(
            {"run": {"command": "printf %s {out}", "save": "said"}},
            {"script": {"script": 'printf %s "$KOMODO_PARAM_WORD$KOMODO_OUTPUT_OUT" # {word}', "save": "both"}},
        ),
        parameters={"word": None},
        allow_dangerous=True,
    )
    done = cli("--run-procedure", "p", "--param", f"word={evil}")
    assert done.returncode == 0, done.stdout + done.stderr
    run = cli.entries("procedure", "runs")[0]["run"]
    saved = {name: value for e in cli.entries("procedure", "log", run) for name, value in e.get("saved", {}).items()}
    assert saved == {"out": evil, "said": evil, "both": evil + evil}
    assert not (tmp_path / "pwned").exists()


def test_read_only_and_unknown_names(cli: Cli) -> None:
    cli.define(stage({"sleep": {"seconds": "0s"}}))
    assert cli("--run-procedure", "p", "--read-only").returncode == 4
    unknown = cli("--run-procedure", "q")
    assert (unknown.returncode, "no procedure 'q'" in unknown.stderr) == (2, True)
