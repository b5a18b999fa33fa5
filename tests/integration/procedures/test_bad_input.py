"""Outputs without end or sense, commands that do not want to end, patterns that fit nothing: a clear word for each."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.procedures.lab import IDLE, stage, until

if TYPE_CHECKING:
    from tests.integration.procedures.lab import Cli
    from tests.rig.server import Server

pytestmark = pytest.mark.rig


def test_output_without_end_is_bounded_everywhere(cli: Cli) -> None:
    flood = "head -c 250000000 /dev/zero | tr '\\0' 'x' | fold -w 1000; echo; echo the end"
    cli.define(
        stage({"script": {"script": flood, "save": "out", "timeout": "50s"}}),
        stage({"run": {"command": ["printf", "%s", "{out}"]}}, when='"the end" in out'),
        allow_dangerous=True,
    )
    done = cli("--run-procedure", "p")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert "run: success" in done.stdout
    sizes = [path.stat().st_size for path in (cli.folder / "home").rglob("*") if path.is_file()]
    assert sum(sizes) < 40 << 20
    log = cli("procedure", "log", cli.entries("procedure", "runs")[0]["run"], "--json")
    assert len(log.stdout) < 1 << 20


def test_binary_output_is_text_that_no_terminal_minds(cli: Cli) -> None:
    noise = "head -c 100000 /dev/urandom; printf '\\033[31mred\\033]0;title\\007\\n'; exit 3"
    cli.define(stage({"script": {"script": noise}}), allow_dangerous=True)
    done = cli("--run-procedure", "p")
    assert done.returncode == 1
    assert "status 3" in done.stdout
    assert not any(character in done.stdout for character in "\x1b\x07\x00\x9b")


def test_a_command_that_ignores_sigterm_is_ended_all_the_same(cli: Cli, server: Server, tmp_path: Path) -> None:
    server.docker("run", "-d", "--name", "db", *IDLE)
    stubborn = f"trap '' TERM INT HUP; echo $$ > {tmp_path}/n; mv {tmp_path}/n {tmp_path}/pid; sleep 1000; sleep 1000"
    cli.define(
        stage(
            {"script": {"script": stubborn, "timeout": "1s"}},
            {"exec": {"container": "db", "command": ["sh", "-c", "trap '' TERM; sleep 1000; sleep 1000"],
                      "timeout": "1s"}},
        ),
        stage({"sleep": {"seconds": "0s"}}, on="always"),
        allow_dangerous=True,
    )  # fmt: skip
    began = time.monotonic()
    done = cli("--run-procedure", "p")
    assert done.returncode == 1
    assert done.stdout.count("did not end within 1 s and was ended") >= 2
    assert "sleep: success" in done.stdout
    assert time.monotonic() - began < 40
    pid = int((tmp_path / "pid").read_text())
    until(lambda: not Path(f"/proc/{pid}").exists() or _zombie(pid))
    until(lambda: "sleep 1000" not in server.docker("top", "db").replace("sleep 100000", ""))


def _zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_what_fits_nothing_is_as_the_step_says(cli: Cli) -> None:
    wanted = {"fail": 1, "warn": 0, "pass": 0}
    for policy, code in wanted.items():
        cli.define(
            stage(
                {"restart_containers": {"match": "nope*", "none": policy}},
                {"remove_resources": {"what": "volume", "match": "nope*", "none": policy}},
                {"deploy": {"stack": "nope*", "none": policy}},
                {"repo_pull": {"repo": "nope*", "none": policy}},
            ),
            allow_dangerous=True,
        )
        done = cli("--run-procedure", "p")
        assert done.returncode == code, done.stdout + done.stderr
        assert done.stdout.count({"fail": "failed in", "warn": "skipped in", "pass": "success in"}[policy]) == 4


def test_wrong_procedures_are_refused_with_the_nearest_name(cli: Cli) -> None:
    for wrong, said in (
        ("{steps: [{restrat_containers: {match: a}}]}", "restart_containers"),
        ("{steps: [{restart_containers: {mtach: a}}]}", "match"),
        ("{steps: [{exec: {container: a}}]}", "command"),
        ("{steps: [{restart_containers: {match: '{nobody}'}}]}", "{nobody} is neither"),
        ("{steps: [{procedure: {procedure: p}}]}", "run itself"),
    ):
        path = cli.folder / "wrong.yaml"
        path.write_text(f"procedures: [{{name: p, stages: [{wrong}]}}]")
        done = cli("apply", "-f", str(path), "--yes")
        assert done.returncode == 2, done.stdout
        assert said in done.stderr
    cli.define(stage({"sleep": {"seconds": "0s"}}), parameters={"who": None, "env": {"choices": ["a", "b"]}})
    unset = cli("--run-procedure", "p")
    assert (unset.returncode, "who has no value" in unset.stderr) == (2, True)
    other = cli("--run-procedure", "p", "--param", "who=x", "--param", "env=c")
    assert (other.returncode, "one of: a, b" in other.stderr) == (2, True)


def test_procedures_that_call_each_other_by_a_value_end(cli: Cli) -> None:
    again = {"procedure": {"procedure": "{next}", "parameters": {"next": "{next}"}}}
    cli.define(stage(again), parameters={"next": "p"})
    done = cli("--run-procedure", "p")
    assert done.returncode == 1
    assert "would run itself: p > p" in done.stdout
    assert {run["outcome"] for run in cli.entries("procedure", "runs")} == {"failed"}
    assert os.listdir(cli.folder / "home" / "runs")
