"""A registry has a newer image under a name: found out, taken by one service alone, with and without a login."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from komodo_tui.store.paths import state_directory
from komodo_tui.store.secrets import Secret, SecretStore
from tests.rig.registry import registry

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from tests.rig.server import Server

pytestmark = pytest.mark.rig

FLEET = """
servers: [{name: here, address: local}]
stacks:
- name: pair
  servers: [here]
  health: {window: 15, steady: 0.3}
  compose: |
    services:
      one: {image: "HOST/app:1", command: [sleep, "999"], init: true}
      two: {image: "HOST/app:1", command: [sleep, "999"], init: true}
      own: {image: busybox, command: [sleep, "999"], init: true}
"""


@pytest.mark.parametrize("login", ["", "ana:secret-of-the-registry"], ids=["open", "login"])
def test_one_service_takes_a_newer_image(
    komodo: Callable[..., subprocess.CompletedProcess[str]], server: Server, tmp_path: Path, login: str
) -> None:
    def told(*words: str, code: int = 0) -> Any:
        done = komodo(*words, "--json")
        assert done.returncode == code, done.stderr + done.stdout
        return json.loads(done.stdout)

    own = ("--config", str(tmp_path / "docker"))  # the logins of this test alone

    def push(label: str) -> None:
        made = server.docker("create", "--label", f"made={label}", "busybox", "true").strip()
        server.docker("commit", made, f"{host}/app:1")
        server.docker("rm", made)
        server.docker(*own, "push", f"{host}/app:1")

    def states(*words: str) -> dict[str, str]:
        return {entry["update"]["image"]: entry["update"]["state"] for entry in told("updates", "--all", *words)}

    def runs(service: str) -> str:
        return server.docker("inspect", "-f", "{{.Image}}", f"pair-{service}-1").strip()

    with registry(server, tmp_path, login=login) as host:
        if login:
            user, _, password = login.partition(":")
            server.docker(*own, "login", "-u", user, "-p", password, host)
            paths = state_directory(tmp_path / "home")
            kept = json.dumps({"username": user, "password": password})
            SecretStore(paths.secrets, paths.identity).set(f"registry.{host.replace(':', '_')}", Secret(kept))
            checked = told("registry", "check", host)
            assert [(check["server"], check["accepted"]) for check in checked] == [("local", True)]
        file = tmp_path / "fleet.yaml"
        file.write_text(FLEET.replace("HOST", host))
        try:
            push("first")
            assert komodo("apply", "-f", str(file), "--yes").returncode == 0
            assert told("deploy", "pair", "--yes")["outcome"] == "success"
            image = f"{host}/app:1"
            assert states() == {image: "current", "busybox": "local"}

            first = runs("one")
            push("second")
            server.docker("rmi", "--force", image)
            assert states()[image] == "current"  # what the registry said is not old yet
            assert states("--now")[image] == "update"
            entry = told("updates")[0]
            assert (entry["containers"], entry["deployments"]) == (["pair-one-1", "pair-two-1"], ["pair"])

            strange = komodo("deploy", "pair", "--update", "three", "--yes")
            assert (strange.returncode, "has no service 'three'" in strange.stderr) == (2, True)
            third = runs("own")
            assert told("deploy", "pair", "--update", "one", "--yes")["outcome"] == "success"
            assert runs("one") != first
            assert runs("own") == third
            assert states("--now")[image] == "current"
        finally:
            komodo("destroy", "pair", "--yes")
            server.docker("rmi", "--force", f"{host}/app:1")


def test_a_registry_that_wants_a_login_or_is_away_is_told(
    komodo: Callable[..., subprocess.CompletedProcess[str]], server: Server, tmp_path: Path
) -> None:
    file = tmp_path / "fleet.yaml"
    file.write_text("servers: [{name: here, address: local}]")
    assert komodo("apply", "-f", str(file), "--yes").returncode == 0
    with registry(server, tmp_path, login="ana:secret-of-the-registry") as host:
        own = ("--config", str(tmp_path / "docker"))
        server.docker(*own, "login", "-u", "ana", "-p", "secret-of-the-registry", host)
        server.docker("tag", "busybox", f"{host}/app:1")
        server.docker(*own, "push", f"{host}/app:1")
        server.docker("run", "-d", "--name", "asking", f"{host}/app:1", "sleep", "999")
        try:
            update = json.loads(komodo("updates", "--json").stdout)[0]["update"]
            assert update["state"] == "unknown"
            assert "no basic auth credentials" in update["why"]
            assert komodo("registry", "check", host).returncode == 1  # none is kept
            paths = state_directory(tmp_path / "home")
            kept = json.dumps({"username": "ana", "password": "another"})
            SecretStore(paths.secrets, paths.identity).set(f"registry.{host.replace(':', '_')}", Secret(kept))
            refused = komodo("registry", "check", host, "--json")
            assert refused.returncode == 1
            assert json.loads(refused.stdout)[0]["accepted"] is False
            assert "another" not in refused.stdout + refused.stderr
        finally:
            server.docker("rm", "-f", "asking")
            server.docker("rmi", "--force", f"{host}/app:1")
