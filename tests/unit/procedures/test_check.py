"""What is said of procedures that cannot run."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.procedures.check import arguments, check
from komodo_tui.domain.procedures.model import ProcedureDefinition
from komodo_tui.store.fleet_files import FleetFile
from komodo_tui.store.yaml_files import parse_yaml
from komodo_tui.ui.procedures.recipes import starters


def made(*steps: dict[str, Any], **fields: Any) -> ProcedureDefinition:
    """A procedure of one stage."""
    return msgspec.convert({"name": "p", "stages": [{"steps": list(steps)}], **fields}, ProcedureDefinition)


def refused(definition: ProcedureDefinition, *others: ProcedureDefinition) -> str:
    """What is said of it."""
    with pytest.raises(UsageError) as caught:
        check(definition, lambda name: next((p for p in (definition, *others) if p.name == name), None))
    return str(caught.value)


RESTART = {"restart_containers": {"match": "web*"}}


def test_a_sound_one_passes() -> None:
    check(
        made(
            RESTART, {"exec": {"container": "db", "command": "./migrate {env}", "timeout": "5m", "save": "out"}},
            parameters={"env": None},
        ),
        lambda _: None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        (made(), "it has no steps"),
        (ProcedureDefinition(name="p"), "it has no stages"),
        (ProcedureDefinition(name="a b"), "the name cannot be used"),
        (made({**RESTART, "sleep": {"seconds": "1s"}}), "must be of one kind"),
        (made({}), "must be of one kind"),
        (made({"restart_containers": {}}), "which containers?"),
        (made({"exec": {"command": "x"}}), "which containers?"),
        (made({"exec": {"container": "a", "match": "b", "command": "x"}}), "which containers?"),
        (made({"exec": {"container": "a", "command": ""}}), "the command is empty"),
        (made({"exec": {"container": "a", "command": "x 'y"}}), "close the quotes"),
        (made({"run": {"command": "ls"}}), "allow_dangerous: true"),
        (made({"script": {"script": "ls"}}), "allow_dangerous: true"),
        (made({"restart_containers": {"match": "{pattern}"}}), "{pattern} is neither a parameter nor an output"),
        (made({"restart_containers": {"match": "a", "timeout": "soon"}}), "'soon' is no span of time"),
        (made({"restart_containers": {"match": "a", "when": "env =="}}), "cannot be read"),
        (made({"restart_containers": {"match": "a", "when": "x == 1"}}), "asks for x, which nothing gives"),
        (made({"clear_logs": {"match": "a", "larger_than": "big"}}), "'big' is no size"),
        (made({"wait": {"tcp": "a:1", "http": "http://b"}}), "wait for one thing"),
        (made(RESTART, parameters={"Bad Name": "x"}), "cannot be a parameter's name"),
        (made({"procedure": {"procedure": "nope"}}), "there is no procedure 'nope'"),
        (made({"procedure": {"procedure": "p"}}), "it would run itself: p > p"),
        (made({"set": {"values": {"UP": "1"}}}), "cannot be a name"),
        (made({"deploy": {"stack": ""}}), "which stack?"),
        (made({"destroy_stack": {"stack": "a"}}), "allow_dangerous: true"),
        (made({"prune": {"volumes": True}}), "allow_dangerous: true"),
        (made({"prune": {"images": "none"}}), "prune what?"),
        (made({"prune": {"older_than": "old"}}), "'old' is no span of time"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(definition: ProcedureDefinition, said: str) -> None:
    assert said in refused(definition)


def test_a_longer_way_round_is_found_too() -> None:
    other = msgspec.structs.replace(made({"procedure": {"procedure": "p"}}), name="q")
    assert "p > q > p" in refused(made({"procedure": {"procedure": "q"}}), other)


def test_outputs_are_known_to_later_stages_only() -> None:
    stages = [
        {"steps": [{"exec": {"container": "a", "command": "date", "save": "day"}}]},
        {"steps": [{"exec": {"container": "a", "command": "echo {day}"}}]},
    ]
    check(msgspec.convert({"name": "p", "stages": stages}, ProcedureDefinition), lambda _: None)
    assert "{day} is neither" in refused(msgspec.convert({"name": "p", "stages": stages[::-1]}, ProcedureDefinition))


def test_parameters_are_asked_for_and_checked() -> None:
    definition = made(RESTART, parameters={"env": {"choices": ["a", "b"]}, "n": 3, "on": True})
    assert arguments(definition, {"env": "a"}) == {"env": "a", "n": "3", "on": "true"}
    for given, said in (({}, "env has no value"), ({"env": "c"}, "one of: a, b"), ({"x": "1"}, "no parameter x")):
        with pytest.raises(UsageError, match=said):
            arguments(definition, given)


def test_yaml_errors_name_line_and_nearest_key() -> None:
    text = b"procedures:\n  - name: p\n    stages:\n      - steps:\n          - restart_containers: {mtch: web}\n"
    with pytest.raises(UsageError) as caught:
        parse_yaml(text, FleetFile, name="p.yaml")
    assert "p.yaml, line 5" in str(caught.value)
    assert "did you mean match?" in str(caught.value)


def test_every_recipe_could_run() -> None:
    known = starters()
    assert {
        "backup-volume", "certificates", "clear-logs", "image-updates", "migrate-and-deploy", "nightly-prune",
        "os-updates", "restart-matching", "rolling-restart",
    } == {starter.name for starter in known}  # fmt: skip
    for starter in known:
        check(parse_yaml(starter.text.encode(), FleetFile, name=starter.name).procedures[0], lambda _: None)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"run": {"command": "x [[SECRET]]"}}, "[[SECRET]] would be seen"),
        ({"script": {"script": "echo [[SECRET]]"}}, "[[SECRET]] would be seen"),
        ({"script": {}}, "the script is empty"),
        ({"script": {"script": "x", "repo": "r", "file": "f"}}, "the script is empty"),
        ({"script": {"repo": "r", "file": "../f"}}, "not within the repo"),
        ({"wait": {"tcp": "a:1", "http": "http://a"}}, "wait for one thing"),
        ({"wait": {"log": "x"}}, "log and containers go together"),
        ({"wait": {"log": "(", "containers": "a"}}, "the pattern cannot be read"),
        ({"wait": {"file": "relative"}}, "no absolute path"),
        ({"approve": {"timeout": "0s"}}, "needs a timeout"),
        ({"notify": {"message": " "}}, "which message?"),
        ({"backup_volume": {"volume": "v", "folder": "x"}}, "no absolute path"),
        ({"restart_containers": {"match": "a", "where": "cors > 1"}}, "no fact of a target"),
        ({"restart_containers": {"match": "a", "batch": 1, "parallel": 1}}, "batch or parallel"),
        ({"exec": {"container": "a", "command": "x", "retries": 1, "idempotent": False}}, "exclude each other"),
        ({"deploy": {"stack": ""}}, "which stack?"),
        ({"remove_resources": {"what": "image", "match": ""}}, "which match?"),
        ({"set": {"values": {"run": "x"}}}, "cannot be a name"),
    ],
)
def test_steps_that_make_no_sense(step: dict[str, Any], said: str) -> None:
    assert said in refused(made(step, allow_dangerous=True))


def test_a_scripts_brackets_are_its_own() -> None:
    check(made({"script": {"script": "[[ -e x ]] && echo ${a} {b}"}}, allow_dangerous=True), lambda _: None)
