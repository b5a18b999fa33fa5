"""What people, files and names can hold: taken as it is, or refused by name before anything is changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest

from komodo_agent.wire.compose import ComposeDeploy, ComposeSource, StackFile
from tests.integration.compose.lab import WEB, Stacks, source

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.rig

NASTY = """it's "quoted" $(touch pwned) `touch pwned` ${HOME} $$ \\ ; & | > < * ? # ü 💥\nsecond line"""


async def test_names_and_values_are_never_read_by_a_shell(stacks: Stacks, tmp_path: Path) -> None:
    folder = tmp_path / "srv" / """it's "my" $(touch pwned);`touch pwned` shop"""
    folder.mkdir(parents=True)
    (folder / "com pose+1.yaml").write_text(WEB)
    (folder / "more values.env").write_text("PORT=8090\nTOKEN=from the file\n")
    wanted = ComposeSource(
        project="shop", stack="shop", folder=str(folder), compose_files=("com pose+1.yaml",),
        env_files=("more values.env",), environment={"TOKEN": NASTY},
    )  # fmt: skip
    echo = (("printf", "%s|", "$(touch pwned)", "it's"),)
    job = await stacks.deploy(wanted, pre_deploy=echo)
    assert job.status == "succeeded", job.error
    assert "$(touch pwned)|it's|" in await stacks.log(job)
    found = json.loads(stacks.server.docker("inspect", "-f", "{{json .Config.Env}}", "shop-web-1"))
    assert f"TOKEN={NASTY}" in found
    assert "0.0.0.0:8090->80/tcp" in stacks.server.docker("ps", "--format", "{{.Ports}}")
    assert list(tmp_path.rglob("pwned")) == []
    (folder / "more values.env").write_text("PORT=8091\n")  # read by compose: seen without being kept
    assert [s.verb for s in (await stacks.preview(wanted)).services] == ["recreate"]


@pytest.mark.parametrize("project", ["my shop", "it's", "$(touch x)", "../shop", "", "Shop", "-shop", "s" * 64])
async def test_projects_that_cannot_be(stacks: Stacks, project: str) -> None:
    assert "is no name for a compose project" in await stacks.refusal(source(project=project))


async def test_a_file_that_is_no_text_is_told(stacks: Stacks, tmp_path: Path) -> None:
    folder = tmp_path / "srv/latin"
    folder.mkdir(parents=True)
    (folder / "compose.yaml").write_bytes(WEB.encode() + b"# caf\xe9\n")
    wanted = ComposeSource(project="shop", folder=str(folder), environment={"PORT": "8080"})
    assert "UTF-8" in await stacks.refusal(wanted)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("services: {web: {environment: {A: b}}}", "has neither an image nor a build context"),
        ("services: {web: {image: busybox, env_file: nowhere.env}}", "nowhere.env"),
        ("services: {web: {image: busybox, ports: ['99999:80']}}", "99999"),
        ("services: {web: {image: 'Bad Name'}}", "Bad Name"),
        ("services: {'my web': {image: busybox}}", "my web"),
        ("services: {web: {image: busybox, volumes: ['nothere:/x']}}", "nothere"),
        ("services: {web: {image: busybox, no_such_key: 1}}", "no_such_key"),
        ("services: []", "services"),
        ("[1, 2]", "mapping"),
    ],
)
async def test_compose_files_that_cannot_be_run(stacks: Stacks, content: str, words: str) -> None:
    bad = source(content)
    status, body = await stacks.ask(bad)
    told = body.decode()
    assert words in told, told
    if status == 200:  # it is in the way of a deploy that the plan tells of
        job = await stacks.run(ComposeDeploy(source=bad))
        assert job.status == "failed"
    assert stacks.containers() == {}


async def test_a_stack_of_too_many_bytes(stacks: Stacks) -> None:
    big = source(WEB, StackFile(path="big.txt", content="x" * (800 << 10)))
    assert "larger than 700 KiB" in await stacks.refusal(big)
    twice = msgspec.structs.replace(source(), files=(*source().files, *source().files))
    assert "given twice" in await stacks.refusal(twice)
