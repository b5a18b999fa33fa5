"""Definitions to a file and back: what is exported is what is applied, of every kind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from komodo_tui.cli import main
from komodo_tui.operations.definition_files import KINDS
from komodo_tui.store.definitions import _TABLES
from komodo_tui.store.fleet_files import FleetFile

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

FLEET = """
servers:
- {name: web-1, address: root@127.0.0.1, tags: [prod]}
variables:
- {name: HOST, value: example.test}
- {name: server.web-1.PORT, value: "8080"}
repos:
- {name: shop, url: "https://git.example/shop.git", servers: [web-1], token: GIT}
builds:
- {name: api, repo: shop, image_tags: {commit: false}, registries: [{domain: "127.0.0.1:5000"}]}
stacks:
- name: apache
  servers: ["tag:prod"]
  environment: {PORT: "[[PORT]]"}
  health: {window: 5.0}
  compose: |
    services:
      web: {image: "httpd:2.4"}
deployments:
- name: cache
  image: redis:7
  servers: [web-1]
  ports: ["6379:6379"]
  limits: {memory: 64m}
  health_check: {command: redis-cli ping}
procedures:
- name: nightly
  parameters: {pattern: "apache*", wait: {default: "5", choices: ["5", "9"]}}
  stages:
  - {name: restart, steps: [{restart_containers: {match: "{pattern}"}}]}
alerters:
- {name: phone, url: "ntfys://[[NTFY_TOPIC]]", level: critical, kinds: [disk, oom], servers: ["web-*"]}
maintenance:
- {name: backups, when: every sunday 02:00 for 2h, zone: Europe/Zurich, tags: [prod], kinds: [cpu]}
log_rules:
- {name: payments, match: shop, pattern: "payment .* refused", level: critical, at_least: 3}
syncs:
- {name: fleet, repo: shop, path: fleet/prod, delete: true, most_deleted: 0.5}
"""


def run(home: Path, *words: str) -> int:
    return main(["--home", str(home), *words])


def test_every_kind_goes_out_and_comes_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    given, written = tmp_path / "fleet.yaml", tmp_path / "written.yaml"
    given.write_text(FLEET)
    assert run(first, "apply", "-f", str(given), "--yes") == 0
    assert run(first, "export", "-o", str(written)) == 0
    assert run(second, "apply", "-f", str(written), "--yes") == 0
    capsys.readouterr()
    documents = []
    for home in (first, second):
        assert run(home, "export", "--json") == 0
        documents.append(json.loads(capsys.readouterr().out))
        assert run(home, "plan", "-f", str(written), "--delete", "--json") == 0
        assert json.loads(capsys.readouterr().out) == {"changes": []}
    assert documents[0] == documents[1]
    assert set(documents[0]) == {kind.plural for kind in KINDS}
    assert documents[0]["stacks"][0]["health"] == {"window": 5.0}  # what is usual is left out


def test_export_of_some(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = tmp_path / "fleet.yaml"
    given.write_text(FLEET)
    assert run(tmp_path, "apply", "-f", str(given), "--yes") == 0
    capsys.readouterr()
    assert run(tmp_path, "export", "--kind", "stack", "--kind", "deployments", "cache", "--json") == 0
    assert list(json.loads(capsys.readouterr().out)) == ["deployments"]
    assert run(tmp_path, "export", "nothing") == 1
    assert run(tmp_path, "export", "--kind", "secret") == 2


def test_secrets_are_never_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("hunter2-hunter2\n"))
    assert run(tmp_path, "secret", "set", "GIT", "--yes") == 0
    given = tmp_path / "fleet.yaml"
    given.write_text(FLEET)
    assert run(tmp_path, "apply", "-f", str(given), "--yes") == 0
    capsys.readouterr()
    assert run(tmp_path, "export") == 0
    text = capsys.readouterr().out
    assert "hunter2" not in text
    assert "token: GIT" in text


def test_delete_forgets_in_the_other_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given, empty = tmp_path / "fleet.yaml", tmp_path / "empty.yaml"
    given.write_text(FLEET)
    empty.write_text("{}")
    assert run(tmp_path, "apply", "-f", str(given), "--yes") == 0
    capsys.readouterr()
    assert run(tmp_path, "plan", "-f", str(empty), "--delete", "--json") == 0
    found = json.loads(capsys.readouterr().out)["changes"]
    assert found == [
        "remove sync fleet", "remove procedure nightly", "remove log_rule payments", "remove maintenance backups",
        "remove alerter phone", "remove deployment cache", "remove stack apache",
        "remove build api", "remove repo shop",
        "remove variable HOST", "remove variable server.web-1.PORT", "remove server local", "remove server web-1",
    ]  # fmt: skip
    assert run(tmp_path, "apply", "-f", str(empty), "--delete", "--yes") == 0
    capsys.readouterr()
    assert run(tmp_path, "export", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {}


def test_what_is_kept_can_be_exported() -> None:
    words: dict[str, Any] = {field.name: field.type for field in msgspec.structs.fields(FleetFile)}
    assert set(words) == {kind.plural for kind in KINDS}
    assert set(_TABLES) == {kind.word for kind in KINDS}


def test_procedures_that_run_one_another_come_in_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = tmp_path / "fleet.yaml"
    stage = "stages: [{steps: [{procedure: {procedure: %s}}]}]"
    given.write_text(
        f"procedures:\n- {{name: first, {stage % 'second'}}}\n- {{name: second, {stage % 'third'}}}\n"
        "- {name: third, stages: [{steps: [{sleep: {seconds: 1s}}]}]}\n"
    )
    assert run(tmp_path / "home", "apply", "-f", str(given), "--yes") == 0, capsys.readouterr().err
    capsys.readouterr()
    assert run(tmp_path / "home", "export", "--json") == 0
    assert [p["name"] for p in json.loads(capsys.readouterr().out)["procedures"]] == ["first", "second", "third"]
