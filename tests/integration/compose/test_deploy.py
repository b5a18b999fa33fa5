"""A deploy ends in one of its named outcomes, and the last good revision comes back when it is not well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from komodo_agent.wire.compose import ComposeAct, ComposeDeploy, ComposeRollback, ComposeSource, StackFile
from tests.integration.compose.lab import BROKEN, QUICK, WEB, Stacks, outcomes, slow, source

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.rig

BUILT = """\
services:
  web: {build: ., init: true, stop_grace_period: 1s}
"""
SECRET = "correct-horse-battery-staple"


async def test_a_stack_is_deployed_once_and_left_alone_when_nothing_changed(stacks: Stacks, tmp_path: Path) -> None:
    wanted = msgspec.structs.replace(
        source(TOKEN=SECRET), secret_keys=("TOKEN",), templates={"PORT": "8080", "TOKEN": "[[SECRET]]"}
    )
    preview = await stacks.preview(wanted)
    assert [(s.service, s.verb) for s in preview.services] == [("web", "create")]
    assert preview.new_volumes == ("shop_data",)
    assert stacks.containers() == {}
    talk = ((("sh", "-c", "echo the token is $TOKEN")),)
    job = await stacks.deploy(wanted, pre_deploy=talk, definition="one")
    assert (job.status, job.result["outcome"], job.error) == ("succeeded", "success", "")
    assert any(command.startswith("docker compose -p shop -f compose.yaml up -d") for command in job.commands)
    assert "the token is •••" in await stacks.log(job)
    before = stacks.container()
    assert SECRET in stacks.server.docker("inspect", "-f", "{{.Config.Env}}", "shop-web-1")

    assert not (await stacks.preview(wanted)).changes
    assert (await stacks.project()).revisions[0].definition == "one"
    again = await stacks.deploy(wanted, definition="two")
    assert again.result["unchanged"] == "yes"
    assert (await stacks.project()).revisions[0].definition == "two", "it means the same"
    assert stacks.container() == before
    assert outcomes(await stacks.project()) == ["success"]
    kept = b"".join(path.read_bytes() for path in (tmp_path / "agent").rglob("*") if path.is_file())
    assert SECRET.encode() not in kept


async def test_what_is_not_well_gives_way_to_the_last_good_files_and_image(stacks: Stacks, tmp_path: Path) -> None:
    stacks.server.docker("tag", "busybox", "shop:1")
    good = WEB.replace("image: busybox", "image: shop:1")
    assert (await stacks.deploy(source(good))).status == "succeeded"
    _, image = stacks.container()
    stacks.server.docker("tag", "noshell", "shop:1")  # the tag means another image now

    bad = BROKEN.replace("image: busybox", "image: shop:1")
    job = await stacks.deploy(source(bad, PORT="8081"), fallback={"PORT": "8080"})
    assert (job.status, job.result["outcome"], job.result["returned_to"]) == ("failed", "rolled_back", "1")
    assert "returned to revision 1" in job.error
    assert stacks.containers() == {"shop-web-1": "running"}
    assert stacks.container()[1] == image
    assert (tmp_path / "agent/state/stacks/shop/files/compose.yaml").read_text() == good
    assert "0.0.0.0:8080->80/tcp" in stacks.server.docker("ps", "--format", "{{.Ports}}")
    project = await stacks.project()
    assert outcomes(project) == ["success", "rolled_back"]
    assert [service.drift for service in project.services] == [""]


async def test_a_stack_that_is_built_returns_to_the_image_that_was_built_before(stacks: Stacks) -> None:
    def built(command: str) -> ComposeSource:
        dockerfile = StackFile(path="Dockerfile", content=f"FROM busybox\nCMD {command}\n")
        return source(BUILT, dockerfile)

    first = await stacks.deploy(built("exec httpd -f -p 80"), build=True)
    assert first.status == "succeeded", first.error
    assert first.commands[0] == "docker compose -p shop -f compose.yaml build"
    image = stacks.container()[1]
    failed = await stacks.deploy(built("exit 3"), build=True, fallback={"PORT": "8080"})
    assert failed.result["outcome"] == "rolled_back", failed.error
    assert stacks.container()[1] == image
    assert [service.drift for service in (await stacks.project()).services] == [""]


@pytest.mark.parametrize(("policy", "state"), [("stop", "exited"), ("keep", "running")])
async def test_other_policies_than_the_return(stacks: Stacks, policy: str, state: str) -> None:
    health = msgspec.structs.replace(QUICK, window=1.0, on_failure=policy)
    job = await stacks.deploy(source(slow(60)), health=health)
    assert (job.status, job.result["outcome"]) == ("failed", "failed")
    assert "shop-web-1 is running (starting)" in job.error
    assert stacks.containers() == {"shop-web-1": state}


async def test_a_revision_is_brought_back_by_its_number(stacks: Stacks) -> None:
    await stacks.deploy(source())
    await stacks.deploy(source(WEB.replace('"80"]', '"80", -h, /data]')))
    job = await stacks.run(ComposeRollback(project="shop", revision=1, environment={"PORT": "8080"}, health=QUICK))
    assert job.status == "succeeded", job.error
    command = stacks.server.docker("inspect", "-f", "{{.Config.Cmd}}", "shop-web-1").strip()
    assert command == "[httpd -f -p 80]"
    newest = (await stacks.project()).revisions[0]
    assert (newest.number, newest.rollback_of, newest.outcome) == (3, 1, "success")


async def test_what_was_not_there_to_be_seen_is_refused_before_anything_changes(stacks: Stacks) -> None:
    stacks.server.docker("run", "-d", "--name", "hog", "-p", "8099:80", "busybox", "sleep", "1000")
    refusals = {
        "env file": source(WEB.replace("init: true", "env_file: [missing.env]")),
        "neither an image nor a build": source(WEB.replace("image: busybox\n", "labels: {a: b}\n")),
        "not set: WANTED": source(WEB.replace("${PORT}", "${WANTED}")),
        "yaml": source("services: {web: [}"),
        "'../up.env' is no path": source(WEB, StackFile(path="../up.env", content="")),
        "DOCKER_HOST steers docker": source(DOCKER_HOST="tcp://elsewhere"),
        "'$(reboot)' is no name": source(project="$(reboot)"),
        "undefined network": source(WEB.replace("init: true", "networks: [nope]")),
    }
    for words, wanted in refusals.items():
        assert words in await stacks.refusal(wanted)
    taken = await stacks.preview(source(PORT="8099"))
    assert taken.conflicts == ("port 8099/tcp of web is taken by container hog",)
    job = await stacks.run(ComposeDeploy(source=source(PORT="8099")))
    assert "taken by container hog: nothing was changed" in job.error
    assert job.result == {"refused": "conflict"}
    absent = await stacks.deploy(source(WEB.replace("busybox", "no-such:1")), pull="never")
    assert "not to be pulled: no-such:1" in absent.error
    assert stacks.containers() == {}


async def test_a_plan_that_was_overtaken_is_refused(stacks: Stacks) -> None:
    shown = await stacks.preview(source())
    await stacks.deploy(source(PORT="8081"))
    before = stacks.container()
    job = await stacks.run(ComposeDeploy(source=source(), fingerprint=shown.fingerprint))
    assert "not as it was when the plan was made" in job.error
    assert stacks.container() == before


async def test_files_of_the_users_own_are_neither_written_over_nor_removed(stacks: Stacks, tmp_path: Path) -> None:
    attached = StackFile(path="conf/app.conf", content="ours = 1\n")
    await stacks.deploy(source(WEB, attached))
    folder = tmp_path / "agent/state/stacks/shop/files"
    (folder / "conf/mine.txt").write_text("keep me")
    (folder / "other.conf").write_text("mine too")
    clash = await stacks.preview(source(WEB, StackFile(path="other.conf", content="not yours")))
    assert len(clash.conflicts) == 1
    assert "other.conf is somebody's own" in clash.conflicts[0]
    await stacks.deploy(source())  # no attached file any more
    assert not (folder / "conf/app.conf").exists()
    assert (await stacks.preview(source())).warnings == ()
    (folder / "compose.yaml").write_text(f"# mended by hand\n{WEB}")
    assert "compose.yaml was changed on the server" in "".join((await stacks.preview(source())).warnings)
    await stacks.run(ComposeAct(project="shop", verb="down", volumes=True))
    assert stacks.containers() == {}
    assert ((folder / "conf/mine.txt").read_text(), (folder / "other.conf").read_text()) == ("keep me", "mine too")


async def test_a_changed_env_file_is_planned_as_what_it_does(stacks: Stacks, tmp_path: Path) -> None:
    def with_env(*lines: str) -> ComposeSource:
        content = WEB.replace("init: true", "init: true\n    env_file: [conf/app.env]")
        content = content.replace("${PORT}", "${FROM_FILE}")
        other = "  other: {image: busybox, init: true, command: [sleep, '1000'], stop_grace_period: 1s}\nvolumes: {data"
        return source(
            content.replace("volumes: {data", other), StackFile(path="conf/app.env", content="\n".join(lines)),
            StackFile(path=".env", content="FROM_FILE=8086\n"),
        )  # fmt: skip

    first = await stacks.deploy(with_env("A=1"))
    assert first.status == "succeeded", first.error
    (tmp_path / "agent/state/stacks/shop/files/conf/mine.txt").write_text("mine")
    same = await stacks.preview(with_env("A=1"))
    assert not same.changes, [same.services, same.environment, [f.path for f in same.files]]
    changed = await stacks.preview(with_env("A=2"))
    assert {s.service: s.verb for s in changed.services} == {"web": "recreate", "other": "keep"}
    assert [port.port for port in changed.ports] == [8086]
    assert not (await stacks.preview(with_env("A=1"))).changes  # looking has changed nothing
    assert (await stacks.preview(with_env("A=2"))).fingerprint == changed.fingerprint
    job = await stacks.deploy(with_env("A=2"))
    assert job.status == "succeeded", job.error
    assert "A=2" in stacks.server.docker("inspect", "-f", "{{.Config.Env}}", "shop-web-1")
    assert [service.drift for service in (await stacks.project()).services] == ["", ""]
    left = tuple(file for file in with_env("A=2").files if "app" not in file.path)
    dropped = msgspec.structs.replace(with_env("A=2"), files=left)
    assert "conf/app.env" in await stacks.refusal(dropped)
    assert list((tmp_path / "agent/state/stacks/shop").glob("look-*")) == []
    assert (tmp_path / "agent/state/stacks/shop/files/conf/mine.txt").read_text() == "mine"
