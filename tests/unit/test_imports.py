"""What Komodo and Dockge keep becomes definitions of ours; what has no match is told, never guessed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from komodo_tui.cli import main
from komodo_tui.domain.errors import UsageError
from komodo_tui.operations.imports import texts
from komodo_tui.operations.imports.found import Imported
from komodo_tui.operations.imports.komodo import read_komodo

if TYPE_CHECKING:
    from pathlib import Path

FLEET = """
[[server]]
name = "prod-1"
tags = ["prod"]
[server.config]
address = "https://prod-1.example:8120"
enabled = true
region = "north"
cpu_warning = 80.0

[[server.config.maintenance_windows]]
name = "backups"
schedule_type = "Weekly"
day_of_week = "Sunday"
hour = 2
minute = 30
duration_minutes = 90
timezone = "Europe/Zurich"
[[server.config.maintenance_windows]]
name = "nightly"
duration_minutes = 20
enabled = false
[[server.config.maintenance_windows]]
name = "once"
schedule_type = "OneTime"
date = "2027-01-01"
duration_minutes = 20

[[variable]]
name = "OTLP"
value = "http://otlp:4317"

[[variable]]
name = "TOKEN"
value = "##########"
is_secret = true

[[repo]]
name = "site"
[repo.config]
server = "prod-1"
git_provider = "git.example"
git_account = "ana"
repo = "ana/site"
on_pull.path = "app"
on_pull.command = \"\"\"
# build it
make build
make 'install it'
\"\"\"

[[build]]
name = "api"
[build.config]
linked_repo = "site"
build_path = "./api"
version.major = 1
version.minor = 4
version.patch = 2
image_registry = [{ domain = "registry.example", account = "ci", organization = "shop" }]
build_args = "MODE = fast"
secret_args = "NPM = [[NPM_TOKEN]]"
include_commit_tag = false

[[stack]]
name = "shop"
after = ["db"]
[stack.config]
server = "prod-1"
project_name = "shop"
environment = \"\"\"
PORT = 8080   # of the site
URL: http://x:80
- "NAME=va lue"
\"\"\"
file_contents = \"\"\"
services:
  web: {image: nginx}
\"\"\"
pre_deploy.command = "echo one\\necho two"
poll_for_updates = true

[[stack]]
name = "from-git"
[stack.config]
server = "prod-1"
linked_repo = "site"
run_directory = "deploy"
file_paths = ["compose.yaml", "prod.yaml"]
destroy_before_deploy = true

[[stack]]
name = "broken"
[stack.config]
server = "prod-1"
file_contents = "services: ["

[[deployment]]
name = "cache"
[deployment.config]
server = "prod-1"
image.type = "Build"
image.params.build = "api"
ports = "6379:6379"
volumes = "/data = /var/lib"
command = "redis-server --save ''"
restart = "on-failure"
redeploy_on_build = true
replicas = 3

[[procedure]]
name = "nightly"
[procedure.config]
schedule = "Every day at 3:30 am"
[[procedure.config.stage]]
name = "one"
executions = [
  { execution.type = "RunBuild", execution.params.build = "api" },
  { execution.type = "BatchDeployStackIfChanged", execution.params.pattern = "shop, \\\\^web-\\\\d+$\\\\" },
  { execution.type = "Sleep", execution.params.duration_ms = 1500 },
  { execution.type = "RotateCoreKeys", execution.params = {} },
]
[[procedure.config.stage]]
name = "two"
enabled = false
executions = [
  { execution.type = "RestartContainer", execution.params = { server = "prod-1", container = "x" }, enabled = false },
  { execution.type = "PruneVolumes", execution.params.server = "prod-1" },
]

[[procedure]]
name = "by-cron"
[procedure.config]
schedule_format = "Cron"
schedule = "0 15 4 * * *"
[[procedure.config.stage]]
executions = [{ execution.type = "RunProcedure", execution.params.procedure = "nightly" }]

[[resource_sync]]
name = "fleet"
[resource_sync.config]
linked_repo = "site"
resource_path = ["fleet/stacks.toml"]
match_tags = ["prod"]
delete = true

[[alerter]]
name = "phone"
[alerter.config]
enabled = true
endpoint.type = "Ntfy"
endpoint.params.url = "https://ntfy.example/ops"

[[alerter]]
name = "chat"
[alerter.config]
endpoint = { type = "Slack", params = { url = "https://hooks.slack.com/services/T01/B012/abcdef" } }
alert_types = ["ServerCpu", "BuildFailed", "AwsBuilderTerminationFailed"]
resources = [{ type = "Server", id = "prod-1" }, { type = "Stack", id = "shop" }]
except_resources = [{ type = "Server", id = "dev" }]

[[procedure]]
name = "empty"
[[procedure.config.stage]]
executions = [{ execution.type = "RotateCoreKeys", execution.params = {} }]

[[git_provider]]
domain = "git.example"
accounts = [{ username = "ana", token = "canary" }]

[[swarm]]
name = "s"
[[user_group]]
name = "g"
"""


@pytest.fixture
def found() -> Imported:
    found = Imported()
    read_komodo(FLEET, "fleet.toml", found)
    return found


def one(found: Imported, plural: str, name: str) -> dict[str, Any]:
    return next(each for each in found.definitions[plural] if each["name"] == name)


def test_servers_are_reached_by_ssh(found: Imported) -> None:
    server = one(found, "servers", "prod-1")
    assert (server["address"], server["tags"]) == ("prod-1.example", ["prod"])
    assert server["alerts"] == {"cpu": {"warning": 80.0, "critical": 99.0}}
    assert any("ssh prod-1.example" in note for note in found.notes)


def test_repos_builds_and_what_follows(found: Imported) -> None:
    assert one(found, "repos", "site") == {
        "name": "site", "url": "https://git.example/ana/site.git", "servers": ["prod-1"],
        "on_pull": ["sh -c 'cd '\\''app'\\'' && make build && make '\\''install it'\\'''"],
    }  # fmt: skip
    assert one(found, "builds", "api") == {
        "name": "api", "repo": "site", "path": "api", "build_args": {"MODE": "fast"}, "secrets": {"NPM": "NPM"},
        "version": "1.4.2", "image_tags": {"commit": False},
        "registries": [{"domain": "registry.example", "organization": "shop"}], "redeploy_on_build": ["cache"],
    }  # fmt: skip
    assert any("account ana" in note for note in found.notes)


def test_stacks_of_every_source(found: Imported) -> None:
    shop = one(found, "stacks", "shop")
    assert shop["environment"] == {"PORT": "8080", "URL": "http://x:80", "NAME": "va lue"}
    assert (shop["pull"], shop["after"]) == ("always", ["db"])
    assert shop["pre_deploy"] == ["sh -c 'echo one && echo two'"]
    git = one(found, "stacks", "from-git")
    assert git["git"] == {"repo": "site", "folder": "deploy"}
    assert git["files"] == ["compose.yaml", "prod.yaml"]
    assert "stack from-git: destroy_before_deploy has no match here and was left out" in found.notes
    assert not any(stack["name"] == "broken" for stack in found.definitions["stacks"])
    assert any(note.startswith("stack broken: left out") for note in found.notes)


def test_deployments(found: Imported) -> None:
    cache = one(found, "deployments", "cache")
    assert (cache["image"], cache["ports"], cache["volumes"]) == ("[[build.api]]", ["6379:6379"], ["/data:/var/lib"])
    assert cache["restart"] == "on-failure"
    assert "deployment cache: replicas has no match here and was left out" in found.notes


def test_procedures_step_by_step(found: Imported) -> None:
    nightly = one(found, "procedures", "nightly")
    assert nightly["schedule"] == "every day at 03:30"
    assert nightly["allow_dangerous"] is True
    first, second = nightly["stages"]
    assert first["steps"] == [
        {"build": {"build": "api"}},
        {"deploy_if_changed": {"stack": ["shop", "re:^web-\\d+$"]}},
        {"sleep": {"seconds": "1.5s"}},
    ]
    assert second["enabled"] is False
    assert second["steps"][0] == {"restart_containers": {"match": "x", "servers": "prod-1", "enabled": False}}
    assert "procedure nightly: RotateCoreKeys has no step here and was left out" in found.notes
    assert one(found, "procedures", "by-cron")["schedule"] == "15 4 * * *"


def test_secrets_are_never_written(found: Imported) -> None:
    assert [variable["name"] for variable in found.definitions["variables"]] == ["OTLP"]
    assert any("secret set TOKEN" in note for note in found.notes)


def test_the_rest_is_told(found: Imported) -> None:
    assert one(found, "syncs", "fleet")["path"] == "fleet/stacks.yaml"
    assert found.definitions["alerters"] == [
        {"name": "phone", "url": "ntfys://ntfy.example/ops"},
        {"name": "chat", "url": "[[CHAT_URL]]", "kinds": ["cpu", "build"], "servers": ["prod-1"],
         "except_servers": ["dev"], "enabled": False},
    ]  # fmt: skip
    assert any("secret set CHAT_URL" in note for note in found.notes)
    assert any("AwsBuilderTerminationFailed" in note for note in found.notes)
    assert not any("B012/abcdef" in note for note in found.notes)
    assert found.definitions["maintenance"] == [
        {"name": "prod-1-backups", "when": "every sunday 02:30 for 1h30m", "zone": "Europe/Zurich",
         "servers": ["prod-1"]},
        {"name": "prod-1-nightly", "when": "every day 00:00 for 20m", "servers": ["prod-1"], "enabled": False},
    ]  # fmt: skip
    assert any("2027-01-01" in note for note in found.notes)
    assert "procedure empty: left out: it has no step that there is here" in found.notes
    assert any(note.startswith("git_provider git.example: keep its tokens") for note in found.notes)
    assert any(note.startswith("swarm s:") for note in found.notes)
    assert any(note.startswith("user_group g:") for note in found.notes)


def test_what_comes_of_it_can_be_applied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "fleet.toml").write_text(FLEET)
    home, out = str(tmp_path / "home"), str(tmp_path / "fleet.yaml")
    assert main(["--home", home, "import", "komodo", str(tmp_path), "-o", out]) == 0
    assert "2 alerters" in capsys.readouterr().err
    assert main(["--home", home, "apply", "-f", out, "--yes"]) == 0
    capsys.readouterr()
    assert main(["--home", home, "plan", "-f", out, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"changes": []}


def test_no_toml_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no TOML"):
        read_komodo("[[stack", "x.toml", Imported())
    assert main(["--home", str(tmp_path / "home"), "import", "komodo", str(tmp_path / "gone.toml")]) == 2


_SOUND = '\n[[variable]]\nname = "SOUND"\nvalue = "1"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('server = ["a"]', "server: left out"),
        ('[[server]]\nname = "a"\nconfig = 3', "server: left out"),
        ('[server]\nname = "a"\nconfig = 3', "server: left out"),
        ('[[server]]\nname = "a"\n[server.config]\ncpu_warning = "much"', "server a: left out"),
        ('[[server]]\nname = "a"\n[server.config]\naddress = "https://[::1"', "server a: left out"),
        ('[[server]]\nname = "a"\n[server.config]\nmaintenance_windows = [1]', "server a: left out"),
        ('[[procedure]]\nname = "a"\n[[procedure.config.stage]]\nexecutions = [1]', "procedure a: left out"),
        ('[[alerter]]\nname = "a"\n[alerter.config]\nendpoint = 5\nresources = 3', "alerter a: left out"),
        ('[[build]]\nname = "a"\n[build.config]\nversion = [1]\nimage_registry = [1]', "build a: left out"),
        ('[[resource_sync]]\nname = "a"\n[resource_sync.config]\nresource_path = 5', "resource_sync a: left out"),
        ('deployment = [1]', "deployment: left out"),
    ],
)  # fmt: skip
def test_what_is_not_as_komodo_writes_it_is_left_out_alone(text: str, told: str) -> None:
    found = Imported()
    read_komodo(text + _SOUND, "fleet.toml", found)
    assert any(note.startswith(told) for note in found.notes), found.notes
    assert found.definitions["variables"] == [{"name": "SOUND", "value": "1"}]
    with pytest.raises(UsageError, match=r"fleet.toml: this is no TOML"):
        read_komodo(f"a = {'[' * 5000}", "fleet.toml", found)


def test_pairs_of_every_form() -> None:
    given = "# none\nA = 1 # one\n- B: 2\n- \"C=x=y\"\n'D' = 'quoted = yes'\n\nE=\n"
    assert texts.mapping(given) == {"A": "1", "B": "2", "C": "x=y", "D": "quoted = yes", "E": ""}
    assert texts.pairs([{"variable": "A", "value": "1"}]) == [("A", "1")]


def test_dockge(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, files in {
        "blog": {"compose.yaml": "services:  \n  \n  web: {image: nginx}\n", ".env": "PORT=80\nAPI_TOKEN=canary\n"},
        "beside": {"docker-compose.yml": "services:\n  web:\n    image: nginx\n    volumes:\n      - ./www:/www\n"},
        "bad": {"compose.yaml": "services: [\n"},
        "empty": {},
    }.items():
        (tmp_path / "stacks" / name).mkdir(parents=True)
        for file, text in files.items():
            (tmp_path / "stacks" / name / file).write_text(text)
    assert main(["--home", str(tmp_path / "home"), "import", "dockge", str(tmp_path / "stacks"), "--on", "web-1"]) == 0
    printed = capsys.readouterr()
    stacks = {stack["name"]: stack for stack in yaml.safe_load(printed.out)["stacks"]}
    assert set(stacks) == {"blog", "beside"}
    assert (stacks["blog"]["servers"], stacks["blog"]["environment"]) == (
        ["web-1"], {"PORT": "80", "API_TOKEN": "canary"},
    )  # fmt: skip
    assert "  compose: |\n    services:\n" in printed.out
    assert "stack blog: API_TOKEN: what looks like a secret" in printed.err
    assert "canary" not in printed.err
    assert "stack beside: it names files beside it" in printed.err
    assert "stack bad: left out" in printed.err
