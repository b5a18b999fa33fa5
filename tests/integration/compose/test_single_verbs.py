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


def test_a_definition_is_read_from_a_container_and_makes_the_same_one(
    komodo: Callable[..., subprocess.CompletedProcess[str]], server: Server, tmp_path: Path
) -> None:
    file = tmp_path / "servers.yaml"
    file.write_text("servers: [{name: here, address: local}]")
    assert komodo("apply", "-f", str(file), "--yes").returncode == 0
    server.docker("network", "create", "back")
    server.docker(
        "run", "-d", "--name", "blog", "-p", "127.0.0.1:8092:80", "-p", "8093:81/udp", "-v", "posts:/posts:ro",
        "-v", "/tmp:/host", "-v", "/anonymous", "-e", "A=$x", "-e", "DB_PASSWORD=hunter2-hunter2", "--label", "a=b",
        "--network", "back", "--restart", "on-failure:3", "--memory", "64m", "--cpus", "0.5", "--user", "0:0",
        "--cap-add", "NET_ADMIN", "--init", "--health-cmd", "true", "--health-interval", "7s",
        "busybox", "httpd", "-f", "-p", "80",
    )  # fmt: skip
    try:
        before = json.loads(server.docker("inspect", "blog"))[0]
        told = komodo("deployment", "from", "blog@here")
        assert told.returncode == 0, told.stderr
        assert "hunter2" not in told.stdout
        made = tmp_path / "blog.yaml"
        made.write_text(told.stdout)
        assert komodo("apply", "-f", str(made), "--yes").returncode == 0
        server.docker("rm", "-f", "-v", "blog")
        unset = komodo("deploy", "blog", "--yes")
        assert "DB_PASSWORD" in unset.stderr
        assert komodo("var", "set", "DB_PASSWORD", "hunter2-hunter2", "--yes").returncode == 0
        done = komodo("deploy", "blog", "--yes")
        assert done.returncode == 0, done.stderr
        after = json.loads(server.docker("inspect", "blog"))[0]
        for key in ("Cmd", "Entrypoint", "User", "WorkingDir"):
            assert after["Config"][key] == before["Config"][key], key
        assert before["Config"]["Healthcheck"].items() <= after["Config"]["Healthcheck"].items()
        for key in ("PortBindings", "RestartPolicy", "Memory", "NanoCpus", "CapAdd", "Init"):
            assert after["HostConfig"][key] == before["HostConfig"][key], key
        assert list(after["NetworkSettings"]["Networks"]) == ["back"]
        again = json.loads(komodo("deployment", "from", "blog@here", "--json").stdout)["deployments"][0]
        assert again["network"] == "back"
        assert set(before["Config"]["Env"]) <= set(after["Config"]["Env"])
        mounts = {(m.get("Name"), m["Source"], m["Destination"], m["RW"]) for m in after["Mounts"]}
        named = [m for m in before["Mounts"] if m["Destination"] != "/anonymous"]
        assert {(m.get("Name"), m["Source"], m["Destination"], m["RW"]) for m in named} == mounts
        assert after["Config"]["Labels"]["a"] == "b"
    finally:
        komodo("destroy", "blog", "--yes")
        server.docker("rm", "-f", "blog")
        server.docker("network", "rm", "back")
