"""The stack verbs as cron and a person run them, to their exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from komodo_tui.store.paths import state_directory
from komodo_tui.store.secrets import Secret, SecretStore
from tests.integration.compose.lab import BROKEN, WEB

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from tests.rig.server import Server

pytestmark = pytest.mark.rig

SECRET = "a-secret-nobody-may-read"


def fleet(compose: str, port: int) -> str:
    """A YAML file of one server and one stack."""
    indented = "\n".join(f"      {line}" for line in compose.splitlines())
    return (
        "servers:\n  - {name: here, address: local}\nstacks:\n  - name: shop\n    servers: [here]\n"
        f"    environment: {{PORT: '{port}', TOKEN: '[[API_TOKEN]]'}}\n"
        f"    health: {{window: 15, steady: 0.3}}\n    compose: |\n{indented}\n"
    )


def test_from_a_file_to_a_running_service_and_back(
    komodo: Callable[..., subprocess.CompletedProcess[str]], server: Server, tmp_path: Path
) -> None:
    def told(*words: str, code: int = 0) -> Any:
        done = komodo(*words, "--json")
        assert done.returncode == code, done.stderr + done.stdout
        return json.loads(done.stdout)

    file = tmp_path / "fleet.yaml"
    file.write_text(fleet(WEB, 8085).replace("environment: {PORT", "enviroment: {PORT"))
    wrong = komodo("apply", "-f", str(file), "--yes")
    assert wrong.returncode == 2
    assert "line 6: unknown key stacks.0.enviroment" in wrong.stderr
    assert "did you mean environment?" in wrong.stderr

    file.write_text(fleet(WEB, 8085))
    assert told("plan", "-f", str(file))["changes"] == ["add server here", "add stack shop"]
    assert komodo("apply", "-f", str(file), "--yes").returncode == 0
    assert told("plan", "-f", str(file))["changes"] == []
    unset = komodo("deploy", "shop", "--yes")
    assert unset.returncode == 2
    assert "API_TOKEN (for TOKEN)" in unset.stderr

    paths = state_directory(tmp_path / "home")
    SecretStore(paths.secrets, paths.identity).set("stack.shop.API_TOKEN", Secret(SECRET))
    assert SECRET not in komodo("deploy", "shop", "--dry-run", "--json").stdout
    assert komodo("deploy", "shop").returncode == 4  # nobody can be asked
    planned = told("deploy", "shop", "--dry-run")["steps"][0]["command"]
    record = told("deploy", "shop", "--yes")
    assert (record["act"], record["outcome"]) == ("deploy", "success")
    assert record["steps"][0]["commands"] == [planned]
    assert SECRET in server.docker("inspect", "-f", "{{.Config.Env}}", "shop-web-1")
    told("diff", "shop")

    file.write_text(fleet(BROKEN, 8085))
    assert komodo("apply", "-f", str(file), "--yes").returncode == 0
    changed = told("diff", "shop", code=1)[0]["preview"]
    assert [(s["service"], s["verb"]) for s in changed["services"]] == [("web", "recreate")]
    assert told("deploy", "shop", "--yes", code=1)["outcome"] == "rolled_back"
    listed = told("stack", "list")["deployments"][0]["project"]
    assert [revision["outcome"] for revision in listed["revisions"]] == ["rolled_back", "success"]
    assert listed["services"][0]["state"] == "running"
    newest = json.loads(komodo("actions", "--json").stdout.splitlines()[0])
    assert (newest["act"], newest["outcome"]) == ("deploy", "rolled_back")

    assert told("destroy", "shop", "--yes")["outcome"] == "success"
    kept = b"".join(path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file())
    assert SECRET.encode() not in kept
