"""A deployment of one container from a file to a running container, broken on purpose, back by itself, and away."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from tests.rig.server import Server

pytestmark = pytest.mark.rig

FLEET = """
servers: [{name: here, address: local}]
variables: [{name: WHO, value: ana}]
deployments:
- name: Web.one
  image: busybox
  servers: [here]
  command: [httpd, -f, -p, "80"]
  ports: ["8091:80"]
  environment: {PATH: "/bin:/x", discovery.type: "$HOME of [[WHO]]"}
  per_server: {here: {ONLY_HERE: "yes"}}
  volumes: ["precious:/data"]
  limits: {memory: 64m}
  health: {window: 15, steady: 0.3}
  more: {stop_grace_period: 1s}
"""


def test_one_container(komodo: Callable[..., subprocess.CompletedProcess[str]], server: Server, tmp_path: Path) -> None:
    def told(*words: str, code: int = 0) -> Any:
        done = komodo(*words, "--json")
        assert done.returncode == code, done.stderr + done.stdout
        return json.loads(done.stdout)

    file = tmp_path / "fleet.yaml"
    file.write_text(FLEET)
    server.docker("volume", "create", "precious")
    server.docker("run", "-d", "--name", "Web.one", "busybox", "sleep", "999")
    try:
        assert komodo("apply", "-f", str(file), "--yes").returncode == 0
        taken = komodo("deploy", "Web.one", "--yes")
        assert taken.returncode == 4
        assert "the container name Web.one is taken" in taken.stderr
    finally:
        server.docker("rm", "-f", "Web.one")

    assert told("deploy", "Web.one", "--yes")["outcome"] == "success"
    found = json.loads(server.docker("inspect", "Web.one"))[0]
    assert {"PATH=/bin:/x", "discovery.type=$HOME of ana", "ONLY_HERE=yes"} <= set(found["Config"]["Env"])
    assert found["HostConfig"]["NetworkMode"] == "bridge"
    assert found["HostConfig"]["Memory"] == 64 << 20
    assert [mount["Name"] for mount in found["Mounts"]] == ["precious"]
    told("diff", "Web.one")

    file.write_text(FLEET.replace('[httpd, -f, -p, "80"]', '[sh, -c, "exit 3"]'))
    assert komodo("apply", "-f", str(file), "--yes").returncode == 0
    assert told("deploy", "Web.one", "--yes", code=1)["outcome"] == "rolled_back"
    assert json.loads(server.docker("inspect", "Web.one"))[0]["Config"]["Cmd"] == found["Config"]["Cmd"]

    assert told("destroy", "Web.one", "--volumes", "--yes")["outcome"] == "success"
    assert "precious" in server.docker("volume", "ls", "-q").split()  # it was there before: not the project's
    assert "Web.one" not in server.docker("ps", "-a", "--format", "{{.Names}}").split()
